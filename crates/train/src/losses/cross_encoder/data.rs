use tch::Tensor;

use super::options::LossOptions;
use crate::form::Wanted;
use crate::losses::registry;

/// A loss of cross-encoders.
pub(crate) type Loss = registry::Loss<Data>;

/// Which data a loss learns from, and how it is made of its options.
#[derive(Clone, Copy)]
pub(crate) enum Data {
    /// Two texts and a label, of which the loss wants this.
    LabeledPairs(Wanted, fn(&LossOptions) -> LabelLoss),
    /// Pairs with candidates that a teacher has scored: so many of each.
    ScoredCandidates {
        candidates: fn(&LossOptions) -> u16,
        loss: fn() -> ListLoss,
    },
    /// Pairs, triplets or n-tuples: a list for each pair, with so many positives of other queries
    /// in the batch as further negatives.
    Pairs {
        in_batch: fn(&LossOptions) -> u16,
        loss: fn() -> ListLoss,
    },
    /// Triplets or n-tuples: a list of all documents of each query.
    Queries(fn() -> ListLoss),
}

/// The loss of logits `[batch]` with labels `[batch]`.
pub(crate) type LabelLoss = Box<dyn Fn(&Tensor, &Tensor) -> Tensor>;

/// The loss of logits `[batch, documents]` with labels or scores of that shape, the positive first;
/// the third tensor, boolean, marks documents that are not there.
pub(crate) type ListLoss = Box<dyn Fn(&Tensor, &Tensor, &Tensor) -> Tensor>;
