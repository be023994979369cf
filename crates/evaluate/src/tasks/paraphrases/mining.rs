use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int32Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use pairmill_tables::{Lineage, ParquetOutput, Table};

use super::duplicates::Duplicates;
use super::sentence::Sentence;
use crate::error::Result;
use crate::items::write::batch;
use pairmill_retrieval::Embeddings;
use pairmill_retrieval::Search;

/// Rows handed to the Parquet writer at a time.
const WRITE_ROWS: usize = 32_768;

/// Two sentences, by number, the lower one first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct MinedPair {
    pub first: u32,
    pub second: u32,
    pub cosine: f32,
}

/// The pairs of highest cosine, best first, equal ones in order of number: of each row the `top_k`
/// nearest others are considered. As sentence-transformers' `paraphrase_mining`, exact.
pub(crate) fn mine(embeddings: &Embeddings, top_k: usize, max_pairs: usize) -> Vec<MinedPair> {
    let rows: Vec<u32> = (0..embeddings.len() as u32).collect();
    // A row is its own neighbour.
    let mut search = Search::new(embeddings, top_k.saturating_add(1).min(rows.len()));
    search.add(embeddings, &rows);
    let mut pairs = Vec::new();
    for (row, hits) in (0..).zip(search.finish()) {
        let others = hits.iter().filter(|hit| hit.key != row).take(top_k);
        pairs.extend(others.map(|hit| MinedPair {
            first: row.min(hit.key),
            second: row.max(hit.key),
            cosine: hit.score,
        }));
    }
    pairs.sort_unstable_by_key(|pair| (pair.first, pair.second));
    pairs.dedup_by_key(|pair| (pair.first, pair.second));
    pairs.sort_by(|a, b| b.cosine.total_cmp(&a.cosine));
    pairs.truncate(max_pairs);
    pairs
}

/// Writes pairs as labelled pairs, with their cosine for a score, and `label`: 1 for a known
/// duplicate, else 0.
pub(crate) fn write_mined(
    target: &Path,
    pairs: &[MinedPair],
    sentences: &[Sentence],
    duplicates: &Duplicates,
    lineage: &Lineage,
) -> Result<()> {
    let mut fields = Table::LabeledPairs.schema().fields().to_vec();
    fields.push(Arc::new(Field::new("label", DataType::Int32, false)));
    let schema = Arc::new(Schema::new(fields));
    let mut output = ParquetOutput::create(target, schema.clone(), lineage)?;
    for pairs in pairs.chunks(WRITE_ROWS) {
        let [first, second] = [true, false].map(|first| {
            let rows = pairs.iter().map(move |pair| match first {
                true => &sentences[pair.first as usize],
                false => &sentences[pair.second as usize],
            });
            let ids = rows.clone().map(|sentence| &sentence.id);
            let texts = rows.map(|sentence| &sentence.text);
            [
                StringArray::from_iter_values(ids),
                StringArray::from_iter_values(texts),
            ]
        });
        let cosines = pairs.iter().map(|pair| pair.cosine);
        let labels = pairs
            .iter()
            .map(|pair| duplicates.contains(pair.first, pair.second));
        let texts = [first, second].into_iter().flatten();
        let mut columns: Vec<ArrayRef> = texts.map(|column| Arc::new(column) as ArrayRef).collect();
        columns.push(Arc::new(Float32Array::from_iter_values(cosines)));
        columns.push(Arc::new(Int32Array::from_iter_values(
            labels.map(i32::from),
        )));
        output.write(&batch(&schema, columns)?)?;
    }
    output.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_is_mined_once_and_none_of_a_row_with_itself() {
        let angles = [0.0f32, 0.1, 0.3, 2.0, 2.0];
        let values = angles.iter().flat_map(|x| [x.cos(), x.sin()]).collect();
        let embeddings = Embeddings::normalised(values, 2).unwrap();
        let numbers = |top_k, max_pairs| -> Vec<(u32, u32)> {
            let pairs = mine(&embeddings, top_k, max_pairs);
            pairs.iter().map(|pair| (pair.first, pair.second)).collect()
        };
        assert_eq!(numbers(1, 10), [(3, 4), (0, 1), (1, 2)]);
        assert_eq!(numbers(1, 2), [(3, 4), (0, 1)]);
        let all = numbers(9, 100);
        assert_eq!(all.len(), 10);
        assert_eq!(all[3..6], [(0, 2), (2, 3), (2, 4)], "equal ones by number");
    }
}
