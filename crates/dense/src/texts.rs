use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;
use pairmill_retrieval::column_function;
use pairmill_tables::TextColumn;

use crate::Index;
use crate::function::external;

/// Makes `passage_text(corpus_id)`: the text of a passage of an index, `Utf8 → Utf8`. A passage
/// that a batch holds several times is read once.
pub fn passage_text(index: Arc<Index>) -> ScalarUDF {
    let compute = move |columns: &[ArrayRef]| index.texts(columns[0].as_string::<i32>());
    column_function(
        "passage_text",
        vec![DataType::Utf8],
        DataType::Utf8,
        compute,
    )
}

impl Index {
    fn texts(&self, ids: &StringArray) -> Result<ArrayRef> {
        let numbers = ids.iter().flatten().map(|id| self.number(id));
        let numbers = numbers
            .collect::<crate::Result<Vec<u32>>>()
            .map_err(external)?;
        // In the order of their numbers, which is that of the file if the corpus was sorted.
        let mut texts: BTreeMap<u32, String> = numbers
            .iter()
            .map(|&number| (number, String::new()))
            .collect();
        for (&number, text) in &mut texts {
            *text = self.passages.text(number).map_err(external)?;
        }
        let mut column = TextColumn::default();
        for number in numbers {
            column.append(&texts[&number])?;
        }
        Ok(column.finish())
    }
}
