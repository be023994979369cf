use std::collections::HashMap;

use pairmill_metrics::RetrievalMetric;
use serde::Serialize;

use super::gain;
use crate::assessor::Assessor;
use crate::compared::Compared;
use crate::items::{Label, write_items};
use crate::qrels::{Judged, Qrels};
use crate::reader::Reader;
use crate::run_table::{Listed, RunTable, Ties};
use crate::sample::Means;
use crate::{EvaluateError, Evaluation, Frame, Result};

/// The metrics of a ranked run, whoever made it.
///
/// Queries of the run that are not judged are left out and counted.
#[derive(Debug, Clone)]
pub struct RankedRun {
    /// The run table.
    pub run: String,
    /// The qrels table.
    pub qrels: String,
    /// The metrics, chief figure first.
    pub metrics: Vec<RetrievalMetric>,
    /// What ranks the results.
    pub ties: Ties,
    /// What becomes of judged queries without results.
    pub without_results: WithoutResults,
    /// Whether to drop a result that has the id of its query, as BEIR does where queries are
    /// documents of the corpus themselves.
    pub ignore_identical_ids: bool,
}

/// What becomes of a judged query for which a run has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum WithoutResults {
    /// It scores 0, as with `trec_eval -c`.
    Zero,
    /// It is left out of the means, as trec_eval does without `-c`.
    Skip,
}

#[derive(Serialize)]
struct Options<'a> {
    metrics: Vec<String>,
    ties: &'a Ties,
    without_results: &'a WithoutResults,
    ignore_identical_ids: bool,
}

impl RankedRun {
    /// Evaluates. The output folder gets the metrics of each query.
    pub(crate) fn run(&self, frame: &Frame) -> Result<Evaluation> {
        let options = Options {
            metrics: self.metrics.iter().map(ToString::to_string).collect(),
            ties: &self.ties,
            without_results: &self.without_results,
            ignore_identical_ids: self.ignore_identical_ids,
        };
        frame.run(
            "run",
            &self.method(),
            &options,
            |lineage| {
                let tables = lineage.with_input("run", &self.run)?;
                Ok(tables.with_input("qrels", &self.qrels)?)
            },
            |results| {
                let scored = self.score(&Reader::new(frame.threads)?)?;
                let scores = Compared {
                    model: scored.means,
                    baseline: None,
                };
                if let Some(results) = results {
                    let target = results.folder.join("per_query.parquet");
                    let ids = Label {
                        name: "query_id",
                        values: scored.queries.iter().map(String::as_str).collect(),
                    };
                    write_items(&target, &[ids], &scores, results.lineage)?;
                }
                let evaluation = Evaluation::of("run", &scores, &frame.settings, scored.counts);
                Ok(self.declare(evaluation))
            },
        )
    }

    fn score(&self, reader: &Reader) -> Result<Scored> {
        let qrels = Qrels::read(reader, &self.qrels)?;
        let assessor = Assessor::new(&qrels, &self.metrics);
        let run = RunTable {
            path: &self.run,
            ties: self.ties,
        };
        let answered = answered(
            &run,
            reader,
            &qrels,
            &self.qrels,
            |query, judged, results| {
                let is_other =
                    |one: &&Listed<'_>| !self.ignore_identical_ids || one.document != query;
                let others = results.iter().filter(is_other);
                let dropped = results.len() - others.clone().count();
                let row = (dropped < results.len())
                    .then(|| assessor.row(judged, others.map(|one| one.document)));
                Some((row, dropped))
            },
        )?;
        let dropped = answered.queries.iter().flat_map(|(_, one)| one);
        let dropped: usize = dropped.map(|&(_, dropped)| dropped).sum();
        let answered = answered.and_then(|(row, _)| row);
        let (consequence, fill) = match self.without_results {
            WithoutResults::Zero => ("score 0", Some(vec![0.0; self.metrics.len()])),
            WithoutResults::Skip => ("are left out", None),
        };
        answered.warn(&self.run, &self.qrels, consequence);
        let mut counts = answered.counts(&qrels).to_vec();
        if self.ignore_identical_ids {
            counts.push(("identical_ids_ignored", dropped));
        }
        let rows = answered.queries.into_iter();
        let (queries, rows): (Vec<String>, Vec<Vec<f64>>) = rows
            .filter_map(|(query, row)| Some((query, row.or_else(|| fill.clone())?)))
            .unzip();
        if queries.is_empty() {
            return Err(nothing_judged(&self.run, &self.qrels));
        }
        counts[0].1 = queries.len();
        Ok(Scored {
            queries,
            means: Means {
                metrics: self.metrics.iter().map(ToString::to_string).collect(),
                rows,
            },
            counts,
        })
    }

