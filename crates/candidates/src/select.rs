use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use pairmill_schema::{Decision, Reason};
use pairmill_tables::{Table, f32_column, i32_column, string_column};
use rayon::prelude::*;

use crate::{Candidate, Decided, Pair, Selection, Shingles, pairs_of};

/// How the candidates of a query are selected by the retriever's scores.
pub struct Select<'a> {
    /// Which become negatives.
    pub selection: &'a Selection,
    /// The similarity from which on a candidate is a near-duplicate of a positive.
    pub near_duplicates: f32,
    /// Seed of the random choice.
    pub seed: u64,
    /// The columns of the scores that the selection is by: the candidates' and the positive's.
    pub scores: [&'a str; 2],
}

impl Select<'_> {
    /// Decides on the candidates of whole queries, whose reason tells the exclusions so far.
    ///
    /// # Errors
    /// If the batch is no candidates table.
    pub fn select(&self, batch: &RecordBatch) -> Result<Decided, ArrowError> {
        let query_ids = string_column(batch, "query_id");
        let mut pairs: Vec<Pair> = pairs_of(batch).into_iter().map(Pair::given).collect();
        let same_query =
            |a: &Pair, b: &Pair| query_ids.value(a.rows.start) == query_ids.value(b.rows.start);
        let mut queries: Vec<&mut [Pair]> = pairs.chunk_by_mut(same_query).collect();
        let reasons: Vec<Vec<Reason>> = queries
            .par_iter_mut()
            .map(|pairs| self.select_of_query(batch, pairs))
            .collect();
        let reasons = reasons.concat();
        let decisions = reasons
            .iter()
            .map(|&reason| match self.selection.survives(reason) {
                true => Decision::Keep.name(),
                false => Decision::Drop.name(),
            });
        let decisions = StringArray::from_iter_values(decisions);
        let reasons = StringArray::from_iter_values(reasons.iter().map(|reason| reason.name()));
        let mut fields = Table::Candidates.schema().fields().to_vec();
        // The columns that go along stand behind the table's own.
        fields.extend_from_slice(&batch.schema().fields()[fields.len()..]);
        let schema = Arc::new(Schema::new(fields));
        let mut columns = batch.columns().to_vec();
        columns[schema.index_of("decision")?] = Arc::new(decisions);
        columns[schema.index_of("reason")?] = Arc::new(reasons);
        // A plan often calls a column nullable that holds no null; this checks that it holds none.
        let batch = RecordBatch::try_new(schema, columns)?;
        Ok(Decided { batch, pairs })
    }

    /// The reasons of a query's candidates, for one of its pairs after the other.
    fn select_of_query(&self, batch: &RecordBatch, pairs: &mut [Pair]) -> Vec<Reason> {
        let query_ids = string_column(batch, "query_id");
        let (positives, texts) = (
            string_column(batch, "positive"),
            string_column(batch, "text"),
        );
        let (ranks, scores) = (i32_column(batch, "rank"), f32_column(batch, self.scores[0]));
        let positive_scores = f32_column(batch, self.scores[1]);
        let excluded = string_column(batch, "reason");
        let corpus_ids = string_column(batch, "corpus_id");

        let firsts = || pairs.iter().map(|pair| pair.rows.start);
        let lowest = firsts()
            .map(|row| positive_scores.value(row))
            .fold(f32::INFINITY, f32::min);
        let shingles: Vec<Shingles> = firsts()
            .map(|row| Shingles::new(positives.value(row)))
            .collect();
        let draw = self.draw(query_ids.value(pairs[0].rows.start));
        let mut near: HashMap<&str, bool> = HashMap::new();
        let mut reasons = Vec::new();
        for pair in pairs {
            let mut candidate = |row: usize| {
                let mut excluded =
                    Reason::from_name(excluded.value(row)).unwrap_or(Reason::Negative);
                let is_near =
                    |shingles: &Shingles| shingles.resemble(texts.value(row), self.near_duplicates);
                // The pairs of a query have the same candidates.
                if excluded == Reason::Negative
                    && *near
                        .entry(corpus_ids.value(row))
                        .or_insert_with(|| shingles.iter().any(is_near))
                {
                    excluded = Reason::NearDuplicate;
                }
                Candidate {
                    rank: ranks.value(row) as usize,
                    score: scores.value(row),
                    excluded,
                }
            };
            let candidates: Vec<Candidate> = pair.rows.clone().map(&mut candidate).collect();
            let of_pair = self.selection.reasons(&candidates, lowest, draw);
            let rows = pair.rows.clone().zip(&of_pair);
            pair.negatives = rows
                .filter(|(_, reason)| self.selection.survives(**reason))
                .map(|(row, _)| row)
                .collect();
            reasons.extend(of_pair);
        }
        reasons
    }

    /// The state of a query's random choice, which no other query has a part in.
    fn draw(&self, query_id: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(query_id.as_bytes());
        *hasher.finalize().as_bytes()
    }
}
