use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, AsArray, Float32Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use pairmill_schema::identical;
use pairmill_tables::passage;
use rayon::prelude::*;
use tantivy::tokenizer::TextAnalyzer;

use crate::function::external;
use crate::postings::share;
use crate::terms::count_terms;
use crate::{Index, Result as LexicalResult};

/// `bm25_score(query, text, corpus_id)`: what a text would score for a query, with the statistics
/// of an index; `Utf8, Utf8, Utf8 → Float32`, 0 where they share no term, null where query or text
/// is null.
///
/// Where title and text are fields of their own and the text is that of the passage with this id,
/// with or without its title, it scores by both fields, as the passage does where it is found. Any
/// other text is one without a title.
#[derive(Debug)]
pub struct Bm25Score {
    index: Arc<Index>,
    signature: Signature,
}

impl Bm25Score {
    /// Makes the function over an index.
    pub fn new(index: Arc<Index>) -> Self {
        Self {
            index,
            signature: Signature::exact(vec![DataType::Utf8; 3], Volatility::Immutable),
        }
    }
}

impl Index {
    fn score(
        &self,
        query: &str,
        text: &str,
        id: Option<&str>,
        analyzer: &mut TextAnalyzer,
    ) -> LexicalResult<f32> {
        let found = match id {
            Some(id) if self.title.is_some() => self.passage(id)?,
            _ => None,
        };
        match found.filter(|(title, own)| is_passage(text, title, own)) {
            Some((title, text)) => self.score_fields(query, &[&title, &text], analyzer),
            None => self.score_fields(query, &[text], analyzer),
        }
    }

    /// Returns what a passage of these fields would score: all that are indexed, or the last one
    /// alone.
    fn score_fields(
        &self,
        query: &str,
        texts: &[&str],
        analyzer: &mut TextAnalyzer,
    ) -> LexicalResult<f32> {
        let mut terms = Vec::new();
        for (term, count) in count_terms(query, analyzer) {
            terms.extend(self.find(&term)?.into_iter().map(|term| (term, count)));
        }
        self.keep_rarest(&mut terms, |(term, _)| term.frequency);
        let first = self.fields.len() - texts.len();
        let fields = self.fields[first..].iter().zip(texts).map(|(field, text)| {
            let said = count_terms(text, analyzer);
            let norm = self.bm25.norm(said.values().sum(), field.mean_length);
            (said, norm)
        });
        let fields: Vec<_> = fields.collect();
        let both = terms.iter().filter_map(|(term, count)| {
            let (said, norm) = fields.get(term.field.checked_sub(first)?)?;
            Some((term, count, said.get(&term.text)?, norm))
        });
        Ok(both.fold(0.0, |score, (term, &count, &said, &norm)| {
            score + term.weight * count as f32 * share(said, norm)
        }))
    }
}

/// Returns whether a text is a passage of this title and text.
fn is_passage(text: &str, title: &str, own: &str) -> bool {
    let text = identical(text);
    text == identical(own) || text == identical(&passage(title, own))
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
        let [queries, texts, ids] = [0, 1, 2].map(|number| columns[number].as_string::<i32>());
        let scores = (0..queries.len())
            .into_par_iter()
            .map_init(
                || self.index.analyzer.clone(),
                |analyzer, row| {
                    if queries.is_null(row) || texts.is_null(row) {
                        return Ok(None);
                    }
                    let (query, text) = (queries.value(row), texts.value(row));
                    let id = ids.is_valid(row).then(|| ids.value(row));
                    self.index.score(query, text, id, analyzer).map(Some)
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
