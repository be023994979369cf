use pairmill_modeling::{Dropout, Parameters};

use crate::cut::Cut;
use crate::error::Result;
use crate::objective::NoSignal;
use crate::optimizer::Gradient;
use crate::shuffle_buffer::Parts;

/// Rows that go through the model together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Which training data they are of, where there are several.
    pub source: usize,
    pub rows: Vec<usize>,
}

/// The dropout masks of a batch, which depend on nothing but the seed, the step and the place of
/// the batch in it.
pub(crate) struct Masks<'a> {
    pub dropout: &'a Dropout,
    pub step: u64,
    pub batch: u64,
}

impl Masks<'_> {
    /// Returns the masks of a part of the batch, from the first one on.
    pub fn of_part(&self, part: usize) -> &Dropout {
        let stream = self.step | self.batch << 32 | (part as u64) << 48;
        self.dropout.set_step(stream);
        self.dropout
    }
}

/// What is trained: batches, their loss, and a score on dev.
pub(crate) trait Task {
    /// Returns the model's parameters.
    fn parameters(&self) -> &Parameters;
    /// Returns the number of rows in memory.
    fn rows(&self) -> usize;
    /// Returns how the rows come into memory, if not all at once.
    fn parts(&self) -> Option<&Parts>;
    /// Brings a part of an epoch's rows into memory, where not all are there.
    fn open_buffer(&mut self, epoch: u32, buffer: usize) -> Result<()>;
    /// Returns the batches of the rows in memory for an epoch; the same for the same epoch.
    fn batches(&self, epoch: u32) -> Vec<Batch>;
    /// Returns how many rows of a batch the loss learns nothing from, whatever the model makes of
    /// them.
    fn without_signal(&self, batch: &Batch) -> usize;
    /// Says why that may be, for batches of a source.
    fn no_signal(&self, source: usize) -> NoSignal;
    /// Returns whether what it starts from is a model for its purpose, so that it may be the one
    /// delivered.
    fn starts_as_model(&self) -> bool;
    /// Returns how many of the texts in memory are longer than the model reads.
    fn cut(&self) -> Result<Vec<Cut>>;
    /// Adds the gradient of `share` times the loss of a batch; the loss.
    fn add_gradient(
        &self,
        batch: &Batch,
        share: f64,
        masks: &Masks<'_>,
        gradient: &mut Gradient<'_>,
    ) -> Result<f64>;
    /// Returns the name and value of the dev score (higher is better), if there is a dev split.
    fn score(&self) -> Result<Option<(&'static str, f64)>>;
}
