/// How well a score tells pairs of the same meaning from others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairScores {
    /// The best accuracy that a threshold reaches.
    pub accuracy: f64,
    /// The threshold of that accuracy; a pair is accepted where its score is no less.
    pub accuracy_threshold: f64,
    /// The best F1 that a threshold reaches.
    pub f1: f64,
    /// The threshold of that F1.
    pub f1_threshold: f64,
    /// Precision at the threshold of the best F1.
    pub precision: f64,
    /// Recall at the threshold of the best F1.
    pub recall: f64,
    /// Average precision, see [`average_precision`].
    pub ap: f64,
    /// Matthews' correlation coefficient at the threshold of the best F1, in -1..=1.
    pub mcc: f64,
}

/// Pairs with a score and a label each, sorted once, so that the figures of any draw from them take
/// a single pass.
#[derive(Debug, Clone)]
pub struct PairRanking {
    /// Score, label and number of each pair, from the highest score down.
    rows: Vec<(f64, bool, usize)>,
}

impl PairRanking {
    /// Sorts the pairs.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn new(scores: &[f64], labels: &[bool]) -> Self {
        assert_eq!(scores.len(), labels.len(), "one label a score");
        let rows = scores.iter().zip(labels).enumerate();
        let mut rows: Vec<_> = rows
            .map(|(pair, (&score, &label))| (score, label, pair))
            .collect();
        rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        Self { rows }
    }

    /// Returns the figures where pair `i` occurs `counts[i]` times. They are those of
    /// sentence-transformers' `BinaryClassificationEvaluator` (6.2): a threshold is the midpoint
    /// between neighbouring scores, so that equal scores are never parted; of equally good ones
    /// the highest is taken; the MCC is that of the best F1. Accuracy also considers accepting no
    /// pair, F1 does not.
    ///
    /// `None` unless both labels occur, because the figures mean nothing then.
    ///
    /// # Panics
    /// If there are fewer counts than pairs.
    pub fn figures(&self, counts: &[u32]) -> Option<PairScores> {
        figures(&self.steps(counts))
    }

    /// Returns one step for each distinct score that occurs, from the highest down.
    pub(crate) fn steps(&self, counts: &[u32]) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::with_capacity(self.rows.len());
        let (mut accepted, mut accepted_positives) = (0, 0);
        for &(score, label, pair) in &self.rows {
            let count = counts[pair] as usize;
            if count == 0 {
                continue;
            }
            accepted += count;
            accepted_positives += if label { count } else { 0 };
            let step = Step {
                score,
                accepted,
                accepted_positives,
            };
            match steps.last_mut() {
                Some(last) if last.score == score => *last = step,
                _ => steps.push(step),
            }
        }
        steps
    }
}

fn figures(steps: &[Step]) -> Option<PairScores> {
    let last = *steps.last()?;
    let positives = last.accepted_positives;
    let negatives = last.accepted - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let correct = |step: &Step| {
        let accepted_negatives = step.accepted - step.accepted_positives;
        step.accepted_positives + negatives - accepted_negatives
    };
    let f1 =
        |step: &Step| 2.0 * step.accepted_positives as f64 / (step.accepted + positives) as f64;
    let by_accuracy = first_best(steps, |step| correct(step) as f64);
    let by_f1 = first_best(steps, f1);
    let most_correct = correct(&steps[by_accuracy]);
    let (correct, accuracy_threshold) = if most_correct > negatives {
        (most_correct, threshold(steps, by_accuracy))
    } else {
        (negatives, steps[0].score.next_up())
    };
    let best = steps[by_f1];
    Some(PairScores {
        accuracy: correct as f64 / last.accepted as f64,
        accuracy_threshold,
        f1: f1(&best),
        f1_threshold: threshold(steps, by_f1),
        precision: best.accepted_positives as f64 / best.accepted as f64,
        recall: best.accepted_positives as f64 / positives as f64,
        ap: area(steps, positives),
        mcc: matthews(&best, positives, negatives),
    })
}

/// Returns average precision: Σ (R_n - R_{n-1}) · P_n over the thresholds from the highest score
/// down. As `sklearn.metrics.average_precision_score`; 0 where no label is true.
///
/// # Panics
/// If the slices differ in length.
pub fn average_precision(scores: &[f64], labels: &[bool]) -> f64 {
    let steps = PairRanking::new(scores, labels).steps(&vec![1; scores.len()]);
    match steps.last() {
        Some(last) if last.accepted_positives > 0 => area(&steps, last.accepted_positives),
        _ => 0.0,
    }
}

/// What is accepted when every pair of at least this score is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub score: f64,
    pub accepted: usize,
    pub accepted_positives: usize,
}

/// Returns the least score accepted at `steps[i]`, moved away from the next lower one.
fn threshold(steps: &[Step], i: usize) -> f64 {
    let score = steps[i].score;
    match steps.get(i + 1) {
        Some(next) if next.score < (score + next.score) / 2.0 => (score + next.score) / 2.0,
        _ => score,
    }
}

pub(crate) fn first_best(steps: &[Step], value: impl Fn(&Step) -> f64) -> usize {
    let mut best = 0;
    for (i, step) in steps.iter().enumerate() {
        if value(step) > value(&steps[best]) {
            best = i;
        }
    }
    best
}

