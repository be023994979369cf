//! ONNX Runtime behind two words: a [`CrossEncoder`] that scores pairs of texts, and
//! [`CrossEncoderScore`], the same as a function in a DataFusion plan.
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
mod model;
pub mod runtime;
mod tokenize;

pub use cross_encoder::{CrossEncoder, CrossEncoderOptions, Tally};
pub use error::{InferenceError, Result};
pub use function::CrossEncoderScore;
pub use head::Activation;
