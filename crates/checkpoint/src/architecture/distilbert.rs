//! DistilBERT (Sanh et al. 2019): BERT without segments. Names follow the Hugging Face checkpoint.

use serde::{Deserialize, Serialize};

use super::post_norm::{PostNormConfig, PostNormNames};
use super::{
    Architecture, ClassifierConfig, Facts, HiddenActivation, default_dropout,
    default_initializer_range,
};
use crate::tokenizer_class::Class;

pub(super) const FACTS: &[Facts] = &[Facts::new("distilbert", Class::Bert)];

/// The part of a DistilBERT `config.json` that shapes the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DistilBertConfig {
    /// Rows of the word embedding.
    pub vocab_size: i64,
    /// Width of the hidden states.
    pub dim: i64,
    /// Number of transformer layers.
    pub n_layers: i64,
    /// Attention heads; divides `dim`.
    pub n_heads: i64,
    /// Width of the feed-forward layer.
    pub hidden_dim: i64,
    /// HiddenActivation of the feed-forward layer.
    #[serde(default)]
    pub activation: HiddenActivation,
    /// Dropout after embeddings and feed-forward.
    #[serde(default = "default_dropout")]
    pub dropout: f64,
    /// Dropout on attention weights.
    #[serde(default = "default_dropout")]
    pub attention_dropout: f64,
    /// Dropout before the classifier of a cross-encoder.
    #[serde(default = "default_classifier_dropout")]
    pub seq_classif_dropout: f64,
    /// Longest sequence.
    pub max_position_embeddings: i64,
    /// Standard deviation of fresh weights.
    #[serde(default = "default_initializer_range")]
    pub initializer_range: f64,
}

fn default_classifier_dropout() -> f64 {
    0.2
}

impl DistilBertConfig {
    /// Added to the variance in layer norms; no setting of the config.
    pub const LAYER_NORM_EPS: f64 = 1e-12;

    /// Returns the sizes and settings of each layer.
    pub fn layer(&self) -> PostNormConfig {
        PostNormConfig {
            hidden: self.dim,
            wide: self.hidden_dim,
            heads: self.n_heads,
            activation: self.activation,
            eps: Self::LAYER_NORM_EPS,
            weights_dropout: self.attention_dropout,
            attention_dropout: 0.0,
            output_dropout: self.dropout,
        }
    }

    /// Returns the names of the parameters of layer `n`.
    pub fn layer_names(prefix: &str, n: i64) -> PostNormNames {
        let name = |part: &str| format!("{prefix}transformer.layer.{n}.{part}");
        PostNormNames {
            query: name("attention.q_lin"),
            key: name("attention.k_lin"),
            value: name("attention.v_lin"),
            attention_output: name("attention.out_lin"),
            attention_norm: name("sa_layer_norm"),
            intermediate: name("ffn.lin1"),
            output: name("ffn.lin2"),
            output_norm: name("output_layer_norm"),
        }
    }
}

impl Architecture for DistilBertConfig {
    fn hidden_size(&self) -> i64 {
        self.dim
    }

    fn heads(&self) -> i64 {
        self.n_heads
    }

    fn vocab_size(&self) -> i64 {
        self.vocab_size
    }

    fn max_length(&self) -> i64 {
        self.max_position_embeddings
    }

    fn prefix(&self) -> &'static str {
        "distilbert."
    }

    fn encoder_parts(&self) -> &'static [&'static str] {
        &["embeddings.", "transformer."]
    }

    fn classifier_class(&self) -> &'static str {
        "DistilBertForSequenceClassification"
    }

    fn classifier(&self) -> ClassifierConfig {
        ClassifierConfig {
            dense: "pre_classifier",
            activation: HiddenActivation::Relu,
            output: "classifier",
            dropout_before_output: self.seq_classif_dropout,
            initializer_range: self.initializer_range,
            ..ClassifierConfig::of_width(self.dim)
        }
    }
}
