//! Retrieval, similarity and classification metrics as pure functions.
//!
//! Nothing here reads files or knows about ids: a caller hands over grades, scores or class
//! numbers and gets figures back. Each function gives its formula and the implementation whose
//! figures it reproduces.

mod bootstrap;
mod chi_square;
mod classification;
mod clusters;
mod correlation;
mod estimate;
mod exact;
mod extrapolation;
mod means;
mod mining;
mod names;
mod paired;
mod pairs;
mod power;
mod proportions;
mod ranged;
mod ranked;
#[cfg(test)]
mod reference;
mod retrieval;
mod score_interval;
mod scores;

pub use bootstrap::{Interval, bootstrap, bootstrap_p, percentile_interval};
pub use chi_square::{ChiSquare, chi_square};
pub use classification::{Confusion, accuracy, macro_f1};
pub use clusters::{Clusters, connected};
pub use correlation::{Order, average_ranks, counted_pearson, pearson, spearman};
pub use estimate::{Estimate, ZTest, ratio_of_sums, two_sided_z};
pub use extrapolation::{Extrapolated, extrapolate};
pub use means::{Moments, Welch};
pub use mining::MiningScores;
pub use names::{higher_is_better, metric_meaning, metric_title};
pub use paired::{PairedTTest, holm, paired_t_test, randomisation_test};
pub use pairs::{PairRanking, PairScores, average_precision};
pub use power::Certainty;
pub use proportions::{Proportion, wilson_interval};
pub use ranged::Ranged;
pub use ranked::{
    average_precision_at, average_precision_trec, capped_recall, exponential_ndcg, hit, hole, ndcg,
    precision, recall, reciprocal_rank,
};
pub use retrieval::RetrievalMetric;
pub use scores::Scores;
