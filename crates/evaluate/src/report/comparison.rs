use std::fmt::Write as _;

use maud::{Markup, html};
use pairmill_metrics::metric_title;
use pairmill_report::format::{interval, signed};
use pairmill_report::{ForestRow, Page, figures, forest, section, warnings};

use super::data::Report;
use super::headline::Headline;
use super::verdict::verdict;
use super::{examples, markdown::markdown, page};

/// Several models, each against the same baseline, on one page: the chief metric of all first.
pub(crate) fn comparison_html(reports: &[Report]) -> String {
    let Some(first) = reports.first() else {
        return String::new();
    };
    if reports.len() == 1 {
        return page::html(first);
    }
    let contenders = reports.iter().enumerate().map(|(number, report)| {
        let body = html! {
            (page::models(report))
            @if let Some(headline) = Headline::of(report) { (page::answer(report, &headline)) }
            (warnings(&report.warnings))
            (page::summary(report))
            (page::group_tables(report))
            @if let Some(examples) = &report.examples
                { (examples::render(examples, report.item_name())) }
        };
        section(format!("model-{}", number + 1), report.model.as_str(), body)
    });
    let overview = section("overview", "Overview", figures(overview(reports)));
    let method = section("method", "Method", html! { p.prose { (first.method) } });
    Page {
        task: &first.task,
        title: &title(reports),
        date: &first.date,
        created_by: &first.created_by,
        head: html! {},
        sections: std::iter::once(overview)
            .chain(contenders)
            .chain([method])
            .flatten()
            .collect(),
    }
    .html()
}

/// The same as Markdown for a pull request.
pub(crate) fn comparison_markdown(reports: &[Report]) -> String {
    match reports {
        [one] => markdown(one),
        _ => {
            let mut text = format!("# {}\n", title(reports));
            for report in reports {
                let _ = write!(text, "\n#{}", markdown(report));
            }
            text
        }
    }
}

fn title(reports: &[Report]) -> String {
    let baseline = reports
        .first()
        .and_then(|report| report.baseline.as_deref());
    format!(
        "{} models against {}",
        reports.len(),
        baseline.unwrap_or("a baseline")
    )
}

/// The difference of the chief metric, a row for each model.
fn overview(reports: &[Report]) -> Option<Markup> {
    let chief = reports.first()?.chief_row()?;
    let metric = metric_title(&chief.metric);
    let rows: Vec<ForestRow> = reports
        .iter()
        .filter_map(|report| {
            let row = report.chief_row()?;
            let estimate = row.difference.as_ref()?.estimate;
            let number = |value| signed(value, 4);
            let ends = interval(&estimate, number).map(|ends| format!(" ({ends})"));
            Some(ForestRow {
                label: report.model.clone(),
                class: verdict(row).series_class(),
                value: signed(estimate.value, 3),
                tooltip: format!(
                    "{}: {}{}",
                    report.model,
                    number(estimate.value),
                    ends.unwrap_or_default()
                ),
                estimate,
            })
        })
        .collect();
    let note = format!(
        "Bars are the {}s. What is grey shows no clear difference, by the bar or by p after Holm's \
         correction.",
        reports.first()?.interval_name()
    );
    forest(
        &format!("{metric} less that of the baseline"),
        &format!("difference of {metric}"),
        &rows,
        true,
        note,
    )
}
