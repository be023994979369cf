use statrs::distribution::{Continuous, ContinuousCDF, StudentsT};

use crate::bootstrap::Interval;
use crate::estimate::{Estimate, two_sided_z};

/// Count, mean and spread of values, taken in one at a time (Welford 1962) or many at once (Chan et
/// al. 1979).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    count: f64,
    mean: f64,
    /// Squared deviations from the mean.
    squares: f64,
}

impl Moments {
    /// Takes `count` values of this mean and sample standard deviation (divisor `count - 1`).
    pub fn of(count: u64, mean: f64, deviation: f64) -> Self {
        let count = count as f64;
        Self {
            count,
            mean: if count == 0.0 { 0.0 } else { mean },
            squares: deviation * deviation * (count - 1.0).max(0.0),
        }
    }

    /// Takes in one value.
    pub fn push(&mut self, value: f64) {
        self.merge(&Self::of(1, value, 0.0));
    }

    /// Takes in other values.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0.0 {
            return;
        }
        let count = self.count + other.count;
        let gap = other.mean - self.mean;
        self.mean += gap * other.count / count;
        self.squares += other.squares + gap * gap * self.count * other.count / count;
        self.count = count;
    }

    /// Returns how many values.
    pub fn count(&self) -> u64 {
        self.count as u64
    }

    /// Returns their mean, 0 without values.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Returns their sample variance (divisor count - 1). `None` of fewer than two.
    pub fn variance(&self) -> Option<f64> {
        (self.count >= 2.0).then(|| self.squares / (self.count - 1.0))
    }

    /// Returns the mean with its standard error. `None` of fewer than two values.
    pub fn estimate(&self) -> Option<Estimate> {
        Some(Estimate {
            value: self.mean,
            standard_error: (self.variance()? / self.count).sqrt(),
        })
    }

    /// Returns the interval of the mean by Student's t. As
    /// `scipy.stats.ttest_1samp(…).confidence_interval()`. `None` of fewer than two values.
    pub fn interval(&self, confidence: f64) -> Option<Interval> {
        let estimate = self.estimate()?;
        Some(estimate.within(two_sided_t(confidence, self.count - 1.0)?))
    }

    /// Returns Welch's t test of `self` against `control`, which need not vary alike. As
    /// `scipy.stats.ttest_ind(self, control, equal_var=False)`. `None` if one of them has fewer
    /// than two values or neither varies.
    pub fn welch(&self, control: &Self) -> Option<Welch> {
        let (ours, theirs) = (self.estimate()?, control.estimate()?);
        let difference = ours.minus(theirs);
        if difference.standard_error == 0.0 {
            return None;
        }
        let part = |estimate: Estimate, count: f64| {
            (estimate.standard_error / difference.standard_error).powi(4) / (count - 1.0)
        };
        Some(Welch {
            difference,
            degrees: 1.0 / (part(ours, self.count) + part(theirs, control.count)),
        })
    }
}

/// Welch's t test of the difference of two means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Welch {
    /// The difference.
    pub difference: Estimate,
    /// Degrees of freedom (Welch and Satterthwaite), at least 1.
    pub degrees: f64,
}

impl Welch {
    /// Returns the difference in standard errors.
    pub fn t(&self) -> f64 {
        self.difference.value / self.difference.standard_error
    }

    /// Returns how likely a difference as large, of either sign, is where there is none; in 0..=1.
    pub fn p_value(&self) -> Option<f64> {
        Some(2.0 * students_t(self.degrees)?.sf(self.t().abs()))
    }

    /// Returns the interval of the difference.
    pub fn interval(&self, confidence: f64) -> Option<Interval> {
        Some(
            self.difference
                .within(two_sided_t(confidence, self.degrees)?),
        )
    }

    /// Returns the chance that the true difference is above 0: under Jeffreys' prior of mean and
    /// variance it has the distribution of Behrens and Fisher, which Welch's t comes close to.
    pub fn chance_above_zero(&self) -> Option<f64> {
        Some(students_t(self.degrees)?.cdf(self.t()))
    }
}

fn students_t(degrees: f64) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, degrees).ok()
}

/// Returns the quantile that leaves out half of `1 - confidence` on either side.
///
/// Not `inverse_cdf`, which does not end for tens of millions of degrees of freedom. Beyond 0 the
/// survival function is convex and falling, so Newton's steps from the normal quantile, which lies
/// left of the one looked for, only come nearer.
fn two_sided_t(confidence: f64, degrees: f64) -> Option<f64> {
    const STEPS: usize = 100;
    let t = students_t(degrees)?;
    let tail = (1.0 - confidence) / 2.0;
    let mut quantile = two_sided_z(confidence);
    for _ in 0..STEPS {
        let step = (t.sf(quantile) - tail) / t.pdf(quantile);
        quantile += step;
        if step.abs() <= 1e-12 * quantile {
            break;
        }
    }
    Some(quantile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_parts_are_those_of_the_whole() {
        let values = [3.0, 4.5, 1.0, 5.0, 2.0, 2.0];
        let mut whole = Moments::default();
        values.iter().for_each(|&value| whole.push(value));
        let part = |values: &[f64]| {
            let mut part = Moments::default();
            values.iter().for_each(|&value| part.push(value));
            part
        };
        let (left, right) = (part(&values[..4]), part(&values[4..]));
        let mut joined = Moments::of(4, left.mean(), left.variance().unwrap().sqrt());
        joined.merge(&right);
        joined.merge(&Moments::default());
        assert_eq!(joined.count(), 6);
        assert!((joined.mean() - 17.5 / 6.0).abs() < 1e-15);
        let (expected, found) = (whole.variance().unwrap(), joined.variance().unwrap());
        assert!(
            (expected - found).abs() < 1e-14,
            "{found} is not {expected}"
        );
    }

    #[test]
    fn what_does_not_vary_has_no_test() {
        let constant = Moments::of(5, 2.0, 0.0);
        assert_eq!(constant.welch(&constant), None);
        assert_eq!(Moments::of(1, 2.0, 0.0).interval(0.95), None);
        assert_eq!(
            constant.interval(0.95),
            Some(Interval {
                low: 2.0,
                high: 2.0
            })
        );
    }
}
