//! BERT (Devlin et al. 2019). Names follow the Hugging Face checkpoint, so that this file can be
//! held against `BertModel` of the transformers library.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::layers::{LayerNorm, PostNormConfig, PostNormLayer, PostNormNames, dropped, embedded};
use crate::{Activation, Dropout, PackedBatch, Parameters, Result};

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
    /// Activation of the feed-forward layer.
    #[serde(default)]
    pub hidden_act: Activation,
    /// Dropout after embeddings, attention and feed-forward.
    #[serde(default = "tenth")]
    pub hidden_dropout_prob: f64,
    /// Dropout before the classifier of a cross-encoder; where absent, `hidden_dropout_prob`.
    pub classifier_dropout: Option<f64>,
    /// Dropout on attention weights.
    #[serde(default = "tenth")]
    pub attention_probs_dropout_prob: f64,
    /// Rows of the position embedding.
    pub max_position_embeddings: i64,
    /// Segments: 2 for BERT, 1 for RoBERTa.
    #[serde(default = "two")]
    pub type_vocab_size: i64,
    /// Standard deviation of fresh weights.
    #[serde(default = "fiftieth")]
    pub initializer_range: f64,
    /// Added to the variance in layer norms.
    #[serde(default = "epsilon")]
    pub layer_norm_eps: f64,
    /// The padding token; RoBERTa counts positions from behind it.
    pub pad_token_id: Option<i64>,
}

fn tenth() -> f64 {
    0.1
}
fn fiftieth() -> f64 {
    0.02
}
fn epsilon() -> f64 {
    1e-12
}
fn two() -> i64 {
    2
}

/// The encoder over packed batches.
#[derive(Debug)]
pub struct Bert {
    embeddings: Embeddings,
    layers: Vec<PostNormLayer>,
}

impl Bert {
    /// Takes the tensors named `{prefix}embeddings.…` and `{prefix}encoder.layer.…`.
    ///
    /// # Errors
    /// If one is absent or has another shape than the config asks for.
    pub fn new(parameters: &Parameters, prefix: &str, config: &BertConfig) -> Result<Self> {
        let embeddings = Embeddings::new(parameters, &format!("{prefix}embeddings"), config)?;
        let layers = (0..config.num_hidden_layers)
            .map(|n| PostNormLayer::new(parameters, &layer_names(prefix, n), &config.layer()))
            .collect::<Result<_>>()?;
        Ok(Self { embeddings, layers })
    }

    /// The last hidden states, `[tokens, hidden]`. Dropout is active where one is given.
    pub fn forward(&self, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        self.forward_at(batch, &batch.positions, dropout)
    }

    /// The same with positions of our choice, `[tokens]`.
    pub(crate) fn forward_at(
        &self,
        batch: &PackedBatch,
        positions: &Tensor,
        dropout: Option<&Dropout>,
    ) -> Tensor {
        let mut hidden = self.embeddings.forward(batch, positions, dropout);
        for layer in &self.layers {
            hidden = layer.forward(&hidden, batch, &[], dropout);
        }
        hidden
    }
}

#[derive(Debug)]
struct Embeddings {
    word_embeddings: Tensor,
    position_embeddings: Tensor,
    token_type_embeddings: Tensor,
    layer_norm: LayerNorm,
    dropout: f64,
}

impl Embeddings {
    fn new(parameters: &Parameters, name: &str, config: &BertConfig) -> Result<Self> {
        let hidden = config.hidden_size;
        let table =
            |kind: &str, rows| parameters.get(&format!("{name}.{kind}.weight"), &[rows, hidden]);
        let norm = format!("{name}.LayerNorm");
        Ok(Self {
            word_embeddings: table("word_embeddings", config.vocab_size)?,
            position_embeddings: table("position_embeddings", config.max_position_embeddings)?,
            token_type_embeddings: table("token_type_embeddings", config.type_vocab_size)?,
            layer_norm: LayerNorm::new(parameters, &norm, hidden, config.layer_norm_eps)?,
            dropout: config.hidden_dropout_prob,
        })
    }

    fn forward(
        &self,
        batch: &PackedBatch,
        positions: &Tensor,
        dropout: Option<&Dropout>,
    ) -> Tensor {
        // A model with one segment knows no second text, whatever its tokenizer says.
        let types = match self.token_type_embeddings.size()[0] {
            1 => batch.types.zeros_like(),
            _ => batch.types.shallow_clone(),
        };
        let sum = embedded(&self.word_embeddings, &batch.ids)
            + embedded(&self.token_type_embeddings, &types)
            + embedded(&self.position_embeddings, positions);
        dropped(self.layer_norm.forward(&sum), self.dropout, dropout)
    }
}

/// Names in layer `n`.
pub(crate) fn layer_names(prefix: &str, n: i64) -> PostNormNames {
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

impl BertConfig {
    pub(crate) fn layer(&self) -> PostNormConfig {
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
}
