//! The triplets of a batch whose negative is just beyond the positive.

use tch::Tensor;

use super::batch_triplets::{DISTANCE, MARGIN, PositivePairs};
use super::data::{Data, Loss};
use crate::losses::registry::LossOption;
use crate::losses::similarity::Distance;

pub(crate) const LOSS: Loss = Loss {
    name: "batch-semi-hard-triplet",
    class: "BatchSemiHardTripletLoss",
    source: "batch_semi_hard_triplet.py#L107",
    help: "The nearest negative beyond the positive: tickets",
    options: &[
        LossOption::number("margin", MARGIN),
        LossOption::distance(DISTANCE),
    ],
    data: Data::LabeledTexts(|options| {
        let (distance, margin) = (options.distance(DISTANCE), options.margin(MARGIN));
        Box::new(move |embeddings, labels| {
            batch_semi_hard_triplet(embeddings, labels, distance, margin)
        })
    }),
};

/// Computes the batch-semi-hard triplet loss (Schroff et al. 2015; `BatchSemiHardTripletLoss` of
/// sentence-transformers): the mean over all pairs of anchor and positive, each with the closest
/// negative that is further from the anchor than the positive, or else with the furthest one.
pub fn batch_semi_hard_triplet(
    embeddings: &Tensor,
    labels: &Tensor,
    distance: Distance,
    margin: f64,
) -> Tensor {
    let pairs = PositivePairs::new(&distance.matrix(embeddings), labels);
    let beyond = pairs
        .to_all
        .gt_tensor(&pairs.distances)
        .logical_and(&pairs.negative);
    let closest_beyond = pairs
        .to_all
        .masked_fill(&beyond.logical_not(), f64::INFINITY)
        .min_dim(1, true)
        .0;
    let furthest = pairs
        .to_all
        .masked_fill(&pairs.negative.logical_not(), f64::NEG_INFINITY)
        .max_dim(1, true)
        .0;
    let negatives = closest_beyond.where_self(&beyond.any_dim(1, true), &furthest);
    let losses = (&pairs.distances - negatives + margin).relu();
    losses.sum(embeddings.kind()) / losses.size()[0].max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::super::batch_triplets::tests::{check_at_limits, value_without_positives};
    use super::*;

    #[test]
    fn the_loss_is_sound_at_its_limits() {
        check_at_limits(|embeddings, labels, distance| {
            batch_semi_hard_triplet(embeddings, labels, distance, 5.0)
        });
    }

    #[test]
    fn without_positives_there_is_no_triplet() {
        assert_eq!(
            value_without_positives(|embeddings, labels, distance| batch_semi_hard_triplet(
                embeddings, labels, distance, 5.0
            )),
            0.0
        );
    }
}
