use pairmill_metrics::{
    Estimate, Interval, Moments, Proportion, Ranged, ZTest, holm, two_sided_z, wilson_interval,
};
use serde::{Deserialize, Serialize};

/// A count that is expected to be below this takes the z test its ground.
pub(crate) const LEAST_EXPECTED: f64 = 5.0;

/// A test that tells an arm from the control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Two-proportion z test with pooled variance, which is the score test; the intervals of the
    /// difference and of the ratio are what it does not refuse; the chance is that of two beta
    /// posteriors under uniform priors.
    TwoProportionZ,
    /// Fisher's exact test, where fewer than five clicks, or impressions without one, are to be
    /// expected in one of the arms; the rest is as for the z test.
    FisherExact,
    /// Welch's t test.
    WelchT,
    /// z test of a ratio of sums over users, with the standard error of the delta method; the
    /// interval of the difference is normal, that of the ratio Fieller's.
    DeltaMethodZ,
}

/// By how much, and with which certainty, an arm differs from the control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// What it is tested with.
    pub test: Test,
    /// Arm less control.
    pub absolute: f64,
    /// Where that lies; `None` where nothing varies.
    pub absolute_interval: Option<Interval>,
    /// Arm over control, less 1; `None` unless the control is above 0 and the arm 0 or more.
    pub relative: Option<f64>,
    /// Where that lies, with 0 in it where the absolute interval has 0 in it; `None` where nothing
    /// varies, or the control may be 0.
    pub relative_interval: Option<Interval>,
    /// z or t; `None` where nothing varies or the test has neither.
    pub statistic: Option<f64>,
    /// The degrees of freedom of t.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degrees: Option<f64>,
    /// How likely a difference as large, of either sign, is where there is none.
    pub p_value: Option<f64>,
    /// The same, corrected by Holm's method for the several arms that are compared with the
    /// control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_corrected: Option<f64>,
    /// The chance that the arm is better than the control.
    pub chance_better: Option<f64>,
}

impl Effect {
    pub(crate) fn of_proportions(arm: Proportion, control: Proportion, confidence: f64) -> Self {
        let ratio = arm.ratio_interval(control, confidence);
        let (test, statistic, p_value) = if arm.least_expected(control) < LEAST_EXPECTED {
            (Test::FisherExact, None, Some(arm.fisher_exact(control)))
        } else {
            let z = arm.z_test(control);
            let p_value = z.map(|test| test.p_value);
            (Test::TwoProportionZ, z.map(|test| test.z), p_value)
        };
        Self {
            test,
            absolute: arm.rate() - control.rate(),
            absolute_interval: Some(arm.difference_interval(control, confidence)),
            relative: ratio.map(|_| arm.rate() / control.rate() - 1.0),
            relative_interval: ratio.map(less_one),
            statistic,
            degrees: None,
            p_value,
            p_corrected: None,
            chance_better: Some(arm.chance_above(control)),
        }
    }

    pub(crate) fn of_means(arm: &Moments, control: &Moments, confidence: f64) -> Option<Self> {
        if arm.count() == 0 || control.count() == 0 {
            return None;
        }
        let welch = arm.welch(control);
        // Both means with margins of as many errors as that of their difference.
        let interval = welch.and_then(|welch| welch.interval(confidence));
        let relative = welch.zip(interval).and_then(|(welch, interval)| {
            let errors = (interval.high - welch.difference.value) / welch.difference.standard_error;
            let [ours, theirs] = [arm, control].map(|moments| {
                let estimate = moments.estimate()?;
                Some(ranged(estimate, errors * estimate.standard_error))
            });
            ours?.over(theirs?)
        });
        Some(Self {
            test: Test::WelchT,
            absolute: arm.mean() - control.mean(),
            absolute_interval: interval,
            relative: relative_of(arm.mean(), control.mean()),
            relative_interval: relative.map(less_one),
            statistic: welch.map(|welch| welch.t()),
            degrees: welch.map(|welch| welch.degrees),
            p_value: welch.and_then(|welch| welch.p_value()),
            p_corrected: None,
            chance_better: welch.and_then(|welch| welch.chance_above_zero()),
        })
    }

    /// Of figures by user, each with its interval of this confidence.
    pub(crate) fn of_users(arm: Ranged, control: Ranged, confidence: f64) -> Self {
        let difference = arm.minus(control);
        let test = difference
            .reach()
            .map(|reach| ZTest::of(reach * two_sided_z(confidence)));
        Self {
            test: Test::DeltaMethodZ,
            absolute: difference.value,
            absolute_interval: test.map(|_| difference.interval),
            relative: relative_of(arm.value, control.value),
            relative_interval: arm.over(control).map(less_one),
            statistic: test.map(|test| test.z),
            degrees: None,
            p_value: test.map(|test| test.p_value),
            p_corrected: None,
            chance_better: test.map(ZTest::chance_above_zero),
        }
    }

    /// The p-value to go by: the corrected one where several arms are compared.
    pub(crate) fn p(&self) -> Option<f64> {
        self.p_corrected.or(self.p_value)
    }

    /// What the test says at this confidence, if the interval agrees.
    pub(crate) fn verdict(&self, confidence: f64) -> Verdict {
        match (self.p(), self.absolute_interval) {
            (None, _) | (_, None) => Verdict::Untested,
            (Some(p), _) if p >= 1.0 - confidence => Verdict::Unclear,
            (_, Some(at)) if at.low > 0.0 => Verdict::Higher,
            (_, Some(at)) if at.high < 0.0 => Verdict::Lower,
            _ => Verdict::Unclear,
        }
    }
}

fn ranged(estimate: Estimate, margin: f64) -> Ranged {
    let value = estimate.value;
    Ranged {
        value,
        interval: Interval {
            low: value - margin,
            high: value + margin,
        },
    }
}

