//! A cross-encoder learns labels.

use tch::{Reduction, Tensor};

use super::data::{Data, Loss};
use crate::form::Wanted;
use crate::losses::registry::LossOption;

pub(crate) const LOSS: Loss = Loss {
    name: "bce",
    class: "BinaryCrossEntropyLoss",
    source: "binary_cross_entropy.py#L93",
    help: "Binary cross-entropy: labelled pairs",
    options: &[LossOption::plain("pos-weight")],
    data: Data::LabeledPairs(Wanted::Labels, |options| match options.pos_weight {
        None => Box::new(binary_cross_entropy),
        Some(weight) => {
            Box::new(move |logits, labels| weighted_binary_cross_entropy(logits, labels, weight))
        }
    }),
};

/// Computes the binary cross-entropy of logits `[batch]` against labels `[batch]` in 0..1, the mean
/// over the batch, computed without overflow.
pub fn binary_cross_entropy(logits: &Tensor, labels: &Tensor) -> Tensor {
    logits.binary_cross_entropy_with_logits::<&Tensor>(labels, None, None, Reduction::Mean)
}

/// Computes [`binary_cross_entropy`] with the positive part of each loss times `pos_weight`, above
/// 0 (`BinaryCrossEntropyLoss` of sentence-transformers): usually the number of negatives per
/// positive.
pub fn weighted_binary_cross_entropy(logits: &Tensor, labels: &Tensor, pos_weight: f64) -> Tensor {
    let pos_weight = Tensor::from(pos_weight)
        .to_kind(logits.kind())
        .to_device(logits.device());
    logits.binary_cross_entropy_with_logits(
        &labels.to_kind(logits.kind()),
        None,
        Some(pos_weight),
        Reduction::Mean,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::finite;

    #[test]
    fn binary_cross_entropy_of_an_undecided_model_is_ln_2() {
        let loss = binary_cross_entropy(
            &Tensor::from_slice(&[0.0f32, 0.0]),
            &Tensor::from_slice(&[1.0f32, 0.0]),
        );
        assert!((loss.double_value(&[]) - 2f64.ln()).abs() < 1e-6);
    }

    #[test]
    fn huge_logits_overflow_nothing() {
        let logits = Tensor::from_slice(&[1e30f32, -1e30]);
        let labels = Tensor::from_slice(&[0i64, 1]);
        finite(&[&logits], |x| {
            weighted_binary_cross_entropy(&x[0], &labels, 4.0)
        });
    }
}
