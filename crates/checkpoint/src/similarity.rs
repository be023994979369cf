use serde::Serialize;

/// How alike two embeddings are: `similarity_fn_name` of `config_sentence_transformers.json`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Similarity {
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

impl Similarity {
    pub(crate) const NAMES: &'static str = "cosine, dot, euclidean, manhattan";

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let all = [Self::Cosine, Self::Dot, Self::Euclidean, Self::Manhattan];
        all.into_iter().find(|one| one.name() == name)
    }

    /// The name that a model folder has for it.
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
        for vector in vectors.chunks_exact_mut(dimension) {
            let squares = vector
                .iter()
                .map(|&value| f64::from(value) * f64::from(value));
            let norm = squares.sum::<f64>().sqrt();
            if norm > 0.0 {
                let scaled = |value: &mut f32| *value = (f64::from(*value) / norm) as f32;
                vector.iter_mut().for_each(scaled);
            }
        }
    }

    /// The similarity of two [prepared](Self::prepare) vectors of one length; the more alike, the higher. Terms are added up in lanes and in an order that only
    /// the length decides.
    pub fn of(self, a: &[f32], b: &[f32]) -> f32 {
        match self {
            Self::Cosine | Self::Dot => sum(a, b, |x, y| x * y),
            Self::Euclidean => -sum(a, b, |x, y| (x - y) * (x - y)).sqrt(),
            Self::Manhattan => -sum(a, b, |x, y| (x - y).abs()),
        }
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
        let of = |name: &str| Similarity::of_name(name).unwrap().of(&a, &b);
        assert_eq!(
            [of("dot"), of("euclidean"), of("manhattan")],
            [18.0, -5.0, -7.0]
        );
        assert_eq!(Similarity::of_name("angular"), None);
    }

    #[test]
    fn cosines_are_those_of_vectors_of_length_1() {
        let mut vectors = [3.0, 4.0, 0.0, 0.0];
        Similarity::Dot.prepare(&mut vectors, 2);
        assert_eq!(vectors, [3.0, 4.0, 0.0, 0.0]);
        Similarity::Cosine.prepare(&mut vectors, 2);
        assert_eq!(vectors, [0.6, 0.8, 0.0, 0.0]);
    }

    #[test]
    fn every_component_counts() {
        let a: Vec<f32> = (0..37).map(|i| i as f32).collect();
        let b = vec![2.0; 37];
        assert_eq!(Similarity::Dot.of(&a, &b), 2.0 * (36.0 * 37.0 / 2.0));
    }
}
