use std::sync::Arc;

use arrow::array::Float32Array;
use arrow::datatypes::{DataType, Field, SchemaRef};
use pairmill_tables::Table;

use super::columns::{documents, list_of, lists, pairs};
use super::teacher::{score, with};
use super::{Columns, Format, TrainingRows};
use crate::{Decided, Document, Pair};

/// Scores of a teacher for the positive and the first candidates.
pub(super) struct TeacherList;

impl Format for TeacherList {
    fn name(&self) -> &'static str {
        "teacher-list"
    }

    fn help(&self) -> &'static str {
        "For a KL divergence, whatever is decided: anchor, positive, negative_1 … (the first candidates), scores of them all"
    }

    fn row_names(&self) -> [&'static str; 2] {
        ["scored list", "scored lists"]
    }

    fn needs_scores(&self) -> bool {
        true
    }

    fn schema(&self, options: &TrainingRows) -> SchemaRef {
        let scores = DataType::List(list_of(DataType::Float32));
        with(
            Table::NTuples(options.negatives),
            Field::new("scores", scores, false),
        )
    }

    fn uses(&self, pair: &Pair, options: &TrainingRows) -> bool {
        pair.positive_is_sound && pair.scored.len() >= options.negatives
    }

    fn columns(&self, decided: &Decided, of: &[&Pair], options: &TrainingRows) -> Columns {
        let (batch, candidates) = (&decided.batch, options.negatives);
        let mut columns = pairs(batch, of)?;
        for n in 0..candidates {
            let rows = of.iter().map(|pair| Document::Candidate(pair.scored[n]));
            columns.extend(documents(batch, rows)?);
        }
        let scores = of.iter().flat_map(|pair| {
            let candidates = pair.scored.iter().take(candidates);
            let candidates = candidates.map(|&row| Document::Candidate(row));
            let documents = std::iter::once(pair.positive).chain(candidates);
            documents.map(|document| score(batch, document))
        });
        let scores = Arc::new(Float32Array::from_iter_values(scores));
        columns.push(lists(scores, of.iter().map(|_| 1 + candidates))?);
        Ok(columns)
    }
}
