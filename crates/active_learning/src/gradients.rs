use pairmill_classification::Probabilities;
use pairmill_retrieval::Embeddings;
use pairmill_schema::draw;
use rayon::prelude::*;

use crate::k_means::draw_by;

/// The gradients of the loss by the weights of a logistic regression, were each row of the class
/// that it most likely is of: the outer products of error and embedding, never written out.
struct Gradients<'a> {
    rows: &'a Embeddings,
    /// Probabilities less 1 for the likeliest class: `[rows, classes]`.
    errors: Vec<f32>,
    classes: usize,
}

impl Gradients<'_> {
    fn product(&self, a: usize, b: usize) -> f32 {
        let error = |row: usize| &self.errors[row * self.classes..][..self.classes];
        dot(error(a), error(b)) * dot(self.rows.row(a), self.rows.row(b))
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Returns up to `number` rows whose gradients are large and far from each other, as k-means++
/// draws centres. A row that `is_free` refuses, told those drawn, is passed over.
pub(crate) fn spread(
    rows: &Embeddings,
    probabilities: &Probabilities,
    number: usize,
    seed: u64,
    is_free: impl Fn(usize, &[usize]) -> bool,
) -> Vec<usize> {
    let classes = probabilities.classes();
    let mut errors = Vec::with_capacity(rows.len() * classes);
    for row in 0..rows.len() {
        let start = errors.len();
        errors.extend_from_slice(probabilities.row(row));
        errors[start + probabilities.most_likely(row)] -= 1.0;
    }
    let gradients = Gradients {
        rows,
        errors,
        classes,
    };
    let all = 0..rows.len();
    let squares: Vec<f32> = all
        .into_par_iter()
        .map(|row| gradients.product(row, row))
        .collect();
    // The first row is drawn by the size of its gradient, the others by their distance too.
    let mut distances = squares.clone();
    let mut chance = draw::generator(seed, "gradients", &[]);
    let mut drawn = Vec::with_capacity(number);
    while drawn.len() < number {
        let Some(row) = draw_by(distances.iter().copied(), &mut chance) else {
            break;
        };
        if is_free(row, &drawn) {
            drawn.push(row);
            distances
                .par_iter_mut()
                .enumerate()
                .for_each(|(other, distance)| {
                    let product = gradients.product(row, other);
                    let far = squares[row] + squares[other] - 2.0 * product;
                    *distance = distance.min(far.max(0.0));
                });
        }
        distances[row] = 0.0;
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_sure_or_alike_are_not_drawn_together() {
        let rows = Embeddings::new(vec![1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0], 2).unwrap();
        let probabilities = Probabilities::new(vec![0.5, 0.5, 0.5, 0.5, 0.6, 0.4, 1.0, 0.0], 2);
        for seed in 0..10 {
            let mut drawn = spread(&rows, &probabilities, 2, seed, |_, _| true);
            drawn.sort_unstable();
            assert!(drawn == [0, 2] || drawn == [1, 2], "{drawn:?}");
        }
    }
}
