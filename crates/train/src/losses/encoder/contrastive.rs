//! A loss over labelled pairs: row i of `first` and row i of `second`, both `[batch, dimension]`,
//! with `labels`, `[batch]`, of any kind.

use tch::Tensor;

use super::data::{Data, Loss};
use crate::labels::Labels;
use crate::losses::registry::LossOption;
use crate::losses::similarity::Distance;

const MARGIN: f64 = 0.5;
const DISTANCE: Distance = Distance::Cosine;

pub(crate) const LOSS: Loss = Loss {
    name: "contrastive",
    class: "ContrastiveLoss",
    source: "contrastive.py#L103",
    help: "Contrastive loss: labelled pairs",
    options: &[
        LossOption::number("margin", MARGIN),
        LossOption::distance(DISTANCE),
    ],
    data: Data::LabeledPairs(Labels::Binary, |options| {
        let (distance, margin) = (options.distance(DISTANCE), options.margin(MARGIN));
        Box::new(move |first, second, labels| contrastive(first, second, labels, distance, margin))
    }),
};

/// Computes the contrastive loss (Hadsell, Chopra and LeCun 2006; `ContrastiveLoss` of
/// sentence-transformers): half the mean over the batch of `y·d² + (1 − y)·max(0, margin − d)²`,
/// with label y 1 for a positive pair and 0 for a negative one.
///
/// The reference's defaults are the cosine distance and a margin of 0.5. Its Euclidean and
/// Manhattan distances add 1e-6 to every component, these do not.
pub fn contrastive(
    first: &Tensor,
    second: &Tensor,
    labels: &Tensor,
    distance: Distance,
    margin: f64,
) -> Tensor {
    let labels = labels.to_kind(first.kind());
    let distances = distance.pairwise(first, second);
    let shortfall = (margin - &distances).relu();
    let losses: Tensor = &labels * distances.square() + (1.0 - &labels) * shortfall.square();
    losses.mean(first.kind()) / 2.0
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
        for distance in [Distance::Cosine, Distance::Euclidean, Distance::Manhattan] {
            finite(&[&first, &second], |x| {
                contrastive(&x[0], &x[1], &labels, distance, 0.5)
            });
        }
    }
}
