use std::cmp::Ordering;

use tantivy::{DocId, Score};

use crate::{Index, Ranked};

/// Scores compared with the threshold at once.
const LANES: usize = 32;

/// The best passages so far.
pub(crate) struct Top<'a> {
    index: &'a Index,
    /// The segment that is searched.
    pub(crate) segment: u32,
    k: usize,
    /// What a passage must score to be looked at.
    threshold: Score,
    kept: Vec<Ranked>,
}

impl<'a> Top<'a> {
    pub(crate) fn new(index: &'a Index, k: usize) -> Self {
        Self {
            index,
            segment: 0,
            k,
            threshold: Score::MIN_POSITIVE,
            kept: Vec::new(),
        }
    }

    /// Takes the scores of the documents from `first` on.
    pub(crate) fn collect(&mut self, first: DocId, scores: &[Score]) {
        for (lane, scores) in scores.chunks(LANES).enumerate() {
            // Without a branch per score the compiler compares them all at once.
            if !scores
                .iter()
                .fold(false, |any, &score| any | (score >= self.threshold))
            {
                continue;
            }
            for (offset, &score) in scores.iter().enumerate() {
                if score >= self.threshold {
                    self.kept.push(Ranked {
                        segment: self.segment,
                        document: first + (lane * LANES + offset) as DocId,
                        score,
                    });
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
            let index = self.index;
            let (_, worst, _) = self
                .kept
                .select_nth_unstable_by(self.k - 1, |a, b| index.compare(a, b));
            self.threshold = worst.score;
            self.kept.truncate(self.k);
        }
    }

    /// The best, in order.
    pub(crate) fn finish(mut self) -> Vec<Ranked> {
        self.shrink();
        let index = self.index;
        self.kept.sort_unstable_by(|a, b| index.compare(a, b));
        self.kept
    }
}

impl Index {
    /// Higher scores first, equal ones by id.
    fn compare(&self, a: &Ranked, b: &Ranked) -> Ordering {
        let by_score = b.score.total_cmp(&a.score);
        by_score.then_with(|| self.id(a).cmp(self.id(b)))
    }
}
