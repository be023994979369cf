//! A cross-encoder picks the positive of a query out of its documents.

use tch::{Kind, Reduction, Tensor};

use super::data::{Data, Loss};
use crate::losses::registry::LossOption;

/// Factor on the sigmoid of the logits, as in the reference.
const SCALE: f64 = 10.0;
/// Negatives from the batch, beside the hard ones, as in the reference.
const NUM_NEGATIVES: u16 = 4;

pub(crate) const LOSS: Loss = Loss {
    name: "mnrl",
    class: "MultipleNegativesRankingLoss",
    source: "multiple_negatives_ranking.py#L157",
    help: "Multiple negatives ranking: pairs, triplets or n-tuples",
    options: &[LossOption::number("num-negatives", NUM_NEGATIVES as f64)],
    data: Data::Pairs {
        in_batch: |options| options.num_negatives(NUM_NEGATIVES),
        loss: || {
            Box::new(|logits, _, padding| multiple_negatives_ranking(logits, SCALE, Some(padding)))
        },
    },
};

/// Computes the multiple-negatives ranking loss of a cross-encoder (`MultipleNegativesRankingLoss`
/// of sentence-transformers): cross-entropy of each query picking its positive by the sigmoid of
/// the logits times `scale`, 10 in the reference.
///
/// `logits` is `[batch, documents]`, the positive first, then hard and in-batch negatives;
/// `padding`, boolean of the same shape, marks negatives that are not there.
pub fn multiple_negatives_ranking(logits: &Tensor, scale: f64, padding: Option<&Tensor>) -> Tensor {
    let mut scores = logits.sigmoid() * scale;
    if let Some(padding) = padding {
        scores = scores.masked_fill(padding, f64::NEG_INFINITY);
    }
    let positives = Tensor::zeros([logits.size()[0]], (Kind::Int64, logits.device()));
    scores.cross_entropy_loss::<&Tensor>(&positives, None, Reduction::Mean, -100, 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::finite;

    #[test]
    fn a_padded_negative_counts_for_nothing() {
        let logits = Tensor::from_slice2(&[[1.0f32, 0.5, 9.0], [0.0, 1.0, 2.0]]);
        let padding = Tensor::from_slice2(&[[false, true, true], [false, true, true]]);
        let (value, _) = finite(&[&logits], |x| {
            multiple_negatives_ranking(&x[0], 10.0, Some(&padding))
        });
        assert_eq!(value, 0.0);
    }
}
