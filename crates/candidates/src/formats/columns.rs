//! The columns that training rows are put together of.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float32Array, ListArray, RecordBatch, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{interleave, take};
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;
use pairmill_schema::Reason;
use pairmill_tables::{Table, string_column};

use super::Columns;
use crate::{Decided, Document, Pair};

/// The columns behind those of the candidates table, which go along as they are.
pub(super) fn kept(batch: &RecordBatch) -> &[ArrayRef] {
    let own = Table::Candidates.schema().fields().len();
    batch.columns().get(own..).unwrap_or_default()
}

/// The ids and the texts of the queries beside some documents, and behind them what is
/// [`kept`] of their rows.
pub(super) fn queries(
    batch: &RecordBatch,
    documents: impl IntoIterator<Item = Document>,
) -> Columns {
    let rows = documents.into_iter().map(|document| document.row() as u32);
    let rows = UInt32Array::from_iter_values(rows);
    let own = ["query_id", "query"].map(|name| string_column(batch, name) as &dyn Array);
    let kept = kept(batch).iter().map(|column| column.as_ref());
    let columns = own.into_iter().chain(kept);
    columns.map(|column| take(column, &rows, None)).collect()
}

/// The ids and the texts of some documents.
pub(super) fn documents(
    batch: &RecordBatch,
    documents: impl IntoIterator<Item = Document>,
) -> Columns {
    let place = |document| match document {
        Document::Positive(row) => (0, row),
        Document::Candidate(row) => (1, row),
    };
    let places: Vec<(usize, usize)> = documents.into_iter().map(place).collect();
    let either = |positive: &str, candidate: &str| {
        let columns = [positive, candidate].map(|name| string_column(batch, name) as &dyn Array);
        interleave(&columns, &places)
    };
    Ok(vec![
        either("positive_id", "corpus_id")?,
        either("positive", "text")?,
    ])
}

/// Columns of anchors and positives, the beginning of most tables.
pub(super) fn pairs(batch: &RecordBatch, pairs: &[&Pair]) -> Columns {
    let positives = || pairs.iter().map(|pair| pair.positive);
    let mut columns = queries(batch, positives())?;
    columns.extend(documents(batch, positives())?);
    Ok(columns)
}

/// 1 for each positive, also one that was kept among the candidates; 0 for each negative.
pub(super) fn labels(batch: &RecordBatch, documents: &[(Document, bool)]) -> ArrayRef {
    let reasons = string_column(batch, "reason");
    let is_positive = documents.iter().map(|&(document, is_positive)| {
        is_positive
            || Reason::from_name(reasons.value(document.row())).is_some_and(Reason::is_positive)
    });
    Arc::new(Float32Array::from_iter_values(is_positive.map(f32::from)))
}

/// The pairs of each query.
pub(super) fn by_query(decided: &Decided) -> impl Iterator<Item = &[Pair]> {
    let ids = string_column(&decided.batch, "query_id");
    let same = |a: &Pair, b: &Pair| ids.value(a.rows.start) == ids.value(b.rows.start);
    decided.pairs.chunk_by(same)
}

/// The id of a document.
pub(super) fn id(batch: &RecordBatch, document: Document) -> &str {
    match document {
        Document::Positive(row) => string_column(batch, "positive_id").value(row),
        Document::Candidate(row) => string_column(batch, "corpus_id").value(row),
    }
}

/// Lists of these lengths, one after the other.
pub(super) fn lists(
    values: ArrayRef,
    lengths: impl IntoIterator<Item = usize>,
) -> Result<ArrayRef, ArrowError> {
    let item = list_of(values.data_type().clone());
    let list = ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), values, None)?;
    Ok(Arc::new(list))
}

/// Returns the item of a list of this kind.
pub(super) fn list_of(kind: DataType) -> Arc<Field> {
    Arc::new(Field::new_list_field(kind, false))
}
