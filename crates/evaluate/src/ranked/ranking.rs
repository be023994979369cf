use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use pairmill_metrics::RetrievalMetric;
use pairmill_tables::{Lineage, ParquetOutput, Qrels, Table};

use crate::error::Result;
use crate::items::write::batch;
use crate::ranked::scorer::QueryScorer;
use crate::statistics::sample::Means;
use pairmill_retrieval::Hit;

/// Rows handed to the Parquet writer at a time.
const WRITE_ROWS: usize = 32_768;

/// A ranked run. `keys` of hits index `documents`.
#[derive(Debug, Clone)]
pub(crate) struct Ranking {
    pub documents: Arc<Vec<String>>,
    /// Query ids in ascending order.
    pub queries: Vec<String>,
    /// The hits of each query, best first.
    pub hits: Vec<Vec<Hit>>,
}

impl Ranking {
    /// Scores every query against its judgements; one that is not judged scores 0.
    pub fn assess(&self, qrels: &Qrels, metrics: &[RetrievalMetric]) -> Means {
        let scorer = QueryScorer::new(qrels, metrics);
        let rows = self.queries.iter().zip(&self.hits).map(|(query, hits)| {
            let Some(judged) = qrels.of(query) else {
                return vec![0.0; metrics.len()];
            };
            let document = |hit: &Hit| self.documents[hit.key as usize].as_str();
            scorer.row(judged, hits.iter().map(document))
        });
        Means {
            metrics: metrics.iter().map(ToString::to_string).collect(),
            rows: rows.collect(),
        }
    }

    /// Drops the results that have the id of their query, keeps the first `depth` of the others,
    /// and says how many were dropped. As BEIR does with `ignore_identical_ids`.
    pub fn drop_identical_ids(&mut self, depth: usize) -> usize {
        let documents = &self.documents;
        let mut dropped = 0;
        for (query, hits) in self.queries.iter().zip(&mut self.hits) {
            let before = hits.len();
            hits.retain(|hit| documents[hit.key as usize] != *query);
            dropped += before - hits.len();
            hits.truncate(depth);
        }
        dropped
    }

    /// Writes the run as a table ordered by query and rank.
    pub fn write(&self, target: &Path, lineage: &Lineage) -> Result<()> {
        let schema = Table::Run.schema();
        let mut output = ParquetOutput::create(target, schema.clone(), lineage)?;
        let mut rows = RunRows::default();
        for (query, hits) in self.queries.iter().zip(&self.hits) {
            for (rank, hit) in (1..).zip(hits) {
                rows.query_ids.push(query);
                rows.corpus_ids.push(&self.documents[hit.key as usize]);
                rows.ranks.push(rank);
                rows.scores.push(hit.score);
            }
            if rows.ranks.len() >= WRITE_ROWS {
                output.write(&std::mem::take(&mut rows).into_batch(&schema)?)?;
            }
        }
        output.write(&rows.into_batch(&schema)?)?;
        output.finish()?;
        Ok(())
    }
}

#[derive(Default)]
struct RunRows<'a> {
    query_ids: Vec<&'a str>,
    corpus_ids: Vec<&'a str>,
    ranks: Vec<i32>,
    scores: Vec<f32>,
}

impl RunRows<'_> {
    fn into_batch(self, schema: &SchemaRef) -> Result<RecordBatch> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(self.query_ids)),
            Arc::new(StringArray::from(self.corpus_ids)),
            Arc::new(Int32Array::from(self.ranks)),
            Arc::new(Float32Array::from(self.scores)),
        ];
        batch(schema, columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranked::judgements::tests::qrels;
    use crate::statistics::sample::Sample;

    #[test]
    fn each_query_is_scored_by_the_grades_of_its_results() {
        let documents = ["a", "b", "c"].map(str::to_owned).to_vec();
        let hit = |key| Hit { key, score: 1.0 };
        let ranking = Ranking {
            documents: Arc::new(documents),
            queries: vec!["q1".to_owned(), "q2".to_owned()],
            hits: vec![vec![hit(2), hit(0)], vec![]],
        };
        let qrels = qrels([("q1", "a", 1), ("q1", "b", 1), ("q2", "c", 1)]);
        let metrics = ["mrr@10", "recall@10"].map(|metric| metric.parse().unwrap());
        let scores = ranking.assess(&qrels, &metrics);
        assert_eq!(scores.rows, [[0.5, 0.5], [0.0, 0.0]]);
        assert_eq!(scores.figures(&[0, 1]), [0.25, 0.25]);
        assert_eq!(scores.figures(&[0, 0]), [0.5, 0.5]);
    }
}
