use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array, StringArray};
use arrow::datatypes::{DataType, Float32Type};
use datafusion::logical_expr::ScalarUDF;
use pairmill_retrieval::column_function;

use crate::function::external;
use crate::model::Side;
use crate::{DenseError, Index, Result};

/// Rows whose embeddings are in memory at once.
const ROWS: usize = 1_024;

/// Makes `dense_score(query, text)`: the similarity of a query and a text by the model of an index;
/// `Utf8, Utf8 → Float32`, null where either is null. A text that is a passage's is looked up.
pub fn dense_score(index: Arc<Index>) -> ScalarUDF {
    let compute = move |columns: &[ArrayRef]| {
        let [queries, texts] = [0, 1].map(|number| columns[number].as_string::<i32>());
        let scores = index.scores(queries, texts).map_err(external)?;
        Ok(Arc::new(scores) as ArrayRef)
    };
    let arguments = vec![DataType::Utf8; 2];
    column_function("dense_score", arguments, DataType::Float32, compute)
}

/// Makes `dense_passage_score(query, corpus_id, score)`: the similarity of a query and a passage of
/// an index where `score` is null, else `score`; `Utf8, Utf8, Float32 → Float32`.
pub fn dense_passage_score(index: Arc<Index>) -> ScalarUDF {
    let compute = move |columns: &[ArrayRef]| {
        let [queries, ids] = [0, 1].map(|number| columns[number].as_string::<i32>());
        let known = columns[2].as_primitive::<Float32Type>();
        let scores = index
            .passage_scores(queries, ids, known)
            .map_err(external)?;
        Ok(Arc::new(scores) as ArrayRef)
    };
    let arguments = vec![DataType::Utf8, DataType::Utf8, DataType::Float32];
    column_function("dense_passage_score", arguments, DataType::Float32, compute)
}

impl Index {
    fn scores(&self, queries: &StringArray, texts: &StringArray) -> Result<Float32Array> {
        let is_given = |row: &usize| queries.is_valid(*row) && texts.is_valid(*row);
        let rows: Vec<usize> = (0..queries.len()).filter(is_given).collect();
        let mut scores = vec![None; queries.len()];
        for rows in rows.chunks(ROWS) {
            let texts: Vec<&str> = rows.iter().map(|&row| texts.value(row)).collect();
            let documents = self.embeddings(&texts, Side::Document)?;
            let queries: Vec<&str> = rows.iter().map(|&row| queries.value(row)).collect();
            let similarities = self.similarities(&queries, &documents)?;
            for (&row, score) in rows.iter().zip(similarities) {
                scores[row] = Some(score);
            }
        }
        Ok(scores.into())
    }

    fn passage_scores(
        &self,
        queries: &StringArray,
        ids: &StringArray,
        known: &Float32Array,
    ) -> Result<Float32Array> {
        let rows: Vec<usize> = (0..known.len()).filter(|&row| known.is_null(row)).collect();
        let mut column: Vec<f32> = known.values().to_vec();
        for rows in rows.chunks(ROWS) {
            let mut documents = Vec::with_capacity(rows.len() * self.dimension());
            for &row in rows {
                let number = self.number(ids.value(row))?;
                documents.extend(self.embedding(number)?);
            }
            let queries: Vec<&str> = rows.iter().map(|&row| queries.value(row)).collect();
            let similarities = self.similarities(&queries, &documents)?;
            for (&row, score) in rows.iter().zip(similarities) {
                column[row] = score;
            }
        }
        Ok(column.into())
    }

    /// Returns the number of the passage with this id.
    pub(crate) fn number(&self, id: &str) -> Result<u32> {
        self.passages
            .number(id)
            .ok_or_else(|| DenseError::UnknownId { id: id.to_owned() })
    }
}
