//! The hardest triplet of each text of a batch, by a soft margin.

use tch::Tensor;

use super::batch_triplets::{DISTANCE, hardest_excess};
use super::data::{Data, Loss};
use crate::losses::registry::LossOption;
use crate::losses::similarity::Distance;

pub(crate) const LOSS: Loss = Loss {
    name: "batch-hard-soft-margin-triplet",
    class: "BatchHardSoftMarginTripletLoss",
    source: "batch_hard_soft_margin_triplet.py#L97",
    help: "The same with a soft margin: tickets",
    options: &[LossOption::distance(DISTANCE)],
    data: Data::LabeledTexts(|options| {
        let distance = options.distance(DISTANCE);
        Box::new(move |embeddings, labels| {
            batch_hard_soft_margin_triplet(embeddings, labels, distance)
        })
    }),
};

/// Computes [`batch_hard_triplet`](super::batch_hard_triplet::batch_hard_triplet) with `log(1 +
/// exp(x))` in place of the margin (`BatchHardSoftMarginTripletLoss` of sentence-transformers).
pub fn batch_hard_soft_margin_triplet(
    embeddings: &Tensor,
    labels: &Tensor,
    distance: Distance,
) -> Tensor {
    let excess = hardest_excess(&distance.matrix(embeddings), labels);
    excess.softplus().mean(embeddings.kind())
}

#[cfg(test)]
mod tests {
    use super::super::batch_triplets::tests::check_at_limits;
    use super::*;

    #[test]
    fn the_loss_is_sound_at_its_limits() {
        check_at_limits(batch_hard_soft_margin_triplet);
    }
}
