//! Triplet losses: an anchor must be closer to a positive than to a negative, by a margin.
//!
//! The `batch_*` losses find their triplets among `embeddings`, `[n, dimension]`, by `labels`, `[n]`
//! integer: the positives of an anchor are the others of its label, its negatives those of another.
//! A batch of one label has no triplet, so its loss is 0; the reference gives a constant or draws
//! the positives together there. The reference's defaults are the Euclidean distance and a margin
//! of 5.

use tch::{Kind, Tensor};

use super::similarity::Distance;

/// Triplet loss (Schroff et al. 2015, arXiv 1503.03832; `TripletLoss` of sentence-transformers): the
/// mean of `max(0, d(anchor, positive) − d(anchor, negative) + margin)` over rows of three tensors
/// `[n, dimension]`.
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

/// Batch-all triplet loss (Hermans et al. 2017, arXiv 1703.07737; `BatchAllTripletLoss` of
/// sentence-transformers): the mean over those triplets of the batch whose loss is not 0.
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

/// Batch-semi-hard triplet loss (Schroff et al. 2015; `BatchSemiHardTripletLoss` of
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

/// Batch-hard triplet loss (Hermans et al. 2017; `BatchHardTripletLoss` of sentence-transformers):
/// the mean over anchors, each with its furthest positive and its closest negative. An anchor
/// without a positive has one at distance 0.
pub fn batch_hard_triplet(
    embeddings: &Tensor,
    labels: &Tensor,
    distance: Distance,
    margin: f64,
) -> Tensor {
    let excess = hardest_excess(&distance.matrix(embeddings), labels);
    (excess + margin).relu().mean(embeddings.kind())
}

/// [`batch_hard_triplet`] with `log(1 + exp(x))` in place of the margin
/// (`BatchHardSoftMarginTripletLoss` of sentence-transformers).
pub fn batch_hard_soft_margin_triplet(
    embeddings: &Tensor,
    labels: &Tensor,
    distance: Distance,
) -> Tensor {
    let excess = hardest_excess(&distance.matrix(embeddings), labels);
    excess.softplus().mean(embeddings.kind())
}

/// By how much the furthest positive of each row is further than its closest negative: `[n]`, -∞
/// without a negative.
fn hardest_excess(distances: &Tensor, labels: &Tensor) -> Tensor {
    let same = same_label(labels);
    let furthest_positive = distances.masked_fill(&but_itself(&same).logical_not(), 0.0);
    let closest_negative = distances.masked_fill(&same, f64::INFINITY);
    furthest_positive.max_dim(1, false).0 - closest_negative.min_dim(1, false).0
}

/// All pairs of an anchor and a positive whose anchor has a negative.
struct PositivePairs {
    /// Distance of anchor and positive: `[pairs, 1]`.
    distances: Tensor,
    /// Distances of the anchor to the batch: `[pairs, n]`.
    to_all: Tensor,
    /// Which of these are negatives: `[pairs, n]`.
    negative: Tensor,
}

impl PositivePairs {
    fn new(distances: &Tensor, labels: &Tensor) -> Self {
        let same = same_label(labels);
        let different = same.logical_not();
        let mut indices = but_itself(&same)
            .logical_and(&different.any_dim(1, true))
            .nonzero_numpy();
        let positives = indices.remove(1);
        let anchors = indices.remove(0);
        let to_all = distances.index_select(0, &anchors);
        Self {
            distances: to_all.gather(1, &positives.unsqueeze(1), false),
            to_all,
            negative: different.index_select(0, &anchors),
        }
    }
}

/// True where row and column have one label: `[n, n]`.
fn same_label(labels: &Tensor) -> Tensor {
    labels.unsqueeze(0).eq_tensor(&labels.unsqueeze(1))
}

fn but_itself(mask: &Tensor) -> Tensor {
    let itself = Tensor::eye(mask.size()[0], (Kind::Bool, mask.device()));
    mask.logical_and(&itself.logical_not())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::finite;

    type Loss = fn(&Tensor, &Tensor, Distance, f64) -> Tensor;

    const BATCH_LOSSES: [Loss; 4] = [
        batch_all_triplet,
        batch_semi_hard_triplet,
        batch_hard_triplet,
        |embeddings, labels, distance, _| {
            batch_hard_soft_margin_triplet(embeddings, labels, distance)
        },
    ];
    const DISTANCES: [Distance; 3] = [Distance::Cosine, Distance::Euclidean, Distance::Manhattan];

    #[test]
    fn gradients_are_finite_at_coinciding_and_zero_vectors() {
        let points = Tensor::from_slice2(&[[0.0f32, 0.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]);
        let labels = Tensor::from_slice(&[0i64, 0, 0, 1]);
        for distance in DISTANCES {
            for loss in BATCH_LOSSES {
                finite(&[&points], |x| loss(&x[0], &labels, distance, 5.0));
            }
            finite(&[&points, &points, &points], |x| {
                triplet(&x[0], &x[1], &x[2], distance, 5.0)
            });
        }
    }

    #[test]
    fn a_batch_of_one_label_has_no_triplet() {
        let points = Tensor::from_slice2(&[[0.0f32, 1.0], [1.0, 2.0], [1.0, 3.0]]);
        let labels = Tensor::from_slice(&[7i64, 7, 7]);
        for distance in DISTANCES {
            for loss in BATCH_LOSSES {
                let (value, _) = finite(&[&points], |x| loss(&x[0], &labels, distance, 5.0));
                assert_eq!(value, 0.0);
            }
        }
    }

    #[test]
    fn without_positives_only_the_hardest_negatives_push() {
        let points = Tensor::from_slice2(&[[0.0f32], [2.0], [4.0]]);
        let labels = Tensor::from_slice(&[0i64, 1, 2]);
        let values: Vec<f64> = BATCH_LOSSES
            .iter()
            .map(|loss| {
                let (value, _) = finite(&[&points], |x| {
                    loss(&x[0], &labels, Distance::Euclidean, 5.0)
                });
                value
            })
            .collect();
        assert_eq!(values[..3], [0.0, 0.0, 3.0]);
    }
}
