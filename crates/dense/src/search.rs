use pairmill_retrieval::{TopK, similarities, similarity};
use rayon::prelude::*;

use crate::index::NONE;
use crate::model::Side;
use crate::{Index, Result};

/// Embeddings of passages that are read at a time.
const BLOCK: usize = 1_024;
/// Queries that one thread compares with them at a time.
const TILE: usize = 128;

/// A passage found for a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its id.
    pub corpus_id: String,
    /// Its similarity to the query.
    pub score: f32,
}

/// A passage found for a query, by its number in the index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    pub(crate) number: u32,
    /// Its similarity to the query.
    pub score: f32,
}

impl Index {
    /// Returns the `top_k` most similar passages for a query, best first, equal scores by ascending
    /// id.
    ///
    /// # Errors
    /// If the query cannot be embedded or the embeddings cannot be read.
    pub fn search(&self, query: &str, top_k: usize) -> Result<Vec<Hit>> {
        let ranked = self.search_all(&[query], top_k)?.concat();
        let hits = ranked.iter().map(|ranked| Hit {
            corpus_id: self.id(ranked).to_owned(),
            score: ranked.score,
        });
        Ok(hits.collect())
    }

    /// Does the [`search`](Self::search) for many queries, on all threads of the rayon pool. The
    /// embeddings of the passages are read once for all of them.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn search_all(&self, queries: &[&str], top_k: usize) -> Result<Vec<Vec<Ranked>>> {
        let (dimension, kind) = (self.dimension(), self.similarity());
        let queries = self.embeddings(queries, Side::Query)?;
        let mut tops =
            vec![TopK::new(top_k, f32::NEG_INFINITY, u32::cmp); queries.len() / dimension];
        let tile = tops
            .len()
            .div_ceil(rayon::current_num_threads())
            .clamp(1, TILE);
        let mut block = vec![0.0; BLOCK.min(self.first.len()) * dimension];
        for (number, passages) in self.first.chunks(BLOCK).enumerate() {
            // The store may hold embeddings of other corpora.
            if passages.iter().all(|&passage| passage == NONE) {
                continue;
            }
            let start = number * BLOCK;
            let block = &mut block[..passages.len() * dimension];
            self.store.read(start..start + passages.len(), block)?;
            tops.par_chunks_mut(tile)
                .zip(queries.par_chunks(tile * dimension))
                .for_each_init(Vec::new, |scores, (tops, queries)| {
                    scores.resize(tops.len() * passages.len(), 0.0);
                    similarities(kind, queries, block, dimension, scores);
                    for (top, scores) in tops.iter_mut().zip(scores.chunks(passages.len())) {
                        top.take(scores, |place| {
                            Some(passages[place]).filter(|&passage| passage != NONE)
                        });
                    }
                });
        }
        let found = tops.into_par_iter().map(TopK::finish);
        Ok(found
            .map(|found| self.passages_with(&found, top_k))
            .collect())
    }

    /// Returns the passages that have the embeddings found, in order. No more than `top_k`
    /// embeddings can be those of the `top_k` best passages, as each comes with its first passage.
    fn passages_with(&self, found: &[(f32, u32)], top_k: usize) -> Vec<Ranked> {
        let mut passages = Vec::with_capacity(found.len());
        for &(score, passage) in found {
            let row = |number: u32| self.rows[number as usize];
            let start = self
                .by_row
                .partition_point(|&number| row(number) < row(passage));
            let all = self.by_row[start..].iter();
            let same = all.take_while(|&&number| row(number) == row(passage));
            passages.extend(same.take(top_k).map(|&passage| (score, passage)));
        }
        passages.sort_unstable_by(|a: &(f32, u32), b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        passages.truncate(top_k);
        let ranked = passages.into_iter();
        ranked
            .map(|(score, number)| Ranked { number, score })
            .collect()
    }

    /// Returns the id of a passage found.
    pub fn id(&self, ranked: &Ranked) -> &str {
        self.passages.id(ranked.number)
    }

    /// Returns the similarity of each query to the text, or passage, beside it: to the bit what a
    /// search gives.
    pub(crate) fn similarities(&self, queries: &[&str], documents: &[f32]) -> Result<Vec<f32>> {
        let (dimension, kind) = (self.dimension(), self.similarity());
        let queries = self.embeddings(queries, Side::Query)?;
        let pairs = queries
            .par_chunks(dimension)
            .zip(documents.par_chunks(dimension));
        Ok(pairs
            .map(|(query, document)| similarity(kind, query, document))
            .collect())
    }
}
