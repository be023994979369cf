//! Retrieval, similarity and classification metrics as pure functions.
//!
//! Nothing here reads files or knows about ids: a caller hands over grades, scores or class
//! numbers and gets figures back. Each function gives its formula and the implementation whose
//! figures it reproduces.

mod chi_square;
mod classification;
mod correlation;
mod estimate;
mod means;
mod pairs;
mod power;
mod proportions;
mod retrieval;
mod scores;

pub use chi_square::{ChiSquare, chi_square};
pub use classification::Confusion;
pub use correlation::{average_ranks, pearson, spearman};
pub use estimate::{Estimate, ZTest, ratio_of_sums};
pub use means::{Moments, Welch};
pub use pairs::{PairScores, average_precision, score_pairs};
pub use power::Certainty;
pub use proportions::Proportion;
pub use retrieval::{
    RetrievalMetric, average_precision_at, hit, ndcg, precision, recall, reciprocal_rank,
};
pub use scores::Scores;
