//! A cross-encoder learns similarities, or the scores of a teacher.

use tch::{Reduction, Tensor};

use super::data::{Data, Loss};
use crate::form::Wanted;

pub(crate) const LOSS: Loss = Loss {
    name: "mse",
    class: "MSELoss",
    source: "mse.py#L88",
    help: "Squared error of the score: labelled pairs with similarities",
    options: &[],
    data: Data::LabeledPairs(Wanted::Similarities, |_| {
        Box::new(|logits, labels| mse(&logits.sigmoid(), labels))
    }),
};

/// Computes the mean squared difference of logits and labels, both `[batch]`, labels on the scale
/// of the logits (`MSELoss` of sentence-transformers): learns a teacher's scores.
pub fn mse(logits: &Tensor, labels: &Tensor) -> Tensor {
    logits.mse_loss(&labels.detach().to_kind(logits.kind()), Reduction::Mean)
}
