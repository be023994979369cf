use pairmill_report::format::{count, counted};

use super::data::Report;

/// Says in plain words for how many items what comes first is right, such as `A right answer came
/// first for 8, now for 11 of 15 queries.` `None` where the task has no such count, or the metrics
/// do not tell it.
pub(super) fn first_places(report: &Report) -> Option<String> {
    let row = |names: &[&str]| {
        let mut rows = report.summary.iter();
        rows.find(|row| names.contains(&row.metric.as_str()))
    };
    let (what, was, is, row) = match report.task.as_str() {
        // Both are the share of queries whose first result is relevant.
        "retrieval" | "run" | "rerank" => (
            "A right answer",
            "came first",
            "comes first",
            row(&["accuracy@1", "precision@1"])?,
        ),
        "classification" => (
            "The category",
            "was right",
            "is right",
            row(&["knn_accuracy"])?,
        ),
        "triplets" => (
            "The positive",
            "was nearer than the negative",
            "is nearer than the negative",
            row(&["accuracy"])?,
        ),
        _ => return None,
    };
    let all = report.items_drawn;
    let now = whole(row.model.value, all)?;
    let of = counted(all, report.item_name());
    let Some(baseline) = &row.baseline else {
        return Some(format!("{what} {is} for {} of {of}.", count(now)));
    };
    let before = whole(baseline.value, all)?;
    Some(match before == now {
        true => format!("{what} {is} for {} of {of}, as before.", count(now)),
        false => format!(
            "{what} {was} for {}, now for {} of {of}.",
            count(before),
            count(now)
        ),
    })
}

/// Returns how many of `all` a share is, if that is a whole number.
fn whole(share: f64, all: u64) -> Option<u64> {
    const ROUNDING: f64 = 1e-6;
    let number = share * all as f64;
    let is_whole = all > 0 && (number - number.round()).abs() < ROUNDING * all as f64;
    is_whole.then_some(number.round() as u64)
}

#[cfg(test)]
mod tests {
    use pairmill_report::Estimate;

    use super::super::data::{Better, MetricRow};
    use super::*;

    fn said(task: &str, metric: &str, items: (u64, &str), before: Option<f64>, now: f64) -> String {
        let report = Report {
            task: task.to_owned(),
            items: items.1.to_owned(),
            items_drawn: items.0,
            summary: vec![MetricRow {
                metric: metric.to_owned(),
                better: Better::Higher,
                model: Estimate::new(now, None),
                baseline: before.map(|value| Estimate::new(value, None)),
                difference: None,
            }],
            ..Report::default()
        };
        first_places(&report).unwrap_or_default()
    }

    #[test]
    fn what_comes_first_is_counted() {
        let queries = (15, "queries");
        assert_eq!(
            said(
                "retrieval",
                "accuracy@1",
                queries,
                Some(8.0 / 15.0),
                11.0 / 15.0
            ),
            "A right answer came first for 8, now for 11 of 15 queries."
        );
        assert_eq!(
            said("run", "precision@1", (1, "queries"), None, 1.0),
            "A right answer comes first for 1 of 1 query."
        );
        assert_eq!(
            said("rerank", "accuracy@1", queries, Some(0.2), 0.2),
            "A right answer comes first for 3 of 15 queries, as before."
        );
        assert_eq!(
            said(
                "classification",
                "knn_accuracy",
                (2_000, "tickets"),
                Some(0.5),
                0.75
            ),
            "The category was right for 1,000, now for 1,500 of 2,000 tickets."
        );
        assert_eq!(
            said("triplets", "accuracy", (4, "triplets"), None, 0.75),
            "The positive is nearer than the negative for 3 of 4 triplets."
        );
    }

    #[test]
    fn what_is_no_count_is_not_said() {
        let queries = (15, "queries");
        for (task, metric, value) in [
            ("retrieval", "ndcg@10", 0.2),
            ("similarity", "accuracy@1", 0.2),
            ("classification", "knn_accuracy", 0.21),
            ("run", "accuracy@1", f64::NAN),
        ] {
            assert_eq!(said(task, metric, queries, None, value), "", "{task}");
        }
        assert_eq!(said("run", "accuracy@1", (0, "queries"), None, 0.0), "");
    }
}
