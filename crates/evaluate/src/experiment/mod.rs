//! A/B tests in production: who gets which arm, and what came of it.

mod arms;
mod assign;
mod columns;
mod error;

pub use arms::{Arms, Assigner};
pub use assign::{Assign, AssignReport};
pub use error::ExperimentError;
