use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::StringArray;
use pairmill_cli::Progress;
use pairmill_hub::ModelSource;
use pairmill_inference::{Activation, CrossEncoder, CrossEncoderOptions};
use pairmill_metrics::RetrievalMetric;
use pairmill_tables::{ColumnNames, Lineage, Table, passage, string_column};
use serde::Serialize;

use super::ranked_run::{Answered, answered};
use crate::compared::Compared;
use crate::items::{Label, write_items};
use crate::qrels::{Judged, Qrels};
use crate::ranking::Ranking;
use crate::reader::Reader;
use crate::report::Report;
use crate::reporting::{scatter, short};
use crate::run_table::{RunTable, Ties};
use crate::search::Hit;
use crate::{EvaluateError, Evaluation, Frame, Result};

/// Pairs scored at a time: enough to sort by length, few enough to hold.
const BLOCK: usize = 8_192;

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
}

#[derive(Debug, Serialize)]
struct Options {
    max_length: Option<usize>,
    top_k: usize,
    always_rerank_positives: bool,
}

impl Rerank {
    /// Evaluates. The output folder gets the new run, with logits for scores, and the metrics of
    /// each query.
    pub(crate) fn run(&self, frame: &Frame) -> Result<Evaluation> {
        let options = Options {
            max_length: self.max_length,
            top_k: self.top_k,
            always_rerank_positives: self.always_rerank_positives,
        };
        frame.run(
            "rerank",
            &self.method(),
            &options,
            |lineage| self.add_to(lineage),
            |results| {
                let reader = Reader::new(frame.threads)?;
                let qrels = Qrels::read(&reader, &self.qrels)?;
                let (before, counts) = self.read_run(&reader, &qrels)?;
                let given = match self.always_rerank_positives {
                    true => with_positives(&before, &qrels, true),
                    false => before.clone(),
                };
                let texts = self.read_texts(&reader, &given)?;
                let model = CrossEncoder::load(self.model.folder()?, &self.options(frame))?;
                let after = rerank(&model, given, &texts)?;
                let before = match self.always_rerank_positives {
                    true => with_positives(&before, &qrels, false),
                    false => before,
                };
                let tally = model.tally();
                let counts = counts.into_iter().chain([
                    ("pairs", tally.scored as usize),
                    ("pairs_truncated", tally.truncated as usize),
                ]);
                let rankings = Compared {
                    model: after,
                    baseline: Some(before),
                };
                let scores = rankings.map(|run| run.assess(&qrels, &RetrievalMetric::DEFAULTS));
                if let Some(results) = results {
                    let file = |name: &str| results.folder.join(name);
                    let after = &rankings.model;
                    after.write(&file("run.parquet"), results.lineage)?;
                    let target = file("per_query.parquet");
                    let ids = Label {
                        name: "query_id",
                        values: after.queries.iter().map(String::as_str).collect(),
                    };
                    write_items(&target, &[ids], &scores, results.lineage)?;
                }
                let mut evaluation = Evaluation::of("rerank", &scores, &frame.settings, counts);
                evaluation.drawn = Report {
                    title: short(&self.queries),
                    model: short(&self.model.to_string()),
                    baseline: Some(short(&self.run)),
                    items: "queries".to_owned(),
                    scatter: scatter(&scores, rankings.model.queries.iter().map(String::as_str)),
                    ..Report::default()
                };
                Ok(evaluation)
            },
        )
    }

    fn method(&self) -> String {
        let positives = match self.always_rerank_positives {
            true => {
                ", and the relevant documents that it lacks, which stand at the end of the \
                 baseline where that has any relevant document"
            }
            false => "",
        };
        format!(
            "The baseline is the run as it is, the model the same documents by falling score of \
             the cross-encoder; equal scores stay in the order of the run. Ranked are the first {} \
             results of each query{positives}. nDCG has linear gain. Means are over the queries to \
             which at least one document is judged relevant; one of these without results scores 0.",
            self.top_k
        )
    }

