use tch::{Device, Tensor};

use super::options::LossOptions;
use crate::batch_text::BatchText;
use crate::error::Result;
use crate::labels::Labels;
use crate::losses::registry;

/// A loss of sentence encoders.
pub(crate) type Loss = registry::Loss<Data>;

/// Which data a loss learns from, and how it is made of its options.
#[derive(Clone, Copy)]
pub(crate) enum Data {
    /// Pairs, triplets or n-tuples: the documents of a batch are negatives of each other's anchors.
    Pairs(fn(&LossOptions, Device) -> Result<Box<dyn InBatchLoss>>),
    /// Triplets or n-tuples.
    Triplets(fn(&LossOptions) -> TripletLoss),
    /// Two texts and a label of this kind.
    LabeledPairs(Labels, fn(&LossOptions) -> PairLoss),
    /// Texts with a category, such as tickets.
    LabeledTexts(fn(&LossOptions) -> TextLoss),
    /// Pairs with candidates that a cross-encoder has scored.
    ScoredCandidates(fn(&LossOptions) -> DistillationLoss),
}

/// The loss of anchors, positives and negatives, row by row: three times `[n, dimension]`.
pub(crate) type TripletLoss = Box<dyn Fn(&Tensor, &Tensor, &Tensor) -> Tensor>;

/// The loss of first and second texts, `[batch, dimension]`, with labels `[batch]`.
pub(crate) type PairLoss = Box<dyn Fn(&Tensor, &Tensor, &Tensor) -> Tensor>;

/// The loss of texts `[batch, dimension]` with the numbers of their categories, `[batch]`.
pub(crate) type TextLoss = Box<dyn Fn(&Tensor, &Tensor) -> Tensor>;

/// The loss of anchors `[batch, dimension]`, documents `[batch, documents, dimension]`, the
/// positive first, and the teacher's scores of them, `[batch, documents]`.
pub(crate) type DistillationLoss = Box<dyn Fn(&Tensor, &Tensor, &Tensor) -> Tensor>;

/// The loss of the anchors `[batch, dimension]` and documents `[documents, dimension]` of a batch.
pub(crate) type LossOfBatch<'a> = Box<dyn Fn(&Tensor, &Tensor) -> Tensor + 'a>;

/// A loss over anchors and the documents of their batch: the positives of the anchors in order,
/// then the hard negatives.
pub(crate) trait InBatchLoss {
    /// Returns the loss of a batch as a function of its embeddings, which may be called more than
    /// once. `texts` are anchors and documents; `excluded`, `[batch, documents]` boolean, marks
    /// documents that are no negative of an anchor.
    ///
    /// # Errors
    /// If the texts cannot be embedded by a second model.
    fn of_batch<'a>(&'a self, texts: &[BatchText<'_>], excluded: Tensor)
    -> Result<LossOfBatch<'a>>;
}

/// A loss of anchors, documents and `excluded` that needs nothing else of the batch.
impl<F: Fn(&Tensor, &Tensor, &Tensor) -> Tensor> InBatchLoss for F {
    fn of_batch<'a>(
        &'a self,
        _texts: &[BatchText<'_>],
        excluded: Tensor,
    ) -> Result<LossOfBatch<'a>> {
        Ok(Box::new(move |anchors, documents| {
            self(anchors, documents, &excluded.to_device(anchors.device()))
        }))
    }
}
