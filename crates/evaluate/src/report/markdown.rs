use std::fmt::Write as _;

use pairmill_metrics::metric_title;
use pairmill_report::Estimate;
use pairmill_report::format::{self, count, figure, interval, percent, probability, signed};
use pairmill_report::markdown::{code, escaped, plain, table};

use super::data::{Example, FoundDocument, GroupTable, MetricRow, Report, Variants};
use super::headline::{Headline, P_CORRECTED};
use super::tables::group_name;
use super::title::title;
use super::verdict::{Verdict, verdict};

/// Results of an example that are listed.
const RESULTS: usize = 3;
/// Groups of a table that are listed.
const GROUPS: usize = 25;

/// The report as Markdown for a pull request: the answer, the tables, the groups and the examples.
pub(crate) fn markdown(report: &Report) -> String {
    let mut page = format!("# Evaluation: {}\n", plain(&title(report)));
    answer(&mut page, report);
    if !report.model.is_empty() {
        let _ = write!(page, "\nModel {}", code(&report.model));
        if let Some(baseline) = &report.baseline {
            let _ = write!(page, " against baseline {}", code(baseline));
        }
        page.push('.');
        if !report.date.is_empty() {
            let _ = write!(page, " Evaluated on {}.", plain(&report.date));
        }
        page.push('\n');
    }
    for warning in &report.warnings {
        let _ = write!(page, "\n> **Note.** {}\n", plain(warning));
    }
    summary(&mut page, report);
    for table in &report.groups {
        groups(&mut page, report, table);
    }
    if let Some(table) = &report.variants {
        variants(&mut page, table);
    }
    if let Some(changes) = &report.examples {
        let metric = metric_title(&changes.metric);
        let items = format::sentence_case(report.item_name());
        examples(
            &mut page,
            &format!("{items} whose {metric} rose most"),
            &changes.gained,
        );
        examples(
            &mut page,
            &format!("{items} whose {metric} fell most"),
            &changes.lost,
        );
    }
    for text in [&report.method, &report.evidence] {
        if !text.is_empty() {
            let _ = write!(page, "\n{}\n", plain(text));
        }
    }
    if !report.counts.is_empty() {
        page.push_str("\n| counted | |\n| --- | ---: |\n");
        for (name, number) in &report.counts {
            let _ = writeln!(page, "| {} | {number} |", name.replace('_', " "));
        }
    }
    page
}

/// The answer: verdict, what follows from it and what stands behind it.
pub(super) fn answer(page: &mut String, report: &Report) {
    let Some(headline) = Headline::of(report) else {
        return;
    };
    let _ = match headline.verdict.name() {
        "" => write!(page, "\n**{}**", headline.sentence),
        name => write!(
            page,
            "\n{} **{name}.** **{}**",
            headline.verdict.sign(),
            headline.sentence
        ),
    };
    for sentence in headline.first_places.iter().chain(&headline.recommendation) {
        let _ = write!(page, " {}", plain(sentence));
    }
    page.push('\n');
    if !headline.next_steps.is_empty() {
        page.push_str("\nWhat to do next:\n\n");
        for step in &headline.next_steps {
            let _ = writeln!(page, "- {step}");
        }
    }
    if !headline.details.is_empty() {
        let _ = write!(page, "\n{}\n", headline.details.join(" "));
    }
}

pub(super) fn summary(page: &mut String, report: &Report) {
    if report.summary.is_empty() {
        return;
    }
    let with = report.interval_name();
    table::<MetricRow>(
        page,
        &report.summary,
        vec![
            ("metric", Box::new(|row| Some(row.metric.clone()))),
            (
                "baseline",
                Box::new(|row| Some(level(row.baseline.as_ref()?))),
            ),
            ("model", Box::new(|row| Some(level(&row.model)))),
            (
                "difference",
                Box::new(|row| {
                    Some(change(
                        &row.difference.as_ref()?.estimate,
                        Some(verdict(row)),
                    ))
                }),
            ),
            (
                "p",
                Box::new(|row| Some(escaped(&probability(row.difference.as_ref()?.p_value?)))),
            ),
            (
                P_CORRECTED,
                Box::new(|row| Some(escaped(&probability(row.difference.as_ref()?.corrected_p?)))),
            ),
            (
                "effect size",
                Box::new(|row| Some(signed(row.difference.as_ref()?.effect_size?, 2))),
            ),
            (
                "higher / lower / same",
                Box::new(|row| {
                    let outcomes = row.difference.as_ref()?.outcomes?;
                    Some(format!(
                        "{} / {} / {}",
                        outcomes.wins, outcomes.losses, outcomes.ties
                    ))
                }),
            ),
        ],
    );
    if report.summary.iter().any(has_interval) {
        let _ = write!(page, "\nIn brackets: the {with}s.\n");
    }
}

