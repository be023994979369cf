use std::cmp::Reverse;

use maud::{Markup, html};
use pairmill_metrics::{metric_meaning, metric_title};
use pairmill_report::format::{self, count, figure, interval, percent, probability, signed};
use pairmill_report::{ConfusionTable, Estimate, scrolling};

use super::data::{Difference, GroupRow, GroupTable, MetricRow, Report, Variants};
use super::headline::P_CORRECTED;
use super::verdict::{Verdict, verdict};

/// Groups that are shown at once.
const GROUPS: usize = 25;
/// Confused pairs of classes that are listed.
const CONFUSED: usize = 15;

pub(super) fn summary(report: &Report) -> Markup {
    let rows = &report.summary;
    if rows.is_empty() {
        return html! {};
    }
    let any = |has: fn(&Difference) -> bool| {
        let differences = rows.iter().filter_map(|row| row.difference.as_ref());
        differences.into_iter().any(has)
    };
    let baseline = rows.iter().any(|row| row.baseline.is_some());
    let difference = any(|_| true);
    let p = any(|difference| difference.p_value.is_some());
    let corrected = any(|difference| difference.corrected_p.is_some());
    let effect = any(|difference| difference.effect_size.is_some());
    let outcomes = any(|difference| difference.outcomes.is_some());
    let chief = report.chief_row().map(|row| &row.metric);
    let table = html! {
        table {
            thead {
                tr {
                    th scope="col" { "metric" }
                    @if baseline { th.number scope="col" { "baseline" } }
                    th.number scope="col" { "model" }
                    @if difference { th.number scope="col" { "difference" } }
                    @if p { th.number scope="col" title="Of the paired test: how often chance \
                        alone would give such a difference" { "p" } }
                    @if corrected { th.number scope="col" title="The p value after Holm's \
                        correction for the number of tests" { (P_CORRECTED) } }
                    @if effect { th.number scope="col" title="Mean difference over the standard \
                        deviation of the differences" { "effect size" } }
                    @if outcomes { th.number scope="col" { "higher / lower / same" } }
                }
            }
            tbody {
                @for row in rows {
                    tr.chief[chief == Some(&row.metric)] {
                        th scope="row" title=(row.metric) { (metric_title(&row.metric)) }
                        @if baseline
                            { (optional(row.baseline.as_ref(), |estimate|
                            with_interval(estimate, figure, None))) }
                        (with_interval(&row.model, figure, None))
                        @if difference
                            { (optional(row.difference.as_ref(), |difference|
                            difference_cell(&difference.estimate, verdict(row)))) }
                        @if p { (cell(row, |difference| difference.p_value.map(probability))) }
                        @if corrected
                            { (cell(row, |difference| difference.corrected_p.map(probability))) }
                        @if effect
                            { (cell(row, |difference|
                            difference.effect_size.map(|effect| signed(effect, 2)))) }
                        @if outcomes {
                            (cell(row, |difference| difference.outcomes.map(|outcomes| {
                                format!("{} / {} / {}", count(outcomes.wins),
                                    count(outcomes.losses), count(outcomes.ties))
                            })))
                        }
                    }
                }
            }
        }
    };
    html! {
        (scrolling("Metrics", &table))
        (meanings(rows))
    }
}

/// What the metrics say, for people who do not know them.
fn meanings(rows: &[MetricRow]) -> Markup {
    let meanings = rows
        .iter()
        .filter_map(|row| Some((metric_title(&row.metric), metric_meaning(&row.metric)?)));
    let meanings: Vec<(String, String)> = meanings.collect();
    html! {
        @if !meanings.is_empty() {
            details.more {
                summary { "What these metrics say" }
                dl.meanings {
                    @for (name, meaning) in &meanings { dt { (name) } dd { (meaning) } }
                }
            }
        }
    }
}

fn optional<T>(value: Option<T>, cell: impl Fn(T) -> Markup) -> Markup {
    value.map_or_else(|| html! { td.number { "–" } }, cell)
}

fn cell(row: &MetricRow, text: impl Fn(&Difference) -> Option<String>) -> Markup {
    optional(
        row.difference.as_ref().and_then(text),
        |text| html! { td.number { (text) } },
    )
}

fn with_interval(
    estimate: &Estimate,
    number: fn(f64, usize) -> String,
    verdict: Option<Verdict>,
) -> Markup {
    let ends = interval(estimate, |end| number(end, 3));
    html! {
        td.number {
            @if let Some(verdict) = verdict
                { span.mark.(verdict.series_class()) { (verdict.sign()) " " } }
            (number(estimate.value, 4))
            // Where it is narrow, it breaks only before the upper end.
            @if let Some(ends) = ends { span.spread { (ends.replacen(' ', "\u{a0}", 1)) } }
        }
    }
}

