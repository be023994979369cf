use crate::bootstrap::Interval;
use crate::estimate::two_sided_z;
use crate::proportions::Proportion;

/// Halvings of a stretch, after which its ends are one number but for rounding.
const HALVINGS: usize = 200;

/// Both intervals are made of the values that the score test does not refuse, so they agree with
/// each other and with [`Proportion::z_test`] on whether both rates may be the same; and they have
/// a width where all trials or none succeeded.
impl Proportion {
    /// Returns the interval of `self - control`, in -1..=1 (Mee 1984; Miettinen and Nurminen 1985
    /// without their factor for small samples).
    pub fn difference_interval(self, control: Self, confidence: f64) -> Interval {
        let limit = two_sided_z(confidence);
        let found = self.rate() - control.rate();
        let score = |difference| self.score_of_difference(control, difference);
        Interval {
            low: crossing(-1.0, found, |at| score(at) > limit),
            high: crossing(found, 1.0, |at| score(at) >= -limit),
        }
    }

    /// Returns the interval of `self / control`, 0 or more (Koopman 1984): what
    /// `statsmodels.stats.proportion.score_test_proportions_2indep(compare="ratio",
    /// correction=False)` does not refuse. `None` if no trial of the control succeeded, so that the
    /// ratio has no bound.
    pub fn ratio_interval(self, control: Self, confidence: f64) -> Option<Interval> {
        if control.successes == 0 {
            return None;
        }
        let limit = two_sided_z(confidence);
        let found = self.rate() / control.rate();
        let score = |ratio| self.score_of_ratio(control, ratio);
        let mut most = found.max(1.0);
        while score(most) >= -limit {
            most *= 2.0;
        }
        Some(Interval {
            low: match self.successes {
                0 => 0.0,
                _ => crossing(0.0, found, |at| score(at) > limit),
            },
            high: crossing(found, most, |at| score(at) >= -limit),
        })
    }

    /// Returns, in standard errors, by how much the rates differ beyond `difference`, at the
    /// likeliest rates that differ by it.
    fn score_of_difference(self, control: Self, difference: f64) -> f64 {
        let least = (-difference).max(0.0);
        let most = (1.0 - difference).min(1.0);
        let slope =
            |at: f64| self.log_likelihood_slope(at + difference) + control.log_likelihood_slope(at);
        let theirs = crossing(least, most, |at| slope(at) > 0.0);
        let ours = (theirs + difference).clamp(0.0, 1.0);
        let beyond = self.rate() - control.rate() - difference;
        over_error(beyond, self.variance(ours) + control.variance(theirs))
    }

    /// Does the same for a ratio.
    fn score_of_ratio(self, control: Self, ratio: f64) -> f64 {
        let [n, m] = [self.trials as f64, control.trials as f64];
        let [a, b] = [self.successes as f64, control.successes as f64];
        // The likeliest rate of the control solves a quadratic equation, of which this is the
        // smaller root.
        let middle = n * ratio + a + m + b * ratio;
        let root = (middle * middle - 4.0 * (n + m) * ratio * (a + b)).max(0.0);
        let theirs = (2.0 * (a + b) / (middle + root.sqrt())).clamp(0.0, 1.0);
        let ours = (ratio * theirs).clamp(0.0, 1.0);
        let beyond = self.rate() - ratio * control.rate();
        let variance = self.variance(ours) + ratio * ratio * control.variance(theirs);
        over_error(beyond, variance)
    }

    fn variance(self, rate: f64) -> f64 {
        rate * (1.0 - rate) / self.trials as f64
    }

    fn log_likelihood_slope(self, rate: f64) -> f64 {
        let part = |count: u64, rate: f64| match count {
            0 => 0.0,
            _ => count as f64 / rate,
        };
        part(self.successes, rate) - part(self.trials - self.successes, 1.0 - rate)
    }
}

fn over_error(beyond: f64, variance: f64) -> f64 {
    match variance > 0.0 {
        true => beyond / variance.sqrt(),
        // Without an error, what is not right is as wrong as can be.
        false if beyond == 0.0 => 0.0,
        false => beyond.signum() * f64::INFINITY,
    }
}

/// Finds where, from `low` to `high`, what holds at first holds no more.
fn crossing(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        match holds(middle) {
            true => low = middle,
            false => high = middle,
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(successes: u64, trials: u64) -> Proportion {
        Proportion::new(successes, trials).unwrap()
    }

    proptest! {
        #[test]
        fn both_intervals_and_the_test_agree_on_whether_there_is_a_difference(
            successes in [60u64..200, 60u64..200],
            trials in [900u64..1_200, 900u64..1_200],
        ) {
            let [arm, control] = [0, 1].map(|arm| of(successes[arm], trials[arm]));
            let difference = arm.difference_interval(control, 0.95);
            let ratio = arm.ratio_interval(control, 0.95).unwrap();
            let is_clear = arm.z_test(control).unwrap().p_value < 0.05;
            prop_assert_eq!(difference.low > 0.0 || difference.high < 0.0, is_clear);
            prop_assert_eq!(ratio.low > 1.0 || ratio.high < 1.0, is_clear);
        }
    }

    #[test]
    fn no_success_at_all_leaves_a_width() {
        let difference = of(0, 12).difference_interval(of(0, 15), 0.95);
        // z² / (n + z²) of either arm.
        let z = 1.959_963_984_540_054f64.powi(2);
        assert!(
            (difference.low + z / (15.0 + z)).abs() < 1e-9,
            "{difference:?}"
        );
        assert!(
            (difference.high - z / (12.0 + z)).abs() < 1e-9,
            "{difference:?}"
        );
        let ratio = of(0, 20).ratio_interval(of(4, 25), 0.95).unwrap();
        assert!(ratio.low == 0.0 && ratio.high > 1.0, "{ratio:?}");
        assert_eq!(of(4, 25).ratio_interval(of(0, 20), 0.95), None);
    }
}
