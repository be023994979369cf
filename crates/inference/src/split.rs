/// Sessions side by side, at most: each has a copy of the word embedding.
const MOST_SESSIONS: usize = 8;
/// Tokens in a batch that caches hold well, and more, for machines where that is too little.
const SMALL: [usize; 2] = [1_024, 4_096];
/// Tokens per thread that a trial takes.
const TRIAL: usize = 8_192;
/// Trials begin when there is work for so many.
const WORTHWHILE: usize = 20;

/// How work is shared out: sessions side by side, threads in each, and tokens in a batch at most.
/// Nothing of it has an influence on results.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Split {
    pub sessions: usize,
    pub threads: usize,
    pub tokens: usize,
}

/// Finds the fastest [`Split`] by trying each on two pieces of the work, there and back again: rows
/// come by length, so that a piece differs from the next in what a token costs, but the two of each
/// split do not. Where there is little work the first is taken: a session per thread and small
/// batches.
#[derive(Debug)]
pub(crate) struct Tuner {
    splits: Vec<Split>,
    /// Seconds per token of each trial.
    tried: Vec<f64>,
    trial: usize,
    done: usize,
}

impl Tuner {
    /// Lists the splits for so many threads and tokens in a batch at most.
    pub fn new(threads: usize, token_budget: usize) -> Self {
        let threads = threads.max(1);
        // As many as leave the fewest threads without work.
        let busy = |sessions: &usize| (sessions * (threads / sessions), *sessions);
        let sessions = (1..=MOST_SESSIONS).max_by_key(busy).unwrap_or(1);
        let split = |sessions: usize, tokens: usize| Split {
            sessions,
            threads: threads / sessions,
            tokens: tokens.min(token_budget),
        };
        let mut splits = SMALL.map(|tokens| split(sessions, tokens)).to_vec();
        let fewer = std::iter::successors(Some(sessions / 2), |fewer| Some(fewer / 2));
        let fewer = fewer.take_while(|&fewer| fewer > 1);
        splits.extend(fewer.map(|fewer| split(fewer, SMALL[1])));
        splits.push(split(1, token_budget));
        splits.dedup();
        Self {
            splits,
            tried: Vec::new(),
            trial: TRIAL * threads,
            done: 0,
        }
    }

    /// Returns how to go on with so many tokens ahead, and with how many of them before asking
    /// again.
    pub fn next(&self, ahead: usize) -> (Split, usize) {
        if let Some(best) = self.best() {
            return (best, ahead);
        }
        let is_worthwhile = self.done + ahead >= WORTHWHILE * self.trial && ahead >= self.trial;
        match is_worthwhile {
            true => (self.splits[self.place(self.tried.len())], self.trial),
            false => (self.splits[0], ahead),
        }
    }

    /// Takes note of what a piece of work took.
    pub fn took(&mut self, split: Split, tokens: usize, seconds: f64) {
        self.done += tokens;
        let is_trial = self.best().is_none() && tokens >= self.trial;
        if is_trial && split == self.splits[self.place(self.tried.len())] {
            self.tried.push(seconds / tokens as f64);
            if let Some(best) = self.best() {
                tracing::debug!(
                    "of {:?}, there and back again in {:?} seconds a token, {best:?} is fastest",
                    self.splits,
                    self.tried
                );
            }
        }
    }

    /// Returns the place of the split that a trial is of.
    fn place(&self, trial: usize) -> usize {
        trial.min(2 * self.splits.len() - 1 - trial)
    }

    /// Returns the fastest, once all were tried.
    fn best(&self) -> Option<Split> {
        let trials = self.tried.len();
        if trials < 2 * self.splits.len() {
            return None;
        }
        let seconds = |place: usize| self.tried[place] + self.tried[trials - 1 - place];
        let places = 0..self.splits.len();
        let best = places.min_by(|&a, &b| seconds(a).total_cmp(&seconds(b)));
        best.map(|place| self.splits[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LITTLE: usize = TRIAL * 2;
    const MUCH: usize = TRIAL * 100;

    #[test]
    fn little_work_is_done_by_the_first_and_much_by_what_is_fastest_there_and_back() {
        let mut tuner = Tuner::new(2, 16_384);
        let first = Split {
            sessions: 2,
            threads: 1,
            tokens: 1_024,
        };
        assert_eq!(tuner.next(LITTLE), (first, LITTLE));
        for seconds in [4.0, 2.9, 2.5, 2.0, 1.0, 0.1] {
            let (split, tokens) = tuner.next(MUCH);
            assert_eq!(tokens, TRIAL * 2);
            tuner.took(split, tokens, seconds);
        }
        let fastest = Split {
            tokens: 4_096,
            ..first
        };
        assert_eq!(tuner.next(MUCH), (fastest, MUCH));
    }

    #[test]
    fn work_that_comes_in_small_pieces_is_much_after_a_while() {
        let mut tuner = Tuner::new(1, 16_384);
        let is_trial = |tuner: &Tuner| tuner.next(TRIAL + 1).1 == TRIAL;
        let mut pieces = 0;
        while !is_trial(&tuner) {
            let (split, tokens) = tuner.next(TRIAL - 1);
            tuner.took(split, tokens, 1.0);
            pieces += 1;
        }
        assert!((15..=25).contains(&pieces), "{pieces}");
    }

    #[test]
    fn threads_and_budget_bound_the_splits() {
        let splits = |threads, budget| {
            let splits = Tuner::new(threads, budget).splits.into_iter();
            splits
                .map(|split| (split.sessions, split.threads, split.tokens))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            splits(1, 16_384),
            [(1, 1, 1_024), (1, 1, 4_096), (1, 1, 16_384)]
        );
        assert_eq!(splits(1, 512), [(1, 1, 512)]);
        assert_eq!(splits(2, 512), [(2, 1, 512), (1, 2, 512)]);
        assert_eq!(splits(12, 512), [(6, 2, 512), (3, 4, 512), (1, 12, 512)]);
        assert_eq!(
            splits(64, 4_096),
            [
                (8, 8, 1_024),
                (8, 8, 4_096),
                (4, 16, 4_096),
                (2, 32, 4_096),
                (1, 64, 4_096)
            ]
        );
    }
}
