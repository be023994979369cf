use serde::Serialize;
use tracing::info;

use crate::scorer::Scorer;
use crate::{Model, Result};

/// What a cross-encoder is.
#[derive(Debug, Clone, Serialize)]
pub struct ModelReport {
    /// The model as the user gave it.
    pub model: String,
    /// Models for parts of the queries; 1 where one model scores all.
    pub models: usize,
    /// Longest pair in tokens.
    pub max_length: usize,
}

/// Fetches a cross-encoder where it is on the Hub, loads it and says what it is.
///
/// # Errors
/// If it cannot be had or loaded, or is no cross-encoder.
pub fn check_model(model: &Model) -> Result<ModelReport> {
    let scorer = Scorer::load(model)?;
    let report = ModelReport {
        model: model.source.to_string(),
        models: scorer.number(),
        max_length: scorer.max_length(),
    };
    info!(
        "{}: a cross-encoder, pairs up to {} tokens",
        report.model, report.max_length
    );
    Ok(report)
}
