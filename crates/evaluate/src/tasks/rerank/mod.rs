mod ranked_anew;
mod texts;

use pairmill_hub::ModelSource;
use pairmill_inference::{Activation, CrossEncoder, CrossEncoderOptions};
use pairmill_metrics::RetrievalMetric;
use pairmill_schema::{agreeing, counted};
use pairmill_tables::{Lineage, Qrels, Results, TableReader};
use serde::Serialize;

use crate::error::Result;
use crate::items::write::{Label, PER_QUERY, write_items};
use crate::paired::Paired;
use crate::ranked::answered::answered;
use crate::ranked::conventions::{gain, identical_ids};
use crate::ranked::curves::{INTERPOLATED, precision_by_recall};
use crate::ranked::examples::Examples;
use crate::ranked::first_stage::{ranking_of, with_positives};
use crate::ranked::judgements;
use crate::ranked::ranking::Ranking;
use crate::ranked::run_table::{Listed, RunTable, Ties};
use crate::report::{Compared, Report};
use crate::results::evaluation::Evaluation;
use crate::results::names::{data_name, names};
use crate::results::reporting::{curves, scatter};
use crate::results::run_options::RunOptions;
use crate::statistics::clusters::Clustering;
use crate::statistics::sample::Means;
use ranked_anew::ranked_anew;
use texts::{Sources, Texts};

/// A cross-encoder that ranks the results of a run anew, against judgements.
///
/// The baseline is the run as it is, cut at `top_k`.
#[derive(Debug, Clone)]
pub struct Rerank {
    /// The cross-encoder in ONNX.
    pub model: ModelSource,
    /// Longest pair in tokens; `None` is what the model's folder says.
    pub max_length: Option<usize>,
    /// The run table.
    pub run: String,
    /// The corpus table.
    pub corpus: String,
    /// The queries table.
    pub queries: String,
    /// The qrels table.
    pub qrels: String,
    /// Results of each query to rank anew.
    pub top_k: usize,
    /// Whether to rank the relevant documents that the run lacks as well.
    pub always_rerank_positives: bool,
    /// The metrics, chief figure first.
    pub metrics: Vec<RetrievalMetric>,
    /// Whether to drop a result that has the id of its query, as BEIR does where queries are
    /// documents of the corpus themselves.
    pub ignore_identical_ids: bool,
    /// Queries shown of each kind: gained and lost most.
    pub examples: usize,
}

#[derive(Debug, Serialize)]
struct Options {
    max_length: Option<usize>,
    top_k: usize,
    always_rerank_positives: bool,
    metrics: Vec<String>,
    ignore_identical_ids: bool,
    examples: usize,
}

impl Rerank {
    /// Evaluates. The output folder gets the new run, with logits for scores, and the metrics of
    /// each query.
    pub(crate) fn run(&self, run_options: &RunOptions) -> Result<Evaluation> {
        let options = Options {
            max_length: self.max_length,
            top_k: self.top_k,
            always_rerank_positives: self.always_rerank_positives,
            metrics: self.metrics.iter().map(ToString::to_string).collect(),
            ignore_identical_ids: self.ignore_identical_ids,
            examples: self.examples,
        };
        run_options.run(
            "rerank",
            &self.method(),
            &options,
            |lineage| self.add_to(lineage),
            |results| {
                let reader = TableReader::new(run_options.threads)?;
                let qrels = reader.qrels(&self.qrels)?;
                let FirstStage {
                    ranking: before,
                    mut counts,
                    warnings,
                } = self.read_run(&reader, &qrels)?;
                let given = match self.always_rerank_positives {
                    true => with_positives(&before, &qrels, true),
                    false => before.clone(),
                };
                let sources = Sources {
                    run: &self.run,
                    queries: &self.queries,
                    corpus: &self.corpus,
                };
                let texts = sources.read(&reader, &given, &qrels)?;
                let model = CrossEncoder::load(self.model.folder()?, &self.options(run_options))?;
                let after = ranked_anew(&model, given, &texts)?;
                let before = match self.always_rerank_positives {
                    true => with_positives(&before, &qrels, false),
                    false => before,
                };
                let tally = model.tally();
                counts.extend([
                    ("judgements_of_unknown_documents", texts.unknown),
                    ("pairs", tally.scored as usize),
                    ("pairs_truncated", tally.truncated as usize),
                ]);
                let rankings = Paired {
                    model: after,
                    baseline: Some(before),
                };
                let scores = rankings.map(|run| run.assess(&qrels, &self.metrics));
                let queries = rankings.model.queries.iter().map(String::as_str);
                let clustering = judgements::clustering(&qrels, queries);
                let clustering = clustering.as_ref();
                let mut evaluation =
                    Evaluation::of("rerank", &scores, clustering, &run_options.settings, counts);
                let cut = (tally.truncated > 0).then(|| {
                    let were = agreeing(tally.truncated, "was", "were");
                    format!(
                        "{} of {} of texts {were} longer than the model reads ({} tokens) and \
                         {were} cut",
                        tally.truncated,
                        counted(tally.scored + tally.cached, "pair", "pairs"),
                        model.max_length()
                    )
                });
                evaluation.warn(warnings.into_iter().chain(cut));
                if let Some(results) = results {
                    let drawn =
                        self.write(&results, &qrels, &rankings, &scores, &texts, clustering);
                    evaluation.drawn = drawn?;
                }
                Ok(self.declare(evaluation))
            },
        )
    }

