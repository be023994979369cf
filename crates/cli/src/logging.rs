use std::io::{self, IsTerminal, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::progress::with_bars_hidden;
use crate::{Common, LogFormat};

/// Sends the log to standard error. `PAIRMILL_LOG` takes a tracing filter and wins over `-q`/`-v`.
pub(crate) fn init(common: &Common) {
    let level = match (common.quiet, common.verbose) {
        (true, _) => "error",
        (false, 0) => "info",
        (false, 1) => "debug",
        (false, _) => "trace",
    };
    // Libraries speak up from -vv on; before that their details are not the user's business.
    let directives = match common.verbose {
        0 | 1 => format!("error,pairmill={level}"),
        _ => level.to_owned(),
    };
    let filter = EnvFilter::try_from_env("PAIRMILL_LOG")
        .unwrap_or_else(|_| EnvFilter::builder().parse_lossy(expand_crates(&directives)));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Stderr)
        // A log that cannot be written is reported by eprintln, which panics for the same reason.
        .log_internal_errors(false)
        .with_ansi(io::stderr().is_terminal());
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

/// Filters match crate names as prefixes of whole path segments, so each crate is listed.
fn expand_crates(directives: &str) -> String {
    const CRATES: [&str; 13] = [
        "cli",
        "dense",
        "evaluate",
        "filter",
        "generate",
        "hub",
        "inference",
        "lexical",
        "metrics",
        "mine",
        "modeling",
        "tables",
        "train",
    ];
    match directives.split_once("pairmill=") {
        Some((head, level)) => CRATES.iter().fold(head.to_owned(), |mut all, name| {
            all.push_str(&format!("pairmill_{name}={level},"));
            all
        }),
        None => directives.to_owned(),
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

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}
