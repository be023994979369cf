use std::collections::BTreeMap;
use std::io::{self, Write};

use pairmill_metrics::{Estimate, Interval, Proportion, Ranged, ratio_of_sums};
use serde::{Deserialize, Serialize};

use crate::effect::{Effect, by_user, correct};
use crate::log::{ArmLog, Log, User};
use crate::sample_ratio::SampleRatio;
use crate::warnings::{rests_on, warnings};

/// What an A/B test found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AbTestResult {
    /// The arm that the others are compared with.
    pub control: String,
    /// Share of the intervals that hold the truth.
    pub confidence: f64,
    /// Rows of the log.
    pub rows: u64,
    /// The control first, then by name.
    pub arms: Vec<ArmFigures>,
    /// Every other arm against the control.
    pub lifts: Vec<Lift>,
    /// Whether the traffic was split as planned.
    pub sample_ratio: SampleRatio,
    /// Users that were seen in more than one arm, where the log has users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users_in_several_arms: Option<u64>,
    /// Clicks of the log that do not count, because their impression was clicked before.
    #[serde(default)]
    pub clicks_not_counted: u64,
    /// What the answers rest on, in a sentence.
    #[serde(default)]
    pub rests_on: String,
    /// What speaks against believing the figures.
    pub warnings: Vec<String>,
    /// Whether the figures are those of an earlier run.
    #[serde(skip)]
    pub up_to_date: bool,
}

/// The figures of an arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmFigures {
    /// Its name.
    pub arm: String,
    /// Users, where the log has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<u64>,
    /// Impressions or queries.
    pub impressions: u64,
    /// Clicks, where the log has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clicks: Option<u64>,
    /// Clicks per impression, with Wilson's interval, and by user that of the delta method; where
    /// all users have the same rate, such as none, Wilson's over users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub click_through: Option<Figure>,
    /// Answers about satisfaction, where the log has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<u64>,
    /// The mean of the answers, with the interval of Student's t.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub satisfaction: Option<Figure>,
}

/// A figure with its intervals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The figure.
    pub value: f64,
    /// Where it lies, if every impression or answer is independent of the others; `None` where
    /// there are too few to tell.
    pub interval: Option<Interval>,
    /// Where it lies, if only users are independent of each other (delta method), where the log has
    /// users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_user: Option<Interval>,
    /// The variance by user over that of independent impressions or answers: so many times the
    /// sample is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub design_effect: Option<f64>,
}

/// An arm against the control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lift {
    /// The arm.
    pub arm: String,
    /// In clicks per impression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub click_through: Option<Effects>,
    /// In mean satisfaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub satisfaction: Option<Effects>,
}

/// A lift, tested in two ways. Clicks and answers of one user are alike, so where there are users,
/// `by_user` is the one to believe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effects {
    /// As if every impression or answer were independent of the others.
    pub independent: Option<Effect>,
    /// With only users independent of each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_user: Option<Effect>,
}

impl Lift {
    /// Whether there is nothing to tell the arm from the control by.
    pub(crate) fn is_empty(&self) -> bool {
        let measures = [&self.click_through, &self.satisfaction];
        let mut effects = measures.into_iter().flatten();
        effects.all(|effects| effects.independent.is_none() && effects.by_user.is_none())
    }
}

impl AbTestResult {
    /// Compares every arm of a log with the control, which it has. `shares` are the planned ones of
    /// all arms.
    pub(crate) fn of(
        log: &Log,
        control: &str,
        shares: &BTreeMap<String, f64>,
        confidence: f64,
    ) -> Self {
        let measured: BTreeMap<&str, Measured<'_>> = log
            .arms
            .iter()
            .map(|(name, arm)| (name.as_str(), Measured::of(arm, confidence)))
            .collect();
        let (control_first, others): (Vec<_>, Vec<_>) =
            measured.iter().partition(|(name, _)| **name == control);
        let base = control_first.first().map(|(_, base)| *base);
        let figures = control_first.iter().chain(&others);
        let arms = figures
            .map(|(name, arm)| arm.figures(name, confidence))
            .collect();
        let mut lifts: Vec<Lift> = others
            .iter()
            .filter_map(|(name, arm)| Some(arm.lift(name, base?, confidence)))
            .collect();
        for part in [Part::Independent, Part::ByUser] {
            correct(
                lifts
                    .iter_mut()
                    .filter_map(|lift| part.of(lift.click_through.as_mut()?)),
            );
            correct(
                lifts
                    .iter_mut()
                    .filter_map(|lift| part.of(lift.satisfaction.as_mut()?)),
            );
        }
        let sample_ratio = SampleRatio::of(log, shares);
        Self {
            control: control.to_owned(),
            confidence,
            rows: log.rows,
            arms,
            lifts,
            clicks_not_counted: log.repeats.clicks,
            rests_on: rests_on(log),
            warnings: warnings(log, control, &sample_ratio, confidence),
            sample_ratio,
            users_in_several_arms: log.users_in_several_arms,
            up_to_date: false,
        }
    }

