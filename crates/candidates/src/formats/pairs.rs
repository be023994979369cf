use arrow::datatypes::SchemaRef;
use pairmill_tables::Table;

use super::columns;
use super::{Columns, Format, TrainingRows};
use crate::{Decided, Pair};

/// One row for each pair, promoted ones included.
pub(super) struct Pairs;

impl Format for Pairs {
    fn name(&self) -> &'static str {
        "pairs"
    }

    fn help(&self) -> &'static str {
        "One row for each pair, promoted ones included: anchor, positive"
    }

    fn row_names(&self) -> [&'static str; 2] {
        ["pair", "pairs"]
    }

    fn needs_scores(&self) -> bool {
        true
    }

    fn schema(&self, _: &TrainingRows) -> SchemaRef {
        Table::Pairs.schema()
    }

    fn uses(&self, pair: &Pair, _: &TrainingRows) -> bool {
        pair.positive_is_sound
    }

    fn columns(&self, decided: &Decided, pairs: &[&Pair], _: &TrainingRows) -> Columns {
        columns::pairs(&decided.batch, pairs)
    }
}
