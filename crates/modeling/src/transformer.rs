use tch::Tensor;

use crate::{
    Bert, Config, DistilBert, Dropout, ModernBert, Mpnet, PackedBatch, Parameters, Result, Roberta,
};

/// The encoder of any supported architecture.
#[derive(Debug)]
pub enum Transformer {
    /// BERT.
    Bert(Bert),
    /// RoBERTa and its kin.
    Roberta(Roberta),
    /// DistilBERT.
    DistilBert(DistilBert),
    /// MPNet.
    Mpnet(Mpnet),
    /// ModernBERT.
    ModernBert(Box<ModernBert>),
}

impl Transformer {
    /// Takes the tensors of the encoder, whose names start with `prefix`.
    ///
    /// # Errors
    /// If one is absent or has another shape than the config asks for.
    pub fn new(parameters: &Parameters, prefix: &str, config: &Config) -> Result<Self> {
        Ok(match config {
            Config::Bert(config) => Self::Bert(Bert::new(parameters, prefix, config)?),
            Config::Roberta(config) => Self::Roberta(Roberta::new(parameters, prefix, config)?),
            Config::DistilBert(config) => {
                Self::DistilBert(DistilBert::new(parameters, prefix, config)?)
            }
            Config::Mpnet(config) => Self::Mpnet(Mpnet::new(parameters, prefix, config)?),
            Config::ModernBert(config) => {
                Self::ModernBert(Box::new(ModernBert::new(parameters, prefix, config)?))
            }
        })
    }

    /// The last hidden states, `[tokens, hidden]`, in packed order. Dropout is active where one is
    /// given.
    pub fn forward(&self, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        match self {
            Self::Bert(model) => model.forward(batch, dropout),
            Self::Roberta(model) => model.forward(batch, dropout),
            Self::DistilBert(model) => model.forward(batch, dropout),
            Self::Mpnet(model) => model.forward(batch, dropout),
            Self::ModernBert(model) => model.forward(batch, dropout),
        }
    }
}
