//! MPNet (Song et al. 2020): BERT without segments, with a bias on attention scores that depends on
//! the distance of two tokens. Names follow the Hugging Face checkpoint.

use serde::{Deserialize, Serialize};

use super::post_norm::{PostNormConfig, PostNormNames};
use super::{
    Architecture, ClassifierConfig, Facts, HiddenActivation, default_dropout,
    default_initializer_range, default_norm_eps,
};
use crate::tokenizer_class::Class;

pub(super) const FACTS: &[Facts] = &[Facts {
    unused_positions: |_| MpnetConfig::PADDING_IDX as usize + 1,
    ..Facts::new("mpnet", Class::Mpnet)
}];

/// The part of an MPNet `config.json` that shapes the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MpnetConfig {
    /// Rows of the word embedding.
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
    pub hidden_act: HiddenActivation,
    /// Dropout after embeddings, attention and feed-forward.
    #[serde(default = "default_dropout")]
    pub hidden_dropout_prob: f64,
    /// Dropout on attention weights.
    #[serde(default = "default_dropout")]
    pub attention_probs_dropout_prob: f64,
    /// Rows of the position embedding, two more than the longest sequence.
    pub max_position_embeddings: i64,
    /// Rows of the table of attention biases.
    #[serde(default = "default_buckets")]
    pub relative_attention_num_buckets: i64,
    /// Standard deviation of fresh weights.
    #[serde(default = "default_initializer_range")]
    pub initializer_range: f64,
    /// Added to the variance in layer norms.
    #[serde(default = "default_norm_eps")]
    pub layer_norm_eps: f64,
}

fn default_buckets() -> i64 {
    MpnetConfig::BUCKETS
}

impl MpnetConfig {
    /// The row of the position embedding that padding has; a text's first token has the next.
    pub const PADDING_IDX: i64 = 1;
    /// Buckets that distances fall into, half of them for tokens behind; no setting of the config.
    pub const BUCKETS: i64 = 32;

    /// Returns the sizes and settings of each layer.
    pub fn layer(&self) -> PostNormConfig {
        PostNormConfig {
            hidden: self.hidden_size,
            wide: self.intermediate_size,
            heads: self.num_attention_heads,
            activation: self.hidden_act,
            eps: self.layer_norm_eps,
            weights_dropout: self.attention_probs_dropout_prob,
            attention_dropout: self.hidden_dropout_prob,
            output_dropout: self.hidden_dropout_prob,
        }
    }

    /// Returns the names of the parameters of layer `n`.
    pub fn layer_names(prefix: &str, n: i64) -> PostNormNames {
        let name = |part: &str| format!("{prefix}encoder.layer.{n}.{part}");
        PostNormNames {
            query: name("attention.attn.q"),
            key: name("attention.attn.k"),
            value: name("attention.attn.v"),
            attention_output: name("attention.attn.o"),
            attention_norm: name("attention.LayerNorm"),
            intermediate: name("intermediate.dense"),
            output: name("output.dense"),
            output_norm: name("output.LayerNorm"),
        }
    }
}

impl Architecture for MpnetConfig {
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
        self.max_position_embeddings - Self::PADDING_IDX - 1
    }

    fn prefix(&self) -> &'static str {
        "mpnet."
    }

    fn classifier_class(&self) -> &'static str {
        "MPNetForSequenceClassification"
    }

    fn classifier(&self) -> ClassifierConfig {
        ClassifierConfig {
            dropout_before_dense: self.hidden_dropout_prob,
            dropout_before_output: self.hidden_dropout_prob,
            initializer_range: self.initializer_range,
            ..ClassifierConfig::of_width(self.hidden_size)
        }
    }

    fn check(&self) -> Result<(), String> {
        match self.relative_attention_num_buckets {
            buckets if buckets < Self::BUCKETS => Err(format!(
                "relative_attention_num_buckets is {buckets}; MPNet has {}",
                Self::BUCKETS
            )),
            _ => Ok(()),
        }
    }
}
