use std::cmp::Ordering;

use tantivy::{DocId, Score};

use crate::{Index, Ranked};

/// Scores compared with the threshold at once.
const LANES: usize = 32;

/// The best passages so far.
pub(crate) struct Top<'a> {
    index: &'a Index,
    segment: u32,
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

    /// Goes on to a segment; `k` passages at least, of any, are known to score `least`.
    pub(crate) fn begin(&mut self, segment: usize, least: Score) {
        self.segment = segment as u32;
        self.threshold = self.threshold.max(least);
    }

    /// Takes the scores of the documents from `first` on and leaves zeros.
    pub(crate) fn take(&mut self, first: DocId, scores: &mut [Score]) {
        let (lanes, rest) = scores.as_chunks_mut::<LANES>();
        for (document, scores) in (first..).step_by(LANES).zip(&mut *lanes) {
            // Without a branch per score the compiler compares them all at once.
            let is_good = |any, &score: &Score| any | (score >= self.threshold);
            if scores.iter().fold(false, is_good) {
                self.keep(document, scores);
            }
            *scores = [0.0; LANES];
        }
        self.keep(first + (lanes.len() * LANES) as DocId, rest);
        rest.fill(0.0);
    }

    fn keep(&mut self, first: DocId, scores: &[Score]) {
        for (document, &score) in (first..).zip(scores) {
            if score >= self.threshold {
                self.kept.push(Ranked {
                    segment: self.segment,
                    document,
                    score,
                });
            }
        }
        if self.kept.len() >= self.k.saturating_mul(2).max(256) {
            self.shrink();
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
