//! Matryoshka representation learning: a loss at several lengths of the same embeddings.

use tch::Tensor;

use super::similarity::unit;

/// One length that embeddings are cut to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatryoshkaDim {
    /// Components kept, from the first: 1 to the whole dimension.
    pub dim: i64,
    /// Factor on the loss at this length; 1 in the reference.
    pub weight: f64,
}

/// Computes the Matryoshka loss (Kusupati et al. 2022, arXiv 2205.13147; `MatryoshkaLoss` of
/// sentence-transformers): the weighted sum of `loss` over the lengths in `dims`, which should
/// include the whole dimension.
///
/// `embeddings` is `[…, dimension]`, all embeddings that `loss` needs. It gets them cut and then
/// brought to length 1, as in the reference. So a loss over dot products or Euclidean distances
/// differs from itself even at the whole dimension; one over cosine similarities does not.
pub fn matryoshka(
    embeddings: &Tensor,
    dims: &[MatryoshkaDim],
    loss: impl Fn(&Tensor) -> Tensor,
) -> Tensor {
    let zero = Tensor::zeros([0i64; 0], (embeddings.kind(), embeddings.device()));
    dims.iter()
        .fold(zero, |sum, &MatryoshkaDim { dim, weight }| {
            sum + loss(&unit(&embeddings.narrow(-1, 0, dim))) * weight
        })
}
