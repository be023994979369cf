//! MPNet (Song et al. 2020): BERT without segments, with a bias on attention scores that depends on
//! the distance of two tokens. Names follow the Hugging Face checkpoint, so that this file can be
//! held against `MPNetModel` of the transformers library.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::layers::{LayerNorm, PostNormConfig, PostNormLayer, PostNormNames, dropped, embedded};
use crate::{Activation, Dropout, PackedBatch, Parameters, Result};

/// The row of the position embedding that padding has; a text's first token has the next.
pub(crate) const PADDING_IDX: i64 = 1;
/// Buckets that distances fall into, half of them for tokens behind; no setting of the config.
pub(crate) const BUCKETS: i64 = 32;
/// Distances from here on share the last bucket.
const MAX_DISTANCE: f64 = 128.0;

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
    /// Activation of the feed-forward layer.
    #[serde(default)]
    pub hidden_act: Activation,
    /// Dropout after embeddings, attention and feed-forward.
    #[serde(default = "tenth")]
    pub hidden_dropout_prob: f64,
    /// Dropout on attention weights.
    #[serde(default = "tenth")]
    pub attention_probs_dropout_prob: f64,
    /// Rows of the position embedding, two more than the longest sequence.
    pub max_position_embeddings: i64,
    /// Rows of the table of attention biases.
    #[serde(default = "buckets")]
    pub relative_attention_num_buckets: i64,
    /// Standard deviation of fresh weights.
    #[serde(default = "fiftieth")]
    pub initializer_range: f64,
    /// Added to the variance in layer norms.
    #[serde(default = "epsilon")]
    pub layer_norm_eps: f64,
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
fn buckets() -> i64 {
    BUCKETS
}

/// The encoder over packed batches.
#[derive(Debug)]
pub struct Mpnet {
    word_embeddings: Tensor,
    position_embeddings: Tensor,
    layer_norm: LayerNorm,
    dropout: f64,
    layers: Vec<PostNormLayer>,
    relative_attention_bias: Tensor,
}

impl Mpnet {
    /// Takes the tensors named `{prefix}embeddings.…` and `{prefix}encoder.…`.
    ///
    /// # Errors
    /// If one is absent or has another shape than the config asks for.
    pub fn new(parameters: &Parameters, prefix: &str, config: &MpnetConfig) -> Result<Self> {
        let (name, hidden) = (format!("{prefix}embeddings"), config.hidden_size);
        let table =
            |kind: &str, rows| parameters.get(&format!("{name}.{kind}.weight"), &[rows, hidden]);
        let norm = format!("{name}.LayerNorm");
        Ok(Self {
            word_embeddings: table("word_embeddings", config.vocab_size)?,
            position_embeddings: table("position_embeddings", config.max_position_embeddings)?,
            layer_norm: LayerNorm::new(parameters, &norm, hidden, config.layer_norm_eps)?,
            dropout: config.hidden_dropout_prob,
            layers: (0..config.num_hidden_layers)
                .map(|n| PostNormLayer::new(parameters, &layer_names(prefix, n), &config.layer()))
                .collect::<Result<_>>()?,
            relative_attention_bias: parameters.get(
                &format!("{prefix}encoder.relative_attention_bias.weight"),
                &[
                    config.relative_attention_num_buckets,
                    config.num_attention_heads,
                ],
            )?,
        })
    }

    /// The last hidden states, `[tokens, hidden]`. Dropout is active where one is given.
    pub fn forward(&self, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        let positions = batch.positions_behind(PADDING_IDX);
        let sum = embedded(&self.word_embeddings, &batch.ids)
            + embedded(&self.position_embeddings, &positions);
        let mut hidden = dropped(self.layer_norm.forward(&sum), self.dropout, dropout);
        let biases: Vec<Option<Tensor>> = batch
            .groups
            .iter()
            .map(|group| Some(self.position_bias(group.length)))
            .collect();
        for layer in &self.layers {
            hidden = layer.forward(&hidden, batch, &biases, dropout);
        }
        hidden
    }

    /// The bias of each head on the score of each pair of tokens, `[1, heads, length, length]`.
    fn position_bias(&self, length: i64) -> Tensor {
        let device = self.relative_attention_bias.device();
        let position = Tensor::arange(length, (Kind::Int64, device));
        let distance = position.unsqueeze(0) - position.unsqueeze(1);
        embedded(
            &self.relative_attention_bias,
            &relative_position_bucket(&distance),
        )
        .permute([2, 0, 1])
        .unsqueeze(0)
        .contiguous()
    }
}

/// The bucket of each distance (key position minus query position): a bucket of its own when
/// near, logarithmically wider ones when far, as in T5 (Raffel et al. 2020, section 2.1).
fn relative_position_bucket(distance: &Tensor) -> Tensor {
    let each_side = BUCKETS / 2;
    let near = each_side / 2;
    let ahead = distance.gt(0).to_kind(Kind::Int64) * each_side;
    let distance = distance.abs();
    let far = (distance.to_kind(Kind::Float) / near as f64).log()
        / (MAX_DISTANCE / near as f64).ln()
        * (each_side - near) as f64;
    let far = (far.to_kind(Kind::Int64) + near).clamp_max(each_side - 1);
    ahead + distance.where_self(&distance.lt(near), &far)
}

/// The buckets of the distances `1 − length` to `length − 1`, for the ONNX graph.
pub(crate) fn buckets_by_distance(length: i64) -> Vec<i64> {
    let distance = Tensor::arange_start(1 - length, length, (Kind::Int64, Device::Cpu));
    Vec::try_from(relative_position_bucket(&distance)).unwrap_or_default()
}

/// Names in layer `n`.
pub(crate) fn layer_names(prefix: &str, n: i64) -> PostNormNames {
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

impl MpnetConfig {
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn buckets_equal_those_of_transformers() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference/architectures.json");
        let figures: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let expected: Vec<i64> = serde_json::from_value(figures["mpnet_buckets"].clone()).unwrap();
        assert_eq!(super::buckets_by_distance(201), expected);
    }
}
