use std::iter;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Float64Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use pairmill_metrics::{RetrievalMetric, Scores};
use pairmill_tables::{Lineage, ParquetOutput, Table, TableError};

use crate::Result;
use crate::compared::Compared;
use crate::qrels::Qrels;
use crate::search::Hit;

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
    pub fn assess(&self, qrels: &Qrels, metrics: &[RetrievalMetric]) -> PerQuery {
        let rows = self.queries.iter().zip(&self.hits).map(|(query, hits)| {
            let Some(judged) = qrels.of(query) else {
                return vec![0.0; metrics.len()];
            };
            let ranked: Vec<i32> = hits
                .iter()
                .map(|hit| *judged.get(&self.documents[hit.key as usize]).unwrap_or(&0))
                .collect();
            let judged: Vec<i32> = judged.values().copied().collect();
            metrics
                .iter()
                .map(|metric| metric.score(&ranked, &judged))
                .collect()
        });
        PerQuery {
            metrics: metrics.to_vec(),
            rows: rows.collect(),
        }
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
        batch(
            schema,
            vec![
                Arc::new(StringArray::from(self.query_ids)),
                Arc::new(StringArray::from(self.corpus_ids)),
                Arc::new(Int32Array::from(self.ranks)),
                Arc::new(Float32Array::from(self.scores)),
            ],
        )
    }
}

/// The metrics of each query of a run, in the order of the run.
#[derive(Debug)]
pub(crate) struct PerQuery {
    metrics: Vec<RetrievalMetric>,
    rows: Vec<Vec<f64>>,
}

impl PerQuery {
    /// The means over all queries.
    pub fn means(&self) -> Scores {
        (0..self.metrics.len())
            .map(|i| {
                let sum: f64 = self.rows.iter().map(|row| row[i]).sum();
                (self.metrics[i].to_string(), sum / self.rows.len() as f64)
            })
            .collect()
    }
}

/// Writes `query_id` and one column a metric, followed by `baseline_METRIC` columns where there is
/// a baseline.
pub(crate) fn write_per_query(
    target: &Path,
    queries: &[String],
    scores: &Compared<PerQuery>,
    lineage: &Lineage,
) -> Result<()> {
    let runs = || iter::once(&scores.model).chain(&scores.baseline);
    let mut fields = vec![Field::new("query_id", DataType::Utf8, false)];
    for (prefix, scores) in ["", "baseline_"].iter().zip(runs()) {
        for metric in &scores.metrics {
            let name = format!("{prefix}{metric}");
            fields.push(Field::new(name, DataType::Float64, false));
        }
    }
    let schema = Arc::new(Schema::new(fields));
    let mut output = ParquetOutput::create(target, schema.clone(), lineage)?;
    for start in (0..queries.len()).step_by(WRITE_ROWS) {
        let rows = start..queries.len().min(start + WRITE_ROWS);
        let ids = StringArray::from_iter_values(&queries[rows.clone()]);
        let mut columns: Vec<ArrayRef> = vec![Arc::new(ids)];
        for scores in runs() {
            for i in 0..scores.metrics.len() {
                let values = scores.rows[rows.clone()].iter().map(|row| row[i]);
                columns.push(Arc::new(Float64Array::from_iter_values(values)));
            }
        }
        output.write(&batch(&schema, columns)?)?;
    }
    output.finish()?;
    Ok(())
}

pub(crate) fn batch(schema: &SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(schema.clone(), columns)
        .map_err(|error| TableError::Query(Box::new(error.into())).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_query_is_scored_by_the_grades_of_its_results() {
        let documents = ["a", "b", "c"].map(str::to_owned).to_vec();
        let hit = |key| Hit { key, score: 1.0 };
        let ranking = Ranking {
            documents: Arc::new(documents),
            queries: vec!["q1".to_owned(), "q2".to_owned()],
            hits: vec![vec![hit(2), hit(0)], vec![]],
        };
        let qrels: Qrels = [("q1", "a", 1), ("q1", "b", 1), ("q2", "c", 1)]
            .into_iter()
            .collect();
        let metrics = [RetrievalMetric::Mrr(10), RetrievalMetric::Recall(10)];
        let scores = ranking.assess(&qrels, &metrics);
        assert_eq!(scores.rows, [[0.5, 0.5], [0.0, 0.0]]);
        let means: Vec<f64> = scores.means().iter().map(|(_, value)| value).collect();
        assert_eq!(means, [0.25, 0.25]);
    }
}
