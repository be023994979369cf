//! The modules behind a sentence encoder's pooling.

use pairmill_checkpoint::{Activation, Dense, Head, LayerNormConfig, Modules, Residual};
use tch::Tensor;

use crate::layers::{LayerNorm, Linear};
use crate::{Parameters, Result};

/// Smallest norm a vector is divided by, as in `torch.nn.functional.normalize`.
const NORM_EPS: f64 = 1e-12;

/// Returns the folders of modules that have tensors of their own.
pub(crate) fn folders(modules: &Modules) -> impl Iterator<Item = &str> {
    modules.heads.iter().filter_map(|head| match head {
        Head::Dense(dense) => Some(dense.path.as_str()),
        Head::LayerNorm(norm) => Some(norm.path.as_str()),
        Head::Normalize => None,
    })
}

/// Returns what the names of the parameters of a module start with.
pub(crate) fn prefix(folder: &str) -> String {
    format!("{folder}.")
}

/// A module behind the pooling, over vectors `[sequences, dimension]`.
#[derive(Debug)]
pub(crate) enum Layer {
    Dense(Dense<Linear>),
    Norm(LayerNorm),
    Normalize,
}

impl Layer {
    /// Returns what comes behind the pooling.
    ///
    /// # Errors
    /// If a tensor is absent or has another shape than its config asks for.
    pub fn all(parameters: &Parameters, modules: &Modules) -> Result<Vec<Self>> {
        let heads = modules.heads.iter();
        heads.map(|head| Self::new(parameters, head)).collect()
    }

    fn new(parameters: &Parameters, head: &Head) -> Result<Self> {
        match head {
            Head::Dense(config) => {
                let (inputs, outputs) = (config.inputs as i64, config.outputs as i64);
                let linear = |name: &str, bias| {
                    let name = format!("{}{name}", prefix(&config.path));
                    Linear::with_bias(parameters, &name, inputs, outputs, bias)
                };
                Ok(Self::Dense(Dense::new(config, linear)?))
            }
            Head::LayerNorm(config) => {
                let name = format!("{}norm", prefix(&config.path));
                let (size, eps) = (config.dimension as i64, LayerNormConfig::EPS);
                Ok(Self::Norm(LayerNorm::new(parameters, &name, size, eps)?))
            }
            Head::Normalize => Ok(Self::Normalize),
        }
    }

    pub fn forward(&self, vectors: &Tensor) -> Tensor {
        match self {
            Self::Dense(dense) => {
                let outputs = dense.linear.forward(vectors).to_kind(vectors.kind());
                let outputs = activated(dense.activation, &outputs);
                match &dense.residual {
                    Residual::None => outputs,
                    Residual::Itself => outputs + vectors,
                    Residual::Through(linear) => {
                        outputs + linear.forward(vectors).to_kind(vectors.kind())
                    }
                }
            }
            Self::Norm(norm) => norm.forward(vectors),
            Self::Normalize => {
                let norm = vectors.norm_scalaropt_dim(2, [1i64], true);
                vectors / norm.clamp_min(NORM_EPS)
            }
        }
    }
}

fn activated(activation: Activation, x: &Tensor) -> Tensor {
    match activation {
        Activation::Identity => x.shallow_clone(),
        Activation::Tanh => x.tanh(),
        Activation::Relu => x.relu(),
        Activation::Relu6 => x.relu6(),
        Activation::LeakyRelu => x.leaky_relu(),
        Activation::Gelu => x.gelu("none"),
        Activation::Silu => x.silu(),
        Activation::Mish => x.mish(),
        Activation::Sigmoid => x.sigmoid(),
        Activation::LogSigmoid => x.log_sigmoid(),
        Activation::Softplus => x.softplus(),
        Activation::Softsign => x / (x.abs() + 1.0),
        Activation::Elu => x.elu(),
        Activation::Selu => x.selu(),
        Activation::Hardtanh => x.hardtanh(),
        Activation::Hardsigmoid => x.hardsigmoid(),
        Activation::Hardswish => x.hardswish(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Is the same function as the one for other runtimes.
    #[test]
    fn activations_agree_with_those_without_a_runtime() {
        let x: Vec<f32> = (-40..=40).map(|tenths| tenths as f32 / 5.0).collect();
        let tensor = Tensor::from_slice(&x);
        for activation in [
            Activation::Identity,
            Activation::Tanh,
            Activation::Relu,
            Activation::Relu6,
            Activation::LeakyRelu,
            Activation::Gelu,
            Activation::Silu,
            Activation::Mish,
            Activation::Sigmoid,
            Activation::LogSigmoid,
            Activation::Softplus,
            Activation::Softsign,
            Activation::Elu,
            Activation::Selu,
            Activation::Hardtanh,
            Activation::Hardsigmoid,
            Activation::Hardswish,
        ] {
            let found = Vec::<f32>::try_from(activated(activation, &tensor)).unwrap();
            for (x, found) in x.iter().zip(found) {
                let expected = activation.of(*x);
                assert!(
                    (found - expected).abs() < 2e-6,
                    "{activation:?}({x}): {found}, {expected}"
                );
            }
        }
    }
}
