//! Training: losses, samplers, optimiser, schedules and the loop, for sentence encoders and
//! cross-encoders.

pub mod advise;
mod batch_text;
pub mod check_model;
mod checkpoint;
pub mod config_file;
pub mod cross_encoder;
mod cut;
mod data;
pub mod encoder;
mod error;
mod evaluator;
pub mod experiments;
pub mod export;
mod figures;
mod findings;
mod fingerprint;
mod form;
mod judgements;
mod labeled;
mod labels;
mod log;
pub mod losses;
mod memory;
mod model_card;
mod objective;
mod odd_rows;
mod optimizer;
mod options;
mod plan;
mod report;
mod run;
mod sampler;
mod schedule;
mod shuffle_buffer;
mod stall;
pub mod sweep;
mod task;
mod texts;
mod trainer;
mod trial;

pub use error::{Result, TrainError};
pub use form::TableArgs;
pub use optimizer::AdamW;
pub use options::{DeviceKind, Hyperparameters};
pub use schedule::ScheduleKind;
