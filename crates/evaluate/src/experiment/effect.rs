use pairmill_metrics::{Estimate, Interval, Moments, Proportion, holm};
use serde::{Deserialize, Serialize};

/// A count that is expected to be below this takes the z test its ground.
pub(super) const LEAST_EXPECTED: f64 = 5.0;

/// A test that tells an arm from the control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Two-proportion z test with pooled variance; the interval of the difference is Newcombe's,
    /// that of the ratio Katz's; the chance is that of two beta posteriors under uniform priors.
    TwoProportionZ,
    /// Fisher's exact test, where fewer than five clicks, or impressions without one, are to be
    /// expected in one of the arms; the rest is as for the z test.
    FisherExact,
    /// Welch's t test.
    WelchT,
    /// z test of a ratio of sums over users, with the standard error of the delta method.
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
    /// Arm over control, less 1; `None` unless both are above 0.
    pub relative: Option<f64>,
    /// Where that lies; `None` where nothing varies or the upper end is past all numbers.
    pub relative_interval: Option<Interval>,
    /// z or t; `None` where nothing varies or the test has neither.
    pub statistic: Option<f64>,
    /// The degrees of freedom of t.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degrees: Option<f64>,
    /// How likely a difference as large, of either sign, is where there is none.
    pub p_value: Option<f64>,
    /// The same, corrected by Holm's method for the several arms that are compared with the control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_corrected: Option<f64>,
    /// The chance that the arm is better than the control.
    pub chance_better: Option<f64>,
}

impl Effect {
    pub(super) fn of_proportions(arm: Proportion, control: Proportion, confidence: f64) -> Self {
        let relative = arm.estimate().relative_to(control.estimate(), confidence);
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
            relative: relative.map(|relative| relative.0),
            relative_interval: relative.and_then(|relative| relative.1),
            statistic,
            degrees: None,
            p_value,
            p_corrected: None,
            chance_better: Some(arm.chance_above(control)),
        }
    }

    pub(super) fn of_means(arm: &Moments, control: &Moments, confidence: f64) -> Option<Self> {
        if arm.count() == 0 || control.count() == 0 {
            return None;
        }
        let welch = arm.welch(control);
        let relative = arm
            .estimate()
            .zip(control.estimate())
            .and_then(|(arm, control)| arm.relative_to(control, confidence));
        Some(Self {
            test: Test::WelchT,
            absolute: arm.mean() - control.mean(),
            absolute_interval: welch.and_then(|welch| welch.interval(confidence)),
            relative: relative.map(|relative| relative.0),
            relative_interval: relative.and_then(|relative| relative.1),
            statistic: welch.map(|welch| welch.t()),
            degrees: welch.map(|welch| welch.degrees),
            p_value: welch.and_then(|welch| welch.p_value()),
            p_corrected: None,
            chance_better: welch.and_then(|welch| welch.chance_above_zero()),
        })
    }

    pub(super) fn of_ratios(arm: Estimate, control: Estimate, confidence: f64) -> Self {
        let difference = arm.minus(control);
        let test = difference.z_test();
        let relative = arm.relative_to(control, confidence);
        Self {
            test: Test::DeltaMethodZ,
            absolute: difference.value,
            absolute_interval: test.map(|_| difference.interval(confidence)),
            relative: relative.map(|relative| relative.0),
            relative_interval: relative.and_then(|relative| relative.1),
            statistic: test.map(|test| test.z),
            degrees: None,
            p_value: test.map(|test| test.p_value),
            p_corrected: None,
            chance_better: difference.chance_above_zero(),
        }
    }

    /// The p-value to go by: the corrected one where several arms are compared.
    pub(super) fn p(&self) -> Option<f64> {
        self.p_corrected.or(self.p_value)
    }

    /// What the test says at this confidence.
    pub(super) fn verdict(&self, confidence: f64) -> Verdict {
        match self.p() {
            None => Verdict::Untested,
            Some(p) if p >= 1.0 - confidence => Verdict::Unclear,
            Some(_) if self.absolute > 0.0 => Verdict::Higher,
            Some(_) => Verdict::Lower,
        }
    }
}

/// What a test says of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Higher,
    Lower,
    Unclear,
    /// The test is not defined.
    Untested,
}

/// Corrects the p-values of effects of the same kind, if they are several.
pub(super) fn correct<'a>(effects: impl Iterator<Item = &'a mut Effect>) {
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
    fn what_does_not_vary_is_not_tested() {
        let exact = |value| Estimate {
            value,
            standard_error: 0.0,
        };
        let effect = Effect::of_ratios(exact(1.0), exact(0.5), 0.95);
        assert_eq!(effect.verdict(0.95), Verdict::Untested);
        assert_eq!(effect.absolute_interval, None);
        assert_eq!(
            (effect.relative, effect.relative_interval),
            (Some(1.0), None)
        );
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
