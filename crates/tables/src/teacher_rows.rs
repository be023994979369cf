//! The columns of training rows that carry a teacher's scores, whatever was decided.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::training::{Document, Judged, Pair, list_of};
use crate::training_rows::{by_query, documents, id, lists as lists_of, pairs, queries};
use crate::{Table, f32_column};

type Columns = Result<Vec<ArrayRef>, ArrowError>;

fn with(table: Table, field: Field) -> SchemaRef {
    let mut fields = table.schema().fields().to_vec();
    fields.push(Arc::new(field));
    Arc::new(Schema::new(fields))
}

/// Triplets with a margin.
pub(crate) fn margins() -> SchemaRef {
    let score = Field::new("score", DataType::Float32, false);
    with(Table::Triplets, score)
}

/// N-tuples with the scores of the positive and of each candidate.
pub(crate) fn lists(candidates: usize) -> SchemaRef {
    let scores = DataType::List(list_of(DataType::Float32));
    with(
        Table::NTuples(candidates),
        Field::new("scores", scores, false),
    )
}

/// The teacher's score of a document.
fn score(batch: &RecordBatch, document: Document) -> f32 {
    match document {
        Document::Positive(row) => f32_column(batch, "positive_score").value(row),
        Document::Candidate(row) => f32_column(batch, "score").value(row),
    }
}

pub(crate) fn margin_columns(batch: &RecordBatch, of: &[&Pair], candidates: usize) -> Columns {
    let rows: Vec<(Document, Document)> = of
        .iter()
        .flat_map(|pair| {
            let scored = pair.scored.iter().take(candidates);
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

pub(crate) fn list_columns(batch: &RecordBatch, of: &[&Pair], candidates: usize) -> Columns {
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
    columns.push(lists_of(scores, of.iter().map(|_| 1 + candidates))?);
    Ok(columns)
}

/// Per query each of its positives and scored candidates once, labelled by its score.
pub(crate) fn labeled_pairs(judged: &Judged, threshold: f64) -> Columns {
    let batch = &judged.batch;
    let mut sources: Vec<Document> = Vec::new();
    for pairs in by_query(judged) {
        let given = || pairs.iter().filter(|pair| !pair.is_promoted());
        let candidates = given().flat_map(|pair| &pair.scored);
        let candidates = candidates.map(|&row| Document::Candidate(row));
        let mut seen = HashSet::new();
        let documents = given().map(|pair| pair.positive).chain(candidates);
        sources.extend(documents.filter(|&document| seen.insert(id(batch, document))));
    }
    let mut columns = queries(batch, sources.iter().copied())?;
    columns.extend(documents(batch, sources.iter().copied())?);
    let labels = sources.iter().map(|&document| {
        let is_positive = f64::from(score(batch, document)) >= threshold;
        f32::from(is_positive)
    });
    columns.push(Arc::new(Float32Array::from_iter_values(labels)));
    Ok(columns)
}
