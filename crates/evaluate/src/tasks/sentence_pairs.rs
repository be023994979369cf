use std::cmp::Ordering;
use std::iter;

use pairmill_checkpoint::SimilarityFunction;
use pairmill_modeling::Side;
use pairmill_tables::{ColumnNames, Table, TableReader, f32_column, string_column};

use crate::error::{EvaluateError, Result};
use crate::items::table::ItemTable;
use crate::items::write::Label;
use crate::models::encoder::Encoder;
use crate::statistics::clusters::Clustering;

/// Two columns of sentences, in ascending order, so that nothing that is drawn from them depends on
/// the order of the input.
pub(crate) struct SentencePairs {
    first: Vec<String>,
    second: Vec<String>,
    /// What each has in the column that tells pairs that are alike from others, where there is one.
    clusters: Option<Vec<String>>,
}

/// A pair as it is read: its sentences, a value, and its cluster where one is asked for.
pub(crate) type PairRow<T> = (String, String, T, Option<String>);

impl SentencePairs {
    /// Sorts pairs, each with a value of its own, which is one that can be compared.
    pub fn sorted<T: PartialOrd>(mut pairs: Vec<PairRow<T>>) -> (Self, Vec<T>) {
        pairs.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
        let (mut first, mut second, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let mut clusters = Vec::new();
        for (one, other, value, cluster) in pairs {
            first.push(one);
            second.push(other);
            values.push(value);
            clusters.push(cluster);
        }
        let clusters = clusters.into_iter().collect();
        let pairs = Self {
            first,
            second,
            clusters,
        };
        (pairs, values)
    }

    /// Returns which pairs are alike: those that have the same in the column that was asked for,
    /// else those of one first sentence, and of one second sentence that belongs to the first as
    /// `belongs` says of each pair.
    pub fn clustering(&self, column: Option<&str>, belongs: &[bool]) -> Option<Clustering> {
        if let (Some(column), Some(clusters)) = (column, &self.clusters) {
            return Clustering::of_values(clusters, format!("have the same `{column}`"));
        }
        let sentences = iter::zip(&self.first, &self.second).zip(belongs);
        let keys = sentences.map(|((first, second), &belongs)| {
            iter::once((0, first)).chain(belongs.then_some((1, second)))
        });
        Clustering::of_shared(keys, "share a sentence")
    }

    /// Reads pairs with a finite score each, of which `value` makes something, told the row, from
    /// 1.
    pub fn read_scored<T: PartialOrd>(
        reader: &TableReader,
        input: &str,
        cluster: Option<&str>,
        value: impl Fn(usize, f32) -> Result<T>,
    ) -> Result<(Self, Vec<T>)> {
        let mut pairs = Vec::new();
        let columns = ["sentence1", "sentence2", "score"];
        let columns: Vec<&str> = columns.into_iter().chain(cluster).collect();
        let names = ColumnNames::default();
        reader.for_each(
            input,
            Table::Similarity,
            &names,
            &columns,
            |batch| -> Result<()> {
                let clusters = cluster.map(|name| string_column(batch, name));
                let first = string_column(batch, "sentence1");
                let second = string_column(batch, "sentence2");
                let scores = f32_column(batch, "score");
                for row in 0..batch.num_rows() {
                    let (number, score) = (pairs.len() + 1, scores.value(row));
                    if !score.is_finite() {
                        return Err(EvaluateError::WrongScore {
                            path: input.to_owned(),
                            row: number,
                            found: score,
                        });
                    }
                    let [first, second] = [first, second].map(|side| side.value(row).to_owned());
                    let cluster = clusters.map(|clusters| clusters.value(row).to_owned());
                    pairs.push((first, second, value(number, score)?, cluster));
                }
                Ok(())
            },
        )?;
        Ok(Self::sorted(pairs))
    }

    /// Returns what is written of each pair beside its figures.
    pub fn labels(&self) -> Vec<Label<'_>> {
        [("sentence1", &self.first), ("sentence2", &self.second)]
            .map(|(name, texts)| Label {
                name,
                values: texts.iter().map(String::as_str).collect(),
            })
            .into()
    }

    /// Returns how alike the sentences of each pair are, by each function of
    /// [`ALL`](SimilarityFunction::ALL).
    pub fn similarities(&self, encoder: &Encoder) -> Result<[Vec<f64>; 4]> {
        let sentences = self.first.iter().chain(&self.second);
        let texts: Vec<&str> = sentences.map(String::as_str).collect();
        let embeddings = encoder.embed_raw(&texts, Side::Text, &encoder.progress(&texts))?;
        let pairs = self.first.len();
        Ok(SimilarityFunction::ALL.map(|function| {
            let of = |pair| function.exact(embeddings.row(pair), embeddings.row(pairs + pair));
            (0..pairs).map(of).collect()
        }))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_input_is_of_no_importance() {
        let pair = |a: &str, b: &str, score| (a.to_owned(), b.to_owned(), score, None);
        let pairs = [
            pair("a cat", "a dog", 0.5),
            pair("a cat", "a dog", 0.25),
            pair("a cat", "a bird", 1.0),
            pair("a bat", "a dog", 0.0),
        ];
        let (sentences, scores) = SentencePairs::sorted(pairs.to_vec());
        let mut turned = pairs.to_vec();
        turned.reverse();
        let (other, other_scores) = SentencePairs::sorted(turned);
        assert_eq!(scores, [0.0, 1.0, 0.25, 0.5]);
        assert_eq!(scores, other_scores);
        assert_eq!(sentences.labels()[1].values, other.labels()[1].values);
        // The three of `a cat`, and no more: what is not alike connects nothing.
        let clustering = sentences.clustering(None, &[false; 4]).unwrap();
        assert_eq!(clustering.labels(), ["0", "1", "1", "1"]);
        let connected = sentences.clustering(None, &[true; 4]).unwrap();
        assert_eq!(connected.clusters.len(), 1);
    }
}
