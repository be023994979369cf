//! What formats share that carry a teacher's scores, whatever was decided.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use pairmill_tables::{Table, f32_column};

use crate::Document;

/// Returns the columns of a table with one more behind them.
pub(super) fn with(table: Table, field: Field) -> SchemaRef {
    let mut fields = table.schema().fields().to_vec();
    fields.push(Arc::new(field));
    Arc::new(Schema::new(fields))
}

/// Returns the teacher's score of a document.
pub(super) fn score(batch: &RecordBatch, document: Document) -> f32 {
    match document {
        Document::Positive(row) => f32_column(batch, "positive_score").value(row),
        Document::Candidate(row) => f32_column(batch, "score").value(row),
    }
}
