//! Evaluators of sentence-embedding models, side by side with a baseline.
//!
//! Each task ([`Retrieval`], [`Similarity`], [`Pairs`], [`Triplets`], [`Classification`],
//! [`RankedRun`], [`Rerank`], [`Paraphrases`]) reads tables, asks `pairmill-metrics` for the
//! figures and gives back an [`Evaluation`]; with an output folder it keeps the figures, a report
//! and what they rest on.

mod duplicate_ids;
mod error;
mod items;
mod models;
mod paired;
#[cfg(test)]
#[path = "../../report/src/parsed_page.rs"]
mod parsed_page;
mod ranked;
mod report;
mod results;
mod statistics;
mod tasks;
mod vectors;

pub use error::{EvaluateError, Result};
pub use models::options::{Backend, Device, Models};
pub use pairmill_checkpoint::SimilarityFunction;
pub use ranked::run_table::Ties;
pub use results::evaluation::Evaluation;
pub use results::regression::Regression;
pub use results::run_options::RunOptions;
pub use statistics::evidence::{Difference, Evidence, MetricEvidence, Settings};
pub use statistics::groups::{Group, GroupIntervals};
pub use statistics::paired_tests::PairedTests;
pub use statistics::verdict::{Needed, Verdict};
pub use tasks::{
    Classification, Compare, Comparison, Contender, Embed, EmbedReport, Margin, Pairs, Paraphrases,
    RankedRun, Rerank, Retrieval, Similarity, Task, Triplets, WithoutResults,
};
pub use vectors::variants::{Precision, VariantScores};
