//! From figures and what a task has drawn beside them to a report.

use std::iter;
use std::path::Path;

use pairmill_metrics::{Interval, higher_is_better};
use pairmill_report::format::{self, count, counted, interval_name, sentence_case};
use pairmill_report::{Change, Curve, Estimate, Point, Scatter};

use crate::error::Result;
use crate::models::options::Models;
use crate::paired::Paired;
use crate::report::training::{learning_curve, training_curves};
use crate::report::{self, Better, Compared, MetricRow, Outcomes, PairedTest, Report};
use crate::results::evaluation::Evaluation;
use crate::results::names::model_names;
use crate::statistics::evidence::Settings;
use crate::statistics::groups::Group;
use crate::statistics::paired_tests::PERMUTATIONS;
use crate::statistics::sample::Sample;
use crate::statistics::verdict::POWER;
use crate::vectors::variants::VariantScores;

/// A report of which `drawn` is there already: the figures, groups and sizes are added.
pub(crate) fn complete(drawn: Report, evaluation: &Evaluation, method: &str) -> Report {
    let chief = evaluation.model.iter().next().map_or("", |(name, _)| name);
    let summary: Vec<MetricRow> = evaluation
        .model
        .iter()
        .map(|(name, value)| metric_row(evaluation, name, value))
        .collect();
    let evidence = evaluation.evidence.as_ref();
    let full = summary.first().map(|row| (row.model, row.metric.clone()));
    Report {
        task: evaluation.task.clone(),
        created_by: concat!("pairmill-evaluate ", env!("CARGO_PKG_VERSION")).to_owned(),
        chief: chief.to_owned(),
        confidence: evidence.map_or(0.95, |evidence| evidence.confidence),
        items: match drawn.items.is_empty() {
            true => items_of(&evaluation.task).to_owned(),
            false => drawn.items.clone(),
        },
        items_drawn: evidence.map_or(0, |evidence| evidence.items as u64),
        clusters: evidence.and_then(|evidence| {
            let why = evidence.clustered_by.clone().unwrap_or_default();
            Some((evidence.clusters? as u64, why))
        }),
        tests: evidence.and_then(|evidence| evidence.tests).unwrap_or(0) as u64,
        method: method.to_owned() + &conventions(evaluation),
        counts: evaluation.counts.clone(),
        warnings: warnings(evaluation),
        summary,
        groups: group_tables(evaluation, chief),
        variants: full
            .filter(|_| !evaluation.variants.is_empty())
            .map(|(full, metric)| variants(evaluation, full, metric)),
        ..drawn
    }
}

/// What a task looks at, in the plural.
fn items_of(task: &str) -> &'static str {
    match task {
        "retrieval" | "run" | "rerank" => "queries",
        "similarity" | "pairs" | "paraphrases" => "pairs",
        "triplets" => "triplets",
        "classification" => "tickets",
        _ => "items",
    }
}

/// How the intervals and tests were made, in sentences. Empty where there are none.
pub(crate) fn evidence_notes(evaluation: &Evaluation, settings: &Settings) -> String {
    let Some(evidence) = &evaluation.evidence else {
        return String::new();
    };
    let items = match evaluation.drawn.items.as_str() {
        "" => items_of(&evaluation.task),
        items => items,
    };
    let drawn = match (&evidence.clusters, &evidence.clustered_by) {
        (Some(clusters), Some(why)) => {
            format!("{clusters} groups of {items} that {why}")
        }
        _ => items.to_owned(),
    };
    let mut notes = format!(
        "{}s are percentile intervals of {} bootstrap samples of the {drawn} (seed {})",
        interval_name(evidence.confidence),
        count(evidence.resamples as u64),
        settings.seed
    );
    if evaluation.baseline.is_some() {
        notes += ", the same samples for both models";
    }
    if !evaluation.groups.is_empty() {
        notes += &format!("; those of a group draw the {items} of the group");
    }
    notes += ".";
    let differences = evidence.metrics.iter();
    let tested = || {
        differences
            .clone()
            .filter_map(|metric| metric.difference.as_ref())
            .filter(|difference| difference.p.is_some())
    };
    let tested_metrics = tested().count();
    let by_values = tested().filter(|one| one.paired.is_some()).count();
    let exchanges = count(PERMUTATIONS as u64);
    let together = match evidence.clusters {
        Some(_) => ", those of a group together",
        None => "",
    };
    let randomisation = format!(
        "the two-sided paired randomisation test (every exchange of the models' values{together}, \
         or {exchanges} drawn ones where there are more)"
    );
    notes += &match (by_values, tested_metrics - by_values) {
        (0, 0) => return notes,
        (_, 0) => format!(" p is of {randomisation}"),
        (0, _) => " p is of the two-sided paired bootstrap".to_owned(),
        (_, _) => format!(
            " p is of {randomisation}, for metrics that are no mean of the {items} of the \
             two-sided paired bootstrap"
        ),
    };
    let tests = evidence.tests.unwrap_or(tested_metrics);
    notes += &match (tests, tested_metrics) {
        (1, 1) => ".".to_owned(),
        (tests, metrics) if tests == metrics => {
            format!("; corrected by Holm's method for {metrics} metrics.")
        }
        (tests, metrics) => format!(
            "; corrected by Holm's method for {} of {metrics} metrics, of which those that are one \
             figure here, up to a factor, count once.",
            counted(tests as u64, "tests")
        ),
    };
    notes += &format!(
        " A difference counts as clear where the interval leaves out 0 and the corrected p is \
         below {}. What a difference takes to be seen is reckoned for a power of {POWER}, and for \
         the least p that any test of so many can have.",
        rounded(1.0 - evidence.confidence)
    );
    if by_values > 0 {
        notes += " The effect size is Cohen's d of the paired differences.";
    }
    notes
}

