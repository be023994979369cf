use std::fmt;
use std::str::FromStr;

use crate::vectors::embeddings::cosine;

/// How alike two embeddings are; of distances the negative, so that higher is always more alike.
/// Names and signs are those of sentence-transformers' `SimilarityFunction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimilarityFunction {
    /// The cosine of the angle, in -1..=1; 0 where a vector is zero.
    Cosine,
    /// The inner product.
    Dot,
    /// The negative length of the difference.
    Euclidean,
    /// The negative sum of the absolute differences.
    Manhattan,
}

impl SimilarityFunction {
    /// All of them, the chief one first.
    pub const ALL: [Self; 4] = [Self::Cosine, Self::Dot, Self::Euclidean, Self::Manhattan];

    /// Its name in the names of figures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Dot => "dot",
            Self::Euclidean => "euclidean",
            Self::Manhattan => "manhattan",
        }
    }

    /// Whether it is the negative of a distance.
    pub fn is_distance(self) -> bool {
        matches!(self, Self::Euclidean | Self::Manhattan)
    }

    /// The figure of this function; of the cosine it has the plain name.
    pub(crate) fn figure(self, metric: &str) -> String {
        match self {
            Self::Cosine => metric.to_owned(),
            other => format!("{}_{metric}", other.name()),
        }
    }

    /// The similarity of two embeddings of one length, computed in double precision.
    pub(crate) fn of(self, a: &[f32], b: &[f32]) -> f64 {
        let pairs = || a.iter().zip(b).map(|(&x, &y)| (f64::from(x), f64::from(y)));
        match self {
            Self::Cosine => cosine(a, b),
            Self::Dot => pairs().map(|(x, y)| x * y).sum(),
            Self::Euclidean => -pairs().map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt(),
            Self::Manhattan => -pairs().map(|(x, y)| (x - y).abs()).sum::<f64>(),
        }
    }
}

impl fmt::Display for SimilarityFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SimilarityFunction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|known| known.name() == text);
        known.ok_or_else(|| {
            format!(
                "`{text}` is no similarity function; expected cosine, dot, euclidean or manhattan"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_negative_and_nothing_is_normalised() {
        let of = |function: SimilarityFunction| function.of(&[3.0, 4.0], &[6.0, 0.0]);
        assert!((of(SimilarityFunction::Cosine) - 0.6).abs() < 1e-12);
        assert_eq!(of(SimilarityFunction::Dot), 18.0);
        assert_eq!(of(SimilarityFunction::Euclidean), -5.0);
        assert_eq!(of(SimilarityFunction::Manhattan), -7.0);
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for function in SimilarityFunction::ALL {
            assert_eq!(function.to_string().parse(), Ok(function));
        }
        assert!("l2".parse::<SimilarityFunction>().is_err());
    }
}
