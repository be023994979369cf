//! RoBERTa (Liu et al. 2019) and XLM-R (Conneau et al. 2020): BERT whose positions start behind the
//! padding token's. To be held against `RobertaModel` of the transformers library.

use pairmill_checkpoint::RobertaConfig;
use tch::Tensor;

use crate::bert::Bert;
use crate::network::{Encoder, InTorch};
use crate::{Dropout, PackedBatch, Parameters, Result};

/// The encoder over packed batches.
#[derive(Debug)]
struct Roberta {
    bert: Bert,
    padding_idx: i64,
}

impl InTorch for RobertaConfig {
    fn encoder(&self, parameters: &Parameters, prefix: &str) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(Roberta {
            bert: Bert::new(parameters, prefix, &self.0)?,
            padding_idx: self.padding_idx(),
        }))
    }
}

impl Encoder for Roberta {
    fn forward(&self, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        let positions = batch.positions_behind(self.padding_idx);
        self.bert.forward_at(batch, &positions, dropout)
    }
}
