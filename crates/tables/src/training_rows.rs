//! The columns of training rows that are made of decisions.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float32Array, ListArray, RecordBatch, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{interleave, take};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::training::{Document, Judged, Pair, list_of};
use crate::{Table, string_column};

type Columns = Result<Vec<ArrayRef>, ArrowError>;

/// How the reasons of candidates that are known positives begin.
const POSITIVE_REASONS: &str = "positive_";

/// The columns behind those of the candidates table, which go along as they are.
pub(crate) fn kept(batch: &RecordBatch) -> &[ArrayRef] {
    let own = Table::Candidates.schema().fields().len();
    batch.columns().get(own..).unwrap_or_default()
}

/// The ids and the texts of the queries beside some documents, and behind them what is
/// [`kept`] of their rows.
pub(crate) fn queries(
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
pub(crate) fn documents(
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
pub(crate) fn pairs(batch: &RecordBatch, pairs: &[&Pair]) -> Columns {
    let positives = || pairs.iter().map(|pair| pair.positive);
    let mut columns = queries(batch, positives())?;
    columns.extend(documents(batch, positives())?);
    Ok(columns)
}

pub(crate) fn triplets(batch: &RecordBatch, pairs: &[&Pair]) -> Columns {
    let rows = || {
        pairs.iter().flat_map(|pair| {
            let negatives = pair.negatives.iter();
            negatives.map(|&row| (pair.positive, Document::Candidate(row)))
        })
    };
    let mut columns = queries(batch, rows().map(|(positive, _)| positive))?;
    columns.extend(documents(batch, rows().map(|(positive, _)| positive))?);
    columns.extend(documents(batch, rows().map(|(_, negative)| negative))?);
    Ok(columns)
}

pub(crate) fn n_tuples(batch: &RecordBatch, of: &[&Pair], negatives: usize) -> Columns {
    let mut columns = pairs(batch, of)?;
    for n in 0..negatives {
        let rows = of.iter().map(|pair| Document::Candidate(pair.negatives[n]));
        columns.extend(documents(batch, rows)?);
    }
    Ok(columns)
}

/// 1 for each positive, also one that was kept among the candidates; 0 for each negative.
fn labels(batch: &RecordBatch, documents: &[(Document, bool)]) -> ArrayRef {
    let reasons = string_column(batch, "reason");
    let is_positive = documents.iter().map(|&(document, is_positive)| {
        is_positive || reasons.value(document.row()).starts_with(POSITIVE_REASONS)
    });
    Arc::new(Float32Array::from_iter_values(is_positive.map(f32::from)))
}

/// The pairs of each query.
pub(crate) fn by_query(judged: &Judged) -> impl Iterator<Item = &[Pair]> {
    let ids = string_column(&judged.batch, "query_id");
    let same = |a: &Pair, b: &Pair| ids.value(a.rows.start) == ids.value(b.rows.start);
    judged.pairs.chunk_by(same)
}

/// The id of a document.
pub(crate) fn id(batch: &RecordBatch, document: Document) -> &str {
    match document {
        Document::Positive(row) => string_column(batch, "positive_id").value(row),
        Document::Candidate(row) => string_column(batch, "corpus_id").value(row),
    }
}

/// Per query its sound positives with score 1, then its negatives with score 0, each once.
pub(crate) fn labeled_pairs(judged: &Judged) -> Columns {
    let batch = &judged.batch;
    let mut sources: Vec<(Document, bool)> = Vec::new();
    for pairs in by_query(judged) {
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

pub(crate) fn labeled_lists() -> SchemaRef {
    let list = |name: &str, kind| Field::new(name, DataType::List(list_of(kind)), false);
    Arc::new(Schema::new(vec![
        Field::new("anchor_id", DataType::Utf8, false),
        Field::new("anchor", DataType::Utf8, false),
        list("document_ids", DataType::Utf8),
        list("documents", DataType::Utf8),
        list("labels", DataType::Float32),
    ]))
}

/// Lists of these lengths, one after the other.
pub(crate) fn lists(
    values: ArrayRef,
    lengths: impl IntoIterator<Item = usize>,
) -> Result<ArrayRef, ArrowError> {
    let item = list_of(values.data_type().clone());
    let list = ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), values, None)?;
    Ok(Arc::new(list))
}

pub(crate) fn labeled_list_columns(batch: &RecordBatch, pairs: &[&Pair]) -> Columns {
    let mut sources: Vec<(Document, bool)> = Vec::new();
    let mut lengths = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let before = sources.len();
        sources.push((pair.positive, true));
        let negatives = pair.negatives.iter().map(|&row| Document::Candidate(row));
        let others = negatives.filter(|&other| id(batch, other) != id(batch, pair.positive));
        sources.extend(others.map(|other| (other, false)));
        lengths.push(sources.len() - before);
    }
    let list = |values: ArrayRef| lists(values, lengths.iter().copied());
    let mut columns = queries(batch, pairs.iter().map(|pair| pair.positive))?;
    for values in documents(batch, sources.iter().map(|source| source.0))? {
        columns.push(list(values)?);
    }
    columns.push(list(labels(batch, &sources))?);
    Ok(columns)
}
