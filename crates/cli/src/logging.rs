use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

use crate::make_variables::hint;
use crate::progress::with_bars_hidden;
use crate::{Common, LogFormat};

/// Sends the log to standard error. `PAIRMILL_LOG` takes a tracing filter and wins over `-q`/`-v`.
pub(crate) fn init(common: &Common) {
    let _ = FORMAT.set(common.log_format);
    let level = match (common.quiet, common.verbose) {
        (true, _) => "warn",
        (false, 0) => "info",
        (false, 1) => "debug",
        (false, _) => "trace",
    };
    let filter = EnvFilter::try_from_env("PAIRMILL_LOG")
        .unwrap_or_else(|_| EnvFilter::builder().parse_lossy(directives(level, common.verbose)));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Logs)
        // A log that cannot be written is reported by eprintln, which panics for the same reason.
        .log_internal_errors(false)
        .with_ansi(wants_colour());
    // A second initialisation (several runs in one test process) keeps the first.
    let _ = match common.log_format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder
            .without_time()
            .with_target(false)
            .compact()
            .try_init(),
    };
}

/// Returns the filter for a level of our own crates.
fn directives(level: &str, verbose: u8) -> String {
    match verbose {
        // Libraries speak up from -vv on; before that their details are not the user's business. A
        // target is the beginning of a crate's name: this one is all of ours.
        0 | 1 => format!("error,pairmill={level}"),
        _ => level.to_owned(),
    }
}

/// Returns whether the log is read on a terminal by somebody who has not set `NO_COLOR`
/// (<https://no-color.org>).
fn wants_colour() -> bool {
    let refuses = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refuses && io::stderr().is_terminal()
}

static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// Returns the format of the log, also before the command line is understood.
pub(crate) fn format() -> LogFormat {
    FORMAT.get().copied().unwrap_or_else(|| {
        let arguments: Vec<_> = std::env::args_os().collect();
        let is_json = arguments.iter().any(|one| one == "--log-format=json")
            || (arguments.windows(2)).any(|two| two[0] == "--log-format" && two[1] == "json");
        match is_json {
            true => LogFormat::Json,
            false => LogFormat::Text,
        }
    })
}

/// Writes what ends the run to the log, whatever that leaves out: a line with its causes below it,
/// or one JSON object.
pub(crate) fn last_word(message: &str, causes: &[String], code: u8) {
    let text = match format() {
        LogFormat::Text => {
            let causes = causes.iter().map(|cause| format!("\n  because: {cause}"));
            let text = format!("error: {message}{}", causes.collect::<String>());
            match hint(&text) {
                Some(hint) => format!("{text}\n{INDENT}{hint}"),
                None => text,
            }
        }
        LogFormat::Json => {
            let mut time = String::new();
            let _ = SystemTime.format_time(&mut Writer::new(&mut time));
            serde_json::json!({
                "timestamp": time,
                "level": "ERROR",
                "message": message,
                "causes": causes,
                "exit_code": code,
            })
            .to_string()
        }
    };
    // Not eprintln, which panics where standard error is closed or its disk is full.
    let _ = writeln!(Stderr, "{text}");
}

/// Writes which variables of make stand for the options that a message names, if any do.
pub(crate) fn say_variables(message: &str) {
    if let Some(hint) = hint(message) {
        let _ = writeln!(Stderr, "{INDENT}{hint}");
    }
}

const INDENT: &str = "  ";

/// Standard error, for events of the log: each is written as one piece.
struct Log {
    /// Whether it asks its reader to change something.
    is_advice: bool,
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Stderr.write_all(bytes)?;
        if self.is_advice && format() == LogFormat::Text {
            say_variables(&String::from_utf8_lossy(bytes));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Stderr.flush()
    }
}

struct Logs;

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        Log { is_advice: false }
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Log {
        Log {
            is_advice: *about.level() <= Level::WARN,
        }
    }
}

struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        with_bars_hidden(|| io::stderr().write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_of_the_workspace_is_heard_and_no_other() {
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(directives("info", 0))
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            assert!(tracing::enabled!(target: "pairmill_mine::plan", tracing::Level::INFO));
            assert!(tracing::enabled!(target: "pairmill_checkpoint", tracing::Level::INFO));
            assert!(!tracing::enabled!(target: "tantivy::indexer", tracing::Level::WARN));
        });
    }
}
