//! Candidates to training tables.
//!
//! A cross-encoder scores each query with its positive and with each mined candidate. A candidate
//! that scores too near its positive is a likely false negative and is dropped; of the others those of
//! the best ranks become the negatives of training rows. Every decision has a [`Reason`], and
//! the audit table shows it.

mod config;
mod decide;
mod error;
mod plan;
mod run;

pub use config::Config;
pub use decide::{Reason, Rules};
pub use error::{FilterError, Result};
pub use pairmill_tables::TrainingFormat as Format;
pub use run::{Report, Summary, run};
