//! The figures of an evaluation: printed, reported, kept, held against thresholds.

mod answer;
pub(crate) mod contenders;
pub(crate) mod evaluation;
pub(crate) mod names;
mod print;
pub(crate) mod regression;
pub(crate) mod reporting;
pub(crate) mod run_options;