    /// Fills the output folder, and draws what the report shows of it.
    fn write(
        &self,
        results: &Results<'_>,
        qrels: &Qrels,
        rankings: &Paired<Ranking>,
        scores: &Paired<Means>,
        texts: &Texts,
        clustering: Option<&Clustering>,
    ) -> Result<Report> {
        let file = |name: &str| results.folder.join(name);
        let after = &rankings.model;
        after.write(&file("run.parquet"), results.lineage)?;
        let ids: Vec<&str> = after.queries.iter().map(String::as_str).collect();
        let label = Label {
            name: "query_id",
            values: ids.clone(),
        };
        write_items(
            &file(PER_QUERY),
            &[label],
            scores,
            clustering,
            results.lineage,
        )?;
        let queries: Vec<&str> = ids.iter().map(|id| texts.query(id)).collect();
        let mut examples = Examples::choose(self.examples, &queries, qrels, rankings, scores);
        examples.fill(&texts.documents);
        results.write_json("examples.json", &examples)?;

        let (model, baseline) = names(&self.model.to_string(), Some(&self.run));
        let drawn = Report {
            data: data_name(&self.queries),
            compared: Compared::Reranker,
            model,
            baseline,
            items: "queries".to_owned(),
            scatter: scatter(scores, ids),
            examples: examples.report(),
            precision_recall_note: INTERPOLATED.to_owned(),
            ..Report::default()
        };
        let points = rankings.map(|run| precision_by_recall(run, qrels));
        Ok(Report {
            precision_recall: curves(&drawn, points),
            ..drawn
        })
    }

    fn declare(&self, evaluation: Evaluation) -> Evaluation {
        let positives = match self.always_rerank_positives {
            true => "added",
            false => "of the run",
        };
        evaluation
            .with_convention("ties", Ties::Score.name())
            .with_convention("without_results", "zero")
            .with_convention("identical_ids", identical_ids(self.ignore_identical_ids))
            .with_convention("top_k", self.top_k.to_string())
            .with_convention("relevant_documents", positives)
    }

    fn method(&self) -> String {
        let positives = match self.always_rerank_positives {
            true => {
                ", and the relevant documents that it lacks, which stand at the end of the \
                 baseline where that has any relevant document"
            }
            false => "",
        };
        let identical = match self.ignore_identical_ids {
            true => " Results that have the id of their query are dropped before.",
            false => "",
        };
        format!(
            "The baseline is the run as it is, by falling score and for equal ones by its \
             column `rank`, the model the same documents by falling score of the \
             cross-encoder; equal scores stay in the order of the run. Ranked are the first \
             {} results of each query{positives}.{identical} {}Means are over the queries to \
             which at least one document is judged relevant; one of these without results \
             scores 0.",
            self.top_k,
            gain(&self.metrics)
        )
    }

    fn options(&self, run_options: &RunOptions) -> CrossEncoderOptions {
        CrossEncoderOptions {
            threads: run_options.threads,
            max_length: self.max_length,
            // A sigmoid would make equal what lies far out.
            activation: Some(Activation::Identity),
            ..CrossEncoderOptions::default()
        }
    }

    fn add_to(&self, lineage: Lineage) -> Result<Lineage> {
        let model = self.model.folder()?.display().to_string();
        Ok(lineage
            .with_input("run", &self.run)?
            .with_input("corpus", &self.corpus)?
            .with_input("queries", &self.queries)?
            .with_input("qrels", &self.qrels)?
            .with_input("model", &model)?)
    }

    /// The judged queries and the first results of each.
    fn read_run(&self, reader: &TableReader, qrels: &Qrels) -> Result<FirstStage> {
        let run = RunTable::new(&self.run, Ties::Score);
        let answered = answered(&run, reader, qrels, &self.qrels, |query, _, results| {
            let is_other = |one: &&Listed<'_>| !self.ignore_identical_ids || one.document != query;
            let others = results.iter().filter(is_other);
            let dropped = results.len() - others.clone().count();
            let first = others.take(self.top_k);
            let first = first.map(|one| (one.document.to_owned(), one.score));
            Some((first.collect::<Vec<_>>(), dropped))
        })?;
        let dropped = answered.queries.iter().flat_map(|(_, one)| one);
        let dropped: usize = dropped.map(|(_, dropped)| dropped).sum();
        let answered = answered.and_then(|(first, _)| (!first.is_empty()).then_some(first));
        answered.warn(&self.run, &self.qrels, "counted as 0");
        let mut counts = answered.counts(qrels).to_vec();
        if self.ignore_identical_ids {
            counts.push(("identical_ids_ignored", dropped));
        }
        Ok(FirstStage {
            ranking: ranking_of(answered),
            counts,
            warnings: run.warnings(),
        })
    }
}

/// What a run hands to the cross-encoder.
struct FirstStage {
    ranking: Ranking,
    counts: Vec<(&'static str, usize)>,
    warnings: Vec<String>,
}
