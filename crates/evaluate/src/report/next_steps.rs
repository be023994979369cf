use pairmill_metrics::metric_title;
use pairmill_report::format::{count, counted, figure, signed};
use pairmill_report::{Curve, LearningCurve};

use super::data::{Better, Compared, MetricRow, Report};
use super::deployment::is_behind;
use super::verdict::Verdict;

/// Change of a score, in its own units, below which it stands still.
const STILL: f64 = 0.005;
/// How far below the mean of all items a group stands out, in units of the score.
const FAR_BELOW: f64 = 0.1;
/// A score of the baseline above which training rarely pays.
const GOOD: f64 = 0.8;
/// Fewest items of a group that is worth a word.
const FEWEST_ITEMS: u64 = 10;

/// Says what to do next, out of what was measured: how the dev score went while training, whether
/// the learning curve still rises, which group of items comes off worst. Only for models that are
/// compared with each other.
pub(super) fn next_steps(report: &Report, verdict: Verdict, chief: &MetricRow) -> Vec<String> {
    if report.compared != Compared::Models || verdict == Verdict::Alone {
        return Vec::new();
    }
    let mut steps = Vec::new();
    if verdict == Verdict::Worse {
        steps.push(
            "Look at the data first (`pairmill-generate check`), then train with a lower learning \
             rate or for fewer epochs."
                .to_owned(),
        );
    }
    if verdict != Verdict::Better
        && chief.better == Better::Higher
        && let Some(baseline) = chief.baseline.as_ref().filter(|score| score.value > GOOD)
    {
        let score = figure(baseline.value, 3);
        steps.push(format!(
            "The baseline has {score} already: above 0.8 training rarely pays (`pairmill-train \
             advise`)."
        ));
    }
    // More of what takes away would take away more.
    if !is_behind(chief) {
        let score = report.training.iter().find(|curve| is_of_dev(curve));
        steps.extend(score.and_then(of_training));
    }
    match &report.learning_curve {
        Some(curve) => steps.push(of_learning_curve(curve)),
        None if report.training.is_empty() => {}
        None => steps.push(
            "`pairmill-train learning-curve` shows whether more rows would bring more.".to_owned(),
        ),
    }
    steps.extend(weakest_group(report, chief));
    steps
}

fn is_of_dev(curve: &Curve) -> bool {
    curve.name.ends_with(" on dev")
}

/// Says whether the score was still rising at the end, or was best long before.
fn of_training(curve: &Curve) -> Option<String> {
    let points = &curve.points;
    let [.., before, last] = &points[..] else {
        return None;
    };
    let best = points
        .iter()
        .fold(last, |best, point| match point.y > best.y {
            true => point,
            false => best,
        });
    let rise = last.y - before.y;
    if best.x == last.x && rise > STILL {
        let name = &curve.name;
        let rise = signed(rise, 3);
        return Some(format!(
            "{name} was still rising at the last step ({rise}): train longer (`--epochs`)."
        ));
    }
    let is_early = best.x > 0.0 && best.x <= last.x / 2.0 && best.y - last.y > STILL;
    is_early.then(|| {
        let [best, last] = [best.x, last.x].map(|step| count(step as u64));
        format!(
            "{} was best at step {best} of {last}: fewer epochs would do.",
            curve.name
        )
    })
}

fn of_learning_curve(curve: &LearningCurve) -> String {
    let [.., fewer, all] = &curve.points[..] else {
        return "The learning curve has one point: give it more `--sizes`.".to_owned();
    };
    let rise = all.score.value - fewer.score.value;
    let span = format!(
        "{} from {} to {} rows",
        signed(rise, 3),
        count(fewer.rows),
        count(all.rows)
    );
    match rise > STILL {
        true => format!("The learning curve still rises ({span}): more labels would pay."),
        false => format!("The learning curve is flat ({span}): more labels would hardly pay."),
    }
}

