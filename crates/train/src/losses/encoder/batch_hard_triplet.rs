//! The hardest triplet of each text of a batch, by a margin.

use tch::Tensor;

use super::batch_triplets::{DISTANCE, MARGIN, hardest_excess};
use super::data::{Data, Loss};
use crate::losses::registry::LossOption;
use crate::losses::similarity::Distance;

pub(crate) const LOSS: Loss = Loss {
    name: "batch-hard-triplet",
    class: "BatchHardTripletLoss",
    source: "batch_hard_triplet.py#L158",
    help: "The hardest positive and negative of each text: tickets",
    options: &[
        LossOption::number("margin", MARGIN),
        LossOption::distance(DISTANCE),
    ],
    data: Data::LabeledTexts(|options| {
        let (distance, margin) = (options.distance(DISTANCE), options.margin(MARGIN));
        Box::new(move |embeddings, labels| batch_hard_triplet(embeddings, labels, distance, margin))
    }),
};

/// Computes the batch-hard triplet loss (Hermans et al. 2017; `BatchHardTripletLoss` of
/// sentence-transformers): the mean over anchors, each with its furthest positive and its closest
/// negative. An anchor without a positive has one at distance 0.
pub fn batch_hard_triplet(
    embeddings: &Tensor,
    labels: &Tensor,
    distance: Distance,
    margin: f64,
) -> Tensor {
    let excess = hardest_excess(&distance.matrix(embeddings), labels);
    (excess + margin).relu().mean(embeddings.kind())
}

#[cfg(test)]
mod tests {
    use super::super::batch_triplets::tests::{check_at_limits, value_without_positives};
    use super::*;

    #[test]
    fn the_loss_is_sound_at_its_limits() {
        check_at_limits(|embeddings, labels, distance| {
            batch_hard_triplet(embeddings, labels, distance, 5.0)
        });
    }

    #[test]
    fn without_positives_only_the_hardest_negatives_push() {
        assert_eq!(
            value_without_positives(|embeddings, labels, distance| batch_hard_triplet(
                embeddings, labels, distance, 5.0
            )),
            3.0
        );
    }
}
