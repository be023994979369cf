//! Similarities and distances of embeddings, with finite gradients everywhere.

use clap::ValueEnum;
use serde::Serialize;
use tch::Tensor;

/// A norm below this is that of a zero vector.
const SMALLEST_NORM: f64 = 1e-12;

/// How far two embeddings are from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Distance {
    /// 1 minus the cosine similarity, in 0..2; 1 to a zero vector.
    Cosine,
    /// Length of the difference.
    Euclidean,
    /// Sum of the absolute differences.
    Manhattan,
}

impl Distance {
    /// Returns the distance of each row of `first` to the same row of `second`, both `[n,
    /// dimension]`: `[n]`.
    pub fn pairwise(self, first: &Tensor, second: &Tensor) -> Tensor {
        match self {
            Self::Cosine => 1.0 - pairwise_cosine(first, second),
            Self::Euclidean => (first - second).norm_scalaropt_dim(2, [-1i64], false),
            Self::Manhattan => (first - second).norm_scalaropt_dim(1, [-1i64], false),
        }
    }

    /// Returns the distances among all rows of `embeddings`, `[n, dimension]`: `[n, n]`.
    pub fn matrix(self, embeddings: &Tensor) -> Tensor {
        // From the differences: computed from dot products, small distances lose half their digits.
        let differences = |p| Tensor::cdist(embeddings, embeddings, p, 2);
        match self {
            Self::Cosine => 1.0 - cosine(embeddings, embeddings),
            Self::Euclidean => differences(2.0),
            Self::Manhattan => differences(1.0),
        }
    }
}

/// How similar two embeddings are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Similarity {
    /// Dot product.
    #[default]
    Dot,
    /// Cosine similarity, in -1..1; 0 to a zero vector.
    Cosine,
}

impl Similarity {
    /// Returns the similarity of each anchor, `[batch, dimension]`, to its own documents, `[batch,
    /// documents, dimension]`: `[batch, documents]`.
    pub fn to_own_documents(self, anchors: &Tensor, documents: &Tensor) -> Tensor {
        let dot = |anchors: &Tensor, documents: &Tensor| {
            documents.matmul(&anchors.unsqueeze(-1)).squeeze_dim(-1)
        };
        match self {
            Self::Dot => dot(anchors, documents),
            Self::Cosine => dot(&unit(anchors), &unit(documents)),
        }
    }
}

/// Returns the vectors of the last dimension at length 1. A zero vector stays as it is, and its
/// gradient passes unscaled; division by a small constant would multiply it by the inverse.
pub(crate) fn unit(vectors: &Tensor) -> Tensor {
    let norms = vectors.norm_scalaropt_dim(2, [-1i64], true);
    vectors / norms.masked_fill(&norms.lt(SMALLEST_NORM), 1.0)
}

/// Returns the cosine similarity of every row of `first`, `[n, dimension]`, to every row of
/// `second`, `[m, dimension]`: `[n, m]`.
pub(crate) fn cosine(first: &Tensor, second: &Tensor) -> Tensor {
    unit(first).matmul(&unit(second).transpose(0, 1))
}

/// Returns the cosine similarity of each row of `first` to the same row of `second`: `[n]`.
pub(crate) fn pairwise_cosine(first: &Tensor, second: &Tensor) -> Tensor {
    (unit(first) * unit(second)).sum_dim_intlist([-1i64].as_slice(), false, first.kind())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::finite;

    #[test]
    fn gradients_are_finite_where_points_coincide_and_at_zero() {
        let points = Tensor::from_slice2(&[[0.0f32, 0.0], [1.0, 2.0], [1.0, 2.0]]);
        for distance in [Distance::Cosine, Distance::Euclidean, Distance::Manhattan] {
            finite(&[&points], |x| distance.matrix(&x[0]).sum(tch::Kind::Float));
            finite(&[&points, &points], |x| {
                distance.pairwise(&x[0], &x[1]).sum(tch::Kind::Float)
            });
        }
    }

    #[test]
    fn a_zero_vector_is_at_right_angles_to_all() {
        let zero = Tensor::from_slice2(&[[0.0f32, 0.0]]);
        let other = Tensor::from_slice2(&[[3.0f32, 4.0]]);
        assert_eq!(pairwise_cosine(&zero, &other).double_value(&[0]), 0.0);
    }
}
