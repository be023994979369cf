//! ONNX Runtime behind a few words: a [`CrossEncoder`] that scores pairs of texts,
//! [`CrossEncoderScore`], the same as a function in a DataFusion plan, and the [`HiddenStates`] of
//! an encoder.
//!
//! The shared library is loaded when the first model is ([`runtime`]). Pairs are sorted by their
//! number of tokens and scored in batches that hold a bounded number of tokens, so that little is
//! spent on padding; a pair's score does not depend on what else is in its batch.

mod batches;
mod cross_encoder;
mod error;
mod folder;
mod function;
mod head;
mod hidden_states;
mod model;
pub mod runtime;
mod tokenize;

pub use cross_encoder::{CrossEncoder, CrossEncoderOptions, Tally};
pub use error::{InferenceError, Result};
pub use function::CrossEncoderScore;
pub use head::Activation;
pub use hidden_states::HiddenStates;
