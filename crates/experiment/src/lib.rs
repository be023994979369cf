//! A/B tests in production: who gets which arm, what came of it, and how large a test has to be.
//!
//! [`Assign`] deals users out to arms, [`AbTest`] compares the arms by the log of their events, and
//! [`Plan`] says how many impressions or answers a difference takes to be seen.

mod abtest;
mod arms;
mod assign;
mod columns;
mod effect;
mod error;
mod log;
mod page;
#[cfg(test)]
#[path = "../../report/src/parsed_page.rs"]
mod parsed_page;
mod plan;
mod print;
mod reading;
mod result;
mod sample_ratio;
mod suspects;
mod warnings;

pub use abtest::AbTest;
pub use arms::{Arms, Assigner};
pub use assign::{Assign, AssignReport};
pub use effect::{Effect, Test};
pub use error::{ExperimentError, Result};
pub use log::LogColumns;
pub use pairmill_metrics::Certainty;
pub use plan::{Measure, Plan, PlanResult};
pub use result::{AbTestResult, ArmFigures, Effects, Figure, Lift};
pub use sample_ratio::SampleRatio;
