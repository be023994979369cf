use tch::Tensor;

use crate::network::Encoder;
use crate::{Config, Dropout, PackedBatch, Parameters, Result};

/// The encoder of any supported architecture.
#[derive(Debug)]
pub struct Transformer(Box<dyn Encoder>);

impl Transformer {
    /// Takes the tensors of the encoder, whose names start with `prefix`.
    ///
    /// # Errors
    /// If one is absent or has another shape than the config asks for.
    pub fn new(parameters: &Parameters, prefix: &str, config: &Config) -> Result<Self> {
        Ok(Self(config.model().encoder(parameters, prefix)?))
    }

    /// Returns the last hidden states, `[tokens, hidden]`, in packed order. Dropout is active where
    /// one is given.
    pub fn forward(&self, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        self.0.forward(batch, dropout)
    }
}
