use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::{Common, logging};

/// How a command ended, when it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The work is done, or was done before.
    Done,
    /// A threshold the user set was missed: exit code 3.
    ThresholdMissed,
}

/// An error in how the command was called rather than in its data: exit code 2.
#[derive(Debug)]
pub struct UsageError(pub String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// Runs a command in the common frame and turns its result into an exit code: 0 done, 1 failed,
/// 2 wrong usage, 3 a threshold missed. A closed pipe on standard output is no failure.
pub fn run(common: &Common, command: impl FnOnce() -> anyhow::Result<Outcome>) -> ExitCode {
    logging::init(common);
    match start_threads(common.threads()).and_then(|()| command()) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::ThresholdMissed) => ExitCode::from(3),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn start_threads(threads: usize) -> anyhow::Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    match pool.build_global() {
        // A second build in one process (tests) fails without a cause and keeps the first pool.
        Err(error) if error.source().is_some() => Err(anyhow::Error::new(error)
            .context(format!("cannot start {threads} threads; lower --threads"))),
        _ => Ok(()),
    }
}

/// Prints an error with its causes: exit code 2 for wrong usage, else 1.
pub fn fail(error: &anyhow::Error) -> ExitCode {
    // Not eprintln, which panics where standard error is closed or its disk is full.
    let _ = writeln!(io::stderr(), "error: {}", chain(error));
    let usage = error.chain().any(|cause| cause.is::<UsageError>());
    ExitCode::from(if usage { 2 } else { 1 })
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// The error and its causes, one a line; a cause whose text the line above already holds is left out.
fn chain(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    let mut last = text.clone();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !last.contains(&cause) {
            text.push_str("\n  because: ");
            text.push_str(&cause);
            last = cause;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn causes_follow_and_repeats_are_left_out() {
        let cause = io::Error::other("disk full");
        let error = anyhow::Error::new(cause)
            .context("cannot write: disk full")
            .context("mining failed");
        assert_eq!(
            chain(&error),
            "mining failed\n  because: cannot write: disk full"
        );
    }

    #[test]
    fn a_closed_pipe_is_recognised_through_context() {
        let result: Result<(), _> = Err(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(is_closed_pipe(&result.context("printing").unwrap_err()));
    }
}
