//! The frame that all Pairmill binaries share: common flags, logging, progress and exit codes.
//! Nothing here knows about tables or models.

mod flags;
mod logging;
mod outcome;
mod progress;

pub use flags::{Common, LogFormat};
pub use outcome::{Outcome, UsageError, fail, run};
pub use progress::Progress;
