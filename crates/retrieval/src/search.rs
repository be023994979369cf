use std::cmp::Ordering;

use pairmill_checkpoint::SimilarityFunction;
use rayon::prelude::*;

use crate::{Embeddings, TopK};

/// Documents that one query is compared with before the next query: their vectors stay in cache.
const TILE_ROWS: usize = 64;
/// Queries that share a tile while it is in cache.
const TILE_QUERIES: usize = 16;

/// A document that was found. `key` stands for the document and breaks ties: the lower one first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// What stands for the document.
    pub key: u32,
    /// How alike it and the query are.
    pub score: f32,
}

type ByKey = fn(&u32, &u32) -> Ordering;

/// Exact search for the `k` documents that are most alike. Documents come in blocks; neither the
/// blocks nor the number of threads change the result.
pub struct Search<'a> {
    queries: &'a Embeddings,
    similarity: SimilarityFunction,
    best: Vec<TopK<u32, ByKey>>,
}

impl<'a> Search<'a> {
    /// Searches by the inner product, which is the cosine of vectors of length 1.
    pub fn new(queries: &'a Embeddings, k: usize) -> Self {
        Self::by(SimilarityFunction::Dot, queries, k)
    }

    /// Searches by any similarity.
    pub fn by(similarity: SimilarityFunction, queries: &'a Embeddings, k: usize) -> Self {
        Self {
            queries,
            similarity,
            best: vec![TopK::new(k, f32::NEG_INFINITY, u32::cmp as ByKey); queries.len()],
        }
    }

    /// Compares every query with every row of `documents`; `keys` names the rows.
    pub fn add(&mut self, documents: &Embeddings, keys: &[u32]) {
        let (queries, similarity) = (self.queries, self.similarity);
        self.best
            .par_chunks_mut(TILE_QUERIES)
            .enumerate()
            .for_each(|(chunk, best)| {
                let mut scores = [0.0; TILE_ROWS];
                for start in (0..documents.len()).step_by(TILE_ROWS) {
                    let rows = start..documents.len().min(start + TILE_ROWS);
                    for (i, best) in best.iter_mut().enumerate() {
                        let query = queries.row(chunk * TILE_QUERIES + i);
                        for (score, row) in scores.iter_mut().zip(rows.clone()) {
                            // Adding zero turns -0 into 0, which must tie with it.
                            *score = similarity.of(query, documents.row(row)) + 0.0;
                        }
                        best.take(&scores[..rows.len()], |place| Some(keys[start + place]));
                    }
                }
            });
    }

    /// Returns the hits of each query, best first.
    pub fn finish(self) -> Vec<Vec<Hit>> {
        let hits = |best: TopK<u32, _>| {
            let best = best.finish().into_iter();
            best.map(|(score, key)| Hit { key, score }).collect()
        };
        self.best.into_iter().map(hits).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors that repeat, so that there are ties.
    fn documents(n: usize) -> Embeddings {
        let values = (0..n * 8)
            .map(|i| (((i / 8) % 50 * 7 + i % 8) as f32).sin())
            .collect();
        Embeddings::normalised(values, 8).unwrap()
    }

    #[test]
    fn blocks_do_not_change_the_result_and_ties_go_by_key() {
        let documents = documents(300);
        let queries = documents.select(&(0..40).collect::<Vec<_>>());
        let keys: Vec<u32> = (0..300).map(|row| row * 7 % 300).collect();

        let mut whole = Search::new(&queries, 10);
        whole.add(&documents, &keys);
        let whole = whole.finish();

        let mut parts = Search::new(&queries, 10);
        for start in (0..300).step_by(77) {
            let rows: Vec<usize> = (start..300.min(start + 77)).collect();
            parts.add(
                &documents.select(&rows),
                &keys[rows[0]..=rows[rows.len() - 1]],
            );
        }
        assert_eq!(whole, parts.finish());

        for (q, hits) in whole.iter().enumerate() {
            let mut expected: Vec<Hit> = documents
                .rows()
                .zip(&keys)
                .map(|(row, &key)| Hit {
                    key,
                    score: SimilarityFunction::Dot.of(queries.row(q), row),
                })
                .collect();
            expected.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.key.cmp(&b.key)));
            assert_eq!(hits, &expected[..10]);
        }
    }

    #[test]
    fn a_small_corpus_gives_all_of_it() {
        let documents = documents(3);
        let mut search = Search::new(&documents, 10);
        search.add(&documents, &[0, 1, 2]);
        let found = search.finish();
        assert_eq!(found[1].len(), 3);
        assert_eq!(found[1][0].key, 1);
    }
}
