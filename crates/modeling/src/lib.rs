//! Text encoders (BERT, DistilBERT, RoBERTa and XLM-R, MPNet, ModernBERT) in libtorch, written as
//! sentence-transformers folders and as ONNX. Every architecture has a file of its own.
//!
//! Batches are packed: all tokens of a batch lie one after another without padding, ordered so that
//! sequences of equal length are neighbours. Linear layers see a `[tokens, hidden]` matrix, and
//! attention runs once per group of equal lengths, so there is no padding and no mask for it. What
//! an architecture adds to attention scores (a window, a bias by distance) is one small matrix per
//! group.

mod activation;
mod adapter;
mod batch;
mod bert;
mod classifier;
mod config;
mod cross_encoder;
mod device;
mod distilbert;
mod distinct;
mod dropout;
mod error;
mod files;
mod inference;
mod layers;
mod lora;
mod modernbert;
mod modules;
mod mpnet;
mod network;
pub mod onnx;
mod parameters;
mod pooling;
mod roberta;
mod sentence_encoder;
mod torch;
mod transformer;

pub use batch::PackedBatch;
pub use config::Config;
pub use cross_encoder::CrossEncoder;
pub use device::{cuda, libtorch};
pub use dropout::Dropout;
pub use error::{ModelError, Result};
pub use lora::Lora;
pub use pairmill_checkpoint::{Prompts, Side, SimilarityFunction, TokenIds};
pub use parameters::{Parameters, Rename};
pub use sentence_encoder::SentenceEncoder;
pub use torch::caught;
pub use transformer::Transformer;
