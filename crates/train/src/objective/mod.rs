//! What an encoder is trained towards: which texts a batch needs, and the loss of their embeddings.

mod distillation;
mod labeled_pairs;
mod labeled_texts;
mod ranking;

use tch::Tensor;

pub(crate) use distillation::{Distillation, ScoredPair, read_scored_pairs};
pub(crate) use labeled_pairs::LabeledPairs;
pub(crate) use labeled_texts::LabeledTexts;
pub(crate) use ranking::{PairsLoss, Ranking};

use crate::batch_text::BatchText;
use crate::error::Result;

/// Training rows of one kind with their loss.
pub(crate) trait Objective {
    /// Returns the number of training rows.
    fn rows(&self) -> usize;

    /// Returns what the rows are, with their number.
    fn describe(&self) -> String;

    /// Leaves only these rows, in this order.
    fn retain(&mut self, rows: &[usize]);

    /// Leaves each row this many hard negatives at most, the first ones; rows of other kinds have
    /// none.
    fn limit_negatives(&mut self, _most: usize) {}

    /// Returns batches of row numbers for one epoch, which depend on seed and epoch alone.
    fn batches(&self, batch_size: usize, seed: u64, epoch: u32) -> Vec<Vec<usize>>;

    /// Returns how many rows of a batch the loss learns nothing from, whatever the model makes of
    /// them.
    fn without_signal(&self, rows: &[usize]) -> usize;

    /// Says why that may be, and what to do.
    fn no_signal(&self) -> NoSignal;

    /// Returns the texts of a batch, in the order in which the loss takes their embeddings.
    fn texts(&self, rows: &[usize]) -> Vec<BatchText<'_>>;

    /// Returns the loss of a batch as a function of its embeddings, `[texts, dimension]`. It may be
    /// called more than once, with fewer dimensions.
    fn loss<'a>(&'a self, rows: &'a [usize]) -> Result<LossOfEmbeddings<'a>>;
}

/// Why rows teach nothing, in words that follow their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoSignal {
    pub reason: &'static str,
    pub remedy: &'static str,
}

impl NoSignal {
    /// Of a ranking loss.
    pub const NO_NEGATIVE: Self = Self {
        reason: "have no negative: their batch holds no other document, or only such as are known to be right for their anchor",
        remedy: "give pairs with different positives, hard negatives, or a larger --batch-size",
    };
    /// Of a loss that compares pairs of different labels.
    pub const ONE_LABEL: Self = Self {
        reason: "are in a batch of one label, which has nothing to compare them with",
        remedy: "give pairs of different labels, or a larger --batch-size",
    };
    /// Of a loss over triplets of a batch.
    pub const ONE_CATEGORY: Self = Self {
        reason: "are in a batch of one category, which has no negative",
        remedy: "give a larger --batch-size, or texts of more categories",
    };
}

/// A loss, as a function of embeddings `[texts, dimension]`.
pub(crate) type LossOfEmbeddings<'a> = Box<dyn Fn(&Tensor) -> Tensor + 'a>;

/// Returns the items with these numbers, in this order.
fn picked<T: Clone>(items: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&row| items[row].clone()).collect()
}
