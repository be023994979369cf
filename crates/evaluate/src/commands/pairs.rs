use pairmill_metrics::{Scores, score_pairs};
use pairmill_tables::{ColumnNames, Table, TableError, i32_column, string_column};

use super::similarity::{ScoredPairs, SentencePairs};
use crate::encoder::Encoder;
use crate::reader::Reader;
use crate::{EvaluateError, Evaluation, Frame, Models, Result};

/// The figures that are the better the higher they are, chief one first.
pub(super) const METRICS: [&str; 6] = ["ap", "accuracy", "f1", "precision", "recall", "mcc"];

const METHOD: &str = "Pairs are accepted by a threshold on the cosine: `accuracy` and `f1` are the \
best that any threshold reaches on these very pairs; precision, recall and `mcc` are those of the \
best F1; `ap` is the average precision over all thresholds.";

/// Pairs of sentences of the same or another meaning.
#[derive(Debug, Clone)]
pub struct Pairs {
    /// The models.
    pub models: Models,
    /// A table of `sentence1`, `sentence2` and `label` (1 = same meaning, 0 = another). The
    /// labelled pairs of `pairmill-generate`, with 0 and 1 in a column `score`, serve as well.
    pub pairs: String,
}

impl Pairs {
    pub(crate) fn run(&self, frame: &Frame) -> Result<Evaluation> {
        frame.run(
            "pairs",
            METHOD,
            &self.models.options(),
            |lineage| {
                self.models
                    .add_to(lineage.with_input("pairs", &self.pairs)?)
            },
            |_| {
                let (sentences, labels) = self.read(&Reader::new(frame.threads)?)?;
                let positives = labels.iter().filter(|&&label| label).count();
                if positives == 0 || positives == labels.len() {
                    return Err(EvaluateError::OneLabel {
                        path: self.pairs.clone(),
                        label: u8::from(positives > 0),
                    });
                }
                let encoders = self.models.load()?;
                let scores = encoders.try_map(|encoder| separate(&sentences, &labels, encoder))?;
                let counts = [("pairs", labels.len()), ("positive_pairs", positives)];
                Ok(Evaluation::new("pairs", scores, counts))
            },
        )
    }

    fn read(&self, reader: &Reader) -> Result<(SentencePairs, Vec<bool>)> {
        match self.read_labels(reader) {
            Err(EvaluateError::Table(TableError::MissingColumn { column, found, .. }))
                if column == "label" && found.split(", ").any(|name| name == "score") =>
            {
                let pairs = ScoredPairs::read(reader, &self.pairs)?;
                let labels = (1..)
                    .zip(&pairs.scores)
                    .map(|(row, &score)| self.label("score", row, score as f32));
                Ok((pairs.sentences, labels.collect::<Result<_>>()?))
            }
            read => read,
        }
    }

    fn read_labels(&self, reader: &Reader) -> Result<(SentencePairs, Vec<bool>)> {
        let mut sentences = SentencePairs::default();
        let mut labels = Vec::new();
        let columns = ["sentence1", "sentence2", "label"];
        let names = ColumnNames::default();
        reader.for_each(&self.pairs, Table::BinaryPairs, &names, &columns, |batch| {
            let first = string_column(batch, "sentence1");
            let second = string_column(batch, "sentence2");
            let found = i32_column(batch, "label");
            for row in 0..batch.num_rows() {
                let label = found.value(row) as f32;
                labels.push(self.label("label", labels.len() + 1, label)?);
                sentences.push(first.value(row), second.value(row));
            }
            Ok(())
        })?;
        Ok((sentences, labels))
    }

    fn label(&self, column: &'static str, row: usize, found: f32) -> Result<bool> {
        match found {
            0.0 => Ok(false),
            1.0 => Ok(true),
            _ => Err(EvaluateError::WrongLabel {
                path: self.pairs.clone(),
                column,
                row,
                found,
            }),
        }
    }
}

fn separate(sentences: &SentencePairs, labels: &[bool], encoder: &Encoder) -> Result<Scores> {
    let cosines = sentences.cosines(encoder)?;
    Ok(score_pairs(&cosines, labels)
        .map(Scores::from)
        .unwrap_or_default())
}