    fn options(&self, frame: &Frame) -> CrossEncoderOptions {
        CrossEncoderOptions {
            threads: frame.threads,
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
    fn read_run(
        &self,
        reader: &Reader,
        qrels: &Qrels,
    ) -> Result<(Ranking, [(&'static str, usize); 4])> {
        let run = RunTable {
            path: &self.run,
            ties: Ties::Rank,
        };
        let answered = answered(&run, reader, qrels, &self.qrels, |_, _, results| {
            let first = results.iter().take(self.top_k);
            let first = first.map(|one| (one.document.to_owned(), one.score));
            Some(first.collect::<Vec<_>>())
        })?;
        answered.warn(&self.run, &self.qrels, "score 0");
        let counts = answered.counts(qrels);
        Ok((ranking_of(answered), counts))
    }

    fn read_texts(&self, reader: &Reader, ranking: &Ranking) -> Result<Texts> {
        let asked = ranking.queries.iter().zip(&ranking.hits);
        let asked = asked.filter(|(_, hits)| !hits.is_empty());
        let hits = ranking.hits.iter().flatten();
        let documents = hits.map(|hit| ranking.documents[hit.key as usize].as_str());
        Ok(Texts {
            queries: self.read_some(
                reader,
                &self.queries,
                Table::Queries,
                &["id", "text"],
                asked.map(|(id, _)| id.as_str()).collect(),
            )?,
            documents: self.read_some(
                reader,
                &self.corpus,
                Table::Corpus,
                &["id", "text", "title"],
                documents.collect(),
            )?,
        })
    }

    /// The texts of the wanted rows, each behind its title if there is one.
    fn read_some(
        &self,
        reader: &Reader,
        input: &str,
        table: Table,
        columns: &[&str],
        wanted: HashSet<&str>,
    ) -> Result<HashMap<String, String>> {
        let mut texts = HashMap::with_capacity(wanted.len());
        let names = ColumnNames::default();
        reader.for_each(input, table, &names, columns, |batch| {
            let columns: Vec<&StringArray> = columns
                .iter()
                .map(|name| string_column(batch, name))
                .collect();
            for row in 0..batch.num_rows() {
                let id = columns[0].value(row);
                if !wanted.contains(id) {
                    continue;
                }
                let title = columns.get(2).map_or("", |titles| titles.value(row));
                let text = passage(title, columns[1].value(row)).into_owned();
                if texts.insert(id.to_owned(), text).is_some() {
                    return Err(EvaluateError::DuplicateId {
                        path: input.to_owned(),
                        id: id.to_owned(),
                    });
                }
            }
            Ok(())
        })?;
        // The first in order of id, so that the message is always the same.
        let without = wanted.into_iter().filter(|id| !texts.contains_key(*id));
        match without.min() {
            Some(id) => Err(EvaluateError::NoText {
                path: input.to_owned(),
                id: id.to_owned(),
                run: self.run.clone(),
            }),
            None => Ok(texts),
        }
    }
}

/// By id.
struct Texts {
    queries: HashMap<String, String>,
    documents: HashMap<String, String>,
}

/// Numbers the documents in the order in which they turn up.
fn ranking_of(answered: Answered<Vec<(String, f32)>>) -> Ranking {
    let mut documents = Vec::new();
    let mut keys: HashMap<String, u32> = HashMap::new();
    let mut hit = |(document, score): (String, f32)| {
        let key = *keys.entry(document).or_insert_with_key(|document| {
            documents.push(document.clone());
            documents.len() as u32 - 1
        });
        Hit { key, score }
    };
    let (queries, hits) = answered
        .queries
        .into_iter()
        .map(|(query, results)| {
            let results = results.into_iter().flatten();
            (query, results.map(&mut hit).collect())
        })
        .unzip();
    Ranking {
        documents: Arc::new(documents),
        queries,
        hits,
    }
}

/// Adds the relevant documents that the results of a query lack at their end: for every query, or
/// only where there is a relevant one among the results. sentence-transformers'
/// `CrossEncoderRerankingEvaluator` does the one for the model and the other for its baseline.
fn with_positives(ranking: &Ranking, qrels: &Qrels, every_query: bool) -> Ranking {
    let mut documents = ranking.documents.to_vec();
    let keys = documents.iter().cloned().zip(0..);
    let mut keys: HashMap<String, u32> = keys.collect();
    let mut hits = ranking.hits.clone();
    for (query, hits) in ranking.queries.iter().zip(&mut hits) {
        let judged = qrels.of(query).into_iter().flat_map(Judged::iter);
        let relevant = judged.filter(|&(_, grade)| grade > 0);
        let found: HashSet<u32> = hits.iter().map(|hit| hit.key).collect();
        let mut missing = Vec::new();
        let mut has_relevant = every_query;
        for (document, _) in relevant {
            let key = *keys.entry(document.to_owned()).or_insert_with(|| {
                documents.push(document.to_owned());
                documents.len() as u32 - 1
            });
            match found.contains(&key) {
                true => has_relevant = true,
                false => missing.push(key),
            }
        }
        let lowest = hits.last().map_or(0.0, |hit| hit.score);
        if has_relevant {
            hits.extend(missing.into_iter().map(|key| Hit { key, score: lowest }));
        }
    }
    Ranking {
        documents: Arc::new(documents),
        queries: ranking.queries.clone(),
        hits,
    }
}

/// Scores each query with its results and sorts these by falling score.
fn rerank(model: &CrossEncoder, mut ranking: Ranking, texts: &Texts) -> Result<Ranking> {
    let documents = ranking.documents.clone();
    let rows = ranking.queries.iter().zip(&mut ranking.hits);
    let mut rows: Vec<(&str, &mut Hit)> = rows
        .filter(|(_, hits)| !hits.is_empty())
        .flat_map(|(query, hits)| {
            let query = texts.queries[query].as_str();
            hits.iter_mut().map(move |hit| (query, hit))
        })
        .collect();
    let progress = Progress::new("scoring", "pairs", Some(rows.len() as u64));
    for block in rows.chunks_mut(BLOCK) {
        let text = |hit: &Hit| texts.documents[&documents[hit.key as usize]].as_str();
        let pairs: Vec<(&str, &str)> = block
            .iter()
            .map(|(query, hit)| (*query, text(hit)))
            .collect();
        let scores = model.scores_with(&pairs, |done| progress.inc(done.len() as u64))?;
        for ((_, hit), score) in block.iter_mut().zip(scores) {
            hit.score = score;
        }
    }
    for hits in &mut ranking.hits {
        hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    }
    Ok(ranking)
}
