use std::cmp::Ordering;

/// Scores compared with the threshold at once.
const LANES: usize = 32;
/// Candidates that are gathered at least between two selections, so that a small `k` is not
/// selected for again and again.
const GATHERED: usize = 256;

/// The `k` best of many scored things: higher scores first, equal ones by an order of their own.
/// The result is exact and does not depend on the order in which the things come.
///
/// Candidates are gathered and cut by selection now and then, which for the usual `k` is faster
/// than a heap: most scores cost one comparison with a threshold, many of them at once.
#[derive(Debug, Clone)]
pub struct TopK<T, F> {
    k: usize,
    /// What a thing must score to be looked at.
    threshold: f32,
    kept: Vec<(f32, T)>,
    order: F,
}

impl<T, F: Fn(&T, &T) -> Ordering> TopK<T, F> {
    /// Looks for the best `k` of the things that score `least` or more; of equal scores, what is
    /// less by `order` comes first.
    pub fn new(k: usize, least: f32, order: F) -> Self {
        Self {
            k,
            threshold: least,
            kept: Vec::new(),
            order,
        }
    }

    /// Looks at nothing below `score` from now on, which `k` things at least are known to reach.
    pub fn raise(&mut self, score: f32) {
        self.threshold = self.threshold.max(score);
    }

    /// Takes a block of scores. `thing` gives what a place of the block stands for, if anything. A
    /// score that is not a number is never taken.
    pub fn take(&mut self, scores: &[f32], thing: impl Fn(usize) -> Option<T>) {
        let (lanes, rest) = scores.as_chunks::<LANES>();
        for (start, lane) in (0..).step_by(LANES).zip(lanes) {
            // Without a branch per score the compiler compares them all at once.
            let is_good = |any, &score: &f32| any | (score >= self.threshold);
            if lane.iter().fold(false, is_good) {
                self.keep(start, lane, &thing);
            }
        }
        self.keep(lanes.len() * LANES, rest, &thing);
    }

    fn keep(&mut self, start: usize, scores: &[f32], thing: &impl Fn(usize) -> Option<T>) {
        for (place, &score) in (start..).zip(scores) {
            if score >= self.threshold
                && let Some(thing) = thing(place)
            {
                self.kept.push((score, thing));
            }
        }
        if self.kept.len() >= self.k.saturating_mul(2).max(GATHERED) {
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        if self.k == 0 {
            self.kept.clear();
        } else if self.kept.len() > self.k {
            let order = &self.order;
            let (_, worst, _) = self
                .kept
                .select_nth_unstable_by(self.k - 1, |a, b| compare(a, b, order));
            self.threshold = self.threshold.max(worst.0);
            self.kept.truncate(self.k);
        }
    }

    /// Returns the best with their scores, in order.
    pub fn finish(mut self) -> Vec<(f32, T)> {
        self.shrink();
        let order = &self.order;
        self.kept.sort_unstable_by(|a, b| compare(a, b, order));
        self.kept
    }
}

fn compare<T>(a: &(f32, T), b: &(f32, T), order: impl Fn(&T, &T) -> Ordering) -> Ordering {
    b.0.total_cmp(&a.0).then_with(|| order(&a.1, &b.1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Scores of which many are equal, and some are no numbers.
    fn scores() -> impl Strategy<Value = Vec<f32>> {
        let score = prop_oneof![
            20 => (0u8..97).prop_map(|score| f32::from(score) / 97.0),
            1 => prop::sample::select(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0][..]),
        ];
        prop::collection::vec(score, 0..1_500)
    }

    proptest! {
        #[test]
        fn the_best_are_those_of_a_sort_however_the_blocks_are_cut(
            scores in scores(),
            k in prop_oneof![0usize..20, 250usize..2_000],
            block in 1usize..600,
            least in prop_oneof![Just(f32::NEG_INFINITY), 0.0f32..1.0],
        ) {
            let mut top = TopK::new(k, least, usize::cmp);
            for (number, scores) in scores.chunks(block).enumerate() {
                top.take(scores, |place| Some(number * block + place));
            }
            let mut sorted: Vec<(f32, usize)> = scores.into_iter().zip(0..).collect();
            sorted.retain(|(score, _)| *score >= least);
            sorted.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            sorted.truncate(k);
            prop_assert_eq!(top.finish(), sorted);
        }
    }

    #[test]
    fn what_is_below_the_threshold_nothing_or_no_number_is_passed_over() {
        let mut top = TopK::new(3, 0.5, u32::cmp);
        top.take(&[0.4, 0.5, f32::NAN, 0.9], |place| Some(place as u32));
        top.raise(0.8);
        top.take(&[0.7, 0.8, 1.0], |place| {
            (place != 2).then_some(10 + place as u32)
        });
        assert_eq!(top.finish(), [(0.9, 3), (0.8, 11), (0.5, 1)]);
    }
}
