use pairmill_modeling::Side;
use pairmill_tables::{ColumnNames, Table, f32_column, string_column};

use crate::encoder::Encoder;
use crate::item_table::ItemTable;
use crate::items::Label;
use crate::reader::Reader;
use crate::similarity_function::SimilarityFunction;
use crate::{EvaluateError, Result};

/// Two columns of sentences.
#[derive(Default)]
pub(crate) struct SentencePairs {
    first: Vec<String>,
    second: Vec<String>,
}

impl SentencePairs {
    pub fn push(&mut self, first: &str, second: &str) {
        self.first.push(first.to_owned());
        self.second.push(second.to_owned());
    }

    /// What is written of each pair beside its figures.
    pub fn labels(&self) -> Vec<Label<'_>> {
        [("sentence1", &self.first), ("sentence2", &self.second)]
            .map(|(name, texts)| Label {
                name,
                values: texts.iter().map(String::as_str).collect(),
            })
            .into()
    }

    /// How alike the sentences of each pair are, by each function of
    /// [`ALL`](SimilarityFunction::ALL).
    pub fn similarities(&self, encoder: &Encoder) -> Result<[Vec<f64>; 4]> {
        let sentences = self.first.iter().chain(&self.second);
        let texts: Vec<&str> = sentences.map(String::as_str).collect();
        let embeddings = encoder.embed_raw(&texts, Side::Text)?;
        let pairs = self.first.len();
        Ok(SimilarityFunction::ALL.map(|function| {
            let of = |pair| function.of(embeddings.row(pair), embeddings.row(pairs + pair));
            (0..pairs).map(of).collect()
        }))
    }
}

/// Pairs of sentences with a finite score each.
pub(crate) struct ScoredPairs {
    pub sentences: SentencePairs,
    pub scores: Vec<f64>,
}

impl ScoredPairs {
    pub fn read(reader: &Reader, input: &str) -> Result<Self> {
        let mut sentences = SentencePairs::default();
        let mut values = Vec::new();
        let columns = ["sentence1", "sentence2", "score"];
        let names = ColumnNames::default();
        reader.for_each(input, Table::Similarity, &names, &columns, |batch| {
            let first = string_column(batch, "sentence1");
            let second = string_column(batch, "sentence2");
            let scores = f32_column(batch, "score");
            for row in 0..batch.num_rows() {
                let score = scores.value(row);
                if !score.is_finite() {
                    return Err(EvaluateError::WrongScore {
                        path: input.to_owned(),
                        row: values.len() + 1,
                        found: score,
                    });
                }
                sentences.push(first.value(row), second.value(row));
                values.push(f64::from(score));
            }
            Ok(())
        })?;
        Ok(Self {
            sentences,
            scores: values,
        })
    }
}

/// The columns that [`columns`] has named.
pub(crate) fn similarities(items: &ItemTable, rows: &[usize]) -> Result<[Vec<f64>; 4]> {
    let mut similarities = [const { Vec::new() }; 4];
    for (values, function) in similarities.iter_mut().zip(SimilarityFunction::ALL) {
        *values = items.column(&function.to_string(), rows)?;
    }
    Ok(similarities)
}

/// The columns of a sample that hold how alike the sentences of each pair are.
pub(crate) fn columns(similarities: &[Vec<f64>; 4]) -> Vec<(String, Vec<f64>)> {
    let functions = SimilarityFunction::ALL.iter().zip(similarities);
    functions
        .map(|(function, values)| (function.to_string(), values.clone()))
        .collect()
}
