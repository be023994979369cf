use std::iter;

use pairmill_metrics::RetrievalMetric;
use pairmill_tables::{Qrels, TableReader};
use serde::Serialize;

use crate::error::{EvaluateError, Result};
use crate::items::write::{Label, PER_QUERY, write_items};
use crate::paired::Paired;
use crate::ranked::answered::{Answered, answered, nothing_judged};
use crate::ranked::conventions::{gain, identical_ids};
use crate::ranked::curves::{INTERPOLATED, Levels, interpolated, mean_curve};
use crate::ranked::judgements;
use crate::ranked::run_table::{Listed, RunTable, Ties};
use crate::ranked::scorer::QueryScorer;
use crate::report::Report;
use crate::results::evaluation::Evaluation;
use crate::results::names::{data_name, names};
use crate::results::reporting::{curves, scatter};
use crate::results::run_options::RunOptions;
use crate::statistics::sample::Means;

/// The metrics of a ranked run, whoever made it.
///
/// Queries of the run that are not judged are left out and counted.
#[derive(Debug, Clone)]
pub struct RankedRun {
    /// The run table.
    pub run: String,
    /// The run table that it is compared with.
    pub baseline: Option<String>,
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
    /// It is left out of the means, as trec_eval does without `-c`; with a baseline, where either
    /// run has no result.
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
    pub(crate) fn run(&self, run_options: &RunOptions) -> Result<Evaluation> {
        let options = Options {
            metrics: self.metrics.iter().map(ToString::to_string).collect(),
            ties: &self.ties,
            without_results: &self.without_results,
            ignore_identical_ids: self.ignore_identical_ids,
        };
        run_options.run(
            "run",
            &self.method(),
            &options,
            |lineage| {
                let lineage = lineage.with_input("run", &self.run)?;
                let lineage = match &self.baseline {
                    Some(baseline) => lineage.with_input("baseline", baseline)?,
                    None => lineage,
                };
                Ok(lineage.with_input("qrels", &self.qrels)?)
            },
            |results| {
                let reader = TableReader::new(run_options.threads)?;
                let qrels = reader.qrels(&self.qrels)?;
                let runs = Paired {
                    model: self.run.as_str(),
                    baseline: self.baseline.as_deref(),
                };
                let draw = results.is_some();
                let judged = runs.try_map(|run| self.judge(&reader, run, &qrels, draw))?;
                let counted = self.counted(&judged)?;
                let scores = judged.map(|run| self.means(run, &counted));
                let counts = self.counts(&judged, &qrels, counted.len());
                let queries = counted.iter().map(|&query| judged.model.id(query));
                let clustering = judgements::clustering(&qrels, queries.clone());
                let clustering = clustering.as_ref();
                let mut evaluation =
                    Evaluation::of("run", &scores, clustering, &run_options.settings, counts);
                let runs = iter::once(&judged.model).chain(&judged.baseline);
                evaluation.warn(runs.flat_map(|run| run.warnings.clone()));
                if let Some(results) = results {
                    let target = results.folder.join(PER_QUERY);
                    let ids = Label {
                        name: "query_id",
                        values: queries.clone().collect(),
                    };
                    write_items(&target, &[ids], &scores, clustering, results.lineage)?;
                    evaluation.drawn = self.draw(&judged, &counted);
                    evaluation.drawn.scatter = scatter(&scores, queries);
                }
                Ok(self.declare(evaluation))
            },
        )
    }

    fn judge(
        &self,
        reader: &TableReader,
        path: &str,
        qrels: &Qrels,
        draw: bool,
    ) -> Result<JudgedRun> {
        let scorer = QueryScorer::new(qrels, &self.metrics);
        let run = RunTable::new(path, self.ties);
        let answered = answered(
            &run,
            reader,
            qrels,
            &self.qrels,
            |query, judged, results| {
                let is_other =
                    |one: &&Listed<'_>| !self.ignore_identical_ids || one.document != query;
                let documents = || results.iter().filter(is_other).map(|one| one.document);
                let dropped = results.len() - documents().count();
                let found = (dropped < results.len()).then(|| Found {
                    row: scorer.row(judged, documents()),
                    levels: draw.then(|| interpolated(judged, documents())),
                });
                Some((found, dropped))
            },
        )?;
        let dropped = answered.queries.iter().flat_map(|(_, one)| one);
        let identical_ids = dropped.map(|&(_, dropped)| dropped).sum();
        let answered = answered.and_then(|(found, _)| found);
        let consequence = match self.without_results {
            WithoutResults::Zero => "counted as 0",
            WithoutResults::Skip => "left out",
        };
        answered.warn(path, &self.qrels, consequence);
        Ok(JudgedRun {
            answered,
            identical_ids,
            warnings: run.warnings(),
        })
    }

