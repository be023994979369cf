use maud::{Markup, html};
use pairmill_metrics::{metric_meaning, metric_title};
use pairmill_report::format::{self, count, counted, figure, interval, percent, signed};
use pairmill_report::{
    ForestRow, Page, Section, before_after, confusion_matrix, figures, forest, histograms,
    learning_curve, precision_recall, section, training_curves, warnings,
};

use super::data::{Better, Outcomes, Report};
use super::examples;
use super::headline::Headline;
use super::tables;
use super::title::title;
use super::verdict::{Verdict, verdict};

/// A forest plot of more groups is no longer read.
const GROUPS_DRAWN: usize = 24;

/// The report as one HTML page without scripts that loads nothing.
pub(crate) fn html(report: &Report) -> String {
    let headline = Headline::of(report);
    let sections = [
        section("summary", "Summary", summary(report)),
        groups(report),
        scores(report),
        variants(report),
        confusion(report),
        examples(report),
        training(report),
        method(report),
    ];
    Page {
        task: &report.task,
        title: &title(report),
        date: &report.date,
        created_by: &report.created_by,
        head: html! {
            (models(report))
            @if let Some(headline) = &headline { (answer(report, headline)) }
            (warnings(&report.warnings))
        },
        sections: sections.into_iter().flatten().collect(),
    }
    .html()
}

pub(super) fn models(report: &Report) -> Markup {
    html! {
        @if !report.model.is_empty() {
            p.models {
                span.model.s0 { (report.model) } ", the model"
                @if let Some(baseline) = &report.baseline {
                    ", against " span.model.s1 { (baseline) } ", the baseline"
                }
            }
        }
    }
}

pub(super) fn answer(report: &Report, headline: &Headline) -> Markup {
    let class = match headline.verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Unclear | Verdict::TooFew | Verdict::Untested => "unclear",
        Verdict::Alone => "alone",
    };
    let badge = headline.verdict.name();
    let chief = headline.chief;
    let difference = chief.difference.as_ref();
    html! {
        div.answer.(class) {
            @if !badge.is_empty() { p.badge { (headline.verdict.sign()) " " (badge) } }
            p.sentence { (headline.sentence) }
            @if let Some(meaning) = metric_meaning(&chief.metric) {
                p.meaning { (metric_title(&chief.metric)) ": " (meaning) "." }
            }
            @for plain in headline.first_places.iter().chain(&headline.recommendation) {
                p.plain { (plain) }
            }
            @if let Some((baseline, difference)) = chief.baseline.as_ref().zip(difference) {
                div.tiles {
                    (tile("s1", "baseline", &figure(baseline.value, 3),
                        interval(baseline, |end| figure(end, 3))))
                    (tile("s0", "model", &figure(chief.model.value, 3),
                        interval(&chief.model, |end| figure(end, 3))))
                    (tile("same", "difference", &signed(difference.estimate.value, 3),
                        interval(&difference.estimate, |end| signed(end, 3))))
                }
            }
            @if let Some(outcomes) = difference.and_then(|difference| difference.outcomes) {
                (outcome_bar(outcomes, chief.better, report.item_name()))
            }
            @if !headline.next_steps.is_empty() {
                p.plain { "What to do next:" }
                ul.details { @for step in &headline.next_steps { li { (step) } } }
            }
            @if !headline.details.is_empty() {
                ul.details { @for detail in &headline.details { li { (detail) } } }
            }
        }
    }
}

fn tile(class: &str, name: &str, value: &str, spread: Option<String>) -> Markup {
    html! {
        div.tile.(class) {
            span.name { (name) }
            span.value { (value) }
            @if let Some(spread) = spread { span.spread { (spread) } }
        }
    }
}

/// Items that got better, stayed and got worse, as lengths.
fn outcome_bar(outcomes: Outcomes, better: Better, items: &str) -> Markup {
    let all = outcomes.wins + outcomes.losses + outcomes.ties;
    if all == 0 {
        return html! {};
    }
    let (higher, lower) = match better {
        Better::Neither => ("higher", "lower"),
        Better::Higher => ("better", "worse"),
        Better::Lower => ("worse", "better"),
    };
    let parts = [
        ("s0", higher, outcomes.wins),
        ("same", "unchanged", outcomes.ties),
        ("s1", lower, outcomes.losses),
    ];
    let label = parts.map(|(_, name, number)| format!("{} {name}", count(number)));
    let label = format!("Of {}: {}", counted(all, items), label.join(", "));
    let share = |number: u64| number as f64 / all as f64;
    html! {
        div.outcomes role="img" aria-label=(label) {
            @for (class, name, number) in parts {
                @if number > 0 {
                    div.(class) style={"flex-grow:" (format!("{:.4}", share(number)))}
                        title={(counted(number, items)) " " (name) " ("
                        (percent(share(number), 1)) ")"} {
                        @if share(number) > 0.2 { (count(number)) " " (name) } @else if
                            share(number) > 0.06 { (count(number)) }
                    }
                }
            }
        }
    }
}

pub(super) fn summary(report: &Report) -> Markup {
    let scatter = report
        .scatter
        .as_ref()
        .and_then(|scatter| before_after(scatter, report.item_name()));
    let charts = [forest_of_metrics(report), scatter];
    html! {
        (tables::summary(report))
        (figures(charts.into_iter().flatten()))
    }
}

