//! Whether thresholds are on the scale of the model's scores.

use pairmill_inference::Activation;
use tracing::warn;

use crate::{Config, Format};

/// What the scores of a run are, seen that its thresholds are on this scale.
#[derive(Debug, PartialEq)]
struct Scale {
    activation: Activation,
    warning: Option<String>,
}

/// Returns what turns logits into scores in this run, given what the model says: a model without an
/// activation of its own gives logits, which no threshold from 0 to 1 is meant for. Says so where
/// that matters.
pub(crate) fn activation(config: &Config, of_model: Activation) -> Activation {
    let scale = scale(
        &thresholds(config),
        &margins(config),
        of_model,
        config.model.activation.is_some(),
    );
    if let Some(warning) = scale.warning {
        warn!("{warning}");
    }
    scale.activation
}

/// Returns the scores that candidates are held against, with their options.
fn thresholds(config: &Config) -> Vec<(&'static str, f64)> {
    let rules = &config.rules;
    let is_labeled = config
        .outputs()
        .any(|output| output.format == Format::TEACHER_PAIR);
    let promotion = rules.promotion.as_ref().map(|promotion| promotion.above);
    let all = [
        ("--promote-above", promotion),
        ("--min-positive-score", rules.min_positive_score),
        ("--max-score", rules.max_score),
        ("--min-score", rules.min_score),
        (
            "--label-threshold",
            is_labeled.then_some(config.label_threshold),
        ),
    ];
    all.into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// Returns the differences of scores, with their options.
fn margins(config: &Config) -> Vec<(&'static str, f64)> {
    let rules = &config.rules;
    let promotion = rules.promotion.as_ref().map(|promotion| promotion.margin);
    let all = [
        ("--absolute-margin", rules.absolute_margin),
        (
            "--promote-margin",
            promotion.filter(|margin| *margin != 0.0),
        ),
    ];
    all.into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

fn scale(
    thresholds: &[(&str, f64)],
    margins: &[(&str, f64)],
    of_model: Activation,
    is_chosen: bool,
) -> Scale {
    let is_share = |value: f64| (0.0..=1.0).contains(&value);
    let listed = |options: &[(&str, f64)]| {
        let options = options
            .iter()
            .map(|(name, value)| format!("{name} {value}"));
        options.collect::<Vec<_>>().join(", ")
    };
    let outside: Vec<(&str, f64)> = thresholds
        .iter()
        .filter(|(_, value)| !is_share(*value))
        .copied()
        .collect();
    let (activation, warning) = match of_model {
        Activation::Sigmoid if outside.is_empty() => (of_model, None),
        Activation::Sigmoid => {
            let warning = format!(
                "the scores are from 0 to 1, and {} lies outside, so that all candidates or none meet it; say --activation identity to have logits",
                listed(&outside)
            );
            (of_model, Some(warning))
        }
        Activation::Identity if is_chosen => (of_model, None),
        Activation::Identity if !thresholds.is_empty() && outside.is_empty() => {
            let warning = format!(
                "config.json of the model says Identity, so its scores are logits, and {} is on a scale from 0 to 1: the scores of this run go through a sigmoid, those that are written too; say --activation identity to have logits and thresholds on their scale",
                listed(thresholds)
            );
            (Activation::Sigmoid, Some(warning))
        }
        Activation::Identity => {
            let all = [thresholds, margins].concat();
            let warning = (!all.is_empty()).then(|| {
                format!(
                    "config.json of the model says Identity, so its scores are logits, and {} is on their scale; say --activation sigmoid to have scores from 0 to 1, or --activation identity if this is meant",
                    listed(&all)
                )
            });
            (of_model, warning)
        }
    };
    Scale {
        activation,
        warning,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(
        thresholds: &[(&str, f64)],
        of_model: Activation,
        is_chosen: bool,
    ) -> (Activation, String) {
        let scale = scale(thresholds, &[], of_model, is_chosen);
        (scale.activation, scale.warning.unwrap_or_default())
    }

    #[test]
    fn logits_meet_no_threshold_from_0_to_1() {
        let shares = [("--promote-above", 0.8), ("--label-threshold", 0.8)];
        let (activation, warning) = found(&shares, Activation::Identity, false);
        assert_eq!(activation, Activation::Sigmoid);
        assert!(
            warning
                .contains("--promote-above 0.8, --label-threshold 0.8 is on a scale from 0 to 1")
        );
        let chosen = found(&shares, Activation::Identity, true);
        assert_eq!(chosen, (Activation::Identity, String::new()));
        let mixed = [("--promote-above", 3.5), ("--label-threshold", 0.8)];
        let (activation, warning) = found(&mixed, Activation::Identity, false);
        assert_eq!(activation, Activation::Identity);
        assert!(
            warning.contains("--label-threshold 0.8 is on their scale"),
            "{warning}"
        );
        let none = found(&[], Activation::Identity, false);
        assert_eq!(none, (Activation::Identity, String::new()));
        let margin = scale(
            &[],
            &[("--absolute-margin", 0.2)],
            Activation::Identity,
            false,
        );
        assert!(margin.warning.unwrap().contains("--absolute-margin 0.2"));
    }

    #[test]
    fn a_threshold_that_no_score_reaches_is_told() {
        let (activation, warning) = found(&[("--max-score", 4.0)], Activation::Sigmoid, false);
        assert_eq!(activation, Activation::Sigmoid);
        assert!(warning.contains("--max-score 4 lies outside"), "{warning}");
        assert!(
            found(&[("--max-score", 0.9)], Activation::Sigmoid, false)
                .1
                .is_empty()
        );
    }
}
