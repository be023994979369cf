use crate::bootstrap::Interval;
use crate::estimate::{Estimate, ZTest, two_sided_z};

/// How often something happened in so many independent trials, such as clicks in impressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proportion {
    pub(crate) successes: u64,
    pub(crate) trials: u64,
}

impl Proportion {
    /// Takes successes among trials; `None` without trials or with more successes than trials.
    pub fn new(successes: u64, trials: u64) -> Option<Self> {
        (trials > 0 && successes <= trials).then_some(Self { successes, trials })
    }

    /// Successes per trial, in 0..=1.
    pub fn rate(self) -> f64 {
        self.successes as f64 / self.trials as f64
    }

    /// Returns the rate with its binomial standard error.
    pub fn estimate(self) -> Estimate {
        let rate = self.rate();
        Estimate {
            value: rate,
            standard_error: (rate * (1.0 - rate) / self.trials as f64).sqrt(),
        }
    }

    /// Returns Wilson's score interval (1927) of the rate, in 0..=1. As
    /// `scipy.stats.binomtest(…).proportion_ci(method="wilson")`.
    pub fn wilson_interval(self, confidence: f64) -> Interval {
        wilson_interval(self.rate(), self.trials as f64, confidence)
    }

    /// Returns the two-proportion z test with the variance pooled. As
    /// `statsmodels.stats.proportion.proportions_ztest`. `None` if all trials or none of both
    /// succeeded.
    pub fn z_test(self, control: Self) -> Option<ZTest> {
        let trials = [self.trials as f64, control.trials as f64];
        let pooled = (self.successes as f64 + control.successes as f64) / (trials[0] + trials[1]);
        Estimate {
            value: self.rate() - control.rate(),
            standard_error: (pooled * (1.0 - pooled) * (1.0 / trials[0] + 1.0 / trials[1])).sqrt(),
        }
        .z_test()
    }

    /// Returns the chance that the rate behind `self` is above that behind `control`, each with a
    /// uniform prior: P(X > Y) for X ~ Beta(1 + successes, 1 + failures) and Y alike. By
    /// integration, to about 1e-8.
    pub fn chance_above(self, control: Self) -> f64 {
        let (ours, theirs) = (self.posterior(), control.posterior());
        let mut grid: Vec<f64> = ours.grid().chain(theirs.grid()).collect();
        grid.sort_unstable_by(f64::total_cmp);
        grid.dedup();
        // Simpson's rule over each stretch between grid points: `below` is how much of the
        // control's density lies left of it, `above` the integral of our density times that.
        let (mut below, mut our_mass, mut above) = (0.0, 0.0, 0.0);
        for ends in grid.windows(2) {
            let step = (ends[1] - ends[0]) / 2.0;
            let at = [ends[0], ends[0] + step, ends[1]];
            let ours = at.map(|x| ours.density(x));
            let theirs = at.map(|x| theirs.density(x));
            let middle = below + step / 12.0 * (5.0 * theirs[0] + 8.0 * theirs[1] - theirs[2]);
            let end = below + step / 3.0 * (theirs[0] + 4.0 * theirs[1] + theirs[2]);
            above += step / 3.0 * (ours[0] * below + 4.0 * ours[1] * middle + ours[2] * end);
            our_mass += step / 3.0 * (ours[0] + 4.0 * ours[1] + ours[2]);
            below = end;
        }
        (above / (our_mass * below)).clamp(0.0, 1.0)
    }

    fn posterior(self) -> Posterior {
        Posterior {
            successes: self.successes as f64,
            failures: (self.trials - self.successes) as f64,
        }
    }
}

/// Returns Wilson's score interval of a rate in 0..=1 among `trials`, which need not be whole: as
/// of so many independent ones.
pub fn wilson_interval(rate: f64, trials: f64, confidence: f64) -> Interval {
    let z = two_sided_z(confidence);
    let centre = rate + z * z / (2.0 * trials);
    let margin = z * (rate * (1.0 - rate) / trials + z * z / (4.0 * trials * trials)).sqrt();
    let shrink = 1.0 + z * z / trials;
    // The ends are exact where rounding would carry them past the possible.
    let low = match rate <= 0.0 {
        true => 0.0,
        false => (centre - margin) / shrink,
    };
    let high = match rate >= 1.0 {
        true => 1.0,
        false => (centre + margin) / shrink,
    };
    Interval { low, high }
}

/// Beta(1 + successes, 1 + failures), up to a factor, since log-gamma is too coarse for many
/// trials.
struct Posterior {
    successes: f64,
    failures: f64,
}

impl Posterior {
    /// Returns points close enough for Simpson's rule, over all of the density that matters: it is
    /// log-concave, so less than e^-39 of it lies more than 40 standard deviations from the mean.
    fn grid(&self) -> impl Iterator<Item = f64> + use<> {
        const REACH: i32 = 40;
        const PER_DEVIATION: i32 = 25;
        let (a, b) = (self.successes + 1.0, self.failures + 1.0);
        let mean = a / (a + b);
        let deviation = (mean * (1.0 - mean) / (a + b + 1.0)).sqrt();
        (-REACH * PER_DEVIATION..=REACH * PER_DEVIATION).map(move |step| {
            let x = mean + deviation * f64::from(step) / f64::from(PER_DEVIATION);
            x.clamp(0.0, 1.0)
        })
    }

    /// Returns the density at `x` in 0..=1, over that at the mode.
    fn density(&self, x: f64) -> f64 {
        let mode = match self.successes + self.failures {
            0.0 => return 1.0,
            trials => self.successes / trials,
        };
        // Small differences from the mode keep all their digits.
        let term = |count: f64, mode: f64, difference: f64| match count {
            0.0 => 0.0,
            _ => count * (difference / mode).ln_1p(),
        };
        let log = term(self.successes, mode, x - mode) + term(self.failures, 1.0 - mode, mode - x);
        log.exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(successes: u64, trials: u64) -> Proportion {
        Proportion::new(successes, trials).unwrap()
    }

    #[test]
    fn the_ends_of_the_scale_are_exact() {
        assert_eq!(of(0, 10).wilson_interval(0.95).low, 0.0);
        assert_eq!(of(10, 10).wilson_interval(0.95).high, 1.0);
        assert_eq!(of(0, 10).z_test(of(0, 5)), None);
        assert_eq!(Proportion::new(0, 0), None);
        assert_eq!(Proportion::new(3, 2), None);
    }

    #[test]
    fn the_chances_of_both_directions_sum_up_to_one() {
        let many = 1_000_000_000;
        for (a, b) in [
            (of(0, 1), of(1, 1)),
            (of(0, 5), of(5, 5)),
            (of(120, 1_000), of(100, 1_000)),
            (of(0, many), of(3, 7)),
            (of(many / 10, many), of(many / 10 + 10_000, many)),
        ] {
            let sum = a.chance_above(b) + b.chance_above(a);
            assert!((sum - 1.0).abs() < 1e-7, "{a:?} {b:?}: {sum}");
        }
        let even = of(many / 10, many).chance_above(of(many / 10, many));
        assert!((even - 0.5).abs() < 1e-8, "{even}");
    }

    #[test]
    fn the_chance_of_small_counts_is_that_of_the_closed_form() {
        // X ~ Beta(2, 1) against a uniform Y: E[X] = 2/3.
        let chance = of(1, 1).chance_above(Proportion {
            successes: 0,
            trials: 0,
        });
        assert!((chance - 2.0 / 3.0).abs() < 1e-9, "{chance}");
    }
}
