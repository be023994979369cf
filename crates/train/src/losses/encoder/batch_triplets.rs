//! What the losses share that find their triplets in a batch of labelled texts.
//!
//! `embeddings` is `[n, dimension]` and `labels`, `[n]`, integer: the positives of an anchor are
//! the others of its label, its negatives those of another. A batch of one label has no triplet, so
//! its loss is 0; the reference gives a constant or draws the positives together there.

use tch::{Kind, Tensor};

use crate::losses::similarity::Distance;

/// By how much a negative must be further than a positive, as in the reference.
pub(super) const MARGIN: f64 = 5.0;
/// How far two texts are from each other, as in the reference.
pub(super) const DISTANCE: Distance = Distance::Euclidean;

/// Returns by how much the furthest positive of each row is further than its closest negative:
/// `[n]`, -∞ without a negative.
pub(super) fn hardest_excess(distances: &Tensor, labels: &Tensor) -> Tensor {
    let same = same_label(labels);
    let furthest_positive = distances.masked_fill(&but_itself(&same).logical_not(), 0.0);
    let closest_negative = distances.masked_fill(&same, f64::INFINITY);
    furthest_positive.max_dim(1, false).0 - closest_negative.min_dim(1, false).0
}

/// All pairs of an anchor and a positive whose anchor has a negative.
pub(super) struct PositivePairs {
    /// Distance of anchor and positive: `[pairs, 1]`.
    pub distances: Tensor,
    /// Distances of the anchor to the batch: `[pairs, n]`.
    pub to_all: Tensor,
    /// Which of these are negatives: `[pairs, n]`.
    pub negative: Tensor,
}

impl PositivePairs {
    pub fn new(distances: &Tensor, labels: &Tensor) -> Self {
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

/// Returns a mask that is true where row and column have one label: `[n, n]`.
fn same_label(labels: &Tensor) -> Tensor {
    labels.unsqueeze(0).eq_tensor(&labels.unsqueeze(1))
}

fn but_itself(mask: &Tensor) -> Tensor {
    let itself = Tensor::eye(mask.size()[0], (Kind::Bool, mask.device()));
    mask.logical_and(&itself.logical_not())
}

/// What holds for each of these losses, at a margin of 5 where it has one.
#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::losses::finite;

    const DISTANCES: [Distance; 3] = [Distance::Cosine, Distance::Euclidean, Distance::Manhattan];

    pub fn check_at_limits(loss: impl Fn(&Tensor, &Tensor, Distance) -> Tensor) {
        let coinciding = Tensor::from_slice2(&[[0.0f32, 0.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]);
        let labels = Tensor::from_slice(&[0i64, 0, 0, 1]);
        let points = Tensor::from_slice2(&[[0.0f32, 1.0], [1.0, 2.0], [1.0, 3.0]]);
        let one_label = Tensor::from_slice(&[7i64, 7, 7]);
        for distance in DISTANCES {
            finite(&[&coinciding], |x| loss(&x[0], &labels, distance));
            let (value, _) = finite(&[&points], |x| loss(&x[0], &one_label, distance));
            assert_eq!(value, 0.0, "a batch of one label has no triplet");
        }
    }

    /// Returns the loss of points of which no two have a label in common.
    pub fn value_without_positives(loss: impl Fn(&Tensor, &Tensor, Distance) -> Tensor) -> f64 {
        let points = Tensor::from_slice2(&[[0.0f32], [2.0], [4.0]]);
        let labels = Tensor::from_slice(&[0i64, 1, 2]);
        finite(&[&points], |x| loss(&x[0], &labels, Distance::Euclidean)).0
    }
}