    /// The places among the judged queries of those that the means are over.
    fn counted(&self, runs: &Paired<JudgedRun>) -> Result<Vec<usize>> {
        let all = 0..runs.model.answered.queries.len();
        let has_results = |query: &usize| {
            let mut runs = iter::once(&runs.model).chain(&runs.baseline);
            runs.all(|run| run.found(*query).is_some())
        };
        let answered: Vec<usize> = all.clone().filter(has_results).collect();
        match (&self.baseline, self.without_results) {
            (Some(baseline), _) if answered.is_empty() => Err(EvaluateError::NoCommonQuery {
                run: self.run.clone(),
                baseline: baseline.clone(),
                qrels: self.qrels.clone(),
            }),
            (_, WithoutResults::Zero) => Ok(all.collect()),
            (_, WithoutResults::Skip) if answered.is_empty() => {
                Err(nothing_judged(&self.run, &self.qrels))
            }
            (_, WithoutResults::Skip) => Ok(answered),
        }
    }

    fn means(&self, run: &JudgedRun, counted: &[usize]) -> Means {
        let row = |&query: &usize| match run.found(query) {
            Some(found) => found.row.clone(),
            None => vec![0.0; self.metrics.len()],
        };
        Means {
            metrics: self.metrics.iter().map(ToString::to_string).collect(),
            rows: counted.iter().map(row).collect(),
        }
    }

    fn counts(
        &self,
        runs: &Paired<JudgedRun>,
        qrels: &Qrels,
        queries: usize,
    ) -> Vec<(&'static str, usize)> {
        let mut counts = runs.model.answered.counts(qrels).to_vec();
        counts[0].1 = queries;
        if self.ignore_identical_ids {
            counts.push(("identical_ids_ignored", runs.model.identical_ids));
        }
        if let Some(JudgedRun {
            answered,
            identical_ids,
            ..
        }) = &runs.baseline
        {
            let (unjudged, missing) = (answered.unjudged, answered.without_results());
            counts.push(("baseline_queries_without_judgements", unjudged));
            counts.push(("baseline_queries_without_results", missing));
            if self.ignore_identical_ids {
                counts.push(("baseline_identical_ids_ignored", *identical_ids));
            }
        }
        counts
    }

    /// The names of the runs and their curves.
    fn draw(&self, runs: &Paired<JudgedRun>, counted: &[usize]) -> Report {
        let (model, baseline) = names(&self.run, self.baseline.as_deref());
        let drawn = Report {
            data: data_name(&self.qrels),
            model,
            baseline,
            items: "queries".to_owned(),
            precision_recall_note: INTERPOLATED.to_owned(),
            ..Report::default()
        };
        let points = runs.map(|run| {
            let levels = counted.iter().map(|&query| run.found(query)?.levels);
            mean_curve(levels.map(Option::unwrap_or_default))
        });
        Report {
            precision_recall: curves(&drawn, points),
            ..drawn
        }
    }

    fn declare(&self, evaluation: Evaluation) -> Evaluation {
        let without_results = match self.without_results {
            WithoutResults::Zero => "zero",
            WithoutResults::Skip => "skip",
        };
        evaluation
            .with_convention("ties", self.ties.name())
            .with_convention("without_results", without_results)
            .with_convention("identical_ids", identical_ids(self.ignore_identical_ids))
    }

    fn method(&self) -> String {
        let order = match self.ties {
            Ties::Score => {
                "Results count by falling score; equal scores go by the column `rank`, if there is \
                 one, then by ascending id."
            }
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

/// A run and what it has found for the judged queries.
struct JudgedRun {
    answered: Answered<Found>,
    /// Results dropped because they have the id of their query.
    identical_ids: usize,
    /// What speaks against its order.
    warnings: Vec<String>,
}

/// What a run has found for a query.
struct Found {
    /// The value of each metric.
    row: Vec<f64>,
    /// What the curve is made of, where one is drawn.
    levels: Option<Levels>,
}

impl JudgedRun {
    fn id(&self, query: usize) -> &str {
        &self.answered.queries[query].0
    }

    fn found(&self, query: usize) -> Option<&Found> {
        self.answered.queries[query].1.as_ref()
    }
}
