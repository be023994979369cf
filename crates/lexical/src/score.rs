use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, AsArray, Float32Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use rayon::prelude::*;
use tantivy::tokenizer::TextAnalyzer;

use crate::function::external;
use crate::postings::share;
use crate::terms::count_terms;
use crate::{Index, Result as LexicalResult};

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

impl Index {
    /// What a text would score for a query if it were the text of a passage without a title.
    fn score(&self, query: &str, text: &str, analyzer: &mut TextAnalyzer) -> LexicalResult<f32> {
        let mut terms = Vec::new();
        for (term, count) in count_terms(query, analyzer) {
            terms.extend(self.find(&term)?.into_iter().map(|term| (term, count)));
        }
        self.keep_rarest(&mut terms, |(term, _)| term.frequency);
        let said = count_terms(text, analyzer);
        let last = self.fields.len() - 1;
        let norm = self
            .bm25
            .norm(said.values().sum(), self.fields[last].mean_length);
        let terms = terms.iter().filter(|(term, _)| term.field == last);
        let both = terms.filter_map(|(term, count)| Some((term, count, said.get(&term.text)?)));
        Ok(both.fold(0.0, |score, (term, &count, &said)| {
            score + term.weight * count as f32 * share(said, norm)
        }))
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
                || self.index.analyzer.clone(),
                |analyzer, row| {
                    if queries.is_null(row) || texts.is_null(row) {
                        return Ok(None);
                    }
                    let (query, text) = (queries.value(row), texts.value(row));
                    self.index.score(query, text, analyzer).map(Some)
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
