use arrow::datatypes::SchemaRef;
use pairmill_tables::Table;

use super::columns::{documents, queries};
use super::{Columns, Format, TrainingRows};
use crate::{Decided, Document, Pair};

/// One row for each negative.
pub(super) struct Triplet;

impl Format for Triplet {
    fn name(&self) -> &'static str {
        "triplet"
    }

    fn help(&self) -> &'static str {
        "One row for each negative: anchor, positive, negative"
    }

    fn row_names(&self) -> [&'static str; 2] {
        ["triplet", "triplets"]
    }

    fn parts_negatives(&self) -> bool {
        true
    }

    fn schema(&self, _: &TrainingRows) -> SchemaRef {
        Table::Triplets.schema()
    }

    fn uses(&self, pair: &Pair, _: &TrainingRows) -> bool {
        pair.positive_is_sound && !pair.negatives.is_empty()
    }

    fn columns(&self, decided: &Decided, pairs: &[&Pair], _: &TrainingRows) -> Columns {
        let batch = &decided.batch;
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
}
