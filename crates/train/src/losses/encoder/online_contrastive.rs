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
    name: "online-contrastive",
    class: "OnlineContrastiveLoss",
    source: "online_contrastive.py#L82",
    help: "Contrastive loss over the hard pairs of each batch: labelled pairs",
    options: &[
        LossOption::number("margin", MARGIN),
        LossOption::distance(DISTANCE),
    ],
    data: Data::LabeledPairs(Labels::Binary, |options| {
        let (distance, margin) = (options.distance(DISTANCE), options.margin(MARGIN));
        Box::new(move |first, second, labels| {
            online_contrastive(first, second, labels, distance, margin)
        })
    }),
};

/// Computes the online contrastive loss (`OnlineContrastiveLoss` of sentence-transformers): the
/// sum, not the mean, of `d²` over hard positive pairs and of `max(0, margin − d)²` over hard
/// negative pairs.
///
/// A positive pair (label 1) is hard if further apart than the closest negative one, a negative
/// pair (label 0) if closer than the furthest positive one. Without pairs of the other label, hard
/// is what lies beyond the mean of its own. Pairs of other labels are ignored. The reference's
/// defaults are the cosine distance and a margin of 0.5.
pub fn online_contrastive(
    first: &Tensor,
    second: &Tensor,
    labels: &Tensor,
    distance: Distance,
    margin: f64,
) -> Tensor {
    let labels = labels.to_kind(first.kind());
    let (positive, negative) = (labels.eq(1.0), labels.eq(0.0));
    let distances = distance.pairwise(first, second);
    let fixed = distances.detach();
    let mean = |pairs: &Tensor| {
        let sum = fixed
            .masked_fill(&pairs.logical_not(), 0.0)
            .sum(fixed.kind());
        sum / pairs.sum(fixed.kind()).clamp_min(1.0)
    };
    let furthest_positive = fixed
        .masked_fill(&positive.logical_not(), f64::NEG_INFINITY)
        .max()
        .where_self(&positive.any(), &mean(&negative));
    let closest_negative = fixed
        .masked_fill(&negative.logical_not(), f64::INFINITY)
        .min()
        .where_self(&negative.any(), &mean(&positive));
    let hard_positive = positive.logical_and(&fixed.gt_tensor(&closest_negative));
    let hard_negative = negative.logical_and(&fixed.lt_tensor(&furthest_positive));
    let sum = |losses: Tensor, pairs: &Tensor| {
        losses
            .masked_fill(&pairs.logical_not(), 0.0)
            .sum(first.kind())
    };
    sum(distances.square(), &hard_positive)
        + sum((margin - &distances).relu().square(), &hard_negative)
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
                online_contrastive(&x[0], &x[1], &labels, distance, 0.5)
            });
        }
    }

    #[test]
    fn well_separated_pairs_have_nothing_hard() {
        let (first, second) = unusual_pairs();
        let labels = Tensor::from_slice(&[1.0f32, 0.0, 0.0]);
        let (value, _) = finite(&[&first, &second], |x| {
            online_contrastive(&x[0], &x[1], &labels, Distance::Cosine, 0.5)
        });
        assert_eq!(value, 0.0);
    }
}