/// A share without what binary adds to it.
fn rounded(share: f64) -> f64 {
    (share * 1e6).round() / 1e6
}

/// The names of the models, and what the trainer has left beside the model.
pub(crate) fn of_models(models: &Models, items: &str) -> Result<Report> {
    let folder: &Path = models.model.folder()?;
    let curve = learning_curve(models.learning_curve.as_deref().unwrap_or(folder));
    if let (Some(given), Ok(None)) = (&models.learning_curve, &curve) {
        tracing::warn!("no learning curve in {}", given.display());
    }
    let (model, baseline) = model_names(&models.model, models.baseline.as_ref());
    Ok(Report {
        compared: match models.is_choice() {
            true => Compared::Models,
            false => Compared::Results,
        },
        model: match models.int8 {
            true => format!("{model} in int8"),
            false => model,
        },
        baseline,
        items: items.to_owned(),
        training: readable(training_curves(folder)).unwrap_or_default(),
        learning_curve: readable(curve).flatten(),
        ..Report::default()
    })
}

/// A figure of the report that is not there takes nothing from the others.
fn readable<T>(read: Result<T>) -> Option<T> {
    read.inspect_err(|error| tracing::warn!("left out of the report: {error}"))
        .ok()
}

/// The chief figure of each item before and after, where it is a mean and there is a baseline.
pub(crate) fn scatter<'a>(
    samples: &Paired<impl Sample>,
    labels: impl IntoIterator<Item = &'a str>,
) -> Option<Scatter> {
    let after = samples.model.values(0)?;
    let before = samples.baseline.as_ref()?.values(0)?;
    let points = labels.into_iter().zip(iter::zip(before, after));
    Some(Scatter {
        metric: samples.model.metrics().into_iter().next()?,
        points: points
            .map(|(label, (before, after))| Change {
                label: label.to_owned(),
                before,
                after,
            })
            .collect(),
    })
}

/// A curve for each model, the baseline first, under their names.
pub(crate) fn curves(report: &Report, points: Paired<Vec<Point>>) -> Vec<Curve> {
    let baseline = report.baseline.clone().zip(points.baseline);
    let model = (report.model.clone(), points.model);
    baseline
        .into_iter()
        .chain([model])
        .map(|(name, points)| Curve { name, points })
        .collect()
}

fn metric_row(evaluation: &Evaluation, name: &str, value: f64) -> MetricRow {
    let evidence = evaluation.evidence.as_ref().and_then(|all| all.get(name));
    let estimate = |value: f64, interval: Option<Interval>| {
        Estimate::new(value, interval.map(|of| (of.low, of.high)))
    };
    let baseline = evaluation.baseline.as_ref().and_then(|all| all.get(name));
    let difference = evidence.and_then(|of| of.difference.as_ref());
    let paired = difference.and_then(|of| of.paired.as_ref());
    MetricRow {
        metric: name.to_owned(),
        better: match higher_is_better(name) {
            true => Better::Higher,
            false => Better::Neither,
        },
        model: estimate(value, evidence.and_then(|of| of.model)),
        baseline: baseline.map(|value| estimate(value, evidence.and_then(|of| of.baseline))),
        difference: baseline.map(|baseline| report::Difference {
            estimate: estimate(value - baseline, difference.and_then(|of| of.interval)),
            verdict: difference.and_then(|of| of.verdict),
            needed: difference.and_then(|of| of.needed),
            same_as: difference.and_then(|of| of.same_as.clone()),
            p_value: difference.and_then(|of| of.p),
            test: match paired {
                Some(_) => PairedTest::Randomisation,
                None => PairedTest::Bootstrap,
            },
            corrected_p: difference.and_then(|of| of.p_corrected),
            effect_size: paired.and_then(|of| of.effect_size),
            outcomes: paired.map(|of| Outcomes {
                wins: of.better as u64,
                losses: of.worse as u64,
                ties: of.equal as u64,
            }),
        }),
    }
}

