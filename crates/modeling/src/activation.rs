use serde::{Deserialize, Serialize};
use tch::Tensor;

/// An activation function, by its name in `config.json`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activation {
    /// `x`
    #[serde(rename = "linear")]
    Identity,
    /// `x · Φ(x)`, the exact one with erf (Hendrycks and Gimpel 2016).
    #[default]
    #[serde(rename = "gelu", alias = "gelu_python")]
    Gelu,
    /// Its approximation with tanh.
    #[serde(
        rename = "gelu_pytorch_tanh",
        alias = "gelu_new",
        alias = "gelu_python_tanh"
    )]
    GeluTanh,
    /// `max(x, 0)`
    #[serde(rename = "relu")]
    Relu,
    /// `x · sigmoid(x)`
    #[serde(rename = "silu", alias = "swish")]
    Silu,
    /// `tanh(x)`
    #[serde(rename = "tanh")]
    Tanh,
    /// `1 / (1 + exp(−x))`
    #[serde(rename = "sigmoid")]
    Sigmoid,
}

impl Activation {
    /// Names that `config.json` may give.
    pub(crate) const NAMES: &'static str =
        "gelu, gelu_new, gelu_pytorch_tanh, relu, silu, tanh, sigmoid, linear";

    pub(crate) fn forward(self, x: &Tensor) -> Tensor {
        match self {
            Self::Identity => x.shallow_clone(),
            Self::Gelu => x.gelu("none"),
            Self::GeluTanh => x.gelu("tanh"),
            Self::Relu => x.relu(),
            Self::Silu => x.silu(),
            Self::Tanh => x.tanh(),
            Self::Sigmoid => x.sigmoid(),
        }
    }
}
