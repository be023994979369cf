//! A loss over labelled pairs: row i of `first` and row i of `second`, both `[batch, dimension]`,
//! with `labels`, `[batch]`, of any kind.

use tch::{Reduction, Tensor};

use super::data::{Data, Loss};
use crate::labels::Labels;
use crate::losses::similarity::pairwise_cosine;

pub(crate) const LOSS: Loss = Loss {
    name: "cosine-similarity",
    class: "CosineSimilarityLoss",
    source: "cosine_similarity.py#L84",
    help: "Squared error of the cosine: labelled pairs with similarities",
    options: &[],
    data: Data::LabeledPairs(Labels::Cosine, |_| Box::new(cosine_similarity)),
};

/// Computes the mean squared difference of cosine similarity and label, in -1..1
/// (`CosineSimilarityLoss` of sentence-transformers).
pub fn cosine_similarity(first: &Tensor, second: &Tensor, labels: &Tensor) -> Tensor {
    pairwise_cosine(first, second).mse_loss(&labels.to_kind(first.kind()), Reduction::Mean)
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
        finite(&[&first, &second], |x| {
            cosine_similarity(&x[0], &x[1], &labels)
        });
    }
}
