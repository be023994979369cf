use pairmill_retrieval::Embeddings;
use pairmill_schema::draw;
use rand::seq::SliceRandom;

use crate::logistic::LogisticRegression;
use crate::probabilities::Probabilities;

/// Returns the probabilities of each row by a [`LogisticRegression`] that was fitted without it:
/// the rows are cut into `folds` parts, each class spread over them evenly and at random, and each
/// part gets its probabilities from a fit on the others, with the penalty of `c`.
///
/// A class of one row has probability 0 there, as nothing can tell it.
pub fn cross_fitted(
    rows: &Embeddings,
    labels: &[usize],
    classes: usize,
    folds: usize,
    c: f64,
    seed: u64,
) -> Probabilities {
    let parts = parts(labels, folds, seed);
    let mut values = vec![0f32; rows.len() * classes];
    for fold in 0..folds {
        let (mut others, mut held_out) = (Vec::new(), Vec::new());
        for (row, &part) in parts.iter().enumerate() {
            match part == fold {
                true => held_out.push(row),
                false => others.push(row),
            }
        }
        if others.is_empty() || held_out.is_empty() {
            continue;
        }
        let known: Vec<usize> = others.iter().map(|&row| labels[row]).collect();
        let fitted = LogisticRegression::fit(&rows.select(&others), &known, c);
        let found = fitted.probabilities(&rows.select(&held_out), classes);
        for (at, row) in held_out.into_iter().enumerate() {
            values[row * classes..][..classes].copy_from_slice(found.row(at));
        }
    }
    Probabilities::new(values, classes)
}

/// Returns the part of each row.
fn parts(labels: &[usize], folds: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.shuffle(&mut draw::generator(seed, "folds of rows", &[]));
    // Stable, so that rows of one class stay in the order drawn.
    order.sort_by_key(|&row| labels[row]);
    let mut parts = vec![0; labels.len()];
    for (place, row) in order.into_iter().enumerate() {
        parts[row] = place % folds;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_is_spread_evenly_over_the_parts() {
        let labels: Vec<usize> = (0..30).map(|row| row % 3).collect();
        let parts = parts(&labels, 5, 7);
        for class in 0..3 {
            for part in 0..5 {
                let rows = (0..30).filter(|&row| labels[row] == class && parts[row] == part);
                assert_eq!(rows.count(), 2);
            }
        }
        assert_ne!(parts, super::parts(&labels, 5, 8));
    }

    #[test]
    fn a_row_does_not_decide_on_its_own_probabilities() {
        // Two clear groups, and one row of the first that is labelled as of the second.
        let angles = [0.0f32, 0.05, 0.1, 0.15, 0.2, 1.4, 1.45, 1.5, 1.55, 0.12];
        let values = angles.iter().flat_map(|angle| [angle.cos(), angle.sin()]);
        let rows = Embeddings::new(values.collect(), 2).unwrap();
        let labels = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
        let found = cross_fitted(&rows, &labels, 2, 5, 1.0, 1);
        assert_eq!(found.most_likely(9), 0);
        assert_eq!(found.most_likely(6), 1);
    }
}