pub(crate) fn area(steps: &[Step], positives: usize) -> f64 {
    let mut before = 0;
    let mut sum = 0.0;
    for step in steps {
        let gained = (step.accepted_positives - before) as f64 / positives as f64;
        sum += gained * step.accepted_positives as f64 / step.accepted as f64;
        before = step.accepted_positives;
    }
    sum
}

/// Returns (TP·TN - FP·FN) / √((TP+FP)(TP+FN)(TN+FP)(TN+FN)), 0 where the divisor is.
fn matthews(step: &Step, positives: usize, negatives: usize) -> f64 {
    let true_positives = step.accepted_positives as f64;
    let false_positives = (step.accepted - step.accepted_positives) as f64;
    let (positives, negatives) = (positives as f64, negatives as f64);
    let false_negatives = positives - true_positives;
    let true_negatives = negatives - false_positives;
    let divisor = (true_positives + false_positives)
        * positives
        * negatives
        * (true_negatives + false_negatives);
    if divisor == 0.0 {
        return 0.0;
    }
    (true_positives * true_negatives - false_positives * false_negatives) / divisor.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-12,
            "{found} is not {expected}"
        );
    }

    fn score_pairs(scores: &[f64], labels: &[bool]) -> Option<PairScores> {
        PairRanking::new(scores, labels).figures(&vec![1; scores.len()])
    }

    #[test]
    fn the_best_thresholds_of_a_small_table() {
        let scores = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4];
        let labels = [true, true, false, true, false, false];
        let found = score_pairs(&scores, &labels).unwrap();
        // Accepting two makes five right, and so does accepting four: the stricter one is taken.
        close(found.accuracy, 5.0 / 6.0);
        close(found.accuracy_threshold, 0.75);
        // Accepting four: precision 3/4, recall 1.
        close(found.f1, 6.0 / 7.0);
        close(found.f1_threshold, 0.55);
        close(found.precision, 0.75);
        close(found.recall, 1.0);
        close(found.ap, (1.0 + 1.0 + 0.75) / 3.0);
        // TP 3, FP 1, FN 0, TN 2.
        close(found.mcc, 6.0 / 72f64.sqrt());
    }

    #[test]
    fn equal_scores_are_never_parted_whatever_their_order() {
        let scores = [0.9, 0.5, 0.5, 0.1];
        let one = score_pairs(&scores, &[true, true, false, false]).unwrap();
        let other = score_pairs(&scores, &[true, false, true, false]).unwrap();
        assert_eq!(one, other);
        close(one.accuracy, 0.75);
        close(one.f1, 0.8);
        close(one.ap, 0.5 + 0.5 * 2.0 / 3.0);
    }

    #[test]
    fn a_score_that_tells_nothing_falls_back_on_the_more_frequent_label() {
        let found = score_pairs(&[0.5; 4], &[true, false, false, false]).unwrap();
        close(found.accuracy, 0.75);
        assert!(found.accuracy_threshold > 0.5, "no pair is accepted");
        close(found.f1, 0.4);
        close(found.f1_threshold, 0.5);
        close(found.recall, 1.0);
        close(found.mcc, 0.0);
    }

    #[test]
    fn figures_of_scikit_learn() {
        let scores = [0.91, 0.85, 0.84, 0.77, 0.77, 0.62, 0.58, 0.43, 0.41, 0.30];
        let labels = [1, 1, 0, 1, 0, 1, 0, 0, 1, 0].map(|label| label == 1);
        let found = score_pairs(&scores, &labels).unwrap();
        close(found.ap, 0.7644444444444445);
        close(found.accuracy, 0.7);
        close(found.accuracy_threshold, 0.845);
        close(found.f1, 0.7272727272727273);
        close(found.f1_threshold, 0.6);
        close(found.mcc, 0.408248290463863);
    }

    #[test]
    fn a_draw_has_the_figures_of_the_pairs_in_it() {
        let scores = [0.91, 0.85, 0.84, 0.77, 0.77, 0.62, 0.58];
        let labels = [true, true, false, true, false, true, false];
        let counts = [0, 2, 1, 0, 3, 1, 2];
        let drawn: Vec<usize> = (0..7)
            .flat_map(|pair| std::iter::repeat_n(pair, counts[pair] as usize))
            .collect();
        let found = PairRanking::new(&scores, &labels).figures(&counts);
        let expected = score_pairs(
            &drawn.iter().map(|&pair| scores[pair]).collect::<Vec<_>>(),
            &drawn.iter().map(|&pair| labels[pair]).collect::<Vec<_>>(),
        );
        assert!(found.is_some());
        assert_eq!(found, expected);
        let one_label = PairRanking::new(&scores, &labels).figures(&[1, 1, 0, 0, 0, 0, 0]);
        assert_eq!(one_label, None);
    }

    #[test]
    fn one_label_alone_has_no_figures() {
        assert_eq!(score_pairs(&[0.1, 0.2], &[true, true]), None);
        assert_eq!(score_pairs(&[0.1, 0.2], &[false, false]), None);
        assert_eq!(score_pairs(&[], &[]), None);
        close(average_precision(&[0.1, 0.2], &[false, false]), 0.0);
    }
}
