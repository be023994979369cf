//! Queries against a corpus to candidates for hard negatives, with a reason for each one taken or
//! refused; and a plain ranked run.
//!
//! [`mine`] searches the corpus for every training pair's anchor, with BM25, with embeddings or with
//! both, and writes every passage it looked at: the ones to keep, and the ones to drop because they are, or may be,
//! positives themselves. [`search`] writes the ranked passages of each query.

mod candidates;
mod config;
mod corpus;
mod error;
mod explain;
mod fusion;
mod judge;
mod key;
mod known;
mod labels;
mod learning;
mod near;
mod once;
mod pairs;
mod parts;
mod plan;
mod reason;
mod retrieval;
mod retriever;
mod run_table;
mod selection;
mod stage;

pub use candidates::{MineSummary, mine};
pub use config::MineConfig;
pub use corpus::Corpus;
pub use error::{MineError, Result};
pub use explain::{ExplainConfig, Explanation, explain};
pub use known::{Absence, Evidence, Known, New, Side};
pub use pairs::Pairs;
pub use reason::{ExclusionReason, Reason};
pub use retrieval::{Encoder, Retrieval};
pub use run_table::{SearchConfig, SearchSummary, search};
pub use selection::{Candidate, Sampling, Selection};
pub use stage::{Frame, Report};
