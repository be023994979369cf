//! All triplets of a batch of labelled texts.

use tch::Tensor;

use super::batch_triplets::{DISTANCE, MARGIN, PositivePairs};
use super::data::{Data, Loss};
use crate::losses::registry::LossOption;
use crate::losses::similarity::Distance;

pub(crate) const LOSS: Loss = Loss {
    name: "batch-all-triplet",
    class: "BatchAllTripletLoss",
    source: "batch_all_triplet.py#L97",
    help: "All triplets of a batch that break the margin: tickets",
    options: &[
        LossOption::number("margin", MARGIN),
        LossOption::distance(DISTANCE),
    ],
    data: Data::LabeledTexts(|options| {
        let (distance, margin) = (options.distance(DISTANCE), options.margin(MARGIN));
        Box::new(move |embeddings, labels| batch_all_triplet(embeddings, labels, distance, margin))
    }),
};

/// Computes the batch-all triplet loss (Hermans et al. 2017, arXiv 1703.07737;
/// `BatchAllTripletLoss` of sentence-transformers): the mean over those triplets of the batch whose
/// loss is not 0.
pub fn batch_all_triplet(
    embeddings: &Tensor,
    labels: &Tensor,
    distance: Distance,
    margin: f64,
) -> Tensor {
    let pairs = PositivePairs::new(&distance.matrix(embeddings), labels);
    let losses = (&pairs.distances - &pairs.to_all + margin)
        .relu()
        .masked_fill(&pairs.negative.logical_not(), 0.0);
    let kind = embeddings.kind();
    losses.sum(kind) / losses.gt(0.0).sum(kind).clamp_min(1.0)
}

#[cfg(test)]
mod tests {
    use super::super::batch_triplets::tests::{check_at_limits, value_without_positives};
    use super::*;

    #[test]
    fn the_loss_is_sound_at_its_limits() {
        check_at_limits(|embeddings, labels, distance| {
            batch_all_triplet(embeddings, labels, distance, 5.0)
        });
    }

    #[test]
    fn without_positives_there_is_no_triplet() {
        assert_eq!(
            value_without_positives(|embeddings, labels, distance| batch_all_triplet(
                embeddings, labels, distance, 5.0
            )),
            0.0
        );
    }
}
