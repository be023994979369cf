use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use serde::Serialize;

use crate::{Common, UsageError, logging, logging::last_word};

/// How a command ended, when it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The work is done, or was done before.
    Done,
    /// A threshold the user set was missed: exit code 3.
    ThresholdMissed,
}

/// What stands at the end of every help text.
pub(crate) const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a threshold \
    that was set is missed, 130 and 143 ended by SIGINT and SIGTERM. A reader that closes its pipe \
    is no failure.";

/// Runs a command in the common frame and turns its result into an exit code: 0 done, 1 failed, 2
/// wrong usage, 3 a threshold missed. A closed pipe on standard output is no failure, a full one
/// is.
pub fn run(common: &Common, command: impl FnOnce() -> anyhow::Result<Outcome>) -> ExitCode {
    logging::init(common);
    let result = start_threads(common.threads()).and_then(|()| command());
    let result = result.and_then(|outcome| {
        // What is still in the buffer would be lost without a word.
        io::stdout()
            .flush()
            .context("standard output cannot be written to")?;
        Ok(outcome)
    });
    match result {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::ThresholdMissed) => ExitCode::from(3),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Runs an asynchronous command in the same frame, on threads of its own.
pub fn run_async(
    common: &Common,
    command: impl Future<Output = anyhow::Result<Outcome>>,
) -> ExitCode {
    run(common, || {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(common.threads())
            .enable_all()
            .build()
            .context("cannot start the worker threads; lower --threads")?
            .block_on(command)
    })
}

/// Prints what a command reports, if the user wants it as JSON.
///
/// # Errors
/// If standard output cannot be written to.
pub fn print(common: &Common, report: &impl Serialize) -> anyhow::Result<Outcome> {
    if common.json {
        writeln!(io::stdout(), "{}", serde_json::to_string(report)?)?;
    }
    Ok(Outcome::Done)
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
    let usage = error.chain().any(|cause| cause.is::<UsageError>());
    let code = if usage { 2 } else { 1 };
    last_word(&error.to_string(), &causes(error), code);
    ExitCode::from(code)
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Returns the causes of an error; one whose text the one above it already holds is left out.
fn causes(error: &anyhow::Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !last.contains(&cause) {
            causes.push(cause.clone());
            last = cause;
        }
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_follow_and_repeats_are_left_out() {
        let cause = io::Error::other("disk full");
        let error = anyhow::Error::new(cause)
            .context("cannot write: disk full")
            .context("mining failed");
        assert_eq!(error.to_string(), "mining failed");
        assert_eq!(causes(&error), ["cannot write: disk full"]);
    }

    #[test]
    fn a_closed_pipe_is_recognised_through_context() {
        let result: Result<(), _> = Err(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(is_closed_pipe(&result.context("printing").unwrap_err()));
    }
}
