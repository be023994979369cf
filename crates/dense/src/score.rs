use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, AsArray, Float32Array, StringArray};
use arrow::datatypes::{DataType, Float32Type};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use crate::function::external;
use crate::index::Side;
use crate::{DenseError, Index};

/// Rows whose embeddings are in memory at once.
const ROWS: usize = 1_024;

/// `dense_score(query, text)`: the similarity of a query and a text by the model of an index;
/// `Utf8, Utf8 → Float32`, null where either is null. A text that is a passage's is looked up.
#[derive(Debug)]
pub struct DenseScore {
    index: Arc<Index>,
    signature: Signature,
}

impl DenseScore {
    /// Makes the function over an index.
    pub fn new(index: Arc<Index>) -> Self {
        Self {
            index,
            signature: Signature::exact(vec![DataType::Utf8; 2], Volatility::Immutable),
        }
    }

    fn scores(&self, queries: &StringArray, texts: &StringArray) -> crate::Result<Float32Array> {
        let is_given = |row: &usize| queries.is_valid(*row) && texts.is_valid(*row);
        let rows: Vec<usize> = (0..queries.len()).filter(is_given).collect();
        let mut scores = vec![None; queries.len()];
        for rows in rows.chunks(ROWS) {
            let texts: Vec<&str> = rows.iter().map(|&row| texts.value(row)).collect();
            let documents = self.index.embeddings(&texts, Side::Document)?;
            let queries: Vec<&str> = rows.iter().map(|&row| queries.value(row)).collect();
            let similarities = self.index.similarities(&queries, &documents)?;
            for (&row, score) in rows.iter().zip(similarities) {
                scores[row] = Some(score);
            }
        }
        Ok(scores.into())
    }
}

impl ScalarUDFImpl for DenseScore {
    fn name(&self) -> &str {
        "dense_score"
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
        let scores = self.scores(queries, texts).map_err(external)?;
        Ok(ColumnarValue::Array(Arc::new(scores)))
    }
}

impl PartialEq for DenseScore {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.index, &other.index)
    }
}

impl Eq for DenseScore {}

impl Hash for DenseScore {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.index).hash(state);
    }
}

/// `dense_passage_score(query, corpus_id, score)`: the similarity of a query and a passage of an
/// index where `score` is null, else `score`; `Utf8, Utf8, Float32 → Float32`.
#[derive(Debug)]
pub struct DensePassageScore {
    index: Arc<Index>,
    signature: Signature,
}

impl DensePassageScore {
    /// Makes the function over an index.
    pub fn new(index: Arc<Index>) -> Self {
        let arguments = vec![DataType::Utf8, DataType::Utf8, DataType::Float32];
        Self {
            index,
            signature: Signature::exact(arguments, Volatility::Immutable),
        }
    }

    fn scores(
        &self,
        queries: &StringArray,
        ids: &StringArray,
        known: &Float32Array,
    ) -> crate::Result<Float32Array> {
        let rows: Vec<usize> = (0..known.len()).filter(|&row| known.is_null(row)).collect();
        let mut column: Vec<f32> = known.values().to_vec();
        for rows in rows.chunks(ROWS) {
            let mut documents = Vec::with_capacity(rows.len() * self.index.dimension());
            for &row in rows {
                let number = self.index.number(ids.value(row))?;
                documents.extend(self.index.embedding(number)?);
            }
            let queries: Vec<&str> = rows.iter().map(|&row| queries.value(row)).collect();
            let similarities = self.index.similarities(&queries, &documents)?;
            for (&row, score) in rows.iter().zip(similarities) {
                column[row] = score;
            }
        }
        Ok(column.into())
    }
}

impl Index {
    /// Returns the number of the passage with this id.
    pub(crate) fn number(&self, id: &str) -> crate::Result<u32> {
        self.passages
            .number(id)
            .ok_or_else(|| DenseError::UnknownId { id: id.to_owned() })
    }
}

impl ScalarUDFImpl for DensePassageScore {
    fn name(&self) -> &str {
        "dense_passage_score"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float32)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let [queries, ids] = [0, 1].map(|number| columns[number].as_string::<i32>());
        let known = columns[2].as_primitive::<Float32Type>();
        let scores = self.scores(queries, ids, known).map_err(external)?;
        Ok(ColumnarValue::Array(Arc::new(scores)))
    }
}

impl PartialEq for DensePassageScore {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.index, &other.index)
    }
}

impl Eq for DensePassageScore {}

impl Hash for DensePassageScore {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.index).hash(state);
    }
}
