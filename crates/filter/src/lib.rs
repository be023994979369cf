//! Candidates to training tables.
//!
//! A cross-encoder scores each query with its positive and with each mined candidate. A candidate
//! that scores too near a positive of its query is a likely false negative and is dropped, or
//! promoted to be a positive; of the others the best ranked become the negatives of training rows.
//! Every decision has a [`Reason`](pairmill_schema::Reason), and the audit table shows it.
//!
//! [`score()`] adds a column of scores to any table with two columns of text.

mod cache;
mod check_model;
mod config;
mod error;
mod int8_agreement;
mod model;
mod plan;
mod report;
mod run;
mod scale;
mod score;
mod score_config;
mod scorer;

pub use check_model::{ModelReport, check_model};
pub use config::{Config, Output};
pub use error::{FilterError, Result};
pub use int8_agreement::Agreement;
pub use model::Model;
pub use pairmill_candidates::{Promotion, Rules, TrainingFormat as Format};
pub use report::{Report, Summary};
pub use run::run;
pub use score::{KNOWN_COLUMNS, ScoreReport, ScoreSummary, score};
pub use score_config::ScoreConfig;
