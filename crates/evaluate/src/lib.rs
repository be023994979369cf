//! Evaluators of sentence-embedding models, side by side with a baseline.
//!
//! Each task ([`Retrieval`], [`Similarity`], [`Pairs`], [`Triplets`], [`Classification`],
//! [`RankedRun`]) reads tables, asks `pairmill-metrics` for the figures and gives back an
//! [`Evaluation`]; with an output folder it keeps the figures, a report and what they rest on.

mod commands;
mod compared;
mod embeddings;
mod encoder;
mod error;
mod evaluation;
mod qrels;
mod ranking;
mod reader;
mod regression;
#[cfg_attr(
    not(test),
    expect(dead_code, unused_imports, reason = "the tasks do not report yet")
)]
mod report;
#[expect(dead_code, reason = "the tasks do not give samples yet")]
mod sample;
mod search;
mod stage;

pub use commands::{Classification, Pairs, RankedRun, Retrieval, Similarity, Task, Triplets};
pub use encoder::{Device, Models};
pub use error::{EvaluateError, Result};
pub use evaluation::Evaluation;
pub use regression::Regression;
pub use stage::Frame;
