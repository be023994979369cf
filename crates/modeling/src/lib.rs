//! BERT-family encoders in libtorch, the sentence-transformers folder format, and ONNX export.
//!
//! Batches are packed: all tokens of a batch lie one after another without padding, ordered so that
//! sequences of equal length are neighbours. Linear layers see a `[tokens, hidden]` matrix, and
//! attention runs once per group of equal lengths, so there is no padding and no mask anywhere.

mod batch;
mod bert;
mod config;
mod cross_encoder;
mod dropout;
mod error;
mod files;
pub mod onnx;
mod parameters;
mod pooling;
mod sentence_encoder;
mod tokenizer;

pub use batch::PackedBatch;
pub use bert::Bert;
pub use config::BertConfig;
pub use cross_encoder::CrossEncoder;
pub use dropout::Dropout;
pub use error::{ModelError, Result};
pub use files::{ModelCard, copy_companions};
pub use parameters::Parameters;
pub use pooling::Pooling;
pub use sentence_encoder::SentenceEncoder;
pub use tokenizer::{TextTokenizer, TokenIds};
