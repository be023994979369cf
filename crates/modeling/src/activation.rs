use pairmill_checkpoint::HiddenActivation;
use tch::Tensor;

/// Applies an activation function inside the network.
pub(crate) fn activated(activation: HiddenActivation, x: &Tensor) -> Tensor {
    match activation {
        HiddenActivation::Identity => x.shallow_clone(),
        HiddenActivation::Gelu => x.gelu("none"),
        HiddenActivation::GeluTanh => x.gelu("tanh"),
        HiddenActivation::Relu => x.relu(),
        HiddenActivation::Silu => x.silu(),
        HiddenActivation::Tanh => x.tanh(),
        HiddenActivation::Sigmoid => x.sigmoid(),
    }
}
