use std::fmt::Debug;

use pairmill_checkpoint::Architecture;
use tch::Tensor;

use crate::{Dropout, PackedBatch, Parameters, Result};

/// The network of an architecture, over packed batches.
pub(crate) trait Encoder: Debug + Send {
    /// Returns the last hidden states, `[tokens, hidden]`, in packed order. Dropout is active where
    /// one is given.
    fn forward(&self, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor;
}

/// An architecture that has a network in libtorch.
pub(crate) trait InTorch: Architecture {
    /// Takes the tensors of the encoder, whose names start with `prefix`.
    ///
    /// # Errors
    /// If one is absent or has another shape than the config asks for.
    fn encoder(&self, parameters: &Parameters, prefix: &str) -> Result<Box<dyn Encoder>>;
}
