//! Queries against a corpus to candidates for hard negatives, with a reason for each one taken or
//! refused; and a plain ranked run.
//!
//! [`mine`] searches the corpus for every training pair's anchor, with BM25, with embeddings or
//! with both, and writes every passage it looked at: the ones to keep, and the ones to drop because
//! they are, or may be, positives themselves. [`search`] writes the ranked passages of each query,
//! and [`round_trip`] keeps the pairs whose anchor finds its positive.

mod batches;
mod beside;
mod candidates;
mod config;
mod corpus;
mod error;
mod explain;
mod fusion;
mod labels;
mod learning;
mod pairs;
mod parts;
mod plan;
mod retrieval;
mod retriever;
mod round_trip;
mod run_table;
mod stage;
mod stream_table;
mod summary;

pub use candidates::mine;
pub use config::MineConfig;
pub use corpus::Corpus;
pub use error::{MineError, Result};
pub use explain::{ExplainConfig, Explanation, explain};
pub use pairmill_candidates::{Sampling, Selection};
pub use pairs::Pairs;
pub use retrieval::{Encoder, Retrieval};
pub use round_trip::{RoundTripConfig, RoundTripSummary, round_trip};
pub use run_table::{SearchConfig, SearchSummary, search};
pub use stage::{Report, RunOptions};
pub use summary::MineSummary;
