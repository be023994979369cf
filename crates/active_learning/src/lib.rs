//! Which rows of an unlabelled pool a person should label next, told from their embeddings: a
//! diverse [`start`] while nothing is labelled, later what a classifier of the labelled rows is
//! least sure of ([`choose`]), and [`kappa`], which tells when more labels change little.
//!
//! The embeddings stay as they are from round to round, and only logistic regression is fitted
//! anew: as good as tuning the model in each round, and orders of magnitude cheaper (Doucet et al.,
//! Bringing active learning to practice with frozen embeddings, arXiv 2402.15613). Rows have length
//! 1. Results depend on the rows, the options and the seed, not on the number of threads.

mod agreement;
mod choice;
mod gradients;
mod k_means;
mod pairs;
mod strategy;

pub use agreement::kappa;
pub use choice::{Choice, Options, choose, classifier, start};
pub use pairs::{PairChoice, PairOptions, PairStrategy, choose_pairs};
pub use strategy::Strategy;
