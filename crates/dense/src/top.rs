use std::cmp::Ordering;

use crate::index::NONE;

/// Scores compared with the threshold at once.
const LANES: usize = 32;

/// An embedding found, by the first passage that has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found {
    pub passage: u32,
    pub score: f32,
}

impl Found {
    /// Higher scores first, equal ones by passage.
    pub fn compare(&self, other: &Self) -> Ordering {
        let by_score = other.score.total_cmp(&self.score);
        by_score.then(self.passage.cmp(&other.passage))
    }
}

/// The best embeddings so far.
#[derive(Debug, Clone)]
pub(crate) struct Top {
    k: usize,
    /// What an embedding must score to be looked at.
    threshold: f32,
    kept: Vec<Found>,
}

impl Top {
    pub fn new(k: usize) -> Self {
        Self {
            k,
            threshold: f32::NEG_INFINITY,
            kept: Vec::new(),
        }
    }

    /// Takes the scores of a block of embeddings, whose first passages are these.
    pub fn collect(&mut self, scores: &[f32], passages: &[u32]) {
        for (scores, passages) in scores.chunks(LANES).zip(passages.chunks(LANES)) {
            // Without a branch per score the compiler compares them all at once.
            if !scores
                .iter()
                .fold(false, |any, &score| any | (score >= self.threshold))
            {
                continue;
            }
            for (&score, &passage) in scores.iter().zip(passages) {
                if score >= self.threshold && passage != NONE {
                    self.kept.push(Found { passage, score });
                }
            }
            if self.kept.len() >= self.k.saturating_mul(2).max(256) {
                self.shrink();
            }
        }
    }

    fn shrink(&mut self) {
        if self.k == 0 {
            self.kept.clear();
        } else if self.kept.len() > self.k {
            let (_, worst, _) = self.kept.select_nth_unstable_by(self.k - 1, Found::compare);
            self.threshold = worst.score;
            self.kept.truncate(self.k);
        }
    }

    /// The best, in order.
    pub fn finish(mut self) -> Vec<Found> {
        self.shrink();
        self.kept.sort_unstable_by(Found::compare);
        self.kept
    }
}
