//! ModernBERT (Warner et al. 2024): norms before attention and feed-forward, rotary positions
//! (Su et al. 2021), gated feed-forward, and layers that see only a window around each token. Names
//! follow the Hugging Face checkpoint, so that this file can be held against `ModernBertModel` of
//! the transformers library.

use pairmill_checkpoint::{HiddenActivation, LayerType, ModernBertConfig};
use tch::{Device, Kind, Tensor};

use crate::activation::activated;
use crate::layers::{LayerNorm, Linear, attend, dropped, embedded};
use crate::network::{Encoder, InTorch};
use crate::{Dropout, PackedBatch, Parameters, Result};

/// The encoder over packed batches.
#[derive(Debug)]
struct ModernBert {
    config: ModernBertConfig,
    tok_embeddings: Tensor,
    norm: LayerNorm,
    layers: Vec<Layer>,
    final_norm: LayerNorm,
}

/// What depends on the batch and on the type of layer, and is the same for all such layers.
struct Positions {
    /// `[tokens, 1, 1, head width]`.
    rotations: [Tensor; 2],
    /// For each group, what is added to its attention scores.
    biases: Vec<Option<Tensor>>,
}

impl ModernBert {
    /// Takes the tensors named `{prefix}embeddings.…`, `{prefix}layers.…` and
    /// `{prefix}final_norm.…`.
    ///
    /// # Errors
    /// If one is absent or has another shape than the config asks for.
    fn new(parameters: &Parameters, prefix: &str, config: &ModernBertConfig) -> Result<Self> {
        let table = format!("{prefix}embeddings.tok_embeddings.weight");
        Ok(Self {
            config: config.clone(),
            tok_embeddings: parameters.get(&table, &[config.vocab_size, config.hidden_size])?,
            norm: norm(parameters, &format!("{prefix}embeddings.norm"), config)?,
            layers: (0..config.num_hidden_layers)
                .map(|n| Layer::new(parameters, &format!("{prefix}layers.{n}"), config, n))
                .collect::<Result<_>>()?,
            final_norm: norm(parameters, &format!("{prefix}final_norm"), config)?,
        })
    }

    fn positions(&self, kind: LayerType, batch: &PackedBatch) -> Positions {
        let rotations = rotations(&self.config, kind, &batch.positions);
        let window = self.config.window();
        let device = batch.positions.device();
        let bias = |length: i64| match kind {
            LayerType::Local if length > window + 1 => Some(window_bias(length, window, device)),
            _ => None,
        };
        Positions {
            rotations: rotations.map(|rotation| rotation.unsqueeze(1).unsqueeze(1)),
            biases: batch.groups.iter().map(|g| bias(g.length)).collect(),
        }
    }
}

impl InTorch for ModernBertConfig {
    fn encoder(&self, parameters: &Parameters, prefix: &str) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(ModernBert::new(parameters, prefix, self)?))
    }
}

impl Encoder for ModernBert {
    fn forward(&self, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        let tokens = embedded(&self.tok_embeddings, &batch.ids);
        let dropout_of_embeddings = self.config.embedding_dropout;
        let mut hidden = dropped(self.norm.forward(&tokens), dropout_of_embeddings, dropout);
        let global = self.positions(LayerType::Global, batch);
        let local = self.positions(LayerType::Local, batch);
        for layer in &self.layers {
            let positions = match layer.kind {
                LayerType::Global => &global,
                LayerType::Local => &local,
            };
            hidden = layer.forward(&hidden, batch, positions, dropout);
        }
        self.final_norm.forward(&hidden)
    }
}

/// Returns cosines and sines of the rotations at `positions` (`[n]`), each `[n, head width]`.
pub(crate) fn rotations(
    config: &ModernBertConfig,
    kind: LayerType,
    positions: &Tensor,
) -> [Tensor; 2] {
    let width = config.hidden_size / config.num_attention_heads;
    let options = (Kind::Float, positions.device());
    let exponent = Tensor::arange_start_step(0, width, 2, options) / width as f64;
    let inverse = Tensor::pow_scalar(config.theta(kind), &exponent).reciprocal();
    let angles = positions.to_kind(Kind::Float).unsqueeze(1) * inverse;
    let angles = Tensor::cat(&[&angles, &angles], 1);
    [angles.cos(), angles.sin()]
}

