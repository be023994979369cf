use std::io::{self, Write};

use pairmill_metrics::Certainty;
use pairmill_schema::counted;
use serde::Serialize;

/// How large an A/B test has to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What is measured.
    pub measure: Measure,
    /// The difference to be seen, of either sign and not 0.
    pub effect: f64,
    /// The chances to be wrong, in any of the comparisons with the control, and to be right, in
    /// each.
    pub certainty: Certainty,
    /// Arms of equal size, the control among them.
    pub arms: u64,
    /// The variance by user over that of independent impressions, as an earlier test gave it.
    pub design_effect: f64,
    /// Impressions or answers of all arms in a day.
    pub traffic_per_day: Option<f64>,
}

/// What is measured of an arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// Clicks per impression, this many in the control, in 0..1.
    Rate(f64),
    /// A mean of values with this standard deviation.
    Mean(f64),
}

/// A plan's size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanResult {
    /// What is counted: `impressions` or `answers`.
    pub of: String,
    /// The difference to be seen.
    pub effect: f64,
    /// The chance to see a difference where there is none, in any of the comparisons.
    pub alpha: f64,
    /// The arms compared with the control.
    pub comparisons: u64,
    /// The alpha of each comparison: `alpha` over their number (Bonferroni).
    pub alpha_each: f64,
    /// The chance to see the difference.
    pub power: f64,
    /// Arms.
    pub arms: u64,
    /// In each arm.
    pub per_arm: u64,
    /// In all.
    pub total: u64,
    /// Whole days that it takes, where the traffic is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u64>,
}

impl Plan {
    /// Returns the size. `None` if the effect is 0 or carries the rate out of 0..=1.
    ///
    /// Several arms share out alpha among their comparisons with the control (Bonferroni). Holm's
    /// method, which corrects the result of the test, sees a little more, so the size is on the
    /// safe side.
    pub fn result(&self) -> Option<PlanResult> {
        let comparisons = self.arms.saturating_sub(1).max(1);
        let certainty = Certainty {
            alpha: self.certainty.alpha / comparisons as f64,
            ..self.certainty
        };
        let (of, size) = match self.measure {
            Measure::Rate(rate) if (0.0..=1.0).contains(&(rate + self.effect)) => {
                ("impressions", certainty.trials(rate, rate + self.effect)?)
            }
            Measure::Rate(_) => return None,
            Measure::Mean(deviation) => ("answers", certainty.values(self.effect, deviation)?),
        };
        let per_arm = (size * self.design_effect).ceil() as u64;
        let total = per_arm.saturating_mul(self.arms);
        Some(PlanResult {
            of: of.to_owned(),
            effect: self.effect,
            alpha: self.certainty.alpha,
            comparisons,
            alpha_each: certainty.alpha,
            power: self.certainty.power,
            arms: self.arms,
            per_arm,
            total,
            days: self
                .traffic_per_day
                .map(|traffic| (total as f64 / traffic).ceil() as u64),
        })
    }
}

impl PlanResult {
    /// Prints it: lines for people, or one JSON object.
    ///
    /// # Errors
    /// If writing fails.
    pub fn print(&self, out: &mut impl Write, json: bool) -> io::Result<()> {
        if json {
            serde_json::to_writer(&mut *out, self).map_err(io::Error::from)?;
            return writeln!(out);
        }
        writeln!(
            out,
            "{} {} in each of {} arms, {} in all, to see a difference of {} with power {} at alpha \
             {}",
            self.per_arm, self.of, self.arms, self.total, self.effect, self.power, self.alpha
        )?;
        if self.comparisons > 1 {
            writeln!(
                out,
                "alpha is shared out among {} comparisons with the control: {:.4} for each \
                 (Bonferroni)",
                self.comparisons, self.alpha_each
            )?;
        }
        match self.days {
            Some(days) => writeln!(out, "{}", counted(days, "day", "days")),
            None => Ok(()),
        }
    }
}
