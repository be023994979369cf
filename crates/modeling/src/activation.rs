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
    /// Classes that the config of a `Dense` module may give.
    pub(crate) const CLASSES: &'static str =
        "Identity, Tanh, ReLU, GELU, SiLU, Sigmoid of torch.nn";

    /// The function of a PyTorch class such as `torch.nn.modules.activation.Tanh`.
    pub(crate) fn of_class(path: &str) -> Option<Self> {
        let (module, class) = path.rsplit_once('.')?;
        if !module.starts_with("torch.nn") {
            return None;
        }
        match class {
            "Identity" => Some(Self::Identity),
            "Tanh" => Some(Self::Tanh),
            "ReLU" => Some(Self::Relu),
            "GELU" => Some(Self::Gelu),
            "SiLU" => Some(Self::Silu),
            "Sigmoid" => Some(Self::Sigmoid),
            _ => None,
        }
    }

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
