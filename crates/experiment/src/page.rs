use maud::{Markup, html};
use pairmill_metrics::Interval;
use pairmill_report::format::{chance, interval_name};
use pairmill_report::{
    Estimate, ForestRow, Page, figures, forest, scrolling, section, today, warnings,
};

use crate::effect::{Effect, Verdict};
use crate::print::{METHOD, number, percent, signed};
use crate::result::{AbTestResult, Effects, Figure};

const CREATED_BY: &str = concat!("pairmill-evaluate ", env!("CARGO_PKG_VERSION"));

/// A figure of an arm by name, its lift by name.
struct Measure<'a> {
    name: &'static str,
    figures: Vec<(&'a str, &'a Figure)>,
    lifts: Vec<(&'a str, &'a Effect)>,
}

impl AbTestResult {
    /// The result as one HTML page that loads nothing.
    pub(crate) fn html(&self) -> String {
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
                html! {
                    p.prose { (self.split()) }
                    p.prose { "The answers rest on " (self.rests_on) "." }
                },
            ),
            section("method", "Method", html! { p.prose { (METHOD) } }),
        ];
        Page {
            task: "abtest",
            title: &self.title(),
            date: &today(),
            created_by: CREATED_BY,
            head: html! {
                @for measure in &measures {
                    @for (arm, effect) in &measure.lifts
                        { (self.answer(measure.name, arm, effect)) }
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

    /// What came of an arm, in words. There is no badge where nothing was tested.
    fn answer(&self, measure: &str, arm: &str, effect: &Effect) -> Markup {
        let (class, badge, words) = match effect.verdict(self.confidence) {
            Verdict::Untested => ("unclear", None, "cannot be tested"),
            _ if self.sample_ratio.mismatch => ("unclear", Some("Not to be believed"), "differs"),
            Verdict::Higher => ("better", Some("▲ Better"), "is higher"),
            Verdict::Lower => ("worse", Some("▼ Worse"), "is lower"),
            Verdict::Unclear => (
                "unclear",
                Some("○ No clear difference"),
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
        let better = effect
            .chance_better
            .map(|chance| format!(" The chance that it is better is {chance:.3}."));
        html! {
            div.answer.(class) {
                @if let Some(badge) = badge { p.badge { (badge) } }
                p.sentence {
                    "The " (measure) " of " (arm) " " (words) ": " (signed(effect.absolute))
                    (relative.unwrap_or_default()) " against " (self.control)
                    (ends.unwrap_or_default()) "."
                }
                p.details { (self.test(effect)) (better.unwrap_or_default()) }
            }
        }
    }

    /// The test behind an answer.
    fn test(&self, effect: &Effect) -> String {
        let name = effect.test.name();
        match (effect.p_value, effect.p_corrected) {
            (Some(p), Some(corrected)) => format!(
                "p {} after Holm's correction for the {} arms compared with {}, {} without it \
                 ({name}).",
                chance(corrected),
                self.lifts.len(),
                self.control,
                chance(p)
            ),
            (Some(p), None) => format!("p {} ({name}).", chance(p)),
            (None, _) => format!("There are too few values, or none that differ ({name})."),
        }
    }

    fn lift_chart(&self, measure: &Measure<'_>) -> Option<Markup> {
        let rows: Vec<ForestRow> = measure
            .lifts
            .iter()
            .map(|(arm, effect)| ForestRow {
                label: (*arm).to_owned(),
                estimate: estimate(effect.absolute, effect.absolute_interval),
                class: match effect.verdict(self.confidence) {
                    Verdict::Higher => "s0",
                    Verdict::Lower => "s1",
                    Verdict::Unclear | Verdict::Untested => "same",
                },
                value: signed(effect.absolute),
                tooltip: format!("{arm}: {}", signed(effect.absolute)),
            })
            .collect();
        let title = format!("Lift of {}", measure.name);
        let corrected = match self.lifts.len() {
            0 | 1 => "",
            _ => {
                ", each for itself; what is grey shows no clear difference after the correction \
                 for several arms"
            }
        };
        let note = format!(
            "Bars are the {}s against {}{corrected}.",
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

fn estimate(value: f64, interval: Option<Interval>) -> Estimate {
    Estimate::new(value, interval.map(|at| (at.low, at.high)))
}

/// Rows under a header; from the third column on they hold numbers.
fn table(label: &str, rows: &[Vec<String>]) -> Markup {
    let Some((header, rows)) = rows.split_first() else {
        return html! {};
    };
    let table = html! {
        table {
            thead {
                tr {
                    @for (column, cell) in header.iter().enumerate() {
                        th.number[column > 2] scope="col" { (cell) }
                    }
                }
            }
            tbody {
                @for row in rows {
                    tr {
                        @for (column, cell) in row.iter().enumerate() {
                            td.number[column > 2] { (cell) }
                        }
                    }
                }
            }
        }
    };
    scrolling(label, &table)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use pairmill_metrics::Moments;

    use super::*;
    use crate::log::{ArmLog, Log};
    use crate::parsed_page::ParsedPage;

    fn result(arms: &[(&str, u64, u64)]) -> AbTestResult {
        let log = |&(name, clicks, impressions): &(&str, u64, u64)| {
            let arm = ArmLog {
                impressions,
                clicks: Some(clicks),
                satisfaction: Some(Moments::of(clicks, 4.2, 0.8)),
                ..ArmLog::default()
            };
            (name.to_owned(), arm)
        };
        let log = Log {
            rows: arms.len() as u64,
            arms: arms.iter().map(log).collect(),
            ..Log::default()
        };
        let shares: BTreeMap<String, f64> = log.arms.keys().map(|arm| (arm.clone(), 1.0)).collect();
        AbTestResult::of(&log, "control", &shares, 0.95)
    }

    #[test]
    fn the_page_of_any_arms_is_sound() {
        let evil = "</title><script>alert('x')</script><img src=//x.example onerror=\"a\">";
        for arms in [
            [("control", 100, 1_000), (evil, 130, 1_000)],
            [("control", 0, 1_000), (evil, 0, 3)],
            [("control", 1, 1), (evil, 0, 0)],
        ] {
            let page = ParsedPage::read(&result(&arms).html());
            page.assert_sound();
            assert!(page.text.contains(evil));
            assert_eq!(page.sections(), ["lift", "arms", "split", "method"]);
        }
    }

    #[test]
    fn a_badge_needs_a_test_that_the_split_does_not_spoil() {
        let text = |arms: &[(&str, u64, u64)]| ParsedPage::read(&result(arms).html()).text;
        assert!(text(&[("control", 100, 1_000), ("b", 130, 1_000)]).contains("▲ Better"));
        assert!(text(&[("control", 130, 1_000), ("b", 100, 1_000)]).contains("▼ Worse"));
        let several = [("control", 100, 1_000), ("b", 130, 1_000), ("c", 99, 1_000)];
        assert!(!text(&several).contains("▲ Better"));
        let spoilt = text(&[("control", 100, 1_000), ("b", 200, 2_000)]);
        assert!(spoilt.contains("Not to be believed") && !spoilt.contains("No clear difference"));
    }
}
