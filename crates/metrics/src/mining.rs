use crate::pairs::PairRanking;
use crate::pairs::{Step, area, first_best};

/// How well pairs that were mined from a list of sentences are those that mean the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MiningScores {
    /// Average precision: Σ (R_n - R_{n-1}) · P_n over the mined pairs from the highest score
    /// down, where recall counts the duplicates that were not mined too.
    pub ap: f64,
    /// The best F1 that a threshold on the score reaches.
    pub f1: f64,
    /// Precision at that threshold.
    pub precision: f64,
    /// Recall at that threshold.
    pub recall: f64,
    /// The threshold: the midpoint between neighbouring scores; 0 if no duplicate was mined.
    pub threshold: f64,
}

impl PairRanking {
    /// Returns the figures of mined pairs, of which pair `i` occurs `counts[i]` times, where
    /// `missed` duplicates were not mined. As sentence-transformers' `ParaphraseMiningEvaluator`
    /// (6.2).
    ///
    /// `None` if there are no duplicates.
    ///
    /// # Panics
    /// If there are fewer counts than pairs.
    pub fn mining_figures(&self, counts: &[u32], missed: usize) -> Option<MiningScores> {
        let steps = self.steps(counts);
        let found = steps.last().map_or(0, |last| last.accepted_positives);
        let duplicates = found + missed;
        if duplicates == 0 {
            return None;
        }
        if found == 0 {
            return Some(MiningScores {
                ap: 0.0,
                f1: 0.0,
                precision: 0.0,
                recall: 0.0,
                threshold: 0.0,
            });
        }
        let f1 = |step: &Step| {
            2.0 * step.accepted_positives as f64 / (step.accepted + duplicates) as f64
        };
        let best = first_best(&steps, f1);
        let next = steps.get(best + 1).unwrap_or(&steps[best]);
        let step = &steps[best];
        Some(MiningScores {
            ap: area(&steps, duplicates),
            f1: f1(step),
            precision: step.accepted_positives as f64 / step.accepted as f64,
            recall: step.accepted_positives as f64 / duplicates as f64,
            threshold: (step.score + next.score) / 2.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_mined_lowers_recall() {
        let mined = PairRanking::new(&[0.9, 0.8, 0.7, 0.6], &[true, false, true, false]);
        let found = mined.mining_figures(&[1; 4], 1).unwrap();
        // Accepting three: precision 2/3, recall 2/3.
        assert!((found.f1 - 2.0 / 3.0).abs() < 1e-12);
        assert!((found.precision - 2.0 / 3.0).abs() < 1e-12);
        assert!((found.recall - 2.0 / 3.0).abs() < 1e-12);
        assert!((found.threshold - 0.65).abs() < 1e-12);
        assert!((found.ap - (1.0 + 2.0 / 3.0) / 3.0).abs() < 1e-12);

        let drawn = mined.mining_figures(&[0, 2, 0, 1], 2).unwrap();
        assert_eq!((drawn.ap, drawn.f1, drawn.threshold), (0.0, 0.0, 0.0));
        assert_eq!(mined.mining_figures(&[0, 2, 0, 1], 0), None);
    }
}
