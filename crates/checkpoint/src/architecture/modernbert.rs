//! ModernBERT (Warner et al. 2024). Names follow the Hugging Face checkpoint.

use serde::{Deserialize, Serialize};

use super::classifier::NormConfig;
use super::{Architecture, ClassifierConfig, Facts, HiddenActivation, default_initializer_range};
use crate::PoolingMode;
use crate::tokenizer_class::Class;

pub(super) const FACTS: &[Facts] = &[Facts {
    // Checkpoints of this architecture name classes that do not fit.
    names_its_tokenizer: false,
    ..Facts::new("modernbert", Class::AsItIs)
}];

/// The part of a ModernBERT `config.json` that shapes the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModernBertConfig {
    /// Rows of the token embedding.
    pub vocab_size: i64,
    /// Width of the hidden states.
    pub hidden_size: i64,
    /// Number of transformer layers.
    pub num_hidden_layers: i64,
    /// Attention heads; divides `hidden_size`.
    pub num_attention_heads: i64,
    /// Width of the feed-forward layer.
    pub intermediate_size: i64,
    /// HiddenActivation of the feed-forward layer.
    #[serde(default)]
    pub hidden_activation: HiddenActivation,
    /// Longest sequence.
    pub max_position_embeddings: i64,
    /// Added to the variance in layer norms.
    #[serde(default = "default_norm_eps")]
    pub norm_eps: f64,
    /// Whether layer norms have a bias.
    #[serde(default)]
    pub norm_bias: bool,
    /// Whether the linear layers of the attention have a bias.
    #[serde(default)]
    pub attention_bias: bool,
    /// Whether the linear layers of the feed-forward network have a bias.
    #[serde(default)]
    pub mlp_bias: bool,
    /// Dropout after the embeddings.
    #[serde(default)]
    pub embedding_dropout: f64,
    /// Dropout on attention weights and after attention.
    #[serde(default)]
    pub attention_dropout: f64,
    /// Dropout inside the feed-forward network.
    #[serde(default)]
    pub mlp_dropout: f64,
    /// Tokens that a local layer sees, half of them on each side.
    #[serde(default = "default_local_attention")]
    pub local_attention: i64,
    /// `full_attention` or `sliding_attention` for each layer.
    pub layer_types: Option<Vec<LayerType>>,
    /// Where `layer_types` is absent: every how many layers one is global, from the first on.
    #[serde(default = "default_global_attn_every_n_layers")]
    pub global_attn_every_n_layers: i64,
    /// Rotary positions for each type of layer.
    pub rope_parameters: Option<RopeParameters>,
    /// Where `rope_parameters` is absent: theta of global layers.
    #[serde(default = "default_global_rope_theta")]
    pub global_rope_theta: f64,
    /// Where `rope_parameters` is absent: theta of local layers.
    #[serde(default = "default_local_rope_theta")]
    pub local_rope_theta: f64,
    /// Standard deviation of fresh weights.
    #[serde(default = "default_initializer_range")]
    pub initializer_range: f64,
    /// The token states that a cross-encoder's head sees: `cls` or `mean`.
    #[serde(default = "default_classifier_pooling")]
    pub classifier_pooling: String,
    /// Dropout before the classifier of a cross-encoder.
    #[serde(default)]
    pub classifier_dropout: f64,
    /// Whether the dense layer of a cross-encoder's head has a bias.
    #[serde(default)]
    pub classifier_bias: bool,
    /// HiddenActivation of a cross-encoder's head.
    #[serde(default)]
    pub classifier_activation: HiddenActivation,
}

/// What the tokens of a layer see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LayerType {
    /// The whole text.
    #[serde(rename = "full_attention")]
    Global,
    /// A window around them.
    #[serde(rename = "sliding_attention")]
    Local,
}

/// Rotary positions for each type of layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RopeParameters {
    /// Those of global layers.
    pub full_attention: Option<Rope>,
    /// Those of local layers.
    pub sliding_attention: Option<Rope>,
}

