use pairmill_metrics::metric_title;
use pairmill_report::format::{self, count, counted, figure, interval, probability, signed};
use pairmill_schema::agreeing;

use super::data::{Better, Difference, MetricRow, Report};
use super::verdict::{Verdict, verdict};
use crate::statistics::verdict::Needed;

/// Says what the chief metric was and is, and what that means.
pub(super) fn sentence(report: &Report, row: &MetricRow) -> String {
    let name = format::sentence_case(&metric_title(&row.metric));
    let short = |value| figure(value, 3);
    let within = report.interval_name();
    let (Some(baseline), Some(difference)) = (&row.baseline, &row.difference) else {
        let spread = interval(&row.model, short).map(|ends| format!(" ({within} {ends})"));
        return format!(
            "{name} is {}{}.",
            short(row.model.value),
            spread.unwrap_or_default()
        );
    };
    let by = difference.estimate.value;
    if !by.is_finite() {
        return format!("{name} cannot be compared: it is undefined for one of the models.");
    }
    let (before, after) = (short(baseline.value), short(row.model.value));
    let change = signed(by, 3);
    let Some((low, high)) = difference.estimate.interval else {
        return format!(
            "{name} went from {before} to {after} ({change}); without an interval, this may be \
             chance."
        );
    };
    let ends = format!("{} to {}", signed(low, 3), signed(high, 3));
    let moved =
        |how: &str| format!("{name} {how} from {before} to {after} ({change}, {within} {ends})");
    if low == 0.0 && high == 0.0 && by == 0.0 {
        return format!("{name} is {after} with both models.");
    }
    let verdict = verdict(row);
    let why = || match difference.corrected_p {
        Some(p) if low > 0.0 || high < 0.0 => {
            format!("p is {} after Holm's correction", probability(p))
        }
        _ => format!("the {within} covers 0"),
    };
    match verdict {
        Verdict::Better | Verdict::Worse if by > 0.0 => moved("rose") + ".",
        Verdict::Better | Verdict::Worse => moved("fell") + ".",
        Verdict::TooFew => format!(
            "{}: {}, and {} too few to tell{}.",
            moved("went"),
            why(),
            drawn(report),
            enough(report, difference.needed)
        ),
        Verdict::Unclear => format!(
            "{}, no clear change: {}{}.",
            moved("went"),
            why(),
            enough(report, difference.needed)
        ),
        Verdict::Untested | Verdict::Alone => moved("went") + ".",
    }
}

/// What a verdict rests on, such as `15 queries are`.
fn drawn(report: &Report) -> String {
    let items = counted(report.items_drawn, report.item_name());
    let are = are(report.items_drawn);
    match &report.clusters {
        Some((clusters, why)) => format!(
            "{items} in {}, each of {} that {why}, {are}",
            counted(*clusters, "groups"),
            report.item_name()
        ),
        None => format!("{items} {are}"),
    }
}

/// How many would show a difference of this size.
fn enough(report: &Report, needed: Option<Needed>) -> String {
    let Some(needed) = needed else {
        return String::new();
    };
    let items = counted(needed.items, report.item_name());
    let groups = match &report.clusters {
        Some(_) => format!(" in {}", counted(needed.clusters, "groups")),
        None => String::new(),
    };
    format!("; to see a difference of this size takes about {items}{groups}")
}

/// Says what was drawn as a whole.
pub(super) fn clusters(report: &Report) -> Option<String> {
    let (clusters, why) = report.clusters.as_ref()?;
    let items = report.item_name();
    let make = if report.items_drawn == 1 {
        "makes"
    } else {
        "make"
    };
    Some(format!(
        "{} {make} {} of {items} that {why}; what is in one group counts as one.",
        counted(report.items_drawn, items),
        counted(*clusters, "groups")
    ))
}

/// Says what the paired test gives.
pub(super) fn paired_test(report: &Report, difference: &Difference) -> Option<String> {
    let p = difference.p_value?;
    let corrected = difference.corrected_p.map_or(String::new(), |p| {
        let tests = counted(report.tests, "tests");
        format!(" ({} by Holm's correction for {tests})", probability(p))
    });
    let test = format::sentence_case(difference.test.name());
    let of = match &report.clusters {
        Some((clusters, _)) => format!(", by {}", counted(*clusters, "groups")),
        None => String::new(),
    };
    Some(format!("{test}{of}: {}{corrected}.", format::p_value(p)))
}

fn are(number: u64) -> &'static str {
    agreeing(number, "is", "are")
}

/// Says how many items are better and worse.
pub(super) fn outcomes(report: &Report, row: &MetricRow) -> Option<String> {
    let outcomes = row.difference.as_ref()?.outcomes?;
    let (higher, lower) = match row.better {
        Better::Higher => ("better", "worse"),
        Better::Lower => ("worse", "better"),
        Better::Neither => ("higher", "lower"),
    };
    let all = outcomes.wins + outcomes.losses + outcomes.ties;
    Some(format!(
        "Of {}, {} {} {higher}, {} {lower} and {} unchanged.",
        counted(all, report.item_name()),
        count(outcomes.wins),
        are(outcomes.wins),
        count(outcomes.losses),
        count(outcomes.ties)
    ))
}

/// Says what came of the other metrics.
pub(super) fn other_metrics(report: &Report) -> Option<String> {
    let verdicts: Vec<Verdict> = report
        .summary
        .iter()
        .filter(|row| {
            let difference = row.difference.as_ref();
            let is_its_own = difference.is_some_and(|one| one.same_as.is_none());
            is_its_own && row.better != Better::Neither
        })
        .map(verdict)
        .collect();
    if verdicts.len() < 2 || verdicts.contains(&Verdict::Untested) {
        return None;
    }
    let number = |wanted| {
        verdicts
            .iter()
            .filter(|&&verdict| verdict == wanted)
            .count()
    };
    // The table has a row for each of those that are one figure under several names.
    let mut differences = report
        .summary
        .iter()
        .filter_map(|row| row.difference.as_ref());
    let counted_once = match differences.any(|one| one.same_as.is_some()) {
        true => "different ",
        false => "",
    };
    Some(format!(
        "Of {} {counted_once}metrics, {} clearly improved, {} clearly worsened and {} did neither.",
        verdicts.len(),
        number(Verdict::Better),
        number(Verdict::Worse),
        number(Verdict::Unclear) + number(Verdict::TooFew)
    ))
}
