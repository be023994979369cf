//! The figures of an evaluation: printed, reported, kept, held against thresholds.

pub(crate) mod evaluation;
mod print;
pub(crate) mod regression;
pub(crate) mod reporting;
pub(crate) mod run_options;
