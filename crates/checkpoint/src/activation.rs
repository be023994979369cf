/// The function behind a `Dense` module: a class of `torch.nn` with its default arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x`
    Identity,
    /// `tanh(x)`
    Tanh,
    /// `max(x, 0)`
    Relu,
    /// `min(max(x, 0), 6)`
    Relu6,
    /// `x`, or a hundredth of it below 0
    LeakyRelu,
    /// `x · Φ(x)`, the exact one with erf (Hendrycks and Gimpel 2016)
    Gelu,
    /// `x · sigmoid(x)`
    Silu,
    /// `x · tanh(softplus(x))` (Misra 2019)
    Mish,
    /// `1 / (1 + exp(−x))`
    Sigmoid,
    /// `ln(sigmoid(x))`
    LogSigmoid,
    /// `ln(1 + exp(x))`
    Softplus,
    /// `x / (1 + |x|)`
    Softsign,
    /// `x`, or `exp(x) − 1` below 0 (Clevert et al. 2015); `CELU` is the same
    Elu,
    /// The same, scaled so that networks normalise themselves (Klambauer et al. 2017)
    Selu,
    /// `min(max(x, −1), 1)`
    Hardtanh,
    /// `min(max(x / 6 + 1/2, 0), 1)`
    Hardsigmoid,
    /// `x · hardsigmoid(x)` (Howard et al. 2019)
    Hardswish,
}

impl Activation {
    pub(crate) const CLASSES: &'static str = "Identity, Tanh, ReLU, ReLU6, LeakyReLU, GELU, SiLU, Mish, Sigmoid, LogSigmoid, Softplus, Softsign, ELU, CELU, SELU, Hardtanh, Hardsigmoid and Hardswish of torch.nn";

    /// Returns the function of a PyTorch class such as `torch.nn.modules.activation.Tanh`.
    pub(crate) fn of_class(path: &str) -> Option<Self> {
        let (module, class) = path.rsplit_once('.')?;
        if module != "torch.nn" && !module.starts_with("torch.nn.") {
            return None;
        }
        Some(match class {
            "Identity" => Self::Identity,
            "Tanh" => Self::Tanh,
            "ReLU" => Self::Relu,
            "ReLU6" => Self::Relu6,
            "LeakyReLU" => Self::LeakyRelu,
            "GELU" => Self::Gelu,
            "SiLU" => Self::Silu,
            "Mish" => Self::Mish,
            "Sigmoid" => Self::Sigmoid,
            "LogSigmoid" => Self::LogSigmoid,
            "Softplus" => Self::Softplus,
            "Softsign" => Self::Softsign,
            "ELU" | "CELU" => Self::Elu,
            "SELU" => Self::Selu,
            "Hardtanh" => Self::Hardtanh,
            "Hardsigmoid" => Self::Hardsigmoid,
            "Hardswish" => Self::Hardswish,
            _ => return None,
        })
    }

    /// Returns the function of a number.
    pub fn of(self, x: f32) -> f32 {
        match self {
            Self::Identity => x,
            Self::Tanh => x.tanh(),
            Self::Relu => x.max(0.0),
            Self::Relu6 => x.clamp(0.0, 6.0),
            Self::LeakyRelu => x.max(0.0) + 0.01 * x.min(0.0),
            Self::Gelu => 0.5 * x * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2)),
            Self::Silu => x * sigmoid(x),
            Self::Mish => x * softplus(x).tanh(),
            Self::Sigmoid => sigmoid(x),
            Self::LogSigmoid => -softplus(-x),
            Self::Softplus => softplus(x),
            Self::Softsign => x / (1.0 + x.abs()),
            Self::Elu => elu(x),
            Self::Selu if x > 0.0 => SELU_SCALE * x,
            Self::Selu => SELU_SCALE * SELU_ALPHA * x.exp_m1(),
            Self::Hardtanh => x.clamp(-1.0, 1.0),
            Self::Hardsigmoid => hardsigmoid(x),
            Self::Hardswish => x * hardsigmoid(x),
        }
    }
}

const SELU_ALPHA: f32 = 1.673_263_2;
const SELU_SCALE: f32 = 1.050_701;

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn softplus(x: f32) -> f32 {
    // Without overflow for large x.
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn elu(x: f32) -> f32 {
    if x > 0.0 { x } else { x.exp_m1() }
}

fn hardsigmoid(x: f32) -> f32 {
    (x / 6.0 + 0.5).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of PyTorch at −1 and 2.
    #[test]
    fn values_are_those_of_pytorch() {
        for (class, expected) in [
            ("linear.Identity", [-1.0, 2.0]),
            ("activation.Tanh", [-0.761_594_2, 0.964_027_6]),
            ("activation.ReLU", [0.0, 2.0]),
            ("activation.ReLU6", [0.0, 2.0]),
            ("activation.LeakyReLU", [-0.01, 2.0]),
            ("activation.GELU", [-0.158_655_26, 1.954_499_7]),
            ("activation.SiLU", [-0.268_941_4, 1.761_594_2]),
            ("activation.Mish", [-0.303_401_47, 1.943_958_9]),
            ("activation.Sigmoid", [0.268_941_43, 0.880_797_1]),
            ("activation.LogSigmoid", [-1.313_261_7, -0.126_928_01]),
            ("activation.Softplus", [0.313_261_7, 2.126_928]),
            ("activation.Softsign", [-0.5, 0.666_666_7]),
            ("activation.ELU", [-0.632_120_55, 2.0]),
            ("activation.SELU", [-1.111_330_7, 2.101_402]),
            ("activation.Hardtanh", [-1.0, 1.0]),
            ("activation.Hardsigmoid", [0.333_333_34, 0.833_333_3]),
            ("activation.Hardswish", [-0.333_333_34, 1.666_666_6]),
        ] {
            let activation = Activation::of_class(&format!("torch.nn.modules.{class}")).unwrap();
            for (x, expected) in [-1.0, 2.0].into_iter().zip(expected) {
                let found = activation.of(x);
                assert!((found - expected).abs() < 1e-6, "{class}({x}) = {found}");
            }
        }
    }

    #[test]
    fn only_classes_of_torch_are_known() {
        assert_eq!(
            Activation::of_class("torch.nn.Tanh"),
            Some(Activation::Tanh)
        );
        for path in ["mine.Tanh", "Tanh", "torch.nn.Softmax", "torch.nnx.Tanh"] {
            assert_eq!(Activation::of_class(path), None, "{path}");
        }
    }
}
