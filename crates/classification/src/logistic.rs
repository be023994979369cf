use matrixmultiply::dgemm;
use pairmill_retrieval::Embeddings;
use rayon::prelude::*;

use crate::lbfgs::minimise;
use crate::probabilities::Probabilities;

/// Rows whose part of the gradient is computed together; sums go by block, so that they do not
/// depend on the number of threads.
const BLOCK: usize = 512;
/// Largest component of the gradient of the mean loss at which the fit is done. scikit-learn stops
/// at 1e-4, where a few rows may still change sides.
const TOLERANCE: f64 = 1e-6;
const ITERATIONS: usize = 1_000;

/// Multinomial logistic regression with an intercept and an L2 penalty on the weights: the minimum
/// of `C` Σ -ln p(class of row) + ½ ‖weights‖².
///
/// As `sklearn.linear_model.LogisticRegression(C=…)`, also in that two classes share one vector of
/// weights.
#[derive(Debug, Clone)]
pub struct LogisticRegression {
    /// The classes that some row was of, in order.
    known: Vec<usize>,
    /// `[classes, dimension]`, then one intercept a class.
    parameters: Vec<f64>,
}

impl LogisticRegression {
    /// Fits the class of each row; the larger `c`, the weaker the penalty. Classes that no row is
    /// of are never predicted.
    pub fn fit(rows: &Embeddings, classes: &[usize], c: f64) -> Self {
        let mut known = classes.to_vec();
        known.sort_unstable();
        known.dedup();
        let number = |class: &usize| known.partition_point(|other| other < class);
        let truth: Vec<usize> = classes.iter().map(number).collect();
        let classes = known.len();
        let dimension = rows.dimension();
        let weights = classes * dimension;
        // Two vectors of weights that mirror each other have half the norm of their difference.
        let penalty = if classes == 2 { 2.0 } else { 1.0 } / (c * rows.len() as f64);
        let blocks: Vec<usize> = (0..rows.len()).step_by(BLOCK).collect();
        let objective = |parameters: &[f64]| {
            let parts: Vec<(f64, Vec<f64>)> = blocks
                .par_iter()
                .map(|&start| {
                    let end = rows.len().min(start + BLOCK);
                    let values = rows.block(start, end);
                    loss(&values, &truth[start..end], parameters, classes, dimension)
                })
                .collect();
            let mut value = 0.0;
            let mut gradient = vec![0.0; parameters.len()];
            for (loss, part) in parts {
                value += loss;
                gradient.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
            }
            value /= rows.len() as f64;
            gradient.iter_mut().for_each(|x| *x /= rows.len() as f64);
            for (slope, weight) in gradient.iter_mut().zip(&parameters[..weights]) {
                value += penalty / 2.0 * weight * weight;
                *slope += penalty * weight;
            }
            (value, gradient)
        };
        let start = vec![0.0; weights + classes];
        let minimum = minimise(start, TOLERANCE, ITERATIONS, objective);
        if !minimum.converged {
            tracing::warn!(
                "logistic regression has stopped before its minimum; the figures of `logistic` may \
                 be too low"
            );
        }
        Self {
            known,
            parameters: minimum.point,
        }
    }

    /// Returns the most likely class of each row; of equally likely ones the lowest.
    pub fn predict(&self, rows: &Embeddings) -> Vec<usize> {
        let starts: Vec<usize> = (0..rows.len()).step_by(BLOCK).collect();
        let blocks = starts.par_iter().map(|&start| {
            let values = rows.block(start, rows.len().min(start + BLOCK));
            let classes = self.known.len();
            let logits = logits(&values, &self.parameters, classes, rows.dimension());
            let rows = logits.chunks_exact(classes);
            rows.map(|row| self.known[highest(row)]).collect()
        });
        blocks.collect::<Vec<Vec<usize>>>().concat()
    }

    /// Returns how likely each row is of each of `classes` classes; those that no row was of when
    /// it was fitted have 0.
    pub fn probabilities(&self, rows: &Embeddings, classes: usize) -> Probabilities {
        let starts: Vec<usize> = (0..rows.len()).step_by(BLOCK).collect();
        let blocks = starts.par_iter().map(|&start| {
            let values = rows.block(start, rows.len().min(start + BLOCK));
            let known = self.known.len();
            let mut logits = logits(&values, &self.parameters, known, rows.dimension());
            let mut block = vec![0f32; values.len() / rows.dimension() * classes];
            let whole = block.chunks_exact_mut(classes);
            for (row, logits) in whole.zip(logits.chunks_exact_mut(known)) {
                softmax(logits);
                for (&class, &share) in self.known.iter().zip(&*logits) {
                    row[class] = share as f32;
                }
            }
            block
        });
        Probabilities::new(blocks.collect::<Vec<Vec<f32>>>().concat(), classes)
    }
}

