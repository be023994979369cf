use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use pairmill_metrics::RetrievalMetric;
use pairmill_tables::{ColumnNames, Table, f32_column, i32_column, string_column};

use crate::compared::Compared;
use crate::items::{Label, write_items};
use crate::qrels::Qrels;
use crate::ranking::Ranking;
use crate::reader::Reader;
use crate::search::Hit;
use crate::{EvaluateError, Evaluation, Frame, Result};

const METHOD: &str = "Results count in the order of the column `rank`; equal ranks go by score, \
then by ascending id. nDCG has linear gain. Means are over the queries to which at least one \
document is judged relevant; one of these without results scores 0.";

/// The metrics of a ranked run, whoever made it.
///
/// Judged queries that the run lacks score 0 and are counted; queries of the run that are not
/// judged are left out and counted.
#[derive(Debug, Clone)]
pub struct RankedRun {
    /// The run table.
    pub run: String,
    /// The qrels table.
    pub qrels: String,
}

impl RankedRun {
    /// Evaluates. The output folder gets the metrics of each query.
    pub(crate) fn run(&self, frame: &Frame) -> Result<Evaluation> {
        frame.run(
            "run",
            METHOD,
            &(),
            |lineage| {
                let tables = lineage.with_input("run", &self.run)?;
                Ok(tables.with_input("qrels", &self.qrels)?)
            },
            |results| {
                let reader = Reader::new(frame.threads)?;
                let qrels = Qrels::read(&reader, &self.qrels)?;
                let (ranking, counts) = self.read_judged(&reader, &qrels)?;
                let scores = Compared {
                    model: ranking.assess(&qrels, &RetrievalMetric::DEFAULTS),
                    baseline: None,
                };
                if let Some(results) = results {
                    let target = results.folder.join("per_query.parquet");
                    let ids = Label {
                        name: "query_id",
                        values: ranking.queries.iter().map(String::as_str).collect(),
                    };
                    write_items(&target, &[ids], &scores, results.lineage)?;
                }
                Ok(Evaluation::of("run", &scores, &frame.settings, counts))
            },
        )
    }

    /// The run of the judged queries, with the counts of what it lacks and what is left out.
    pub(super) fn read_judged(
        &self,
        reader: &Reader,
        qrels: &Qrels,
    ) -> Result<(Ranking, [(&'static str, usize); 4])> {
        let mut runs = self.read_run(reader)?;
        let ranked = runs.hits.len();
        runs.hits.retain(|query, _| qrels.of(query).is_some());
        if runs.hits.is_empty() {
            return Err(EvaluateError::NothingJudged {
                qrels: self.qrels.clone(),
                queries: self.run.clone(),
            });
        }
        let judged = runs.hits.len();
        for query in qrels.judged_queries() {
            runs.hits.entry(query.to_owned()).or_default();
        }
        let ranking = runs.into_ranking();
        let counts = self.count(ranked, judged, ranking.queries.len(), qrels.len());
        Ok((ranking, counts))
    }

    fn read_run(&self, reader: &Reader) -> Result<RunRows> {
        let mut run = RunRows::default();
        let columns = ["query_id", "corpus_id", "rank", "score"];
        reader.for_each(
            &self.run,
            Table::Run,
            &ColumnNames::default(),
            &columns,
            |batch| {
                let queries = string_column(batch, "query_id");
                let documents = string_column(batch, "corpus_id");
                let ranks = i32_column(batch, "rank");
                let scores = f32_column(batch, "score");
                for row in 0..batch.num_rows() {
                    let hit = RankedHit {
                        rank: ranks.value(row),
                        hit: Hit {
                            key: run.key(documents.value(row)),
                            score: scores.value(row),
                        },
                    };
                    match run.hits.get_mut(queries.value(row)) {
                        Some(hits) => hits.push(hit),
                        None => {
                            run.hits.insert(queries.value(row).to_owned(), vec![hit]);
                        }
                    }
                }
                Ok(())
            },
        )?;
        self.refuse_repeats(&run)?;
        Ok(run)
    }

    fn refuse_repeats(&self, run: &RunRows) -> Result<()> {
        let mut seen = HashSet::new();
        for (query, hits) in &run.hits {
            seen.clear();
            if let Some(again) = hits.iter().find(|hit| !seen.insert(hit.hit.key)) {
                return Err(EvaluateError::DuplicateResult {
                    path: self.run.clone(),
                    query: query.clone(),
                    document: run.documents[again.hit.key as usize].clone(),
                });
            }
        }
        Ok(())
    }

    fn count(
        &self,
        ranked: usize,
        judged: usize,
        queries: usize,
        judgements: usize,
    ) -> [(&'static str, usize); 4] {
        if ranked > judged {
            tracing::warn!(
                "{} of {ranked} queries of the run have no relevant document in {} and are left out",
                ranked - judged,
                self.qrels
            );
        }
        if queries > judged {
            tracing::warn!(
                "{} of {queries} judged queries have no result in {} and score 0",
                queries - judged,
                self.run
            );
        }
        [
            ("queries", queries),
            ("queries_without_judgements", ranked - judged),
            ("queries_without_results", queries - judged),
            ("judgements", judgements),
        ]
    }
}

struct RankedHit {
    rank: i32,
    hit: Hit,
}

/// A run as it is read: documents are numbered in the order in which they turn up.
#[derive(Default)]
struct RunRows {
    hits: BTreeMap<String, Vec<RankedHit>>,
    documents: Vec<String>,
    keys: HashMap<String, u32>,
}

impl RunRows {
    fn key(&mut self, document: &str) -> u32 {
        if let Some(&key) = self.keys.get(document) {
            return key;
        }
        let key = self.documents.len() as u32;
        self.keys.insert(document.to_owned(), key);
        self.documents.push(document.to_owned());
        key
    }

    fn into_ranking(self) -> Ranking {
        let documents = self.documents;
        let (queries, hits) = self
            .hits
            .into_iter()
            .map(|(query, mut hits)| {
                hits.sort_unstable_by(|a, b| {
                    let by_id =
                        || documents[a.hit.key as usize].cmp(&documents[b.hit.key as usize]);
                    a.rank
                        .cmp(&b.rank)
                        .then(b.hit.score.total_cmp(&a.hit.score))
                        .then_with(by_id)
                });
                (query, hits.into_iter().map(|ranked| ranked.hit).collect())
            })
            .unzip();
        Ranking {
            documents: Arc::new(documents),
            queries,
            hits,
        }
    }
}
