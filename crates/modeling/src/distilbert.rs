//! DistilBERT (Sanh et al. 2019): BERT without segments. Names follow the Hugging Face checkpoint,
//! so that this file can be held against `DistilBertModel` of the transformers library.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::layers::{LayerNorm, PostNormConfig, PostNormLayer, PostNormNames, dropped, embedded};
use crate::{Activation, Dropout, PackedBatch, Parameters, Result};

/// Added to the variance in layer norms; no setting of the config.
pub(crate) const LAYER_NORM_EPS: f64 = 1e-12;

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
    /// Activation of the feed-forward layer.
    #[serde(default)]
    pub activation: Activation,
    /// Dropout after embeddings and feed-forward.
    #[serde(default = "tenth")]
    pub dropout: f64,
    /// Dropout on attention weights.
    #[serde(default = "tenth")]
    pub attention_dropout: f64,
    /// Dropout before the classifier of a cross-encoder.
    #[serde(default = "fifth")]
    pub seq_classif_dropout: f64,
    /// Longest sequence.
    pub max_position_embeddings: i64,
    /// Standard deviation of fresh weights.
    #[serde(default = "fiftieth")]
    pub initializer_range: f64,
}

fn tenth() -> f64 {
    0.1
}
fn fifth() -> f64 {
    0.2
}
fn fiftieth() -> f64 {
    0.02
}

/// The encoder over packed batches.
#[derive(Debug)]
pub struct DistilBert {
    word_embeddings: Tensor,
    position_embeddings: Tensor,
    layer_norm: LayerNorm,
    dropout: f64,
    layers: Vec<PostNormLayer>,
}

impl DistilBert {
    /// Takes the tensors named `{prefix}embeddings.…` and `{prefix}transformer.layer.…`.
    ///
    /// # Errors
    /// If one is absent or has another shape than the config asks for.
    pub fn new(parameters: &Parameters, prefix: &str, config: &DistilBertConfig) -> Result<Self> {
        let name = format!("{prefix}embeddings");
        let table = |kind: &str, rows| {
            parameters.get(&format!("{name}.{kind}.weight"), &[rows, config.dim])
        };
        let norm = format!("{name}.LayerNorm");
        Ok(Self {
            word_embeddings: table("word_embeddings", config.vocab_size)?,
            position_embeddings: table("position_embeddings", config.max_position_embeddings)?,
            layer_norm: LayerNorm::new(parameters, &norm, config.dim, LAYER_NORM_EPS)?,
            dropout: config.dropout,
            layers: (0..config.n_layers)
                .map(|n| PostNormLayer::new(parameters, &layer_names(prefix, n), &config.layer()))
                .collect::<Result<_>>()?,
        })
    }

    /// The last hidden states, `[tokens, hidden]`. Dropout is active where one is given.
    pub fn forward(&self, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        let sum = embedded(&self.word_embeddings, &batch.ids)
            + embedded(&self.position_embeddings, &batch.positions);
        let mut hidden = dropped(self.layer_norm.forward(&sum), self.dropout, dropout);
        for layer in &self.layers {
            hidden = layer.forward(&hidden, batch, &[], dropout);
        }
        hidden
    }
}

/// Names in layer `n`.
pub(crate) fn layer_names(prefix: &str, n: i64) -> PostNormNames {
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

impl DistilBertConfig {
    pub(crate) fn layer(&self) -> PostNormConfig {
        PostNormConfig {
            hidden: self.dim,
            wide: self.hidden_dim,
            heads: self.n_heads,
            activation: self.activation,
            eps: LAYER_NORM_EPS,
            weights_dropout: self.attention_dropout,
            attention_dropout: 0.0,
            output_dropout: self.dropout,
        }
    }
}
