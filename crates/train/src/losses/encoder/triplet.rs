//! An anchor must be closer to a positive than to a negative, by a margin.

use tch::Tensor;

use super::data::{Data, Loss};
use crate::losses::registry::LossOption;
use crate::losses::similarity::Distance;

const MARGIN: f64 = 5.0;
const DISTANCE: Distance = Distance::Euclidean;

pub(crate) const LOSS: Loss = Loss {
    name: "triplet",
    class: "TripletLoss",
    source: "triplet.py#L88",
    help: "Triplet loss: triplets or n-tuples",
    options: &[
        LossOption::number("margin", MARGIN),
        LossOption::distance(DISTANCE),
        LossOption::plain("batch-sampler"),
    ],
    data: Data::Triplets(|options| {
        let (distance, margin) = (options.distance(DISTANCE), options.margin(MARGIN));
        Box::new(move |anchors, positives, negatives| {
            triplet(anchors, positives, negatives, distance, margin)
        })
    }),
};

/// Computes the triplet loss (Schroff et al. 2015, arXiv 1503.03832; `TripletLoss` of
/// sentence-transformers): the mean of `max(0, d(anchor, positive) − d(anchor, negative) + margin)`
/// over rows of three tensors `[n, dimension]`.
pub fn triplet(
    anchors: &Tensor,
    positives: &Tensor,
    negatives: &Tensor,
    distance: Distance,
    margin: f64,
) -> Tensor {
    let excess = distance.pairwise(anchors, positives) - distance.pairwise(anchors, negatives);
    (excess + margin).relu().mean(anchors.kind())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::finite;

    #[test]
    fn gradients_are_finite_at_coinciding_and_zero_vectors() {
        let points = Tensor::from_slice2(&[[0.0f32, 0.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]);
        for distance in [Distance::Cosine, Distance::Euclidean, Distance::Manhattan] {
            finite(&[&points, &points, &points], |x| {
                triplet(&x[0], &x[1], &x[2], distance, 5.0)
            });
        }
    }
}
