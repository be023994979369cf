use arrow::datatypes::SchemaRef;
use pairmill_tables::Table;

use super::columns::{documents, pairs};
use super::{Columns, Format, TrainingRows};
use crate::{Decided, Document, Pair};

/// One row for each pair that has all its negatives.
pub(super) struct NTuple;

impl Format for NTuple {
    fn name(&self) -> &'static str {
        "n-tuple"
    }

    fn help(&self) -> &'static str {
        "One row for each pair that has all its negatives: anchor, positive, negative_1, negative_2 …"
    }

    fn row_names(&self) -> [&'static str; 2] {
        ["n-tuple", "n-tuples"]
    }

    fn parts_negatives(&self) -> bool {
        true
    }

    fn schema(&self, options: &TrainingRows) -> SchemaRef {
        Table::NTuples(options.negatives).schema()
    }

    fn uses(&self, pair: &Pair, options: &TrainingRows) -> bool {
        pair.positive_is_sound && pair.negatives.len() == options.negatives
    }

    fn columns(&self, decided: &Decided, of: &[&Pair], options: &TrainingRows) -> Columns {
        let batch = &decided.batch;
        let mut columns = pairs(batch, of)?;
        for n in 0..options.negatives {
            let rows = of.iter().map(|pair| Document::Candidate(pair.negatives[n]));
            columns.extend(documents(batch, rows)?);
        }
        Ok(columns)
    }
}