fn difference_cell(estimate: &Estimate, verdict: Verdict) -> Markup {
    with_interval(estimate, signed, Some(verdict))
}

/// The empty value of a column has to be called something.
pub(super) fn group_name(group: &str) -> &str {
    if group.is_empty() { "(empty)" } else { group }
}

pub(super) fn groups(report: &Report, table: &GroupTable) -> Markup {
    let (first, rest) = table.rows.split_at(table.rows.len().min(GROUPS));
    let baseline = table.rows.iter().any(|row| row.baseline.is_some());
    let difference = table.rows.iter().any(|row| row.difference.is_some());
    let part = |rows: &[GroupRow]| {
        let table = html! {
            table {
                thead {
                    tr {
                        th scope="col" { (table.column) }
                        th.number scope="col" { (report.item_name()) }
                        @if baseline { th.number scope="col" { "baseline" } }
                        th.number scope="col" { "model" }
                        @if difference { th.number scope="col" { "difference" } }
                    }
                }
                tbody {
                    @for row in rows {
                        tr {
                            th scope="row" { (text(group_name(&row.group), 60)) }
                            td.number { (count(row.items)) }
                            @if baseline
                                { (optional(row.baseline.as_ref(), |estimate|
                                with_interval(estimate, figure, None))) }
                            (with_interval(&row.model, figure, None))
                            @if difference
                                { (optional(row.difference.as_ref(), |estimate|
                                with_interval(estimate, signed, None))) }
                        }
                    }
                }
            }
        };
        scrolling("Groups", &table)
    };
    html! {
        (part(first))
        @if !rest.is_empty() {
            details.more {
                summary { (count(rest.len() as u64)) " more groups" }
                (part(rest))
            }
        }
    }
}

pub(super) fn variants(report: &Report, variants: &Variants) -> Markup {
    let table = html! {
        table {
            thead {
                tr {
                    th scope="col" { "embedding" }
                    th.number scope="col" { "bytes a vector" }
                    th.number scope="col" { (metric_title(&variants.metric)) }
                    th.number scope="col" { "of full quality" }
                }
            }
            tbody {
                @for row in &variants.rows {
                    tr {
                        th scope="row" { (row.name) }
                        td.number { (count(row.bytes_per_vector)) }
                        (with_interval(&row.score, figure, None))
                        td.number { (percent(row.share, 1)) }
                    }
                }
            }
        }
    };
    html! {
        (scrolling("Sizes of embeddings", &table))
        @if variants.rows.iter().any(|row| row.score.interval.is_some()) {
            p.note { "Ranges are the " (report.interval_name()) "s." }
        }
    }
}

pub(super) fn confused(table: &ConfusionTable) -> Markup {
    let mut wrong: Vec<&(u32, u32, u64)> = table
        .cells
        .iter()
        .filter(|(truth, predicted, number)| truth != predicted && *number > 0)
        .collect();
    if wrong.is_empty() {
        return html! {};
    }
    wrong.sort_by_key(|(truth, predicted, number)| (Reverse(*number), *truth, *predicted));
    let rows_of = |class: u32| -> u64 {
        let cells = table.cells.iter().filter(|(truth, ..)| *truth == class);
        cells.map(|(.., number)| number).sum()
    };
    let name = |class: u32| {
        table
            .classes
            .get(class as usize)
            .map_or("–", String::as_str)
    };
    let rows = html! {
        table {
            thead {
                tr {
                    th scope="col" { "true class" }
                    th scope="col" { "taken for" }
                    th.number scope="col" { "times" }
                    th.number scope="col" { "of the class" }
                }
            }
            tbody {
                @for &&(truth, predicted, number) in wrong.iter().take(CONFUSED) {
                    tr {
                        td { (text(name(truth), 60)) }
                        td { (text(name(predicted), 60)) }
                        td.number { (count(number)) }
                        td.number { (percent(number as f64 / rows_of(truth) as f64, 1)) }
                    }
                }
            }
        }
    };
    html! {
        (scrolling("Most confused classes", &rows))
        @if wrong.len() > CONFUSED {
            p.note { "The first " (CONFUSED) " of " (count(wrong.len() as u64)) " pairs that occur."
                }
        }
    }
}

pub(super) fn counts(report: &Report) -> Markup {
    html! {
        @if !report.counts.is_empty() {
            dl.counts {
                @for (name, number) in &report.counts {
                    div { dt { (name.replace('_', " ")) } dd { (count(*number)) } }
                }
            }
        }
    }
}

/// A text of the user's, the end of a long one to be opened.
pub(super) fn text(text: &str, limit: usize) -> Markup {
    html! {
        @match format::cut(text, limit) {
            None => (text),
            Some(beginning) => {
                details.long { summary { (beginning) } p { (text) } }
            }
        }
    }
}
