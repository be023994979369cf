use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Returns the share of rows, each a true and a predicted class, of which the two are equal; NaN
/// without rows. As `sklearn.metrics.accuracy_score`.
pub fn accuracy(rows: impl IntoIterator<Item = (usize, usize)>) -> f64 {
    let (mut right, mut all) = (0u64, 0u64);
    for (truth, predicted) in rows {
        right += u64::from(truth == predicted);
        all += 1;
    }
    right as f64 / all as f64
}

/// Returns the mean over the classes of F1 = 2·TP / (2·TP + FP + FN), every class weighing the
/// same, of rows with a true and a predicted class, both below `classes`. Classes that neither
/// occur nor are predicted do not count. As `sklearn.metrics.f1_score(average="macro")`; NaN
/// without rows.
///
/// # Panics
/// If a class is not below `classes`.
pub fn macro_f1(rows: impl IntoIterator<Item = (usize, usize)>, classes: usize) -> f64 {
    let mut right = vec![0u64; classes];
    // For each class TP + FN and TP + FP together.
    let mut named = vec![0u64; classes];
    for (truth, predicted) in rows {
        named[truth] += 1;
        named[predicted] += 1;
        right[truth] += u64::from(truth == predicted);
    }
    let (mut sum, mut occurring) = (0.0, 0u64);
    for (&right, &named) in right.iter().zip(&named) {
        if named > 0 {
            sum += 2.0 * right as f64 / named as f64;
            occurring += 1;
        }
    }
    sum / occurring as f64
}

/// How often each class was taken for each other one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confusion {
    /// By true and predicted class, where there are any: a full table of many classes is huge.
    counts: BTreeMap<(usize, usize), usize>,
}

impl Confusion {
    /// Returns how many rows of class `truth` were taken for class `predicted`.
    pub fn count(&self, truth: usize, predicted: usize) -> usize {
        self.counts.get(&(truth, predicted)).copied().unwrap_or(0)
    }

    /// Returns true class, predicted class and count of all that occur: the mistakes first, of
    /// these the most frequent first; then what is right in the same order. Equal counts go by
    /// class.
    pub fn rows(&self) -> Vec<(usize, usize, usize)> {
        let counts = self.counts.iter();
        let mut rows: Vec<_> = counts.map(|(&(t, p), &count)| (t, p, count)).collect();
        rows.sort_by_key(|&(truth, predicted, count)| (truth == predicted, Reverse(count)));
        rows
    }
}

/// Of rows with a true and a predicted class.
impl FromIterator<(usize, usize)> for Confusion {
    fn from_iter<I: IntoIterator<Item = (usize, usize)>>(rows: I) -> Self {
        let mut counts = BTreeMap::new();
        for row in rows {
            *counts.entry(row).or_default() += 1;
        }
        Self { counts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [(usize, usize); 6] = [(0, 0), (0, 0), (0, 1), (1, 1), (1, 1), (2, 0)];

    #[test]
    fn accuracy_and_macro_f1_of_a_small_table() {
        assert!((accuracy(ROWS) - 4.0 / 6.0).abs() < 1e-12);
        // F1 of the classes: 4/6, 4/5 and 0; class 3 never occurs.
        let expected = (4.0 / 6.0 + 4.0 / 5.0) / 3.0;
        assert!((macro_f1(ROWS, 4) - expected).abs() < 1e-12);
    }

    #[test]
    fn no_rows_have_no_figures() {
        assert!(accuracy([]).is_nan());
        assert!(macro_f1([], 2).is_nan());
    }

    #[test]
    fn the_classes_most_often_confused_come_first() {
        let rows = [(2, 1), (0, 1), (0, 0), (2, 1), (1, 1), (1, 1), (1, 0)];
        let confusion = Confusion::from_iter(rows);
        let expected = [(2, 1, 2), (0, 1, 1), (1, 0, 1), (1, 1, 2), (0, 0, 1)];
        assert_eq!(confusion.rows(), expected);
        assert_eq!(confusion.count(2, 1), 2);
        assert_eq!(confusion.count(1, 2), 0);
    }
}
