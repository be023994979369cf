use std::fmt::Write as _;

use pairmill_metrics::Interval;
use pairmill_report::format::{aligned, chance, interval_name};
use pairmill_report::markdown::{code, literal, one_line, plain_table};
use pairmill_report::today;

use crate::effect::{Effect, Test};
use crate::result::{AbTestResult, Effects, Figure};

pub(crate) const METHOD: &str = "\
    Intervals of click-through are Wilson's, of its difference and of its relative lift what the \
    score test does not refuse (Miettinen and Nurminen 1985, Koopman 1984); those of satisfaction \
    are Student's and Welch's. The z test, which pools the variance, is that test; where fewer \
    than five clicks, or impressions without one, are to be expected in an arm, Fisher's exact \
    test is in its place. Tests by user take only users as independent of each other, with the \
    variance of the delta method (Deng, Knoblich, Lu 2018), and are the ones to believe where a \
    user has several impressions or answers; an arm whose users all have the same rate, such as \
    none, has Wilson's interval over users. Relative lifts of satisfaction and by user have \
    Fieller's interval, or its like for unequal sides (Donner and Zou 2012), so that it holds 0 \
    where that of the difference does. The chance to be better is that of two beta posteriors \
    under uniform priors for click-through by impression, else that of a normal or t distribution \
    under a flat prior. Several arms: p is corrected by Holm's method for each measure and test, \
    and intervals are not corrected. A difference counts as clear where p, corrected if it can be, \
    is below 1 less the share of the intervals, and the interval leaves out 0. The traffic was not \
    split as planned if p of the chi-square test is below 0.001.";

impl AbTestResult {
    pub(crate) fn text(&self) -> String {
        let table = |rows: Vec<Vec<String>>| {
            let row = |row: Vec<String>| row.iter().map(|cell| one_line(cell)).collect();
            aligned(&rows.into_iter().map(row).collect::<Vec<_>>())
        };
        format!(
            "{}\n{}\n{}\nthe answers rest on {}\n",
            table(self.arm_rows()),
            table(self.lift_rows()),
            one_line(&self.split()),
            self.rests_on
        )
    }

    /// What was compared.
    pub(crate) fn title(&self) -> String {
        let others = self.lifts.iter().map(|lift| lift.arm.as_str());
        let others: Vec<&str> = others.collect();
        format!("A/B test: {} against {}", others.join(", "), self.control)
    }

    pub(crate) fn markdown(&self) -> String {
        let mut page = format!(
            "# {}\n\nEvaluated on {}.\n\n",
            literal(&self.title()),
            today()
        );
        for warning in &self.warnings {
            let _ = writeln!(page, "> {}\n", literal(warning));
        }
        plain_table(&mut page, &self.arm_rows());
        let _ = writeln!(page, "\n## Against {}\n", code(&self.control));
        plain_table(&mut page, &self.lift_rows());
        let _ = writeln!(
            page,
            "\n{}\n\nThe answers rest on {}.\n\n{METHOD}",
            literal(&self.split()),
            self.rests_on
        );
        page
    }

    /// A row for each arm and measure.
    pub(crate) fn arm_rows(&self) -> Vec<Vec<String>> {
        let mut rows = vec![cells([
            "arm",
            "users",
            "measure",
            "counted",
            "of",
            "mean",
            &interval_name(self.confidence),
            "by user",
        ])];
        for arm in &self.arms {
            let users = arm.users.map_or("-".to_owned(), |users| users.to_string());
            let mut row = |measure: &str, counted: u64, of: String, figure: &Figure| {
                rows.push(vec![
                    arm.arm.clone(),
                    users.clone(),
                    measure.to_owned(),
                    counted.to_string(),
                    of,
                    number(figure.value),
                    or_dash(figure.interval.map(|at| interval(at, number))),
                    or_dash(figure.by_user.map(|at| interval(at, number))),
                ]);
            };
            if let Some(figure) = &arm.click_through {
                let clicks = arm.clicks.unwrap_or(0);
                row("click-through", clicks, arm.impressions.to_string(), figure);
            }
            if let Some(figure) = &arm.satisfaction {
                row(
                    "satisfaction",
                    arm.answers.unwrap_or(0),
                    "-".to_owned(),
                    figure,
                );
            }
        }
        rows
    }

    /// A row for each arm but the control, measure and test.
    pub(crate) fn lift_rows(&self) -> Vec<Vec<String>> {
        let mut rows = vec![cells([
            "arm",
            "measure",
            "test",
            "lift",
            &interval_name(self.confidence),
            "relative",
            &interval_name(self.confidence),
            "p",
            "p (Holm)",
            "chance better",
        ])];
        let several = self.lifts.len() > 1;
        for lift in &self.lifts {
            let measures = [
                ("click-through", &lift.click_through),
                ("satisfaction", &lift.satisfaction),
            ];
            for (measure, effects) in measures {
                for effect in effects.iter().flat_map(Effects::iter) {
                    let mut row = vec![lift.arm.clone(), measure.to_owned()];
                    row.extend(effect.cells());
                    rows.push(row);
                }
            }
        }
        if !several {
            for row in &mut rows {
                row.remove(8);
            }
        }
        rows
    }

    pub(crate) fn split(&self) -> String {
        let ratio = &self.sample_ratio;
        let counts = ratio.observed.iter().map(|(arm, count)| {
            let expected = ratio.expected.get(arm).copied().unwrap_or(0.0);
            format!("{arm} {count} ({expected:.0} planned)")
        });
        let counts: Vec<String> = counts.collect();
        let p = or_dash(ratio.p_value.map(chance));
        let verdict = match ratio.mismatch {
            true => "SAMPLE RATIO MISMATCH",
            false => "split as planned",
        };
        format!("{}: {}; p {p}: {verdict}", ratio.of, counts.join(", "))
    }
}

impl Effects {
    fn iter(&self) -> impl Iterator<Item = &Effect> {
        self.independent.iter().chain(&self.by_user)
    }
}

impl Effect {
    fn cells(&self) -> [String; 8] {
        [
            self.test.name().to_owned(),
            signed(self.absolute),
            or_dash(self.absolute_interval.map(|at| interval(at, signed))),
            or_dash(self.relative.map(percent)),
            or_dash(self.relative_interval.map(|at| interval(at, percent))),
            or_dash(self.p_value.map(chance)),
            or_dash(self.p_corrected.map(chance)),
            or_dash(self.chance_better.map(|chance| format!("{chance:.3}"))),
        ]
    }
}

impl Test {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TwoProportionZ => "z, by impression",
            Self::FisherExact => "Fisher's exact, by impression",
            Self::WelchT => "Welch's t, by answer",
            Self::DeltaMethodZ => "z, by user",
        }
    }
}

fn cells<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

pub(crate) fn number(value: f64) -> String {
    format!("{value:.5}")
}

pub(crate) fn signed(value: f64) -> String {
    format!("{value:+.5}")
}

pub(crate) fn percent(share: f64) -> String {
    format!("{:+.2} %", share * 100.0)
}

fn interval(at: Interval, form: fn(f64) -> String) -> String {
    format!("{} to {}", form(at.low), form(at.high))
}

fn or_dash(cell: Option<String>) -> String {
    cell.unwrap_or_else(|| "-".to_owned())
}
