use maud::{Markup, html};
use pairmill_metrics::Interval;

use super::effect::Effect;
use super::print::{METHOD, number, percent, signed};
use super::result::{AbTestResult, Effects, Figure};
use crate::report::{Estimate, ForestRow, Page, figures, forest, interval_name, section, warnings};

const CREATED_BY: &str = concat!("pairmill-evaluate ", env!("CARGO_PKG_VERSION"));

/// A figure of an arm by name, its lift by name.
struct Measure<'a> {
    name: &'static str,
    figures: Vec<(&'a str, &'a Figure)>,
    lifts: Vec<(&'a str, &'a Effect)>,
}

impl AbTestResult {
    /// The result as one HTML page that loads nothing.
    pub(super) fn html(&self) -> String {
        let measures = [self.click_through(), self.satisfaction()];
        let (arms, lifts) = (self.arm_rows(), self.lift_rows());
        let sections = [
            section(
                "lift",
                "Lift",
                html! {
                    (table("Lift", &lifts))
                    (figures(measures.iter().filter_map(|measure| self.lift_chart(measure))))
                },
            ),
            section(
                "arms",
                "Arms",
                html! {
                    (table("Arms", &arms))
                    (figures(measures.iter().filter_map(|measure| self.arm_chart(measure))))
                },
            ),
            section(
                "split",
                "Split of the traffic",
                html! { p.prose { (self.split()) } },
            ),
            section("method", "Method", html! { p.prose { (METHOD) } }),
        ];
        Page {
            task: "abtest",
            title: "A/B test",
            created_by: CREATED_BY,
            head: html! {
                @for measure in &measures {
                    @for (arm, effect) in &measure.lifts { (self.answer(measure.name, arm, effect)) }
                }
                (warnings(&self.warnings))
            },
            sections: sections.into_iter().flatten().collect(),
        }
        .html()
    }

    fn click_through(&self) -> Measure<'_> {
        let figures = self.arms.iter();
        let lifts = self.lifts.iter();
        Measure {
            name: "click-through",
            figures: figures
                .filter_map(|arm| Some((arm.arm.as_str(), arm.click_through.as_ref()?)))
                .collect(),
            lifts: lifts
                .filter_map(|lift| Some((lift.arm.as_str(), lift.click_through.as_ref()?.chief()?)))
                .collect(),
        }
    }

    fn satisfaction(&self) -> Measure<'_> {
        let figures = self.arms.iter();
        let lifts = self.lifts.iter();
        Measure {
            name: "satisfaction",
            figures: figures
                .filter_map(|arm| Some((arm.arm.as_str(), arm.satisfaction.as_ref()?)))
                .collect(),
            lifts: lifts
                .filter_map(|lift| Some((lift.arm.as_str(), lift.satisfaction.as_ref()?.chief()?)))
                .collect(),
        }
    }

    /// What came of an arm, in words.
    fn answer(&self, measure: &str, arm: &str, effect: &Effect) -> Markup {
        let (class, badge, words) = match side(effect) {
            _ if self.sample_ratio.mismatch => ("unclear", "Not to be believed", "differs"),
            Some(true) => ("better", "▲ Better", "is higher"),
            Some(false) => ("worse", "▼ Worse", "is lower"),
            None => (
                "unclear",
                "○ No clear difference",
                "shows no clear difference",
            ),
        };
        let ends = effect.absolute_interval.map(|at| {
            format!(
                ", {} {} to {}",
                interval_name(self.confidence),
                signed(at.low),
                signed(at.high)
            )
        });
        let relative = effect
            .relative
            .map(|relative| format!(" ({})", percent(relative)));
        let chance = effect
            .chance_better
            .map(|chance| format!(" The chance that it is better is {chance:.3}."));
        html! {
            div.answer.(class) {
                p.badge { (badge) }
                p.sentence {
                    "The " (measure) " of " (arm) " " (words) ": " (signed(effect.absolute))
                    (relative.unwrap_or_default()) " against " (self.control)
                    (ends.unwrap_or_default()) "."
                }
                @if let Some(chance) = chance { p.details { (chance) } }
            }
        }
    }

    fn lift_chart(&self, measure: &Measure<'_>) -> Option<Markup> {
        let rows: Vec<ForestRow> = measure
            .lifts
            .iter()
            .map(|(arm, effect)| ForestRow {
                label: (*arm).to_owned(),
                estimate: estimate(effect.absolute, effect.absolute_interval),
                class: match side(effect) {
                    Some(true) => "s0",
                    Some(false) => "s1",
                    None => "same",
                },
                value: signed(effect.absolute),
                tooltip: format!("{arm}: {}", signed(effect.absolute)),
            })
            .collect();
        let title = format!("Lift of {}", measure.name);
        let note = format!(
            "Bars are the {}s against {}. One that crosses 0 shows no clear difference.",
            interval_name(self.confidence),
            self.control
        );
        forest(
            &title,
            &format!("difference of {}", measure.name),
            &rows,
            true,
            note,
        )
    }

    fn arm_chart(&self, measure: &Measure<'_>) -> Option<Markup> {
        let rows: Vec<ForestRow> = measure
            .figures
            .iter()
            .map(|(arm, figure)| ForestRow {
                label: (*arm).to_owned(),
                estimate: estimate(figure.value, figure.by_user.or(figure.interval)),
                class: if *arm == self.control { "s1" } else { "s0" },
                value: number(figure.value),
                tooltip: format!("{arm}: {}", number(figure.value)),
            })
            .collect();
        let mut title = measure.name.to_owned();
        title[..1].make_ascii_uppercase();
        let note = format!("Bars are the {}s.", interval_name(self.confidence));
        forest(&title, measure.name, &rows, false, note)
    }
}

impl Effects {
    /// The test to believe.
    fn chief(&self) -> Option<&Effect> {
        self.by_user.as_ref().or(self.independent.as_ref())
    }
}

/// Whether the interval of the difference lies above 0 or below it; `None` where it covers 0.
fn side(effect: &Effect) -> Option<bool> {
    let interval = effect.absolute_interval?;
    match (interval.low > 0.0, interval.high < 0.0) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

fn estimate(value: f64, interval: Option<Interval>) -> Estimate {
    Estimate::new(value, interval.map(|at| (at.low, at.high)))
}

/// Rows under a header; from the third column on they hold numbers.
fn table(label: &str, rows: &[Vec<String>]) -> Markup {
    let Some((header, rows)) = rows.split_first() else {
        return html! {};
    };
    html! {
        div.scroll role="region" aria-label=(label) tabindex="0" {
            table {
                thead { tr { @for (column, cell) in header.iter().enumerate() { th.number[column > 2] scope="col" { (cell) } } } }
                tbody {
                    @for row in rows {
                        tr { @for (column, cell) in row.iter().enumerate() { td.number[column > 2] { (cell) } } }
                    }
                }
            }
        }
    }
}
