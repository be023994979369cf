use std::collections::HashSet;

use arrow::datatypes::SchemaRef;
use pairmill_tables::Table;

use super::columns::{by_query, documents, id, labels, queries};
use super::{Columns, Format, TrainingRows};
use crate::{Decided, Document, Pair};

/// One row for each pair and each negative, with a label.
pub(super) struct LabeledPair;

impl Format for LabeledPair {
    fn name(&self) -> &'static str {
        "labeled-pair"
    }

    fn help(&self) -> &'static str {
        "One row for each pair (score 1) and each negative (score 0): sentence1, sentence2, score"
    }

    fn row_names(&self) -> [&'static str; 2] {
        ["labeled pair", "labeled pairs"]
    }

    fn schema(&self, _: &TrainingRows) -> SchemaRef {
        Table::LabeledPairs.schema()
    }

    fn uses(&self, pair: &Pair, _: &TrainingRows) -> bool {
        pair.positive_is_sound
    }

    /// Per query its sound positives with score 1, then its negatives with score 0, each once.
    fn columns(&self, decided: &Decided, _: &[&Pair], _: &TrainingRows) -> Columns {
        let batch = &decided.batch;
        let mut sources: Vec<(Document, bool)> = Vec::new();
        for pairs in by_query(decided) {
            let positives = pairs.iter().filter(|pair| pair.positive_is_sound);
            sources.extend(positives.map(|pair| (pair.positive, true)));
            let positives = pairs.iter().map(|pair| id(batch, pair.positive));
            let mut unwanted: HashSet<&str> = positives.collect();
            for &row in pairs.iter().flat_map(|pair| &pair.negatives) {
                let negative = Document::Candidate(row);
                if unwanted.insert(id(batch, negative)) {
                    sources.push((negative, false));
                }
            }
        }
        let mut columns = queries(batch, sources.iter().map(|source| source.0))?;
        columns.extend(documents(batch, sources.iter().map(|source| source.0))?);
        columns.push(labels(batch, &sources));
        Ok(columns)
    }
}
