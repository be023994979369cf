//! The length of embeddings.

/// What PyTorch divides by at least.
const EPS: f32 = 1e-12;

/// Returns the inner product of two vectors of one length, in double precision.
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    let pairs = a.iter().zip(b);
    pairs.map(|(&x, &y)| f64::from(x) * f64::from(y)).sum()
}

/// Scales a vector to length 1, computed in double precision; one that is all 0 stays as it is.
pub fn scale_to_unit(vector: &mut [f32]) {
    let norm = dot(vector, vector).sqrt();
    if norm > 0.0 {
        for value in vector {
            *value = (f64::from(*value) / norm) as f32;
        }
    }
}

/// Scales a vector to length 1 in single precision, as [`torch.nn.functional.normalize`] and so the
/// module Normalize of sentence-transformers do: it is a part of the model, whose bits count.
///
/// [`torch.nn.functional.normalize`]: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html
pub fn normalize(vector: &mut [f32]) {
    let squares: f32 = vector.iter().map(|value| value * value).sum();
    let norm = squares.sqrt().max(EPS);
    vector.iter_mut().for_each(|value| *value /= norm);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_become_unit_vectors_and_zero_stays() {
        for scale in [scale_to_unit as fn(&mut [f32]), normalize] {
            let mut vectors = [[3.0, 4.0], [0.0, 0.0]];
            vectors.iter_mut().for_each(|vector| scale(vector));
            assert_eq!(vectors, [[0.6, 0.8], [0.0, 0.0]]);
        }
    }
}
