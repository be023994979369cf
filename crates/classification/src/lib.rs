//! Classes told from embeddings: [`LogisticRegression`], nearest neighbours, nearest centroids, and
//! [`cross_fitted`] probabilities, from which [`label_issues`] tells labels that are likely wrong.
//!
//! A class is a number below the number of classes. Results do not depend on the number of threads.

mod cross_fitting;
mod lbfgs;
mod logistic;
mod nearest;
mod noise;
mod probabilities;

pub use cross_fitting::cross_fitted;
pub use logistic::LogisticRegression;
pub use nearest::{nearest_centroid, nearest_neighbours};
pub use noise::{LabelIssue, NOISE_C, NOISE_FOLDS, label_issues, label_odds};
pub use probabilities::Probabilities;
