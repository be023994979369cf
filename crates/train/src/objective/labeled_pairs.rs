use pairmill_schema::counted;
use tch::Tensor;

use super::{LossOfEmbeddings, NoSignal, Objective, picked};
use crate::batch_text::{BatchText, document, query};
use crate::error::Result;
use crate::labeled::LabeledSet;
use crate::labels::Labels;
use crate::losses::encoder::PairLoss;
use crate::sampler::shuffled_batches;

/// Labelled pairs.
pub(crate) struct LabeledPairs {
    set: LabeledSet,
    labels: Labels,
    loss: PairLoss,
}

impl LabeledPairs {
    /// Takes pairs whose labels are what the loss makes of them.
    pub fn new(set: LabeledSet, labels: Labels, loss: PairLoss) -> Self {
        Self { set, labels, loss }
    }
}

impl Objective for LabeledPairs {
    fn rows(&self) -> usize {
        self.set.pairs.len()
    }

    fn describe(&self) -> String {
        counted(self.rows(), "labelled pair", "labelled pairs")
    }

    fn retain(&mut self, rows: &[usize]) {
        self.set.pairs = picked(&self.set.pairs, rows);
    }

    fn batches(&self, batch_size: usize, seed: u64, epoch: u32) -> Vec<Vec<usize>> {
        shuffled_batches(self.rows(), batch_size, seed, epoch)
    }

    fn without_signal(&self, rows: &[usize]) -> usize {
        let labels = || rows.iter().map(|&row| self.set.pairs[row].label);
        let first = labels().next();
        match self.labels == Labels::Order && labels().all(|label| Some(label) == first) {
            true => rows.len(),
            false => 0,
        }
    }

    fn no_signal(&self) -> NoSignal {
        NoSignal::ONE_LABEL
    }

    /// Returns the first texts, then second texts.
    fn texts(&self, rows: &[usize]) -> Vec<BatchText<'_>> {
        let pairs = || rows.iter().map(|&row| &self.set.pairs[row]);
        let first = pairs().map(|pair| query(&pair.query));
        first
            .chain(pairs().map(|pair| document(&pair.text)))
            .collect()
    }

    fn loss<'a>(&'a self, rows: &'a [usize]) -> Result<LossOfEmbeddings<'a>> {
        let labels: Vec<f32> = rows.iter().map(|&row| self.set.pairs[row].label).collect();
        Ok(Box::new(move |embeddings| {
            let number = rows.len() as i64;
            let first = embeddings.narrow(0, 0, number);
            let second = embeddings.narrow(0, number, number);
            let labels = Tensor::from_slice(&labels).to_device(embeddings.device());
            (self.loss)(&first, &second, &labels)
        }))
    }
}