/// A table with its chart on the right where there is room, below where not.
fn beside(table: &Markup, chart: Option<Markup>) -> Markup {
    html! {
        @match chart {
            Some(chart) if !table.0.is_empty() => div.beside { div { (table) } (chart) },
            Some(chart) => (figures([chart])),
            None => (table),
        }
    }
}

fn forest_of_metrics(report: &Report) -> Option<Markup> {
    let compared = report.summary.iter().any(|row| row.difference.is_some());
    let rows: Vec<ForestRow> = report
        .summary
        .iter()
        .filter_map(|row| {
            let estimate = match &row.difference {
                Some(difference) => difference.estimate,
                None if compared => return None,
                None => row.model,
            };
            let number = |value| match compared {
                true => signed(value, 3),
                false => figure(value, 3),
            };
            let name = metric_title(&row.metric);
            let ends = interval(&estimate, number).map(|ends| format!(" ({ends})"));
            Some(ForestRow {
                tooltip: format!(
                    "{name}: {}{}",
                    number(estimate.value),
                    ends.unwrap_or_default()
                ),
                label: name,
                class: if compared {
                    verdict(row).series_class()
                } else {
                    "s0"
                },
                value: number(estimate.value),
                estimate,
            })
        })
        .collect();
    let with = report.interval_name();
    let (title, axis, note) = if compared {
        (
            "Model minus baseline, by metric",
            "difference of the metric",
            format!(
                "Bars are the {with}s, each for itself. What is grey shows no clear difference: \
                 the bar \
                 crosses 0, or p after Holm's correction is too large."
            ),
        )
    } else {
        (
            "Metrics with their intervals",
            "metric",
            format!("Bars are the {with}s."),
        )
    };
    forest(title, axis, &rows, compared, note)
}

fn groups(report: &Report) -> Option<Section> {
    section("groups", "Groups", group_tables(report))
}

pub(super) fn group_tables(report: &Report) -> Markup {
    html! {
        @for table in report.groups.iter().filter(|table| !table.rows.is_empty()) {
            @let rows: Vec<_> = table.rows.iter().filter_map(|row| {
                let estimate = row.difference?;
                let label = tables::group_name(&row.group).to_owned();
                Some(ForestRow {
                    tooltip: format!("{label}, {}: {}", counted(row.items, report.item_name()),
                        signed(estimate.value, 4)),
                    label,
                    class: "same",
                    value: signed(estimate.value, 3),
                    estimate,
                })
            }).collect();
            @let title =
                format!("{} by {}", format::sentence_case(&metric_title(&table.metric)),
                table.column);
            @let note = format!("Bars are the {}s; small groups have wide ones. Groups are not \
                tested one by one.", report.interval_name());
            @let chart = (2..=GROUPS_DRAWN).contains(&rows.len())
                .then(|| forest("Model minus baseline, by \
                    group", "difference", &rows, true, note)).flatten();
            h3 { (title) }
            (beside(&tables::groups(report, table), chart))
        }
    }
}

fn scores(report: &Report) -> Option<Section> {
    let histograms = report.distributions.iter().flat_map(histograms);
    let curve = precision_recall(&report.precision_recall, &report.precision_recall_note);
    section("scores", "Scores", figures(histograms.chain(curve)))
}

fn variants(report: &Report) -> Option<Section> {
    let variants = report
        .variants
        .as_ref()
        .filter(|table| !table.rows.is_empty())?;
    let metric = metric_title(&variants.metric);
    let rows: Vec<ForestRow> = variants
        .rows
        .iter()
        .map(|row| ForestRow {
            label: row.name.clone(),
            estimate: row.score,
            class: "s0",
            value: format!("{} B", count(row.bytes_per_vector)),
            tooltip: format!("{}: {}", row.name, figure(row.score.value, 4)),
        })
        .collect();
    let note = format!("{metric} with the bytes of a vector on the right.");
    let title = format!("{} of smaller embeddings", format::sentence_case(&metric));
    let chart = forest(&title, &metric, &rows, false, note);
    let body = beside(&tables::variants(report, variants), chart);
    section("size", "Size and quality", body)
}

fn confusion(report: &Report) -> Option<Section> {
    let table = report.confusion.as_ref()?;
    let body = beside(&tables::confused(table), confusion_matrix(table));
    section("confusion", "Confusions", body)
}

fn examples(report: &Report) -> Option<Section> {
    let examples = report.examples.as_ref()?;
    section(
        "examples",
        "What changed",
        examples::render(examples, report.item_name()),
    )
}

fn training(report: &Report) -> Option<Section> {
    let learning = report.learning_curve.as_ref().and_then(learning_curve);
    let curves = training_curves(&report.training);
    section(
        "training",
        "Training",
        figures(learning.into_iter().chain(curves)),
    )
}

fn method(report: &Report) -> Option<Section> {
    let body = html! {
        @for text in [&report.method, &report.evidence] {
            @if !text.is_empty() { p.prose { (text) } }
        }
        (tables::counts(report))
    };
    section("method", "Method and counts", body)
}
