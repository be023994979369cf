use std::iter;

use crate::proportions::Proportion;

impl Proportion {
    /// Returns the least of the four counts, successes and failures of both, that are to be
    /// expected if `self` and `control` have the same rate. Where it is below 5, tests that take
    /// the counts as normally distributed are off (Cochran 1952).
    pub fn least_expected(self, control: Self) -> f64 {
        let [ours, theirs] = [self, control].map(|one| one.trials as f64);
        let successes = self.successes as f64 + control.successes as f64;
        let failures = ours + theirs - successes;
        ours.min(theirs) * successes.min(failures) / (ours + theirs)
    }

    /// Returns the two-sided p-value of Fisher's exact test: how likely it is, given the sums of
    /// both, that the successes fall as they do or in a way that is no likelier. As
    /// `scipy.stats.fisher_exact`. In 0..=1; 1 if all trials or none of both succeeded.
    pub fn fisher_exact(self, control: Self) -> f64 {
        /// Ways that are equally likely come out the same but for rounding.
        const ROUNDING: f64 = 1e-7;
        let [ours, theirs] = [self, control].map(|one| one.trials as f64);
        let successes = self.successes as f64 + control.successes as f64;
        let (least, most) = ((successes - theirs).max(0.0), successes.min(ours));
        let mode = (ours + 1.0) * (successes + 1.0) / (ours + theirs + 2.0);
        let mode = mode.floor().clamp(least, most);
        // The hypergeometric chance of one success more, over that of `k`.
        let next =
            |k: f64| (successes - k) * (ours - k) / ((k + 1.0) * (theirs - successes + k + 1.0));
        let upwards = iter::successors(Some((mode, 1.0)), |&(k, chance)| {
            (k < most && chance > 0.0).then(|| (k + 1.0, chance * next(k)))
        });
        let downwards = iter::successors(Some((mode, 1.0)), |&(k, chance)| {
            (k > least && chance > 0.0).then(|| (k - 1.0, chance / next(k - 1.0)))
        });
        let ways: Vec<(f64, f64)> = upwards.chain(downwards.skip(1)).collect();
        let found = ways.iter().find(|(k, _)| *k == self.successes as f64);
        let limit = found.map_or(0.0, |(_, chance)| chance * (1.0 + ROUNDING));
        let all: f64 = ways.iter().map(|(_, chance)| chance).sum();
        let no_likelier = ways.iter().map(|(_, chance)| chance);
        no_likelier.filter(|chance| **chance <= limit).sum::<f64>() / all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(successes: u64, trials: u64) -> Proportion {
        Proportion::new(successes, trials).unwrap()
    }

    #[test]
    fn the_rarer_outcome_in_the_smaller_arm_is_expected_least() {
        // 6 of 30 succeed, so 2 of 10.
        assert_eq!(of(1, 10).least_expected(of(5, 20)), 2.0);
        assert_eq!(of(9, 10).least_expected(of(15, 20)), 2.0);
        assert_eq!(of(0, 10).least_expected(of(0, 20)), 0.0);
    }

    #[test]
    fn the_lady_tasting_tea() {
        // Three of four cups right: 2 · (16 + 1) / 70.
        let p = of(3, 4).fisher_exact(of(1, 4));
        assert!((p - 34.0 / 70.0).abs() < 1e-12, "{p}");
        assert_eq!(of(0, 4).fisher_exact(of(0, 9)), 1.0);
        assert_eq!(of(4, 4).fisher_exact(of(9, 9)), 1.0);
        assert_eq!(of(0, 1_000_000).fisher_exact(of(1_000_000, 1_000_000)), 0.0);
    }
}
