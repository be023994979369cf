//! The frame that all Pairmill binaries share: common flags, logging, progress and exit codes.
//! Nothing here knows about tables or models.

mod example;
mod flags;
mod interrupt;
mod logging;
mod make_variables;
mod manual;
pub mod numbers;
mod other_names;
mod outcome;
mod parse;
mod program;
mod progress;
mod usage_error;

pub use example::example;
pub use flags::{Common, LogFormat};
pub use interrupt::on_interrupt;
pub use other_names::{OtherName, advice, long_names};
pub use outcome::{Outcome, fail, print, run, run_async};
pub use parse::{check, parse, parse_from};
pub use program::Program;
pub use progress::Progress;
pub use usage_error::UsageError;
