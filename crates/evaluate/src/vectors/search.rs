use std::cmp::Ordering;
use std::collections::BinaryHeap;

use pairmill_modeling::Similarity;
use rayon::prelude::*;

use crate::vectors::embeddings::Embeddings;

/// Documents that one query is compared with before the next query: their vectors stay in cache.
const TILE_ROWS: usize = 64;
/// Queries that share a tile while it is in cache.
const TILE_QUERIES: usize = 16;

/// A document that was found. `key` stands for the document and breaks ties: the lower one first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Hit {
    pub key: u32,
    pub score: f32,
}

impl Eq for Hit {}

/// The better hit is the lesser one, so that a sorted list has the best first and a heap has the
/// worst on top.
impl Ord for Hit {
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .score
            .total_cmp(&self.score)
            .then(self.key.cmp(&other.key))
    }
}

impl PartialOrd for Hit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Exact search for the `k` documents that are most alike. Documents come in blocks; neither the
/// blocks nor the number of threads change the result.
pub(crate) struct Search<'a> {
    queries: &'a Embeddings,
    similarity: Similarity,
    k: usize,
    best: Vec<BinaryHeap<Hit>>,
}

impl<'a> Search<'a> {
    /// By the inner product, which is the cosine of vectors of length 1.
    pub fn new(queries: &'a Embeddings, k: usize) -> Self {
        Self::by(Similarity::Dot, queries, k)
    }

    pub fn by(similarity: Similarity, queries: &'a Embeddings, k: usize) -> Self {
        Self {
            queries,
            similarity,
            k,
            best: vec![BinaryHeap::with_capacity(k + 1); queries.len()],
        }
    }

    /// Compares every query with every row of `documents`; `keys` names the rows.
    pub fn add(&mut self, documents: &Embeddings, keys: &[u32]) {
        let (queries, similarity, k) = (self.queries, self.similarity, self.k);
        self.best
            .par_chunks_mut(TILE_QUERIES)
            .enumerate()
            .for_each(|(chunk, best)| {
                for tile in (0..documents.len()).step_by(TILE_ROWS) {
                    let rows = tile..documents.len().min(tile + TILE_ROWS);
                    for (i, best) in best.iter_mut().enumerate() {
                        let query = queries.row(chunk * TILE_QUERIES + i);
                        for row in rows.clone() {
                            // Adding zero turns -0 into 0, which must tie with it.
                            let score = similarity.of(query, documents.row(row)) + 0.0;
                            keep_best(
                                best,
                                k,
                                Hit {
                                    key: keys[row],
                                    score,
                                },
                            );
                        }
                    }
                }
            });
    }

    /// The hits of each query, best first.
    pub fn finish(self) -> Vec<Vec<Hit>> {
        self.best
            .into_iter()
            .map(BinaryHeap::into_sorted_vec)
            .collect()
    }
}

fn keep_best(best: &mut BinaryHeap<Hit>, k: usize, hit: Hit) {
    if best.len() < k {
        best.push(hit);
    } else if let Some(mut worst) = best.peek_mut()
        && hit < *worst
    {
        *worst = hit;
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
                    score: Similarity::Dot.of(queries.row(q), row),
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
