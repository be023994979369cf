//! MPNet (Song et al. 2020): BERT without segments, with a bias on attention scores that depends on
//! the distance of two tokens. Names follow the Hugging Face checkpoint, so that this file can be
//! held against `MPNetModel` of the transformers library.

use pairmill_checkpoint::MpnetConfig;
use tch::{Device, Kind, Tensor};

use crate::layers::{LayerNorm, PostNormLayer, dropped, embedded};
use crate::network::{Encoder, InTorch};
use crate::{Dropout, PackedBatch, Parameters, Result};

/// Distances from here on share the last bucket.
const MAX_DISTANCE: f64 = 128.0;

/// The encoder over packed batches.
#[derive(Debug)]
struct Mpnet {
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
    fn new(parameters: &Parameters, prefix: &str, config: &MpnetConfig) -> Result<Self> {
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
                .map(|n| {
                    PostNormLayer::new(
                        parameters,
                        &MpnetConfig::layer_names(prefix, n),
                        &config.layer(),
                    )
                })
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

    /// Returns the bias of each head on the score of each pair of tokens, `[1, heads, length,
    /// length]`.
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

impl InTorch for MpnetConfig {
    fn encoder(&self, parameters: &Parameters, prefix: &str) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(Mpnet::new(parameters, prefix, self)?))
    }
}

impl Encoder for Mpnet {
    fn forward(&self, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        let positions = batch.positions_behind(MpnetConfig::PADDING_IDX);
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
}

/// Returns the bucket of each distance (key position minus query position): a bucket of its own
/// when near, logarithmically wider ones when far, as in T5 (Raffel et al. 2020, section 2.1).
fn relative_position_bucket(distance: &Tensor) -> Tensor {
    let each_side = MpnetConfig::BUCKETS / 2;
    let near = each_side / 2;
    let ahead = distance.gt(0).to_kind(Kind::Int64) * each_side;
    let distance = distance.abs();
    let far = (distance.to_kind(Kind::Float) / near as f64).log()
        / (MAX_DISTANCE / near as f64).ln()
        * (each_side - near) as f64;
    let far = (far.to_kind(Kind::Int64) + near).clamp_max(each_side - 1);
    ahead + distance.where_self(&distance.lt(near), &far)
}

/// Returns the buckets of the distances `1 − length` to `length − 1`, for the ONNX graph.
pub(crate) fn buckets_by_distance(length: i64) -> Vec<i64> {
    let distance = Tensor::arange_start(1 - length, length, (Kind::Int64, Device::Cpu));
    Vec::try_from(relative_position_bucket(&distance)).unwrap_or_default()
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
