use arrow::datatypes::SchemaRef;
use pairmill_tables::Table;

use super::{Columns, Format, TrainingRows};
use crate::{Decided, Pair};

/// All candidates with their scores, decisions and reasons.
pub(super) struct Candidates;

impl Format for Candidates {
    fn name(&self) -> &'static str {
        "candidates"
    }

    fn help(&self) -> &'static str {
        "All candidates with their scores, decisions and reasons"
    }

    fn row_names(&self) -> [&'static str; 2] {
        ["candidate", "candidates"]
    }

    fn schema(&self, _: &TrainingRows) -> SchemaRef {
        Table::Candidates.schema()
    }

    fn uses(&self, _: &Pair, _: &TrainingRows) -> bool {
        true
    }

    fn columns(&self, decided: &Decided, _: &[&Pair], _: &TrainingRows) -> Columns {
        Ok(decided.batch.columns().to_vec())
    }
}
