use statrs::distribution::{ContinuousCDF, Normal};

use crate::estimate::two_sided_z;

/// How sure a two-sided test of two arms of equal size is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Certainty {
    /// The chance to see a difference where there is none, in 0..1.
    pub alpha: f64,
    /// The chance to see the difference where it is there, in 0..1.
    pub power: f64,
}

impl Certainty {
    /// Trials in each arm for the two-proportion z test to tell the rates apart (Fleiss 1981, as
    /// `power.prop.test` of R and `statsmodels`' `samplesize_proportions_2indep_onetail`). The
    /// rates are in 0..=1. `None` if they are equal.
    pub fn trials(self, control: f64, treatment: f64) -> Option<f64> {
        let (z_alpha, z_power) = self.quantiles();
        let mean = f64::midpoint(control, treatment);
        let null = (2.0 * mean * (1.0 - mean)).sqrt();
        let truth = (control * (1.0 - control) + treatment * (1.0 - treatment)).sqrt();
        let difference = treatment - control;
        (difference != 0.0).then(|| ((z_alpha * null + z_power * truth) / difference).powi(2))
    }

    /// Returns the number of values in each arm for a t test to tell means apart that differ by
    /// `difference`, where the values have the standard deviation `deviation`: the normal
    /// approximation with Guenther's correction (1981), within one of the exact number. `None` if
    /// the difference is 0.
    pub fn values(self, difference: f64, deviation: f64) -> Option<f64> {
        let (z_alpha, z_power) = self.quantiles();
        let effect = difference / deviation;
        (effect != 0.0)
            .then(|| 2.0 * ((z_alpha + z_power) / effect).powi(2) + z_alpha * z_alpha / 4.0)
    }

    /// Returns how many independent items it takes for a paired test to see `difference` again,
    /// where `items` of them gave it with this standard error: the error falls with the root of
    /// their number, and the difference has to be as many errors as the quantiles of alpha and
    /// power add up to. `None` if the difference is 0.
    pub fn items(self, items: usize, difference: f64, standard_error: f64) -> Option<f64> {
        let (z_alpha, z_power) = self.quantiles();
        let errors = (z_alpha + z_power) * standard_error / difference;
        (difference != 0.0).then_some(items as f64 * errors * errors)
    }

    fn quantiles(self) -> (f64, f64) {
        (
            two_sided_z(1.0 - self.alpha),
            Normal::standard().inverse_cdf(self.power),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_effect_needs_more_than_any_sample() {
        let certainty = Certainty {
            alpha: 0.05,
            power: 0.8,
        };
        assert_eq!(certainty.trials(0.1, 0.1), None);
        assert_eq!(certainty.values(0.0, 1.0), None);
        assert_eq!(certainty.items(20, 0.0, 0.1), None);
        assert_eq!(certainty.trials(0.1, 0.12), certainty.trials(0.12, 0.1));
    }

    #[test]
    fn four_times_the_items_see_half_of_the_difference() {
        let certainty = Certainty {
            alpha: 0.05,
            power: 0.8,
        };
        // (1.96 + 0.8416)² of a difference of one error.
        let items = certainty.items(100, 0.1, 0.1).unwrap();
        assert!((items - 784.888).abs() < 0.01, "{items}");
        let half = certainty.items(100, 0.05, 0.1).unwrap();
        assert!((half - 4.0 * items).abs() < 1e-6);
    }
}
