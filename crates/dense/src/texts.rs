use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{AsArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use pairmill_tables::TextColumn;

use crate::Index;
use crate::function::external;

/// `passage_text(corpus_id)`: the text of a passage of an index, `Utf8 → Utf8`. A passage that a
/// batch holds several times is read once.
#[derive(Debug)]
pub struct PassageText {
    index: Arc<Index>,
    signature: Signature,
}

impl PassageText {
    /// Makes the function over an index.
    pub fn new(index: Arc<Index>) -> Self {
        Self {
            index,
            signature: Signature::exact(vec![DataType::Utf8], Volatility::Immutable),
        }
    }

    fn texts(&self, ids: &StringArray) -> Result<TextColumn> {
        let numbers = ids.iter().flatten().map(|id| self.index.number(id));
        let numbers = numbers
            .collect::<crate::Result<Vec<u32>>>()
            .map_err(external)?;
        // In the order of their numbers, which is that of the file if the corpus was sorted.
        let mut texts: BTreeMap<u32, String> = numbers
            .iter()
            .map(|&number| (number, String::new()))
            .collect();
        for (&number, text) in &mut texts {
            *text = self.index.passages.text(number).map_err(external)?;
        }
        let mut column = TextColumn::default();
        for number in numbers {
            column.append(&texts[&number])?;
        }
        Ok(column)
    }
}

impl ScalarUDFImpl for PassageText {
    fn name(&self) -> &str {
        "passage_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let ids = args.args[0].to_array(args.number_rows)?;
        let texts = self.texts(ids.as_string::<i32>())?;
        Ok(ColumnarValue::Array(texts.finish()))
    }
}

impl PartialEq for PassageText {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.index, &other.index)
    }
}

impl Eq for PassageText {}

impl Hash for PassageText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.index).hash(state);
    }
}
