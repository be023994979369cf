use pairmill_checkpoint::scale_to_unit;

/// Vectors, one a row.
#[derive(Debug, Clone)]
pub struct Embeddings {
    dimension: usize,
    values: Vec<f32>,
}

impl Embeddings {
    /// Takes a row-major `[rows, dimension]` matrix as it is.
    ///
    /// # Errors
    /// The first row that is not finite.
    pub fn new(values: Vec<f32>, dimension: usize) -> Result<Self, usize> {
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(at / dimension),
            None => Ok(Self { dimension, values }),
        }
    }

    /// As [`new`](Self::new), with every row [scaled](Self::scaled) to length 1.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn normalised(values: Vec<f32>, dimension: usize) -> Result<Self, usize> {
        Self::new(values, dimension).map(Self::scaled)
    }

    /// Scales every row to length 1; an all-zero row stays as it is, and its cosine with anything
    /// is 0.
    pub fn scaled(mut self) -> Self {
        let vectors = self.values.chunks_exact_mut(self.dimension);
        vectors.for_each(scale_to_unit);
        self
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.values.len() / self.dimension
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns the number of components of a row.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Returns a row.
    pub fn row(&self, i: usize) -> &[f32] {
        &self.values[i * self.dimension..][..self.dimension]
    }

    /// Returns the rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.dimension)
    }

    /// Returns the first components of every row, scaled to length 1 again where `is_scaled`.
    pub fn truncated(&self, dimension: usize, is_scaled: bool) -> Self {
        if dimension == self.dimension {
            return self.clone();
        }
        let kept = self.rows().flat_map(|row| &row[..dimension]);
        let truncated = Self {
            dimension,
            values: kept.copied().collect(),
        };
        match is_scaled {
            true => truncated.scaled(),
            false => truncated,
        }
    }

    /// Puts another value in place of each one, told its component.
    pub fn map(mut self, value: impl Fn(usize, f32) -> f32) -> Self {
        for vector in self.values.chunks_exact_mut(self.dimension) {
            for (component, one) in vector.iter_mut().enumerate() {
                *one = value(component, *one);
            }
        }
        self
    }

    /// Returns all values, row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Returns the matrix, row-major.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// Returns some rows in double precision, row-major.
    pub fn block(&self, start: usize, end: usize) -> Vec<f64> {
        let values = &self.values[start * self.dimension..end * self.dimension];
        values.iter().copied().map(f64::from).collect()
    }

    /// Returns a row for each index, which may repeat.
    pub fn select(&self, indices: &[usize]) -> Self {
        Self {
            dimension: self.dimension,
            values: indices.iter().flat_map(|&i| self.row(i)).copied().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_unit_vectors_and_zero_stays() {
        let embeddings = Embeddings::normalised(vec![3.0, 4.0, 0.0, 0.0], 2).unwrap();
        assert_eq!(embeddings.len(), 2);
        assert_eq!(embeddings.row(0), [0.6, 0.8]);
        assert_eq!(embeddings.row(1), [0.0, 0.0]);
        assert_eq!(embeddings.select(&[1, 0, 0]).row(2), [0.6, 0.8]);
    }

    #[test]
    fn the_first_row_that_is_not_finite_is_named() {
        let found = Embeddings::normalised(vec![1.0, 0.0, f32::NAN, 0.0, f32::INFINITY, 1.0], 2);
        assert_eq!(found.unwrap_err(), 1);
    }
}