    /// Prints the result: tables for people, or one JSON object.
    ///
    /// # Errors
    /// If writing fails.
    pub fn print(&self, out: &mut impl Write, json: bool) -> io::Result<()> {
        if !json {
            return out.write_all(self.text().as_bytes());
        }
        #[derive(Serialize)]
        struct Line<'a> {
            up_to_date: bool,
            #[serde(flatten)]
            result: &'a AbTestResult,
        }
        let line = Line {
            up_to_date: self.up_to_date,
            result: self,
        };
        serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)?;
        writeln!(out)
    }
}

#[derive(Clone, Copy)]
enum Part {
    Independent,
    ByUser,
}

impl Part {
    fn of(self, effects: &mut Effects) -> Option<&mut Effect> {
        match self {
            Self::Independent => effects.independent.as_mut(),
            Self::ByUser => effects.by_user.as_mut(),
        }
    }
}

/// What is estimated of an arm.
struct Measured<'a> {
    log: &'a ArmLog,
    click_through: Option<Proportion>,
    click_through_by_user: Option<ByUser>,
    satisfaction_by_user: Option<ByUser>,
}

/// A figure by user.
#[derive(Clone, Copy)]
struct ByUser {
    estimate: Estimate,
    ranged: Ranged,
}

impl<'a> Measured<'a> {
    fn of(log: &'a ArmLog, confidence: f64) -> Self {
        let of_users = |is_rate: bool, parts: fn(&User) -> (f64, f64)| {
            let users = log.users.as_ref()?.iter().map(parts);
            // Who was shown nothing, or said nothing, is no part of the sample.
            let users: Vec<_> = users.filter(|(_, count)| *count > 0.0).collect();
            let estimate = ratio_of_sums(&users)?;
            Some(ByUser {
                estimate,
                ranged: by_user(estimate, users.len(), is_rate, confidence),
            })
        };
        let click_through = log
            .clicks
            .and_then(|clicks| Proportion::new(clicks, log.impressions));
        Self {
            log,
            click_through,
            click_through_by_user: click_through
                .and_then(|_| of_users(true, |user| (user.clicks, user.impressions))),
            satisfaction_by_user: log
                .satisfaction
                .and_then(|_| of_users(false, |user| (user.satisfaction, user.answers))),
        }
    }

    fn figures(&self, name: &str, confidence: f64) -> ArmFigures {
        let design_effect = |by_user: Option<ByUser>, independent: Option<Estimate>| {
            let ratio = by_user?.estimate.standard_error / independent?.standard_error;
            Some(ratio * ratio).filter(|effect| effect.is_finite())
        };
        let answered = self.log.satisfaction.filter(|moments| moments.count() > 0);
        ArmFigures {
            arm: name.to_owned(),
            users: self.log.users.as_ref().map(|users| users.len() as u64),
            impressions: self.log.impressions,
            clicks: self.log.clicks,
            click_through: self.click_through.map(|rate| Figure {
                value: rate.rate(),
                interval: Some(rate.wilson_interval(confidence)),
                by_user: self.click_through_by_user.map(|of| of.ranged.interval),
                design_effect: design_effect(self.click_through_by_user, Some(rate.estimate())),
            }),
            answers: self.log.satisfaction.map(|moments| moments.count()),
            satisfaction: answered.map(|moments| Figure {
                value: moments.mean(),
                interval: moments.interval(confidence),
                by_user: self.satisfaction_by_user.map(|of| of.ranged.interval),
                design_effect: design_effect(self.satisfaction_by_user, moments.estimate()),
            }),
        }
    }

    fn lift(&self, name: &str, control: &Self, confidence: f64) -> Lift {
        let by_user = |ours: Option<ByUser>, theirs: Option<ByUser>| {
            Some(Effect::of_users(ours?.ranged, theirs?.ranged, confidence))
        };
        let rates = self.click_through.zip(control.click_through);
        let means = self.log.satisfaction.zip(control.log.satisfaction);
        Lift {
            arm: name.to_owned(),
            click_through: rates.map(|(ours, theirs)| Effects {
                independent: Some(Effect::of_proportions(ours, theirs, confidence)),
                by_user: by_user(self.click_through_by_user, control.click_through_by_user),
            }),
            satisfaction: means.map(|(ours, theirs)| Effects {
                independent: Effect::of_means(&ours, &theirs, confidence),
                by_user: by_user(self.satisfaction_by_user, control.satisfaction_by_user),
            }),
        }
    }
}
