//! Evaluators of sentence-embedding models, side by side with a baseline.
//!
//! Each task ([`Retrieval`], [`Similarity`], [`Pairs`], [`Triplets`], [`Classification`],
//! [`RankedRun`], [`Rerank`], [`Paraphrases`]) reads tables, asks `pairmill-metrics` for the figures and gives back an
//! [`Evaluation`]; with an output folder it keeps the figures, a report and what they rest on.

mod answered;
mod assessor;
mod backend;
mod classifiers;
mod clusters;
mod commands;
mod compared;
mod corpus;
mod duplicates;
mod embeddings;
mod encoder;
mod error;
mod evaluation;
mod evidence;
mod examples;
mod first_stage;
mod groups;
mod item_table;
mod items;
mod lbfgs;
mod logistic;
mod mined;
mod mined_items;
#[cfg(test)]
#[path = "../../report/src/parsed_page.rs"]
mod parsed_page;
mod predictions;
mod qrels;
mod ranked_curves;
mod ranking;
mod regression;
mod repeated;
mod repeats;
mod report;
mod reporting;
mod run_table;
mod sample;
mod search;
mod sentence_pairs;
mod shots;
mod similarity_function;
mod stage;
mod topics;
mod variants;
mod verdict;

pub use backend::{Backend, Device};
pub use commands::{
    Classification, Compare, Comparison, Contender, Margin, Pairs, Paraphrases, RankedRun, Rerank,
    Retrieval, Similarity, Task, Triplets, WithoutResults,
};
pub use encoder::Models;
pub use error::{EvaluateError, Result};
pub use evaluation::Evaluation;
pub use evidence::{Difference, Evidence, MetricEvidence, Paired, Settings};
pub use groups::{Group, GroupIntervals};
pub use regression::Regression;
pub use run_table::Ties;
pub use similarity_function::SimilarityFunction;
pub use stage::Frame;
pub use variants::{Precision, VariantScores};
pub use verdict::{Needed, Verdict};