/// Minus infinity where two tokens are more than `window` apart, else 0: `[length, length]`.
fn window_bias(length: i64, window: i64, device: Device) -> Tensor {
    let position = Tensor::arange(length, (Kind::Int64, device));
    let distance = (position.unsqueeze(0) - position.unsqueeze(1)).abs();
    Tensor::zeros([length, length], (Kind::Float, device))
        .masked_fill(&distance.gt(window), f64::NEG_INFINITY)
}

fn norm(parameters: &Parameters, name: &str, config: &ModernBertConfig) -> Result<LayerNorm> {
    let (size, eps) = (config.hidden_size, config.norm_eps);
    LayerNorm::with_bias(parameters, name, size, eps, config.norm_bias)
}

#[derive(Debug)]
struct Layer {
    kind: LayerType,
    heads: i64,
    /// The first layer has none: the embeddings are normalised already.
    attn_norm: Option<LayerNorm>,
    wqkv: Linear,
    wo: Linear,
    attention_dropout: f64,
    mlp_norm: LayerNorm,
    wi: Linear,
    activation: HiddenActivation,
    mlp_dropout: f64,
    mlp_wo: Linear,
}

impl Layer {
    fn new(parameters: &Parameters, name: &str, config: &ModernBertConfig, n: i64) -> Result<Self> {
        let (hidden, wide) = (config.hidden_size, config.intermediate_size);
        let linear = |part: &str, inputs, outputs, bias| {
            let name = format!("{name}.{part}");
            Linear::with_bias(parameters, &name, inputs, outputs, bias)
        };
        let norm = |part: &str| norm(parameters, &format!("{name}.{part}"), config);
        Ok(Self {
            kind: config.layer_type(n),
            heads: config.num_attention_heads,
            attn_norm: (n > 0).then(|| norm("attn_norm")).transpose()?,
            wqkv: linear("attn.Wqkv", hidden, 3 * hidden, config.attention_bias)?,
            wo: linear("attn.Wo", hidden, hidden, config.attention_bias)?,
            attention_dropout: config.attention_dropout,
            mlp_norm: norm("mlp_norm")?,
            wi: linear("mlp.Wi", hidden, 2 * wide, config.mlp_bias)?,
            activation: config.hidden_activation,
            mlp_dropout: config.mlp_dropout,
            mlp_wo: linear("mlp.Wo", wide, hidden, config.mlp_bias)?,
        })
    }

    fn forward(
        &self,
        x: &Tensor,
        batch: &PackedBatch,
        positions: &Positions,
        dropout: Option<&Dropout>,
    ) -> Tensor {
        let qkv = match &self.attn_norm {
            Some(norm) => self.wqkv.forward(&norm.forward(x)),
            None => self.wqkv.forward(x),
        };
        let qkv = rotated(&qkv, self.heads, &positions.rotations);
        let (p, biases) = (self.attention_dropout, &positions.biases);
        let context = attend(&qkv, batch, self.heads, biases, p, dropout);
        let x = x + dropped(self.wo.forward(&context), p, dropout);
        let wide = self.wi.forward(&self.mlp_norm.forward(&x)).chunk(2, -1);
        let gated = activated(self.activation, &wide[0]) * &wide[1];
        let narrow = self
            .mlp_wo
            .forward(&dropped(gated, self.mlp_dropout, dropout));
        x + narrow
    }
}

/// Rotates the queries and keys in `[tokens, 3 × hidden]`.
fn rotated(qkv: &Tensor, heads: i64, [cos, sin]: &[Tensor; 2]) -> Tensor {
    let size = qkv.size();
    let parts = qkv.view([size[0], 3, heads, -1]);
    let queries_and_keys = parts.narrow(1, 0, 2);
    let halves = queries_and_keys.chunk(2, -1);
    let turned = Tensor::cat(&[&halves[1].neg(), &halves[0]], -1);
    let rotated = queries_and_keys * cos + turned * sin;
    let rotated = Tensor::cat(&[&rotated.to_kind(qkv.kind()), &parts.narrow(1, 2, 1)], 1);
    rotated.view(size.as_slice())
}
