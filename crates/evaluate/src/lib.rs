//! Evaluators of sentence-embedding models, side by side with a baseline.
//!
//! Each task ([`Retrieval`], [`Similarity`], [`Pairs`], [`Triplets`], [`Classification`],
//! [`RankedRun`], [`Rerank`], [`Paraphrases`]) reads tables, asks `pairmill-metrics` for the figures and gives back an
//! [`Evaluation`]; with an output folder it keeps the figures, a report and what they rest on.

mod classifiers;
mod commands;
mod compared;
mod duplicates;
mod embeddings;
mod encoder;
mod error;
mod evaluation;
mod lbfgs;
mod logistic;
mod mined;
mod predictions;
mod qrels;
mod ranking;
mod reader;
mod regression;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "nothing reads the values and columns of samples yet"
    )
)]
mod sample;
mod search;
mod sentence_pairs;
mod shots;
mod similarity_function;
mod stage;

pub use commands::{
    Classification, Margin, Pairs, Paraphrases, RankedRun, Rerank, Retrieval, Similarity, Task,
    Triplets,
};
pub use encoder::{Device, Models};
pub use error::{EvaluateError, Result};
pub use evaluation::Evaluation;
pub use regression::Regression;
pub use similarity_function::SimilarityFunction;
pub use stage::Frame;
