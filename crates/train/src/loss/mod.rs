//! Losses as pure functions over tensors: embeddings, logits and labels in, a scalar out.
//!
//! Names and defaults are those of sentence-transformers, and values and gradients are checked
//! against it (tests/reference/losses.py). Embeddings and logits are float32 or float64, of finite
//! values; loss and gradients are then finite for any batch, also where two points coincide, a
//! vector is zero, or a batch holds nothing to compare.

pub mod distillation;
pub mod lambda;
pub mod matryoshka;
pub mod pairs;
pub mod ranking;
pub mod reranking;
pub mod similarity;
pub mod triplets;

#[cfg(test)]
use tch::Tensor;

pub use ranking::multiple_negatives_ranking;
pub use reranking::binary_cross_entropy;

/// Value and gradients of a loss at `inputs`, all of which must be finite.
#[cfg(test)]
fn finite(inputs: &[&Tensor], loss: impl Fn(&[Tensor]) -> Tensor) -> (f64, Vec<Tensor>) {
    let leaves: Vec<Tensor> = inputs
        .iter()
        .map(|input| input.copy().set_requires_grad(true))
        .collect();
    let value = loss(&leaves);
    let gradients = Tensor::run_backward(&[&value], &leaves, false, false);
    for tensor in gradients.iter().chain([&value]) {
        assert_eq!(tensor.isfinite().all().int64_value(&[]), 1, "{tensor:?}");
    }
    (value.double_value(&[]), gradients)
}
