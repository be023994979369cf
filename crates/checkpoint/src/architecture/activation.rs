use serde::{Deserialize, Serialize};

/// An activation function inside the network, by its name in `config.json`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum HiddenActivation {
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

impl HiddenActivation {
    /// Names that `config.json` may give.
    pub const NAMES: &'static str =
        "gelu, gelu_new, gelu_pytorch_tanh, relu, silu, tanh, sigmoid, linear";
}