fn has_interval(row: &MetricRow) -> bool {
    let difference = row
        .difference
        .as_ref()
        .map(|difference| &difference.estimate);
    let estimates = [Some(&row.model), row.baseline.as_ref(), difference];
    estimates
        .into_iter()
        .flatten()
        .any(|estimate| estimate.interval.is_some())
}

fn groups(page: &mut String, report: &Report, groups: &GroupTable) {
    if groups.rows.is_empty() {
        return;
    }
    let rows = &groups.rows[..groups.rows.len().min(GROUPS)];
    let _ = write!(
        page,
        "\n## {} by {}\n",
        format::sentence_case(&metric_title(&groups.metric)),
        plain(&groups.column)
    );
    table(
        page,
        rows,
        vec![
            (
                groups.column.as_str(),
                Box::new(|row| Some(code(group_name(&row.group)).replace('|', "\\|"))),
            ),
            (
                report.item_name(),
                Box::new(|row| Some(row.items.to_string())),
            ),
            (
                "baseline",
                Box::new(|row| Some(level(row.baseline.as_ref()?))),
            ),
            ("model", Box::new(|row| Some(level(&row.model)))),
            (
                "difference",
                Box::new(|row| {
                    let difference = row.difference.as_ref()?;
                    Some(change(difference, None))
                }),
            ),
        ],
    );
    if groups.rows.len() > GROUPS {
        let _ = write!(
            page,
            "\n{} more groups are in the HTML report.\n",
            groups.rows.len() - GROUPS
        );
    }
}

fn variants(page: &mut String, variants: &Variants) {
    if variants.rows.is_empty() {
        return;
    }
    page.push_str("\n## Size and quality\n");
    table(
        page,
        &variants.rows,
        vec![
            (
                "embedding",
                Box::new(|row| Some(plain(&row.name).replace('|', "\\|"))),
            ),
            (
                "bytes a vector",
                Box::new(|row| Some(count(row.bytes_per_vector))),
            ),
            (
                variants.metric.as_str(),
                Box::new(|row| Some(level(&row.score))),
            ),
            (
                "of full quality",
                Box::new(|row| Some(percent(row.share, 1))),
            ),
        ],
    );
}

fn examples(page: &mut String, heading: &str, examples: &[Example]) {
    if examples.is_empty() {
        return;
    }
    let _ = write!(
        page,
        "\n<details><summary>{heading} ({})</summary>\n",
        examples.len()
    );
    for example in examples {
        let _ = write!(
            page,
            "\n- **{}** ({} → {}) {}: {}\n",
            signed(example.after - example.before, 3),
            figure(example.before, 3),
            figure(example.after, 3),
            code(&example.id),
            code(&example.text)
        );
        for (name, results) in [
            ("before", &example.results_before),
            ("after", &example.results_after),
        ] {
            // The first ones, and the relevant ones wherever they came.
            let is_relevant = |one: &FoundDocument| one.grade.is_some_and(|grade| grade > 0);
            let (first, later) = results.split_at(results.len().min(RESULTS));
            let later = later.iter().filter(|one| is_relevant(one));
            for document in first.iter().chain(later) {
                let place = match document.rank {
                    Some(rank) => format!("{rank}."),
                    None => "not among the results:".to_owned(),
                };
                let grade = match document.grade {
                    Some(grade) => format!("grade {grade}"),
                    None => "not judged".to_owned(),
                };
                let _ = writeln!(
                    page,
                    "  - {name} {place} {}, {grade}: {}",
                    code(&document.id),
                    code(&document.text)
                );
            }
        }
    }
    page.push_str("\n</details>\n");
}

fn level(estimate: &Estimate) -> String {
    with_interval(estimate, |value| figure(value, 4))
}

fn change(estimate: &Estimate, verdict: Option<Verdict>) -> String {
    let change = with_interval(estimate, |value| signed(value, 4));
    format!("{} {change}", verdict.map_or("", Verdict::sign))
        .trim_start()
        .to_owned()
}

fn with_interval(estimate: &Estimate, number: fn(f64) -> String) -> String {
    let ends = interval(estimate, number).map(|ends| format!(" [{ends}]"));
    number(estimate.value) + &ends.unwrap_or_default()
}
