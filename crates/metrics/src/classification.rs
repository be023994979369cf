use std::collections::BTreeMap;

/// How often each class was taken for each other one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    /// By true and predicted class, where there are any: a full table of many classes is huge.
    counts: BTreeMap<(usize, usize), usize>,
}

impl Confusion {
    /// Counts the pairs of true and predicted class, each a number below `classes`.
    ///
    /// # Panics
    /// If the slices differ in length or a number is not below `classes`.
    pub fn new(truth: &[usize], predicted: &[usize], classes: usize) -> Self {
        assert_eq!(truth.len(), predicted.len(), "one prediction a row");
        let mut counts = BTreeMap::new();
        for (&truth, &predicted) in truth.iter().zip(predicted) {
            assert!(
                truth < classes && predicted < classes,
                "classes are numbered"
            );
            *counts.entry((truth, predicted)).or_default() += 1;
        }
        Self { classes, counts }
    }

    /// How many rows of class `truth` were taken for class `predicted`.
    pub fn count(&self, truth: usize, predicted: usize) -> usize {
        self.counts.get(&(truth, predicted)).copied().unwrap_or(0)
    }

    /// The share of rows whose class was predicted, 0 without rows.
    pub fn accuracy(&self) -> f64 {
        let right: usize = (0..self.classes)
            .map(|class| self.count(class, class))
            .sum();
        match self.counts.values().sum::<usize>() {
            0 => 0.0,
            rows => right as f64 / rows as f64,
        }
    }

    /// The mean over the classes of F1 = 2·TP / (2·TP + FP + FN), every class weighing the same.
    /// Classes that neither occur nor are predicted do not count. As
    /// `sklearn.metrics.f1_score(average="macro")`; 0 without rows.
    pub fn macro_f1(&self) -> f64 {
        // For each class TP + FN and TP + FP together.
        let mut rows = vec![0; self.classes];
        for (&(truth, predicted), count) in &self.counts {
            rows[truth] += count;
            rows[predicted] += count;
        }
        let scores: Vec<f64> = (0..self.classes)
            .filter(|&class| rows[class] > 0)
            .map(|class| 2.0 * self.count(class, class) as f64 / rows[class] as f64)
            .collect();
        if scores.is_empty() {
            return 0.0;
        }
        scores.iter().sum::<f64>() / scores.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_and_macro_f1_of_a_small_table() {
        let truth = [0, 0, 0, 1, 1, 2];
        let predicted = [0, 0, 1, 1, 1, 0];
        let confusion = Confusion::new(&truth, &predicted, 4);
        assert_eq!(confusion.count(0, 1), 1);
        assert_eq!(confusion.count(2, 0), 1);
        assert!((confusion.accuracy() - 4.0 / 6.0).abs() < 1e-12);
        // F1 of the classes: 4/6, 4/5 and 0; class 3 never occurs.
        let expected = (4.0 / 6.0 + 4.0 / 5.0) / 3.0;
        assert!((confusion.macro_f1() - expected).abs() < 1e-12);
    }

    #[test]
    fn no_rows_score_zero() {
        let confusion = Confusion::new(&[], &[], 2);
        assert_eq!(confusion.accuracy(), 0.0);
        assert_eq!(confusion.macro_f1(), 0.0);
    }
}
