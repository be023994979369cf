//! Training: losses, samplers, optimiser, schedules and the loop, for sentence encoders and
//! cross-encoders.

pub mod cross_encoder;
mod data;
pub mod encoder;
mod evaluator;
mod judgements;
mod labeled;
mod loss;
mod optimizer;
mod options;
mod run;
mod sampler;
mod schedule;
mod trainer;

pub use loss::{binary_cross_entropy, multiple_negatives_ranking};
pub use options::{DeviceKind, Hyperparameters};
