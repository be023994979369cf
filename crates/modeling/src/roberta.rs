//! RoBERTa (Liu et al. 2019) and XLM-R (Conneau et al. 2020): BERT whose positions start behind the
//! padding token's. To be held against `RobertaModel` of the transformers library.

use tch::Tensor;

use crate::{Bert, BertConfig, Dropout, PackedBatch, Parameters, Result};

impl BertConfig {
    /// The row of RoBERTa's position embedding that padding has; a text's first token has the next.
    pub(crate) fn padding_idx(&self) -> i64 {
        self.pad_token_id.unwrap_or(1)
    }
}

/// The encoder over packed batches.
#[derive(Debug)]
pub struct Roberta {
    bert: Bert,
    padding_idx: i64,
}

impl Roberta {
    /// Takes the tensors named `{prefix}embeddings.…` and `{prefix}encoder.layer.…`.
    ///
    /// # Errors
    /// If one is absent or has another shape than the config asks for.
    pub fn new(parameters: &Parameters, prefix: &str, config: &BertConfig) -> Result<Self> {
        Ok(Self {
            bert: Bert::new(parameters, prefix, config)?,
            padding_idx: config.padding_idx(),
        })
    }

    /// The last hidden states, `[tokens, hidden]`. Dropout is active where one is given.
    pub fn forward(&self, batch: &PackedBatch, dropout: Option<&Dropout>) -> Tensor {
        let positions = batch.positions_behind(self.padding_idx);
        self.bert.forward_at(batch, &positions, dropout)
    }
}