    fn declare(&self, evaluation: Evaluation) -> Evaluation {
        let without_results = match self.without_results {
            WithoutResults::Zero => "zero",
            WithoutResults::Skip => "skip",
        };
        let identical_ids = match self.ignore_identical_ids {
            true => "ignored",
            false => "kept",
        };
        evaluation
            .with_convention("ties", self.ties.name())
            .with_convention("without_results", without_results)
            .with_convention("identical_ids", identical_ids)
    }

    fn method(&self) -> String {
        let order = match self.ties {
            Ties::Rank => {
                "Results count in the order of the column `rank`; equal ranks go by score, then by \
                 ascending id."
            }
            Ties::Trec => "Results count by falling score; equal scores go by descending id.",
            Ties::St => "Results count by falling score; equal scores go by ascending id.",
        };
        let identical = match self.ignore_identical_ids {
            true => " Results that have the id of their query are dropped.",
            false => "",
        };
        let without_results = match self.without_results {
            WithoutResults::Zero => "scores 0",
            WithoutResults::Skip => "is left out",
        };
        format!(
            "{order}{identical} {}Means are over the queries to which at least one document is \
             judged relevant; one of these without results {without_results}.",
            gain(&self.metrics)
        )
    }
}

struct Scored {
    queries: Vec<String>,
    means: Means,
    counts: Vec<(&'static str, usize)>,
}

/// What a run has for the judged queries.
pub(super) struct Answered<T> {
    /// The judged queries in ascending order of id; `None` for those without results.
    pub queries: Vec<(String, Option<T>)>,
    /// Queries of the run that are not judged.
    unjudged: usize,
}

/// Reads a run and keeps what `each` makes of the results of each judged query, if anything.
///
/// # Errors
/// If the run is unsound or has no judged query.
pub(super) fn answered<T: Send>(
    run: &RunTable<'_>,
    reader: &Reader,
    qrels: &Qrels,
    qrels_input: &str,
    each: impl Fn(&str, &Judged, &[Listed<'_>]) -> Option<T> + Sync,
) -> Result<Answered<T>> {
    let ranked = run.for_each_query(reader, |query, results| {
        let judged = qrels.of(query)?;
        Some(each(query, judged, results))
    })?;
    let total = ranked.len();
    let mut found: HashMap<String, Option<T>> = ranked
        .into_iter()
        .filter_map(|(query, result)| Some((query, result?)))
        .collect();
    if found.is_empty() {
        return Err(nothing_judged(run.path, qrels_input));
    }
    let unjudged = total - found.len();
    let judged = qrels.judged_queries();
    Ok(Answered {
        queries: judged
            .map(|query| (query.to_owned(), found.remove(query).flatten()))
            .collect(),
        unjudged,
    })
}

impl<T> Answered<T> {
    fn and_then<U>(self, each: impl Fn(T) -> Option<U>) -> Answered<U> {
        let queries = self.queries.into_iter();
        Answered {
            queries: queries
                .map(|(query, found)| (query, found.and_then(&each)))
                .collect(),
            unjudged: self.unjudged,
        }
    }

    fn without_results(&self) -> usize {
        let queries = self.queries.iter();
        queries.filter(|(_, found)| found.is_none()).count()
    }

    /// Warns of queries that do not count; `consequence` says what becomes of those without results.
    pub fn warn(&self, run: &str, qrels: &str, consequence: &str) {
        let (judged, missing) = (self.queries.len(), self.without_results());
        if self.unjudged > 0 {
            tracing::warn!(
                "{} of {} queries of the run have no relevant document in {qrels} and are left out",
                self.unjudged,
                self.unjudged + judged - missing,
            );
        }
        if missing > 0 {
            tracing::warn!(
                "{missing} of {judged} judged queries have no result in {run} and {consequence}"
            );
        }
    }

    /// The number of judged queries first.
    pub fn counts(&self, qrels: &Qrels) -> [(&'static str, usize); 4] {
        [
            ("queries", self.queries.len()),
            ("queries_without_judgements", self.unjudged),
            ("queries_without_results", self.without_results()),
            ("judgements", qrels.len()),
        ]
    }
}

fn nothing_judged(run: &str, qrels: &str) -> EvaluateError {
    EvaluateError::NothingJudged {
        qrels: qrels.to_owned(),
        queries: run.to_owned(),
    }
}