/// Rotary positions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rope {
    /// Base of the wavelengths.
    pub rope_theta: Option<f64>,
    /// `default`, or a way to stretch them that is not supported.
    pub rope_type: Option<String>,
}

fn default_norm_eps() -> f64 {
    1e-5
}
fn default_local_attention() -> i64 {
    128
}
fn default_global_attn_every_n_layers() -> i64 {
    3
}
fn default_global_rope_theta() -> f64 {
    160_000.0
}
fn default_local_rope_theta() -> f64 {
    10_000.0
}
fn default_classifier_pooling() -> String {
    "cls".to_owned()
}

impl ModernBertConfig {
    /// Returns what layer `n` sees.
    pub fn layer_type(&self, n: i64) -> LayerType {
        match &self.layer_types {
            Some(types) => types.get(n as usize).copied().unwrap_or(LayerType::Global),
            None if n % self.global_attn_every_n_layers.max(1) == 0 => LayerType::Global,
            None => LayerType::Local,
        }
    }

    /// Returns how many tokens a local layer sees on each side.
    pub fn window(&self) -> i64 {
        self.local_attention / 2
    }

    /// Returns the rotary positions that the config gives layers of a type.
    pub fn rope(&self, kind: LayerType) -> Option<&Rope> {
        let parameters = self.rope_parameters.as_ref()?;
        match kind {
            LayerType::Global => parameters.full_attention.as_ref(),
            LayerType::Local => parameters.sliding_attention.as_ref(),
        }
    }

    /// Returns the base of the wavelengths of rotary positions in layers of a type.
    pub fn theta(&self, kind: LayerType) -> f64 {
        let given = self.rope(kind).and_then(|rope| rope.rope_theta);
        given.unwrap_or(match kind {
            LayerType::Global => self.global_rope_theta,
            LayerType::Local => self.local_rope_theta,
        })
    }
}

impl Architecture for ModernBertConfig {
    fn hidden_size(&self) -> i64 {
        self.hidden_size
    }

    fn heads(&self) -> i64 {
        self.num_attention_heads
    }

    fn vocab_size(&self) -> i64 {
        self.vocab_size
    }

    fn max_length(&self) -> i64 {
        self.max_position_embeddings
    }

    fn prefix(&self) -> &'static str {
        "model."
    }

    fn encoder_parts(&self) -> &'static [&'static str] {
        &["embeddings.", "layers.", "final_norm."]
    }

    fn classifier_class(&self) -> &'static str {
        "ModernBertForSequenceClassification"
    }

    fn classifier(&self) -> ClassifierConfig {
        ClassifierConfig {
            pooling: match self.classifier_pooling.as_str() {
                "mean" => PoolingMode::Mean,
                _ => PoolingMode::Cls,
            },
            dense: "head.dense",
            dense_bias: self.classifier_bias,
            activation: self.classifier_activation,
            norm: Some(NormConfig {
                name: "head.norm",
                eps: self.norm_eps,
                bias: self.norm_bias,
            }),
            output: "classifier",
            dropout_before_output: self.classifier_dropout,
            initializer_range: self.initializer_range,
            ..ClassifierConfig::of_width(self.hidden_size)
        }
    }

    fn check(&self) -> Result<(), String> {
        let width = self.hidden_size / self.num_attention_heads;
        if width % 2 != 0 {
            return Err(format!(
                "heads have the width {width}; rotary positions need an even one"
            ));
        }
        if let Some(types) = &self.layer_types
            && types.len() as i64 != self.num_hidden_layers
        {
            return Err(format!(
                "layer_types has {} entries for {} layers",
                types.len(),
                self.num_hidden_layers
            ));
        }
        for kind in [LayerType::Global, LayerType::Local] {
            if let Some(rope) = self.rope(kind)
                && let Some(name) = rope.rope_type.as_deref()
                && name != "default"
            {
                return Err(format!(
                    "rope_type `{name}` is not supported; supported: default"
                ));
            }
        }
        Ok(())
    }
}