fn highest(logits: &[f64]) -> usize {
    let mut best = 0;
    for (class, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = class;
        }
    }
    best
}

/// Turns logits into probabilities, and returns the logarithm of the sum of their exponentials.
fn softmax(row: &mut [f64]) -> f64 {
    let highest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    row.iter_mut().for_each(|x| *x = (*x - highest).exp());
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|x| *x /= sum);
    highest + sum.ln()
}

/// Returns `[rows, classes]` of row-major `[rows, dimension]`.
fn logits(rows: &[f64], parameters: &[f64], classes: usize, dimension: usize) -> Vec<f64> {
    let (weights, intercepts) = parameters.split_at(classes * dimension);
    let count = rows.len() / dimension;
    let mut logits = intercepts.repeat(count);
    let along = dimension as isize;
    // SAFETY: rows are `count` by `dimension`, weights, read as transposed, `dimension` by
    // `classes`, and logits `count` by `classes`; logits are borrowed mutably, so they overlap with
    // neither.
    unsafe {
        dgemm(
            count,
            dimension,
            classes,
            1.0,
            rows.as_ptr(),
            along,
            1,
            weights.as_ptr(),
            1,
            along,
            1.0,
            logits.as_mut_ptr(),
            classes as isize,
            1,
        );
    }
    logits
}

/// The loss of rows, summed, and its gradient.
fn loss(
    rows: &[f64],
    truth: &[usize],
    parameters: &[f64],
    classes: usize,
    dimension: usize,
) -> (f64, Vec<f64>) {
    let mut errors = logits(rows, parameters, classes, dimension);
    let mut gradient = vec![0.0; parameters.len()];
    let (weights, intercepts) = gradient.split_at_mut(classes * dimension);
    let mut loss = 0.0;
    for (row, &class) in errors.chunks_exact_mut(classes).zip(truth) {
        let logit = row[class];
        loss += softmax(row) - logit;
        row[class] -= 1.0;
        for (slope, error) in intercepts.iter_mut().zip(row) {
            *slope += *error;
        }
    }
    // SAFETY: errors, read as transposed, are `classes` by the number of rows, rows that number by
    // `dimension`, and weights `classes` by `dimension`; weights are borrowed mutably, so they
    // overlap with neither.
    unsafe {
        dgemm(
            classes,
            truth.len(),
            dimension,
            1.0,
            errors.as_ptr(),
            1,
            classes as isize,
            rows.as_ptr(),
            dimension as isize,
            1,
            0.0,
            weights.as_mut_ptr(),
            dimension as isize,
            1,
        );
    }
    (loss, gradient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_are_those_of_scikit_learn() {
        let values = [
            0.2, 1.0, 0.9, 0.1, 0.4, 0.8, -1.0, 0.3, 0.7, 0.6, -0.8, -0.2,
        ];
        let rows = Embeddings::new(values.map(|x| x as f32).to_vec(), 2).unwrap();
        let fitted = LogisticRegression::fit(&rows, &[0, 1, 0, 2, 1, 2], 1.0);
        let expected = [
            0.146907, 0.647360, 0.777084, -0.242979, -0.923992, -0.404382, -0.207428, 0.061431,
            0.145997,
        ];
        for (found, expected) in fitted.parameters.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-4, "{found} is not {expected}");
        }
        assert_eq!(fitted.predict(&rows), [0, 1, 0, 2, 1, 2]);
    }

    #[test]
    fn probabilities_sum_to_1_and_a_class_that_no_row_is_of_has_none() {
        let values = [0.2, 1.0, 0.9, 0.1, 0.4, 0.8, -1.0, 0.3];
        let rows = Embeddings::new(values.map(|x| x as f32).to_vec(), 2).unwrap();
        let fitted = LogisticRegression::fit(&rows, &[0, 3, 3, 0], 1.0);
        let found = fitted.probabilities(&rows, 5);
        for (row, class) in fitted.predict(&rows).into_iter().enumerate() {
            let row = found.row(row);
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            assert_eq!([row[1], row[2], row[4]], [0.0; 3]);
            assert!(row[class] >= 0.5);
        }
    }

    #[test]
    fn two_classes_share_their_weights() {
        let values = [0.2, 1.0, 0.9, 0.1, 0.4, 0.8, -1.0, 0.3];
        let rows = Embeddings::new(values.map(|x| x as f32).to_vec(), 2).unwrap();
        let fitted = LogisticRegression::fit(&rows, &[0, 1, 1, 0], 1.0);
        let difference = |i: usize, j: usize| fitted.parameters[j] - fitted.parameters[i];
        let found = [difference(0, 2), difference(1, 3), difference(4, 5)];
        for (found, expected) in found.into_iter().zip([0.716568, -0.182208, 0.007022]) {
            assert!((found - expected).abs() < 1e-4, "{found} is not {expected}");
        }
    }
}
