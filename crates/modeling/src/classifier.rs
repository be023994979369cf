//! The heads of Hugging Face's `…ForSequenceClassification` with one label: token states to a
//! logit, through a dense layer, an activation and sometimes a norm.

use pairmill_checkpoint::{ClassifierConfig, Pooling};
use tch::{Device, Kind, Tensor};

use crate::activation::activated;
use crate::layers::{LayerNorm, Linear, dropped};
use crate::pooling::pooled;
use crate::torch::seeded;
use crate::{Dropout, PackedBatch, Parameters, Result};

/// Draws what the checkpoint lacks: weights normal with the config's `initializer_range`, biases
/// zero and norms one, as transformers initialises BERT's.
pub(crate) fn fresh(
    head: &ClassifierConfig,
    parameters: &Parameters,
    seed: u64,
) -> Vec<(String, Tensor)> {
    let options = (Kind::Float, Device::Cpu);
    let mut fresh = Vec::new();
    let mut add = |name: &str, shape: &[i64], bias: bool| {
        if parameters.contains(&format!("{name}.weight")) {
            return;
        }
        let weight = match shape.len() {
            1 => Tensor::ones(shape, options),
            _ => Tensor::randn(shape, options) * head.initializer_range,
        };
        fresh.push((format!("{name}.weight"), weight));
        if bias {
            fresh.push((format!("{name}.bias"), Tensor::zeros(shape[0], options)));
        }
    };
    seeded(seed, || {
        add(head.dense, &[head.hidden, head.hidden], head.dense_bias);
        if let Some(norm) = &head.norm {
            add(norm.name, &[head.hidden], norm.bias);
        }
        add(head.output, &[1, head.hidden], true);
    });
    fresh
}

/// The tensors of a head.
#[derive(Debug)]
pub(crate) struct Classifier {
    config: ClassifierConfig,
    pooling: Pooling,
    dense: Linear,
    norm: Option<LayerNorm>,
    output: Linear,
}

impl Classifier {
    pub fn new(parameters: &Parameters, config: &ClassifierConfig) -> Result<Self> {
        let hidden = config.hidden;
        let norm = config
            .norm
            .as_ref()
            .map(|norm| LayerNorm::with_bias(parameters, norm.name, hidden, norm.eps, norm.bias));
        Ok(Self {
            config: config.clone(),
            pooling: config.pooling.into(),
            dense: Linear::with_bias(parameters, config.dense, hidden, hidden, config.dense_bias)?,
            norm: norm.transpose()?,
            output: Linear::new(parameters, config.output, hidden, 1)?,
        })
    }

    /// Turns token states `[tokens, hidden]` into logits `[sequences]`, in packed order.
    pub fn forward(
        &self,
        hidden: &Tensor,
        batch: &PackedBatch,
        dropout: Option<&Dropout>,
    ) -> Tensor {
        let config = &self.config;
        let pooled = pooled(&self.pooling, hidden, batch);
        let pooled = dropped(pooled, config.dropout_before_dense, dropout);
        let outputs = self.dense.forward(&pooled).to_kind(hidden.kind());
        let mut pooled = activated(config.activation, &outputs);
        if let Some(norm) = &self.norm {
            pooled = norm.forward(&pooled);
        }
        let pooled = dropped(pooled, config.dropout_before_output, dropout);
        let logits = self.output.forward(&pooled).to_kind(hidden.kind());
        logits.squeeze_dim(1)
    }
}