fn group_tables(evaluation: &Evaluation, chief: &str) -> Vec<report::GroupTable> {
    let row = |group: &Group| {
        let estimate = |value: f64, interval: Option<Interval>| {
            Estimate::new(value, interval.map(|of| (of.low, of.high)))
        };
        let model = group.model.get(chief).unwrap_or(f64::NAN);
        let baseline = group.baseline.as_ref().and_then(|all| all.get(chief));
        report::GroupRow {
            group: group.value.clone(),
            items: group.items as u64,
            model: estimate(model, group.intervals.model),
            baseline: baseline.map(|value| estimate(value, group.intervals.baseline)),
            difference: baseline.map(|value| estimate(model - value, group.intervals.difference)),
        }
    };
    evaluation
        .groups
        .chunk_by(|a, b| a.column == b.column)
        .map(|groups| report::GroupTable {
            column: groups[0].column.clone(),
            metric: chief.to_owned(),
            rows: groups.iter().map(row).collect(),
        })
        .collect()
}

fn variants(evaluation: &Evaluation, full: Estimate, metric: String) -> report::Variants {
    let dimension = |of: &VariantScores| format!("{} dimensions, {}", of.dimension, of.precision);
    let smaller = evaluation.variants.iter().map(|variant| {
        let value = variant.model.get(&metric).unwrap_or(f64::NAN);
        report::Variant {
            name: dimension(variant),
            bytes_per_vector: variant.bytes as u64,
            score: Estimate::new(value, None),
            share: value / full.value,
        }
    });
    let as_is = report::Variant {
        name: "as the model gives them".to_owned(),
        bytes_per_vector: evaluation.embedding_bytes.unwrap_or(0),
        score: full,
        share: 1.0,
    };
    report::Variants {
        rows: iter::once(as_is).chain(smaller).collect(),
        metric,
    }
}

/// The choices that the figures depend on, in a sentence.
fn conventions(evaluation: &Evaluation) -> String {
    let choices = evaluation.conventions.iter();
    let choices: Vec<String> = choices
        .map(|(name, choice)| format!("{}: {choice}", name.replace('_', " ")))
        .collect();
    match choices.is_empty() {
        true => String::new(),
        false => format!(" Conventions: {}.", choices.join("; ")),
    }
}

/// What was counted that a reader has to know.
fn warnings(evaluation: &Evaluation) -> Vec<String> {
    let sentence = |name: &str| {
        Some(match name {
            "queries_without_judgements" => (
                "query has no relevant document and is left out",
                "queries have no relevant document and are left out",
            ),
            "queries_without_results" => (
                "judged query has no result",
                "judged queries have no result",
            ),
            "baseline_queries_without_results" => (
                "judged query has no result of the baseline",
                "judged queries have no result of the baseline",
            ),
            "forms_without_baseline" => (
                "smaller form of the embeddings keeps more dimensions than the baseline has, and \
                 has no figures of it",
                "smaller forms of the embeddings keep more dimensions than the baseline has, and \
                 have no figures of it",
            ),
            "judgements_of_unknown_queries" => (
                "judgement names a query that is not there and is left out",
                "judgements name queries that are not there and are left out",
            ),
            "judgements_of_unknown_documents" => (
                "judgement names a document that is not there and can never be found",
                "judgements name documents that are not there and can never be found",
            ),
            "test_tickets_of_unknown_category" => (
                "test ticket has a category that no training ticket has, and counts as wrong",
                "test tickets have a category that no training ticket has, and count as wrong",
            ),
            "duplicates_of_unknown_sentences" => (
                "duplicate names a sentence that is not there",
                "duplicates name sentences that are not there",
            ),
            _ => return None,
        })
    };
    let counted = evaluation.counts.iter().filter(|&(_, &count)| count > 0);
    let counted = counted.filter_map(|(name, &count)| {
        let (one, many) = sentence(name)?;
        let sentence = if count == 1 { one } else { many };
        Some(format!("{} {sentence}.", format::count(count)))
    });
    let said = evaluation.warnings.iter().map(|warning| {
        let sentence = sentence_case(warning);
        format!("{sentence}.")
    });
    counted.chain(said).collect()
}
