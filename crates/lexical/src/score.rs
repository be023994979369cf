use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, AsArray, Float32Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use rayon::prelude::*;

use crate::Index;
use crate::function::external;
use crate::search::Scratch;

/// `bm25_score(query, text)`: what a text would score for a query, with the statistics of an
/// index; `Utf8, Utf8 → Float32`, 0 where they share no term, null where either is null.
#[derive(Debug)]
pub struct Bm25Score {
    index: Arc<Index>,
    signature: Signature,
}

impl Bm25Score {
    /// The function over an index.
    pub fn new(index: Arc<Index>) -> Self {
        Self {
            index,
            signature: Signature::exact(vec![DataType::Utf8; 2], Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Bm25Score {
    fn name(&self) -> &str {
        "bm25_score"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float32)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let [queries, texts] = [0, 1].map(|number| columns[number].as_string::<i32>());
        let scores = (0..queries.len())
            .into_par_iter()
            .map_init(
                || Scratch::new(&self.index),
                |scratch, row| {
                    if queries.is_null(row) || texts.is_null(row) {
                        return Ok(None);
                    }
                    let (query, text) = (queries.value(row), texts.value(row));
                    self.index.score(query, text, scratch).map(Some)
                },
            )
            .collect::<crate::Result<Vec<Option<f32>>>>()
            .map_err(external)?;
        Ok(ColumnarValue::Array(Arc::new(Float32Array::from(scores))))
    }
}

impl PartialEq for Bm25Score {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.index, &other.index)
    }
}

impl Eq for Bm25Score {}

impl Hash for Bm25Score {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.index).hash(state);
    }
}
