//! A loss over labelled pairs: row i of `first` and row i of `second`, both `[batch, dimension]`,
//! with `labels`, `[batch]`, of any kind.

use tch::Tensor;

use super::data::{Data, Loss};
use crate::labels::Labels;
use crate::losses::registry::LossOption;
use crate::losses::similarity::pairwise_cosine;

/// Factor on the similarity.
const SCALE: f64 = 20.0;

pub(crate) const LOSS: Loss = Loss {
    name: "cosent",
    class: "CoSENTLoss",
    source: "cosent.py#L87",
    help: "CoSENT: labelled pairs with similarities",
    options: &[LossOption::number("scale", SCALE)],
    data: Data::LabeledPairs(Labels::Order, |options| {
        let scale = options.scale(SCALE);
        Box::new(move |first, second, labels| cosent(first, second, labels, scale))
    }),
};

/// Computes the CoSENT loss (Huang et al. 2024; `CoSENTLoss` of sentence-transformers): `log(1 + Σ
/// exp(scale·(s_i − s_j)))` over all i, j whose labels are in the order i < j, with s the cosine
/// similarity. Only the order of the labels counts. The reference's default scale is 20.
pub fn cosent(first: &Tensor, second: &Tensor, labels: &Tensor, scale: f64) -> Tensor {
    misordered(&(pairwise_cosine(first, second) * scale), labels)
}

/// Computes the logarithm of 1 plus the sum of exp(score_i − score_j) over label_i < label_j.
pub(super) fn misordered(scores: &Tensor, labels: &Tensor) -> Tensor {
    let unordered = labels.unsqueeze(1).ge_tensor(&labels.unsqueeze(0));
    let excess = (scores.unsqueeze(1) - scores.unsqueeze(0))
        .masked_fill(&unordered, f64::NEG_INFINITY)
        .flatten(0, -1);
    let one = Tensor::zeros([1], (scores.kind(), scores.device()));
    Tensor::cat(&[one, excess], 0).logsumexp([0i64].as_slice(), false)
}

#[cfg(test)]
mod tests {
    use super::super::tests::unusual_pairs;
    use super::*;
    use crate::losses::finite;

    #[test]
    fn gradients_are_finite_at_coinciding_zero_and_opposite_vectors() {
        let (first, second) = unusual_pairs();
        let labels = Tensor::from_slice(&[0i64, 1, 1]);
        finite(&[&first, &second], |x| cosent(&x[0], &x[1], &labels, 20.0));
    }

    #[test]
    fn pairs_of_one_label_are_in_order() {
        let (first, second) = unusual_pairs();
        let labels = Tensor::from_slice(&[0.5f32, 0.5, 0.5]);
        let (value, _) = finite(&[&first, &second], |x| cosent(&x[0], &x[1], &labels, 20.0));
        assert_eq!(value, 0.0);
    }
}
