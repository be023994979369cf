//! Evaluators of sentence-embedding models, side by side with a baseline.
//!
//! Each task ([`Retrieval`], [`Similarity`], [`Pairs`], [`Triplets`], [`Classification`],
//! [`RankedRun`]) reads tables, asks `pairmill-metrics` for the figures and gives back an
//! [`Evaluation`]; with an output folder it keeps the figures, a report and what they rest on.

mod backend;
mod commands;
mod compared;
mod corpus;
mod embeddings;
mod encoder;
mod error;
mod evaluation;
mod evidence;
mod examples;
mod groups;
mod item_table;
mod items;
mod qrels;
mod ranking;
mod reader;
mod regression;
mod sample;
mod search;
mod stage;
mod topics;
mod variants;

pub use backend::{Backend, Device};
pub use commands::{
    Classification, Compare, Comparison, Contender, Pairs, RankedRun, Retrieval, Similarity, Task,
    Triplets,
};
pub use encoder::Models;
pub use error::{EvaluateError, Result};
pub use evaluation::Evaluation;
pub use evidence::{Difference, Evidence, MetricEvidence, Paired, Settings};
pub use groups::Group;
pub use regression::Regression;
pub use stage::Frame;
pub use variants::{Precision, VariantScores};
