//! The frame that all Pairmill binaries share: common flags, logging, progress and exit codes.
//! Nothing here knows about tables or models.

mod flags;
mod interrupt;
mod logging;
mod manual;
pub mod numbers;
mod outcome;
mod parse;
mod progress;
mod usage_error;

pub use flags::{Common, LogFormat};
pub use interrupt::on_interrupt;
pub use outcome::{Outcome, fail, print, run, run_async};
pub use parse::{parse, parse_from};
pub use progress::Progress;
pub use usage_error::UsageError;
