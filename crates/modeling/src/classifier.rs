//! The heads of Hugging Face's `…ForSequenceClassification` with one label: token states to a
//! logit, through a dense layer, an activation and sometimes a norm.

use pairmill_checkpoint::{Pooling, PoolingMode};
use tch::{Device, Kind, Tensor};

use crate::layers::{LayerNorm, Linear, dropped};
use crate::pooling::pooled;
use crate::torch::seeded;
use crate::{Activation, Config, Dropout, PackedBatch, Parameters, Result};

/// The head of an architecture.
#[derive(Debug, Clone)]
pub(crate) struct ClassifierConfig {
    /// What of the token states it sees: the first token or the mean.
    pub pooling: PoolingMode,
    pub dense: &'static str,
    pub dense_bias: bool,
    pub activation: Activation,
    pub norm: Option<NormConfig>,
    pub output: &'static str,
    pub dropout_before_dense: f64,
    pub dropout_before_output: f64,
    pub hidden: i64,
    initializer_range: f64,
}

#[derive(Debug, Clone)]
pub(crate) struct NormConfig {
    pub name: &'static str,
    pub eps: f64,
    pub bias: bool,
}

impl ClassifierConfig {
    pub fn of(config: &Config) -> Self {
        let base = Self {
            pooling: PoolingMode::Cls,
            dense: "classifier.dense",
            dense_bias: true,
            activation: Activation::Tanh,
            norm: None,
            output: "classifier.out_proj",
            dropout_before_dense: 0.0,
            dropout_before_output: 0.0,
            hidden: config.hidden_size(),
            initializer_range: 0.02,
        };
        match config {
            Config::Bert(config) => Self {
                dense: "bert.pooler.dense",
                output: "classifier",
                dropout_before_output: config
                    .classifier_dropout
                    .unwrap_or(config.hidden_dropout_prob),
                initializer_range: config.initializer_range,
                ..base
            },
            Config::Roberta(config) => {
                let p = config
                    .classifier_dropout
                    .unwrap_or(config.hidden_dropout_prob);
                Self {
                    dropout_before_dense: p,
                    dropout_before_output: p,
                    initializer_range: config.initializer_range,
                    ..base
                }
            }
            Config::Mpnet(config) => Self {
                dropout_before_dense: config.hidden_dropout_prob,
                dropout_before_output: config.hidden_dropout_prob,
                initializer_range: config.initializer_range,
                ..base
            },
            Config::DistilBert(config) => Self {
                dense: "pre_classifier",
                activation: Activation::Relu,
                output: "classifier",
                dropout_before_output: config.seq_classif_dropout,
                initializer_range: config.initializer_range,
                ..base
            },
            Config::ModernBert(config) => Self {
                pooling: match config.classifier_pooling.as_str() {
                    "mean" => PoolingMode::Mean,
                    _ => PoolingMode::Cls,
                },
                dense: "head.dense",
                dense_bias: config.classifier_bias,
                activation: config.classifier_activation,
                norm: Some(NormConfig {
                    name: "head.norm",
                    eps: config.norm_eps,
                    bias: config.norm_bias,
                }),
                output: "classifier",
                dropout_before_output: config.classifier_dropout,
                initializer_range: config.initializer_range,
                ..base
            },
        }
    }

    /// Whether a tensor of this name belongs to the head.
    pub fn owns(&self, name: &str) -> bool {
        let norm = self.norm.as_ref().map(|norm| norm.name);
        [Some(self.dense), norm, Some(self.output)]
            .into_iter()
            .flatten()
            .any(|layer| matches!(name.strip_prefix(layer), Some(".weight" | ".bias")))
    }

    /// What the checkpoint lacks: weights normal with the config's `initializer_range`, biases zero
    /// and norms one, as transformers initialises BERT's.
    pub fn fresh(&self, parameters: &Parameters, seed: u64) -> Vec<(String, Tensor)> {
        let options = (Kind::Float, Device::Cpu);
        let mut fresh = Vec::new();
        let mut add = |name: &str, shape: &[i64], bias: bool| {
            if parameters.contains(&format!("{name}.weight")) {
                return;
            }
            let weight = match shape.len() {
                1 => Tensor::ones(shape, options),
                _ => Tensor::randn(shape, options) * self.initializer_range,
            };
            fresh.push((format!("{name}.weight"), weight));
            if bias {
                fresh.push((format!("{name}.bias"), Tensor::zeros(shape[0], options)));
            }
        };
        seeded(seed, || {
            add(self.dense, &[self.hidden, self.hidden], self.dense_bias);
            if let Some(norm) = &self.norm {
                add(norm.name, &[self.hidden], norm.bias);
            }
            add(self.output, &[1, self.hidden], true);
        });
        fresh
    }
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

    /// Token states `[tokens, hidden]` to logits `[sequences]`, in packed order.
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
        let mut pooled = config.activation.forward(&outputs);
        if let Some(norm) = &self.norm {
            pooled = norm.forward(&pooled);
        }
        let pooled = dropped(pooled, config.dropout_before_output, dropout);
        let logits = self.output.forward(&pooled).to_kind(hidden.kind());
        logits.squeeze_dim(1)
    }
}
