//! Losses over labelled pairs: row i of `first` and row i of `second`, both `[batch, dimension]`,
//! with `labels`, `[batch]`, of any kind.

use tch::{Reduction, Tensor};

use super::similarity::{Distance, pairwise_cosine, unit};

/// Contrastive loss (Hadsell, Chopra and LeCun 2006; `ContrastiveLoss` of sentence-transformers):
/// half the mean over the batch of `y·d² + (1 − y)·max(0, margin − d)²`, with label y 1 for a
/// positive pair and 0 for a negative one.
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

/// Online contrastive loss (`OnlineContrastiveLoss` of sentence-transformers): the sum, not the
/// mean, of `d²` over hard positive pairs and of `max(0, margin − d)²` over hard negative pairs.
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

/// Mean squared difference of cosine similarity and label, in -1..1 (`CosineSimilarityLoss` of
/// sentence-transformers).
pub fn cosine_similarity(first: &Tensor, second: &Tensor, labels: &Tensor) -> Tensor {
    pairwise_cosine(first, second).mse_loss(&labels.to_kind(first.kind()), Reduction::Mean)
}

/// CoSENT loss (Huang et al. 2024; `CoSENTLoss` of sentence-transformers):
/// `log(1 + Σ exp(scale·(s_i − s_j)))` over all i, j whose labels are in the order i < j, with s the
/// cosine similarity. Only the order of the labels counts. The reference's default scale is 20.
pub fn cosent(first: &Tensor, second: &Tensor, labels: &Tensor, scale: f64) -> Tensor {
    misordered(&(pairwise_cosine(first, second) * scale), labels)
}

/// AnglE loss (Li and Li 2023, arXiv 2309.12871; `AnglELoss` of sentence-transformers): [`cosent`]
/// with the magnitude of the sum of cosine and sine of two vectors as similarity. The vectors are
/// taken as complex numbers, real parts in their first half and imaginary parts in their second,
/// one zero longer where the dimension is odd. The reference's default scale is 20.
pub fn angle(first: &Tensor, second: &Tensor, labels: &Tensor, scale: f64) -> Tensor {
    let complex = |vectors: &Tensor| {
        let vectors = unit(vectors);
        let padded = vectors.constant_pad_nd([0, vectors.size()[1] % 2]);
        let mut halves = padded.chunk(2, 1);
        let imaginary = halves.remove(1);
        (halves.remove(0), imaginary)
    };
    let ((a, b), (c, d)) = (complex(first), complex(second));
    let sum = &a * &c + &b * &d + &b * &c - &a * &d;
    let similarities = sum
        .sum_dim_intlist([1i64].as_slice(), false, first.kind())
        .abs();
    misordered(&(similarities * scale), labels)
}

/// Logarithm of 1 plus the sum of exp(score_i − score_j) over label_i < label_j.
fn misordered(scores: &Tensor, labels: &Tensor) -> Tensor {
    let unordered = labels.unsqueeze(1).ge_tensor(&labels.unsqueeze(0));
    let excess = (scores.unsqueeze(1) - scores.unsqueeze(0))
        .masked_fill(&unordered, f64::NEG_INFINITY)
        .flatten(0, -1);
    let one = Tensor::zeros([1], (scores.kind(), scores.device()));
    Tensor::cat(&[one, excess], 0).logsumexp([0i64].as_slice(), false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::finite;

    fn pair() -> (Tensor, Tensor) {
        (
            Tensor::from_slice2(&[[1.0f32, 0.0], [0.0, 0.0], [1.0, 1.0]]),
            Tensor::from_slice2(&[[1.0f32, 0.0], [0.5, 1.0], [-1.0, -1.0]]),
        )
    }

    #[test]
    fn gradients_are_finite_at_coinciding_zero_and_opposite_vectors() {
        let (first, second) = pair();
        let labels = Tensor::from_slice(&[0i64, 1, 1]);
        for distance in [Distance::Cosine, Distance::Euclidean, Distance::Manhattan] {
            for loss in [contrastive, online_contrastive] {
                finite(&[&first, &second], |x| {
                    loss(&x[0], &x[1], &labels, distance, 0.5)
                });
            }
        }
        finite(&[&first, &second], |x| {
            cosine_similarity(&x[0], &x[1], &labels)
        });
        for loss in [cosent, angle] {
            finite(&[&first, &second], |x| loss(&x[0], &x[1], &labels, 20.0));
        }
    }

    #[test]
    fn well_separated_pairs_have_nothing_hard() {
        let (first, second) = pair();
        let labels = Tensor::from_slice(&[1.0f32, 0.0, 0.0]);
        let (value, _) = finite(&[&first, &second], |x| {
            online_contrastive(&x[0], &x[1], &labels, Distance::Cosine, 0.5)
        });
        assert_eq!(value, 0.0);
    }

    #[test]
    fn pairs_of_one_label_are_in_order() {
        let (first, second) = pair();
        let labels = Tensor::from_slice(&[0.5f32, 0.5, 0.5]);
        for loss in [cosent, angle] {
            let (value, _) = finite(&[&first, &second], |x| loss(&x[0], &x[1], &labels, 20.0));
            assert_eq!(value, 0.0);
        }
    }
}
