use std::path::Path;

use clap::{Args, ValueEnum};

use crate::UsageError;

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Seed of every random choice
    #[arg(long, global = true, default_value_t = 42, value_name = "N")]
    pub seed: u64,
    /// Threads to use [default: all cores]
    #[arg(long, global = true, value_name = "N", value_parser =
        clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Do the work again even if the output is up to date
    #[arg(long, global = true)]
    pub force: bool,
    /// Print the result as one JSON object on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// Format of the log on standard error
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name =
        "FORMAT")]
    pub log_format: LogFormat,
    /// Say only what went wrong or needs attention
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more (twice: still more)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// Format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Common {
    /// Refuses to write both a table and the report to standard output.
    ///
    /// # Errors
    /// If both are asked for.
    pub fn check_output(&self, output: &Path) -> Result<(), UsageError> {
        match self.json && output == Path::new("-") {
            true => Err(UsageError(
                "--json and --output - both want standard output; give a file".to_owned(),
            )),
            false => Ok(()),
        }
    }

    /// Returns the number of threads to use: what the user said, else the number of cores.
    pub fn threads(&self) -> usize {
        match self.threads {
            Some(threads) => usize::from(threads),
            None => std::thread::available_parallelism().map_or(1, |cores| cores.get()),
        }
    }
}