/// Names the group of items that comes off worst, if it stands out.
fn weakest_group(report: &Report, chief: &MetricRow) -> Option<String> {
    if chief.better != Better::Higher {
        return None;
    }
    let tables = report.groups.iter();
    let rows = tables
        .filter(|table| table.metric == chief.metric)
        .flat_map(|table| table.rows.iter().map(|row| (&table.column, row)));
    let (column, worst) = rows
        .filter(|(_, row)| row.items >= FEWEST_ITEMS)
        .min_by(|a, b| a.1.model.value.total_cmp(&b.1.model.value))?;
    (worst.model.value < chief.model.value - FAR_BELOW).then(|| {
        format!(
            "{} of {} with {column} {} have the lowest {}, {} where all have {}: label more of these.",
            count(worst.items),
            counted(report.items_drawn, report.item_name()),
            worst.group,
            metric_title(&chief.metric),
            figure(worst.model.value, 3),
            figure(chief.model.value, 3)
        )
    })
}

#[cfg(test)]
mod tests {
    use pairmill_report::{Estimate, LearningPoint, Point};

    use super::super::data::{GroupRow, GroupTable};
    use super::*;

    fn curve(scores: &[f64]) -> Curve {
        let point = |(at, &y): (usize, &f64)| Point {
            x: at as f64 * 10.0,
            y,
        };
        Curve {
            name: "nDCG@10 on dev".to_owned(),
            points: scores.iter().enumerate().map(point).collect(),
        }
    }

    #[test]
    fn a_score_that_still_rises_or_fell_asks_for_other_epochs() {
        let said = |scores: &[f64]| of_training(&curve(scores)).unwrap_or_default();
        assert_eq!(
            said(&[0.4, 0.5, 0.52]),
            "nDCG@10 on dev was still rising at the last step (+0.020): train longer (`--epochs`)."
        );
        assert_eq!(
            said(&[0.4, 0.6, 0.55, 0.5]),
            "nDCG@10 on dev was best at step 10 of 30: fewer epochs would do."
        );
        for scores in [&[0.4, 0.6, 0.601][..], &[0.4], &[], &[0.5, 0.4, 0.4]] {
            assert_eq!(said(scores), "", "{scores:?}");
        }
    }

    #[test]
    fn a_learning_curve_says_whether_labels_pay() {
        let said = |last: f64| {
            let point = |rows, score| LearningPoint {
                rows,
                score: Estimate::new(score, None),
            };
            of_learning_curve(&LearningCurve {
                metric: "nDCG@10 on dev".to_owned(),
                before: None,
                points: vec![point(500, 0.5), point(1_000, last)],
                predicted: Vec::new(),
            })
        };
        let expected = "The learning curve still rises (+0.030 from 500 to 1,000 rows): more labels would pay.";
        assert_eq!(said(0.53), expected);
        assert!(said(0.501).contains("is flat"));
    }

    #[test]
    fn a_group_that_stands_out_is_named() {
        let chief = MetricRow {
            metric: "ndcg@10".to_owned(),
            better: Better::Higher,
            model: Estimate::new(0.6, None),
            baseline: None,
            difference: None,
        };
        let row = |group: &str, items, value| GroupRow {
            group: group.to_owned(),
            items,
            model: Estimate::new(value, None),
            baseline: None,
            difference: None,
        };
        let report = |rows| Report {
            items: "queries".to_owned(),
            items_drawn: 60,
            groups: vec![GroupTable {
                column: "length".to_owned(),
                metric: "ndcg@10".to_owned(),
                rows,
            }],
            ..Report::default()
        };
        let rows = vec![
            row("short", 20, 0.4),
            row("odd", 2, 0.1),
            row("long", 38, 0.7),
        ];
        assert_eq!(
            weakest_group(&report(rows), &chief).unwrap(),
            "20 of 60 queries with length short have the lowest nDCG@10, 0.400 where all have \
             0.600: label more of these."
        );
        assert_eq!(
            weakest_group(&report(vec![row("short", 20, 0.55)]), &chief),
            None
        );
    }
}
