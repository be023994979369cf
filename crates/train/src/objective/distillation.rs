use std::collections::BTreeMap;

use arrow::array::Array;
use datafusion::prelude::SessionContext;
use pairmill_schema::counted;
use pairmill_tables::{ColumnNames, Table, f32_column, open, string_column};
use tch::Tensor;

use super::{LossOfEmbeddings, NoSignal, Objective, picked};
use crate::batch_text::{BatchText, document, query};
use crate::error::{Result, TrainError};
use crate::losses::encoder::DistillationLoss;
use crate::sampler::shuffled_batches;

/// A pair with its candidates, all scored by the teacher.
#[derive(Debug, Clone)]
pub(crate) struct ScoredPair {
    pub query: String,
    /// The positive, then the candidates.
    pub documents: Vec<(String, f32)>,
}

/// Pairs with equally many scored candidates each.
pub(crate) struct Distillation {
    rows: Vec<ScoredPair>,
    loss: DistillationLoss,
}

impl Distillation {
    pub fn new(rows: Vec<ScoredPair>, loss: DistillationLoss) -> Self {
        Self { rows, loss }
    }
}

/// Reads candidates that `pairmill-filter` has scored (`--format candidates` or `--audit`): of each
/// pair the first `negatives` by rank; pairs with fewer are left out.
///
/// # Errors
/// If an input is unsound or not scored, or no pair has enough candidates.
pub(crate) async fn read_scored_pairs(
    session: &SessionContext,
    inputs: &[&str],
    negatives: usize,
) -> Result<Vec<ScoredPair>> {
    let mut pairs: BTreeMap<(String, String), ScoredPair> = BTreeMap::new();
    let (mut unscored, mut all) = (0, 0);
    for input in inputs {
        let names = ColumnNames::default();
        let frame = open(session, input, Table::Candidates, &names, &[]).await?;
        for batch in frame.collect().await? {
            let text = |name| string_column(&batch, name);
            let (queries, positives, candidates) = (text("query"), text("positive"), text("text"));
            let (of_positive, scores) = (
                f32_column(&batch, "positive_score"),
                f32_column(&batch, "score"),
            );
            for row in 0..batch.num_rows() {
                all += 1;
                if of_positive.is_null(row) || scores.is_null(row) {
                    unscored += 1;
                    continue;
                }
                let (of_positive, score) = (of_positive.value(row), scores.value(row));
                let key = (
                    queries.value(row).to_owned(),
                    positives.value(row).to_owned(),
                );
                let pair = pairs
                    .entry(key)
                    .or_insert_with_key(|(query, positive)| ScoredPair {
                        query: query.clone(),
                        documents: vec![(positive.clone(), of_positive)],
                    });
                if pair.documents.len() <= negatives {
                    pair.documents
                        .push((candidates.value(row).to_owned(), score));
                }
            }
        }
    }
    if unscored > 0 && !pairs.is_empty() {
        tracing::warn!(
            "{}: {unscored} of {} left out for want of a score",
            inputs.join(", "),
            counted(all, "candidate", "candidates")
        );
    }
    let all = pairs.len();
    let rows: Vec<ScoredPair> = pairs
        .into_values()
        .filter(|row| row.documents.len() > negatives)
        .collect();
    if rows.is_empty() {
        return Err(TrainError::TooFewCandidates {
            files: inputs.join(", "),
            negatives,
            pairs: all,
        });
    }
    if rows.len() < all {
        tracing::warn!(
            "{} of {} left out, with fewer than {negatives} scored candidates",
            all - rows.len(),
            counted(all, "pair", "pairs")
        );
    }
    Ok(rows)
}

impl Objective for Distillation {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn describe(&self) -> String {
        let candidates = self.rows.iter().map(|row| row.documents.len() - 1);
        format!(
            "{} with {}",
            counted(self.rows(), "pair", "pairs"),
            counted(
                candidates.sum::<usize>(),
                "scored candidate",
                "scored candidates"
            )
        )
    }

    fn retain(&mut self, rows: &[usize]) {
        self.rows = picked(&self.rows, rows);
    }

    fn batches(&self, batch_size: usize, seed: u64, epoch: u32) -> Vec<Vec<usize>> {
        shuffled_batches(self.rows.len(), batch_size, seed, epoch)
    }

    fn without_signal(&self, _rows: &[usize]) -> usize {
        0
    }

    fn no_signal(&self) -> NoSignal {
        NoSignal::NO_NEGATIVE
    }

    /// Returns the queries, then the positive and candidates row by row.
    fn texts(&self, rows: &[usize]) -> Vec<BatchText<'_>> {
        let batch = || rows.iter().map(|&row| &self.rows[row]);
        let documents = batch().flat_map(|row| row.documents.iter());
        batch()
            .map(|row| query(&row.query))
            .chain(documents.map(|(text, _)| document(text)))
            .collect()
    }

    fn loss<'a>(&'a self, rows: &'a [usize]) -> Result<LossOfEmbeddings<'a>> {
        let scores: Vec<f32> = rows
            .iter()
            .flat_map(|&row| self.rows[row].documents.iter().map(|(_, score)| *score))
            .collect();
        Ok(Box::new(move |embeddings| {
            let queries = rows.len() as i64;
            let width = embeddings.size()[1];
            let documents = embeddings
                .narrow(0, queries, embeddings.size()[0] - queries)
                .view([queries, -1, width]);
            let queries = embeddings.narrow(0, 0, queries);
            let scores = Tensor::from_slice(&scores)
                .to_device(embeddings.device())
                .view([rows.len() as i64, -1]);
            (self.loss)(&queries, &documents, &scores)
        }))
    }
}
