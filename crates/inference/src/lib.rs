//! ONNX Runtime behind a few words: a [`CrossEncoder`] that scores pairs of texts, a
//! [`SentenceEncoder`] that embeds texts, [`CrossEncoderScore`] and [`Embed`], the same as
//! functions in a DataFusion plan, and the [`HiddenStates`] of an encoder.
//!
//! A cross-encoder can keep its logits in a folder, from which later runs take them.
//!
//! The shared library is loaded when the first model is ([`runtime`]). Texts and pairs are sorted
//! by their number of tokens and computed in batches that hold a bounded number of tokens, so that
//! little is spent on padding; a score or embedding does not depend on what else is in its batch.

mod batches;
mod cache;
mod cross_encoder;
mod dedup;
mod embed;
mod error;
mod files;
mod function;
mod head;
mod hidden_states;
mod model;
mod modules;
mod pooling;
mod runner;
pub mod runtime;
mod segments;
mod sentence_encoder;
mod split;

pub use cross_encoder::{CrossEncoder, CrossEncoderOptions, PairScorer, Tally};
pub use embed::Embed;
pub use error::{InferenceError, Result};
pub use files::lacks_onnx;
pub use function::CrossEncoderScore;
pub use head::Activation;
pub use hidden_states::HiddenStates;
pub use pairmill_checkpoint::{Prompts, SimilarityFunction};
pub use sentence_encoder::{SentenceEncoder, SentenceEncoderOptions, SentenceTally};
