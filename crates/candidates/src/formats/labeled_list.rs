use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::columns::{documents, id, labels, list_of, lists, queries};
use super::{Columns, Format, TrainingRows};
use crate::{Decided, Document, Pair};

/// One row for each pair, with the labels of its documents.
pub(super) struct LabeledList;

impl Format for LabeledList {
    fn name(&self) -> &'static str {
        "labeled-list"
    }

    fn help(&self) -> &'static str {
        "One row for each pair: anchor, documents (the positive first) and their labels (1 or 0)"
    }

    fn row_names(&self) -> [&'static str; 2] {
        ["labeled list", "labeled lists"]
    }

    fn schema(&self, _: &TrainingRows) -> SchemaRef {
        let list = |name: &str, kind| Field::new(name, DataType::List(list_of(kind)), false);
        Arc::new(Schema::new(vec![
            Field::new("anchor_id", DataType::Utf8, false),
            Field::new("anchor", DataType::Utf8, false),
            list("document_ids", DataType::Utf8),
            list("documents", DataType::Utf8),
            list("labels", DataType::Float32),
        ]))
    }

    fn uses(&self, pair: &Pair, _: &TrainingRows) -> bool {
        pair.positive_is_sound && !pair.negatives.is_empty()
    }

    fn columns(&self, decided: &Decided, pairs: &[&Pair], _: &TrainingRows) -> Columns {
        let batch = &decided.batch;
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
}
