use serde::{Deserialize, Deserializer, Serialize};

/// A figure with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The figure.
    #[serde(deserialize_with = "nan_if_null")]
    pub value: f64,
    /// Lower and upper end of the interval.
    pub interval: Option<(f64, f64)>,
}

impl Estimate {
    /// Pairs a figure with its interval; one whose ends are not both finite is none.
    pub fn new(value: f64, interval: Option<(f64, f64)>) -> Self {
        let interval = interval.filter(|(low, high)| low.is_finite() && high.is_finite());
        Self { value, interval }
    }
}

/// Reads a number, or NaN for null, which is what JSON has in its place.
///
/// # Errors
/// If it is neither.
pub fn nan_if_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}
