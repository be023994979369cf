//! Losses: one file for each, with its formula, what the command line says of it and how it is
//! made.
//!
//! A formula is a pure function over tensors: embeddings, logits and labels in, a scalar out. Names
//! and defaults are those of sentence-transformers, and values and gradients are checked against it
//! (tests/reference/losses.py). Embeddings and logits are float32 or float64, of finite values;
//! loss and gradients are then finite for any batch, also where two points coincide, a vector is
//! zero, or a batch holds nothing to compare.
//!
//! A new loss is a file in the folder of its kind and an entry of that folder's list in `mod.rs`.

pub mod cross_encoder;
pub mod encoder;
pub mod matryoshka;
pub mod registry;
pub mod similarity;

#[cfg(test)]
use tch::Tensor;

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
