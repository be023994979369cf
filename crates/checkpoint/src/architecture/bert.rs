//! BERT (Devlin et al. 2019), and RoBERTa as far as it is the same. Names follow the Hugging Face
//! checkpoint.

use serde::{Deserialize, Serialize};

use super::post_norm::{PostNormConfig, PostNormNames};
use super::{
    Architecture, ClassifierConfig, Facts, HiddenActivation, default_dropout,
    default_initializer_range, default_norm_eps,
};
use crate::tokenizer_class::Class;

/// BERT, and kin of which the tokenizer alone is known here.
pub(super) const FACTS: &[Facts] = &[
    Facts::new("bert", Class::Bert),
    Facts::new("electra", Class::Bert),
    Facts::new("nomic_bert", Class::Bert),
];

/// The part of a BERT `config.json` that shapes the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BertConfig {
    /// `bert`, or `roberta` and its kin.
    pub model_type: String,
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
    /// Dropout before the classifier of a cross-encoder; where absent, `hidden_dropout_prob`.
    pub classifier_dropout: Option<f64>,
    /// Dropout on attention weights.
    #[serde(default = "default_dropout")]
    pub attention_probs_dropout_prob: f64,
    /// Rows of the position embedding.
    pub max_position_embeddings: i64,
    /// Segments: 2 for BERT, 1 for RoBERTa.
    #[serde(default = "default_segments")]
    pub type_vocab_size: i64,
    /// Standard deviation of fresh weights.
    #[serde(default = "default_initializer_range")]
    pub initializer_range: f64,
    /// Added to the variance in layer norms.
    #[serde(default = "default_norm_eps")]
    pub layer_norm_eps: f64,
    /// The padding token; RoBERTa counts positions from behind it.
    pub pad_token_id: Option<i64>,
}

fn default_segments() -> i64 {
    2
}

impl BertConfig {
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
            query: name("attention.self.query"),
            key: name("attention.self.key"),
            value: name("attention.self.value"),
            attention_output: name("attention.output.dense"),
            attention_norm: name("attention.output.LayerNorm"),
            intermediate: name("intermediate.dense"),
            output: name("output.dense"),
            output_norm: name("output.LayerNorm"),
        }
    }
}

impl Architecture for BertConfig {
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
        "bert."
    }

    fn classifier_class(&self) -> &'static str {
        "BertForSequenceClassification"
    }

    fn classifier(&self) -> ClassifierConfig {
        let dropout = self.classifier_dropout;
        ClassifierConfig {
            dense: "bert.pooler.dense",
            output: "classifier",
            dropout_before_output: dropout.unwrap_or(self.hidden_dropout_prob),
            initializer_range: self.initializer_range,
            ..ClassifierConfig::of_width(self.hidden_size)
        }
    }
}
