//! A/B tests in production: who gets which arm, and what came of it.

mod abtest;
mod arms;
mod assign;
mod columns;
mod effect;
mod error;
mod log;
mod page;
mod plan;
mod print;
mod result;
mod suspects;
mod warnings;

pub use abtest::AbTest;
pub use arms::{Arms, Assigner};
pub use assign::{Assign, AssignReport};
pub use effect::{Effect, Test};
pub use error::ExperimentError;
pub use log::LogColumns;
pub use plan::{Measure, Plan, PlanResult};
pub use result::{AbTestResult, ArmFigures, Effects, Figure, Lift, SampleRatio};
