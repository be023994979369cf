use statrs::distribution::{ContinuousCDF, Normal};

use crate::bootstrap::Interval;

/// A figure and how far it is likely to be from the truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// The standard deviation of its sampling distribution, 0 or more.
    pub standard_error: f64,
}

impl Estimate {
    /// Returns the interval that holds the truth with this confidence (in 0..1), by the normal
    /// distribution.
    pub fn interval(self, confidence: f64) -> Interval {
        self.within(two_sided_z(confidence))
    }

    /// Returns so many standard errors to either side.
    pub(crate) fn within(self, errors: f64) -> Interval {
        let margin = errors * self.standard_error;
        Interval {
            low: self.value - margin,
            high: self.value + margin,
        }
    }

    /// Returns what `self` is above `control`, where both come from units of their own.
    pub fn minus(self, control: Self) -> Self {
        Self {
            value: self.value - control.value,
            standard_error: self.standard_error.hypot(control.standard_error),
        }
    }

    /// Returns how many standard errors it lies from 0, with the two-sided p-value of the normal
    /// distribution. `None` if the standard error is 0.
    pub fn z_test(self) -> Option<ZTest> {
        (self.standard_error > 0.0).then(|| ZTest::of(self.value / self.standard_error))
    }
}

/// A test whose statistic is normally distributed where there is no difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZTest {
    /// The difference in standard errors.
    pub z: f64,
    /// How likely one as large, of either sign, is where there is none; in 0..=1.
    pub p_value: f64,
}

impl ZTest {
    /// Tests a difference in standard errors.
    pub fn of(z: f64) -> Self {
        Self {
            z,
            p_value: 2.0 * Normal::standard().sf(z.abs()),
        }
    }

    /// Returns the chance that the truth is above 0, under a flat prior.
    pub fn chance_above_zero(self) -> f64 {
        Normal::standard().cdf(self.z)
    }
}

/// Returns the sum of the numerators over the sum of the denominators, such as clicks per
/// impression, over units that are independent of each other, such as users; what belongs to one
/// unit need not be.
///
/// The standard error is that of the delta method (Deng, Knoblich, Lu: *Applying the Delta Method
/// in Metric Analytics*, 2018): with residuals e = numerator - ratio · denominator of the k units,
/// its square is k / (k - 1) · Σ e² / (Σ denominator)². That is the cluster-robust error of least
/// squares on an intercept.
///
/// `None` with fewer than two units, or if the denominators sum up to 0.
pub fn ratio_of_sums(units: &[(f64, f64)]) -> Option<Estimate> {
    let numerator: f64 = units.iter().map(|unit| unit.0).sum();
    let denominator: f64 = units.iter().map(|unit| unit.1).sum();
    if units.len() < 2 || denominator == 0.0 {
        return None;
    }
    let value = numerator / denominator;
    let squares: f64 = units
        .iter()
        .map(|(numerator, denominator)| (numerator - value * denominator).powi(2))
        .sum();
    let count = units.len() as f64;
    Some(Estimate {
        value,
        standard_error: (squares * count / (count - 1.0)).sqrt() / denominator,
    })
}

/// Returns the standard normal quantile that leaves out half of `1 - confidence` on either side.
pub fn two_sided_z(confidence: f64) -> f64 {
    Normal::standard().inverse_cdf(0.5 + confidence / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_over_units_of_one_is_a_mean() {
        let units: Vec<_> = [1.0, 0.0, 1.0, 1.0, 0.0].map(|click| (click, 1.0)).to_vec();
        let ratio = ratio_of_sums(&units).unwrap();
        assert!((ratio.value - 0.6).abs() < 1e-15);
        // Sample variance 0.3 over five units.
        assert!((ratio.standard_error - (0.3f64 / 5.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn what_cannot_be_known_is_not_given() {
        assert_eq!(ratio_of_sums(&[(1.0, 2.0)]), None);
        assert_eq!(ratio_of_sums(&[(0.0, 0.0), (0.0, 0.0)]), None);
        let exact = |value| Estimate {
            value,
            standard_error: 0.0,
        };
        assert_eq!(exact(0.1).z_test(), None);
    }
}
