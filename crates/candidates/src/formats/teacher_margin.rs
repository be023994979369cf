use std::sync::Arc;

use arrow::array::Float32Array;
use arrow::datatypes::{DataType, Field, SchemaRef};
use pairmill_tables::Table;

use super::columns::{documents, queries};
use super::teacher::{score, with};
use super::{Columns, Format, TrainingRows};
use crate::{Decided, Document, Pair};

/// Margins of a teacher.
pub(super) struct TeacherMargin;

impl Format for TeacherMargin {
    fn name(&self) -> &'static str {
        "teacher-margin"
    }

    fn help(&self) -> &'static str {
        "For MarginMSE, whatever is decided: anchor, positive, negative (any candidate), score (the positive's less the candidate's)"
    }

    fn row_names(&self) -> [&'static str; 2] {
        ["margin", "margins"]
    }

    fn needs_scores(&self) -> bool {
        true
    }

    fn schema(&self, _: &TrainingRows) -> SchemaRef {
        let score = Field::new("score", DataType::Float32, false);
        with(Table::Triplets, score)
    }

    fn uses(&self, pair: &Pair, _: &TrainingRows) -> bool {
        pair.positive_is_sound && !pair.scored.is_empty()
    }

    fn columns(&self, decided: &Decided, of: &[&Pair], options: &TrainingRows) -> Columns {
        let batch = &decided.batch;
        let rows: Vec<(Document, Document)> = of
            .iter()
            .flat_map(|pair| {
                let scored = pair.scored.iter().take(options.negatives);
                scored.map(|&row| (pair.positive, Document::Candidate(row)))
            })
            .collect();
        let mut columns = queries(batch, rows.iter().map(|row| row.0))?;
        columns.extend(documents(batch, rows.iter().map(|row| row.0))?);
        columns.extend(documents(batch, rows.iter().map(|row| row.1))?);
        let margins = rows
            .iter()
            .map(|&(positive, candidate)| score(batch, positive) - score(batch, candidate));
        columns.push(Arc::new(Float32Array::from_iter_values(margins)));
        Ok(columns)
    }
}
