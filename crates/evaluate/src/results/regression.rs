use std::str::FromStr;

use pairmill_metrics::higher_is_better;

use crate::results::evaluation::Evaluation;

/// How far a metric of the model may lie below that of the baseline; `METRIC[:BY]` as text.
#[derive(Debug, Clone, PartialEq)]
pub struct Regression {
    /// The metric, such as `ndcg@10`. Higher is better.
    pub metric: String,
    /// The loss that is still accepted.
    pub by: f64,
}

impl Regression {
    /// Whether it can be held against these figures: they have the metric, and a fall in it is a
    /// loss.
    pub fn applies_to(&self, evaluation: &Evaluation) -> bool {
        higher_is_better(&self.metric) && evaluation.model.get(&self.metric).is_some()
    }

    /// Returns what to say if the model falls short, or has no figure that could; `None` if it does
    /// not.
    pub fn missed_by(&self, evaluation: &Evaluation) -> Option<String> {
        let baseline = evaluation.baseline.as_ref()?.get(&self.metric)?;
        let model = evaluation.model.get(&self.metric)?;
        // 0.8 less 0.1 is a little more than 0.7 in binary.
        let held = model >= baseline - self.by - 1e-12;
        (!held).then(|| {
            format!(
                "{} fell from {baseline:.4} to {model:.4}, by {:.4}; at most {} is allowed",
                self.metric,
                baseline - model,
                self.by
            )
        })
    }
}

impl FromStr for Regression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (metric, by) = text.split_once(':').unwrap_or((text, "0"));
        let by: f64 = by
            .parse()
            .ok()
            .filter(|by: &f64| by.is_finite() && *by >= 0.0)
            .ok_or_else(|| {
                format!(
                    "`{by}` is not a number of 0 or more; expected METRIC or \
                METRIC:BY, such as ndcg@10:0.01"
                )
            })?;
        Ok(Self {
            metric: metric.to_owned(),
            by,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paired::Paired;

    fn missed(threshold: &str, baseline: f64, model: f64) -> bool {
        let scores = Paired {
            model: [("f1", model)].into_iter().collect(),
            baseline: Some([("f1", baseline)].into_iter().collect()),
        };
        let evaluation = Evaluation::new("pairs", scores, []);
        threshold
            .parse::<Regression>()
            .unwrap()
            .missed_by(&evaluation)
            .is_some()
    }

    #[test]
    fn a_loss_within_the_allowance_is_accepted() {
        assert!(missed("f1", 0.5, 0.49));
        assert!(!missed("f1", 0.5, 0.5));
        assert!(!missed("f1:0.125", 0.5, 0.375));
        assert!(!missed("f1:0.1", 0.8, 0.7));
        assert!(missed("f1:0.125", 0.5, 0.374));
        assert!(missed("f1", 0.5, f64::NAN), "what is undefined is not held");
    }

    #[test]
    fn the_allowance_is_a_number_of_zero_or_more() {
        for wrong in ["f1:", "f1:x", "f1:-1", "f1:inf", "f1:NaN"] {
            assert!(wrong.parse::<Regression>().is_err(), "{wrong}");
        }
    }
}
