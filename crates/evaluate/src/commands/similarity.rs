use pairmill_metrics::{Scores, pearson, spearman};
use pairmill_modeling::Side;
use pairmill_tables::{ColumnNames, Table, f32_column, string_column};

use crate::embeddings::cosine;
use crate::encoder::Encoder;
use crate::reader::Reader;
use crate::{EvaluateError, Evaluation, Frame, Models, Result};

/// The figures, chief one first.
pub(super) const METRICS: [&str; 2] = ["spearman_cosine", "pearson_cosine"];

const METHOD: &str = "Correlation of the cosine of two sentences with their score; Spearman's with \
average ranks for ties.";

/// Similarity of sentences against human scores.
#[derive(Debug, Clone)]
pub struct Similarity {
    /// The models.
    pub models: Models,
    /// A table of `sentence1`, `sentence2` and `score`, where higher means more alike.
    pub pairs: String,
}

impl Similarity {
    pub(crate) fn run(&self, frame: &Frame) -> Result<Evaluation> {
        frame.run(
            "similarity",
            METHOD,
            &self.models.options(),
            |lineage| {
                self.models
                    .add_to(lineage.with_input("pairs", &self.pairs)?)
            },
            |_| {
                let pairs = ScoredPairs::read(&Reader::new(frame.threads)?, &self.pairs)?;
                if pairs.scores.iter().all(|score| *score == pairs.scores[0]) {
                    return Err(self.no_correlation("column `score` is"));
                }
                let encoders = self.models.load()?;
                let scores = encoders.try_map(|encoder| self.correlate(&pairs, encoder))?;
                Ok(Evaluation::new(
                    "similarity",
                    scores,
                    [("pairs", pairs.scores.len())],
                ))
            },
        )
    }

    fn correlate(&self, pairs: &ScoredPairs, encoder: &Encoder) -> Result<Scores> {
        let cosines = pairs.sentences.cosines(encoder)?;
        let undefined = || self.no_correlation("the model's similarity is");
        let values = [
            spearman(&cosines, &pairs.scores).ok_or_else(undefined)?,
            pearson(&cosines, &pairs.scores).ok_or_else(undefined)?,
        ];
        Ok(METRICS.into_iter().zip(values).collect())
    }

    fn no_correlation(&self, what: &'static str) -> EvaluateError {
        EvaluateError::NoCorrelation {
            path: self.pairs.clone(),
            what,
        }
    }
}

/// Two columns of sentences.
#[derive(Default)]
pub(super) struct SentencePairs {
    pub first: Vec<String>,
    pub second: Vec<String>,
}

impl SentencePairs {
    pub fn push(&mut self, first: &str, second: &str) {
        self.first.push(first.to_owned());
        self.second.push(second.to_owned());
    }

    /// The cosine of each pair.
    pub fn cosines(&self, encoder: &Encoder) -> Result<Vec<f64>> {
        let texts: Vec<&str> = self
            .first
            .iter()
            .chain(&self.second)
            .map(String::as_str)
            .collect();
        let embeddings = encoder.embed_all(&texts, Side::Text)?;
        let n = self.first.len();
        Ok((0..n)
            .map(|i| cosine(embeddings.row(i), embeddings.row(n + i)))
            .collect())
    }
}

/// Pairs of sentences with a finite score each.
pub(super) struct ScoredPairs {
    pub sentences: SentencePairs,
    pub scores: Vec<f64>,
}

impl ScoredPairs {
    pub fn read(reader: &Reader, input: &str) -> Result<Self> {
        let mut sentences = SentencePairs::default();
        let mut values = Vec::new();
        let columns = ["sentence1", "sentence2", "score"];
        reader.for_each(
            input,
            Table::Similarity,
            &ColumnNames::default(),
            &columns,
            |batch| {
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
            },
        )?;
        Ok(Self {
            sentences,
            scores: values,
        })
    }
}
