//! A cross-encoder learns a teacher's margins.

use tch::Tensor;

use super::data::{Data, Loss};
use super::mse::mse;
use crate::losses::registry::LossOption;

/// Candidates of each pair.
const NUM_NEGATIVES: u16 = 1;

pub(crate) const LOSS: Loss = Loss {
    name: "margin-mse",
    class: "MarginMSELoss",
    source: "margin_mse.py#L103",
    help: "Margins of another cross-encoder: scored candidates",
    options: &[LossOption::number("num-negatives", NUM_NEGATIVES as f64)],
    data: Data::ScoredCandidates {
        candidates: |options| options.num_negatives(NUM_NEGATIVES),
        loss: || Box::new(|logits, scores, _| margin_mse(logits, &margins(scores))),
    },
};

/// Computes the margin mean squared error (Hofstätter et al. 2020, arXiv 2010.02666;
/// `MarginMSELoss` of sentence-transformers): the mean squared difference between the logits' and
/// the teacher's margins of positive over negative.
///
/// `logits` is `[batch, documents]`, the positive first; `teacher_margins` is
/// `[batch, documents - 1]`, the teacher's score of the positive minus that of each negative.
pub fn margin_mse(logits: &Tensor, teacher_margins: &Tensor) -> Tensor {
    mse(&margins(logits), teacher_margins)
}

/// Returns the margins of positive over negative, `[batch, documents - 1]`, of scores
/// `[batch, documents]`, the positive first.
pub(crate) fn margins(scores: &Tensor) -> Tensor {
    let negatives = scores.size()[1] - 1;
    scores.narrow(1, 0, 1) - scores.narrow(1, 1, negatives)
}
