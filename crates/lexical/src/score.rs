use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array};
use arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;
use pairmill_retrieval::column_function;
use pairmill_schema::identical;
use pairmill_tables::passage;
use rayon::prelude::*;
use tantivy::tokenizer::TextAnalyzer;

use crate::function::external;
use crate::postings::share;
use crate::terms::count_terms;
use crate::{Index, Result};

/// Makes `bm25_score(query, text, corpus_id)`: what a text would score for a query, with the
/// statistics of an index; `Utf8, Utf8, Utf8 → Float32`, 0 where they share no term, null where
/// query or text is null.
///
/// Where title and text are fields of their own and the text is that of the passage with this id,
/// with or without its title, it scores by both fields, as the passage does where it is found. Any
/// other text is one without a title.
pub fn bm25_score(index: Arc<Index>) -> ScalarUDF {
    let compute = move |columns: &[ArrayRef]| {
        let [queries, texts, ids] = [0, 1, 2].map(|number| columns[number].as_string::<i32>());
        let scores = (0..queries.len())
            .into_par_iter()
            .map_init(
                || index.analyzer.clone(),
                |analyzer, row| {
                    if queries.is_null(row) || texts.is_null(row) {
                        return Ok(None);
                    }
                    let (query, text) = (queries.value(row), texts.value(row));
                    let id = ids.is_valid(row).then(|| ids.value(row));
                    index.score(query, text, id, analyzer).map(Some)
                },
            )
            .collect::<Result<Vec<Option<f32>>>>()
            .map_err(external)?;
        Ok(Arc::new(Float32Array::from(scores)) as ArrayRef)
    };
    let arguments = vec![DataType::Utf8; 3];
    column_function("bm25_score", arguments, DataType::Float32, compute)
}

impl Index {
    fn score(
        &self,
        query: &str,
        text: &str,
        id: Option<&str>,
        analyzer: &mut TextAnalyzer,
    ) -> Result<f32> {
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
    ) -> Result<f32> {
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