/// A ratio of sums over users with its interval: normal, by the delta method. A rate that is the
/// same for all users, such as that of an arm without a click, has Wilson's, each user as one
/// trial; a mean that is has none.
pub(crate) fn by_user(estimate: Estimate, users: usize, is_rate: bool, confidence: f64) -> Ranged {
    match estimate.standard_error == 0.0 && is_rate {
        true => Ranged {
            value: estimate.value,
            interval: wilson_interval(estimate.value, users as f64, confidence),
        },
        false => Ranged {
            value: estimate.value,
            interval: estimate.interval(confidence),
        },
    }
}

fn relative_of(arm: f64, control: f64) -> Option<f64> {
    let relative = arm / control - 1.0;
    (arm >= 0.0 && control > 0.0 && relative.is_finite()).then_some(relative)
}

fn less_one(ratio: Interval) -> Interval {
    Interval {
        low: ratio.low - 1.0,
        high: ratio.high - 1.0,
    }
}

/// What a test says of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Higher,
    Lower,
    Unclear,
    /// The test is not defined.
    Untested,
}

/// Corrects the p-values of effects of the same kind, if they are several.
pub(crate) fn correct<'a>(effects: impl Iterator<Item = &'a mut Effect>) {
    let mut tested: Vec<(&mut Effect, f64)> = effects
        .filter_map(|effect| effect.p_value.map(|p| (effect, p)))
        .collect();
    if tested.len() < 2 {
        return;
    }
    let chances: Vec<f64> = tested.iter().map(|(_, p)| *p).collect();
    for ((effect, _), corrected) in tested.iter_mut().zip(holm(&chances)) {
        effect.p_corrected = Some(corrected);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(arm: (u64, u64), control: (u64, u64)) -> Effect {
        let [arm, control] = [arm, control].map(|(a, n)| Proportion::new(a, n).unwrap());
        Effect::of_proportions(arm, control, 0.95)
    }

    #[test]
    fn the_corrected_p_decides() {
        let mut effects = [
            of((130, 1_000), (100, 1_000)),
            of((160, 1_000), (100, 1_000)),
            of((101, 1_000), (100, 1_000)),
        ];
        assert_eq!(effects[0].verdict(0.95), Verdict::Higher);
        correct(effects.iter_mut());
        // 0.035, times two by Holm's method.
        assert_eq!(effects[0].verdict(0.95), Verdict::Unclear);
        assert_eq!(effects[0].verdict(0.9), Verdict::Higher);
        assert_eq!(effects[1].verdict(0.95), Verdict::Higher);
        assert_eq!(of((60, 1_000), (100, 1_000)).verdict(0.95), Verdict::Lower);
    }

    #[test]
    fn a_mean_that_does_not_vary_is_not_tested() {
        let exact = |value| {
            let estimate = Estimate {
                value,
                standard_error: 0.0,
            };
            by_user(estimate, 10, false, 0.95)
        };
        let effect = Effect::of_users(exact(1.0), exact(0.5), 0.95);
        assert_eq!(effect.verdict(0.95), Verdict::Untested);
        assert_eq!(effect.absolute_interval, None);
        assert_eq!(
            (effect.relative, effect.relative_interval),
            (Some(1.0), None)
        );
    }

    #[test]
    fn an_arm_without_a_click_has_a_width_by_user_too() {
        let rate = |value, standard_error| {
            let estimate = Estimate {
                value,
                standard_error,
            };
            by_user(estimate, 40, true, 0.95)
        };
        let none = rate(0.0, 0.0);
        assert!(none.interval.low == 0.0 && none.interval.high > 0.05);
        let effect = Effect::of_users(none, rate(0.06, 0.02), 0.95);
        let at = effect.absolute_interval.unwrap();
        // The control alone would put it from -0.099 to -0.021.
        assert!(at.high > 0.0 && at.low < -0.06, "{at:?}");
        assert!(effect.p_value.unwrap() > 0.05);
        assert_eq!(effect.relative, Some(-1.0));
        let relative = effect.relative_interval.unwrap();
        assert!(relative.low == -1.0 && relative.high > 0.0, "{relative:?}");
        let alike = Effect::of_users(none, none, 0.95);
        assert_eq!(alike.p_value, Some(1.0));
        assert!(alike.absolute_interval.unwrap().high > 0.05);
    }

    #[test]
    fn the_intervals_of_one_test_agree_on_whether_there_is_a_difference() {
        let wide = |value, standard_error| Estimate {
            value,
            standard_error,
        };
        for step in 0..200 {
            let arm = by_user(wide(0.02 + f64::from(step) * 0.005, 0.19), 200, true, 0.95);
            let control = by_user(wide(0.098, 0.008), 200, true, 0.95);
            let effect = Effect::of_users(arm, control, 0.95);
            let covers = |at: Interval| at.low <= 0.0 && at.high >= 0.0;
            let absolute = covers(effect.absolute_interval.unwrap());
            if let Some(relative) = effect.relative_interval {
                assert_eq!(covers(relative), absolute, "{effect:?}");
            }
            assert_eq!(effect.p_value.unwrap() > 0.05, absolute);
        }
    }

    #[test]
    fn few_counts_are_tested_exactly() {
        // Of 25 in 200, five to twenty are to be expected.
        assert_eq!(of((5, 40), (20, 160)).test, Test::TwoProportionZ);
        let few = of((9, 39), (16, 161));
        assert_eq!((few.test, few.statistic), (Test::FisherExact, None));
        // All but a few are few as well.
        assert_eq!(of((30, 39), (145, 161)).test, Test::FisherExact);
        assert_eq!(of((0, 9), (0, 9)).p_value, Some(1.0));
    }
}
