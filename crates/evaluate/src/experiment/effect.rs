use pairmill_metrics::{Estimate, Interval, Moments, Proportion, holm};
use serde::{Deserialize, Serialize};

/// A test that tells an arm from the control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Two-proportion z test with pooled variance; the interval of the difference is Newcombe's,
    /// that of the ratio Katz's; the chance is that of two beta posteriors under uniform priors.
    TwoProportionZ,
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
    /// Where that lies.
    pub absolute_interval: Option<Interval>,
    /// Arm over control, less 1; `None` unless both are above 0.
    pub relative: Option<f64>,
    /// Where that lies.
    pub relative_interval: Option<Interval>,
    /// z or t; `None` where nothing varies.
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
        let test = arm.z_test(control);
        let relative = arm.estimate().relative_to(control.estimate(), confidence);
        Self {
            test: Test::TwoProportionZ,
            absolute: arm.rate() - control.rate(),
            absolute_interval: Some(arm.difference_interval(control, confidence)),
            relative: relative.map(|relative| relative.0),
            relative_interval: relative.map(|relative| relative.1),
            statistic: test.map(|test| test.z),
            degrees: None,
            p_value: test.map(|test| test.p_value),
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
            relative_interval: relative.map(|relative| relative.1),
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
            absolute_interval: Some(difference.interval(confidence)),
            relative: relative.map(|relative| relative.0),
            relative_interval: relative.map(|relative| relative.1),
            statistic: test.map(|test| test.z),
            degrees: None,
            p_value: test.map(|test| test.p_value),
            p_corrected: None,
            chance_better: difference.chance_above_zero(),
        }
    }
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
