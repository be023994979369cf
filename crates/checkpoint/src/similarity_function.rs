use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::vectors::{dot, scale_to_unit};

/// How alike two embeddings are; of distances the negative, so that higher is always more alike.
/// Names and signs are those of sentence-transformers' `SimilarityFunction`, which is
/// `similarity_fn_name` in `config_sentence_transformers.json`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SimilarityFunction {
    /// The cosine of their angle, where the model says nothing.
    #[default]
    Cosine,
    /// Their dot product.
    Dot,
    /// The negative of their distance.
    Euclidean,
    /// The negative of the sum of the distances of their components.
    Manhattan,
}

impl SimilarityFunction {
    /// All of them, the chief one first.
    pub const ALL: [Self; 4] = [Self::Cosine, Self::Dot, Self::Euclidean, Self::Manhattan];

    pub(crate) const NAMES: &'static str = "cosine, dot, euclidean, manhattan";

    /// Returns the name that model folders and figures have for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Dot => "dot",
            Self::Euclidean => "euclidean",
            Self::Manhattan => "manhattan",
        }
    }

    /// Makes vectors of `dimension` components, row-major, ready to be compared: those of
    /// [`Cosine`](Self::Cosine) are scaled to length 1, but for vectors that are all 0.
    pub fn prepare(self, vectors: &mut [f32], dimension: usize) {
        if self != Self::Cosine {
            return;
        }
        vectors.chunks_exact_mut(dimension).for_each(scale_to_unit);
    }

    /// Returns whether it is the negative of a distance.
    pub fn is_distance(self) -> bool {
        matches!(self, Self::Euclidean | Self::Manhattan)
    }

    /// Returns the similarity of two vectors of one length as they are, computed in double
    /// precision. A cosine is exactly 1 for equal vectors and 0 where one is zero.
    pub fn exact(self, a: &[f32], b: &[f32]) -> f64 {
        let pairs = || a.iter().zip(b).map(|(&x, &y)| (f64::from(x), f64::from(y)));
        match self {
            Self::Cosine => match dot(a, a) * dot(b, b) {
                0.0 => 0.0,
                squares => dot(a, b) / squares.sqrt(),
            },
            Self::Dot => dot(a, b),
            Self::Euclidean => -pairs().map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt(),
            Self::Manhattan => -pairs().map(|(x, y)| (x - y).abs()).sum::<f64>(),
        }
    }

    /// Returns the similarity of two [prepared](Self::prepare) vectors of one length. Terms are
    /// added up in lanes and in an order that only the length decides.
    pub fn of(self, a: &[f32], b: &[f32]) -> f32 {
        match self {
            Self::Cosine | Self::Dot => sum(a, b, |x, y| x * y),
            Self::Euclidean => -sum(a, b, |x, y| (x - y) * (x - y)).sqrt(),
            Self::Manhattan => -sum(a, b, |x, y| (x - y).abs()),
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

/// Sums run in lanes, which the compiler turns into vector instructions.
fn sum(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    const LANES: usize = 16;
    let (a_chunks, a_rest) = a.as_chunks::<LANES>();
    let (b_chunks, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0f32; LANES];
    for (x, y) in a_chunks.iter().zip(b_chunks) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += term(*x, *y);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| term(*x, *y)).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_alike_the_higher() {
        let (a, b) = ([3.0, 4.0], [6.0, 0.0]);
        let of = |name: &str| {
            let function: SimilarityFunction = name.parse().unwrap();
            assert_eq!(function.to_string(), name);
            let (fast, exact) = (function.of(&a, &b), function.exact(&a, &b));
            assert_eq!(f64::from(fast), exact);
            fast
        };
        assert_eq!(
            [of("dot"), of("euclidean"), of("manhattan")],
            [18.0, -5.0, -7.0]
        );
        assert!("angular".parse::<SimilarityFunction>().is_err());
    }

    #[test]
    fn cosines_are_those_of_vectors_of_length_1() {
        let mut vectors = [3.0, 4.0, 0.0, 0.0];
        SimilarityFunction::Dot.prepare(&mut vectors, 2);
        assert_eq!(vectors, [3.0, 4.0, 0.0, 0.0]);
        SimilarityFunction::Cosine.prepare(&mut vectors, 2);
        assert_eq!(vectors, [0.6, 0.8, 0.0, 0.0]);
    }

    #[test]
    fn every_component_counts() {
        let a: Vec<f32> = (0..37).map(|i| i as f32).collect();
        let b = vec![2.0; 37];
        assert_eq!(
            SimilarityFunction::Dot.of(&a, &b),
            2.0 * (36.0 * 37.0 / 2.0)
        );
    }

    #[test]
    fn the_exact_cosine_of_equal_vectors_is_one_and_with_zero_it_is_zero() {
        let vector: Vec<f32> = (0..384).map(|i| (i as f32 * 0.37).sin()).collect();
        let cosine = |other: &[f32]| SimilarityFunction::Cosine.exact(&vector, other);
        assert_eq!(cosine(&vector), 1.0);
        assert_eq!(cosine(&[0.0; 384]), 0.0);
    }
}
