//! Candidates to training tables.
//!
//! A cross-encoder scores each query with its positive and with each mined candidate. A candidate
//! that scores too near its positive is a likely false negative and is dropped; of the others the
//! best by BM25 become the negatives of training rows. Every decision has a [`Reason`], and
//! the audit table shows it.
//!
//! [`score()`] adds a column of scores to any table with two columns of text.

mod cache;
mod config;
mod decide;
mod error;
mod model;
mod plan;
mod run;
mod score;

pub use config::Config;
pub use decide::{Reason, Rules};
pub use error::{FilterError, Result};
pub use model::Model;
pub use pairmill_tables::TrainingFormat as Format;
pub use run::{Report, Summary, run};
pub use score::{KNOWN_COLUMNS, ScoreConfig, ScoreReport, ScoreSummary, score};
