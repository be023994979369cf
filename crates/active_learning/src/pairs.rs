use pairmill_retrieval::{Embeddings, Hit};
use pairmill_schema::draw;
use rand::seq::SliceRandom;
use serde::Serialize;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::choice::{Turn, by_turns};
use crate::k_means::k_means;

/// By what queries are chosen whose candidates are to be judged.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Serialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum PairStrategy {
    /// The typical query of each of as many clusters as queries are asked for.
    #[default]
    Diverse,
    /// Where the first two candidates are nearest to each other in their similarity.
    Margin,
    /// Any queries: what the others are measured against.
    Random,
}

/// How to choose.
#[derive(Debug, Clone, Copy)]
pub struct PairOptions {
    /// Candidates to choose.
    pub number: usize,
    /// Candidates of a query at most.
    pub per_query: usize,
    /// By what.
    pub strategy: PairStrategy,
    /// Seed of every random choice.
    pub seed: u64,
}

/// A candidate that should be judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairChoice {
    /// The number of the query.
    pub query: usize,
    /// The key of the passage.
    pub passage: u32,
    /// How near the two are.
    pub similarity: f32,
}

/// Returns candidates whose judgement would teach most, of each chosen query the first ones.
/// `found` holds those of each query, best first. Where the chosen queries have too few, more
/// queries are chosen.
pub fn choose_pairs(
    queries: &Embeddings,
    found: &[Vec<Hit>],
    options: &PairOptions,
) -> Vec<PairChoice> {
    let wanted = options.number.div_ceil(options.per_query);
    let order: Vec<usize> = match options.strategy {
        PairStrategy::Diverse => {
            let weights = vec![1.0; queries.len()];
            let clusters = k_means(queries, &weights, wanted, options.seed);
            by_turns(&clusters, &clusters.closeness, Turn::Largest)
        }
        PairStrategy::Margin => {
            let margin = |query: usize| match found[query].as_slice() {
                [first, second, ..] => first.score - second.score,
                _ => f32::INFINITY,
            };
            let mut order: Vec<usize> = (0..queries.len()).collect();
            order.sort_by(|&a, &b| margin(a).total_cmp(&margin(b)));
            order
        }
        PairStrategy::Random => {
            let mut order: Vec<usize> = (0..queries.len()).collect();
            order.shuffle(&mut draw::generator(options.seed, "random queries", &[]));
            order
        }
    };
    let choices = order.into_iter().flat_map(|query| {
        let candidates = found[query].iter().take(options.per_query);
        candidates.map(move |hit| PairChoice {
            query,
            passage: hit.key,
            similarity: hit.score,
        })
    });
    choices.take(options.number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work() -> (Embeddings, Vec<Vec<Hit>>) {
        let angles = [0.0f32, 0.01, 0.02, 1.5, 1.51];
        let values = angles.iter().flat_map(|angle| [angle.cos(), angle.sin()]);
        let queries = Embeddings::new(values.collect(), 2).unwrap();
        let hit = |key, score| Hit { key, score };
        let found =
            [0.3, 0.01, 0.2, 0.1, 0.4].map(|margin| vec![hit(7, 0.9), hit(3, 0.9 - margin)]);
        (queries, found.to_vec())
    }

    fn chosen(number: usize, per_query: usize, strategy: PairStrategy) -> Vec<(usize, u32)> {
        let (queries, found) = work();
        let options = PairOptions {
            number,
            per_query,
            strategy,
            seed: 1,
        };
        let chosen = choose_pairs(&queries, &found, &options).into_iter();
        chosen
            .map(|choice| (choice.query, choice.passage))
            .collect()
    }

    #[test]
    fn queries_whose_candidates_are_hard_to_tell_come_first() {
        assert_eq!(chosen(3, 1, PairStrategy::Margin), [(1, 7), (3, 7), (2, 7)]);
        assert_eq!(chosen(3, 2, PairStrategy::Margin), [(1, 7), (1, 3), (3, 7)]);
    }

    #[test]
    fn each_group_of_queries_is_asked_about() {
        let queries: Vec<usize> = (chosen(2, 1, PairStrategy::Diverse).iter())
            .map(|choice| choice.0)
            .collect();
        assert!(queries[0] < 3 && queries[1] >= 3, "{queries:?}");
    }

    #[test]
    fn no_candidate_is_chosen_twice() {
        for &strategy in PairStrategy::VARIANTS {
            let mut all = chosen(99, 9, strategy);
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), 10, "{strategy}");
        }
    }
}
