use std::path::PathBuf;

use pairmill_tables::{FolderOutput, Lineage, session};
use serde::Serialize;
use tracing::info;

use crate::input::{Input, Row};
use crate::qa::QaSet;
use crate::tickets::TicketSet;
use crate::write::Tables;
use crate::{GenerateError, QaOptions, Result, Rows, Summary, TicketsOptions};

/// What to generate, from where, to where.
#[derive(Debug, Clone)]
pub struct Config {
    /// The kind of input, with the options that shape the output.
    pub source: Source,
    /// A path, folder or glob in any supported format, or `-`.
    pub input: String,
    /// The output folder.
    pub output: PathBuf,
    /// Seed of every random choice.
    pub seed: u64,
    /// Threads to read with.
    pub threads: usize,
    /// Whether to do the work again when the output is up to date.
    pub force: bool,
}

/// A kind of input.
#[derive(Debug, Clone)]
pub enum Source {
    /// Question/answer pairs.
    Qa(QaOptions),
    /// Tickets with categories.
    Tickets(TicketsOptions),
}

/// What a run did.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whether there was nothing to do.
    pub up_to_date: bool,
    /// The output folder.
    pub output: PathBuf,
    /// What the output was made of and what it holds.
    #[serde(flatten)]
    pub summary: Summary,
}

/// Writes the output folder, whole or not at all, unless it is up to date.
///
/// # Errors
/// If the input is unsound (see [`pairmill_tables::open`]), gives one id to different rows, or
/// has too little for the split asked for, or if the output cannot be written.
pub fn run(config: &Config) -> Result<Report> {
    let lineage = match &config.source {
        Source::Qa(options) => Lineage::new("generate qa", options, config.seed),
        Source::Tickets(options) => Lineage::new("generate tickets", options, config.seed),
    }
    .with_input("input", &config.input)?;
    let output = config.output.display();
    let report = |up_to_date, summary| Report {
        up_to_date,
        output: config.output.clone(),
        summary,
    };
    if !config.force
        && lineage.is_carried_by(&config.output)
        && let Some(summary) = Summary::of_folder(&config.output)
    {
        info!("{output} is up to date");
        return Ok(report(true, summary));
    }
    let summary = match &config.source {
        Source::Qa(options) => {
            let (rows, counts) = read(config, options.input(&config.input), options.limit)?;
            let set = QaSet::new(rows, options, &config.input, config.seed)?;
            publish(config, &lineage, |tables| set.write(tables, counts))?
        }
        Source::Tickets(options) => {
            let (rows, counts) = read(config, options.input(&config.input), options.limit)?;
            let set = TicketSet::new(rows, options, &config.input, config.seed)?;
            publish(config, &lineage, |tables| set.write(tables, counts))?
        }
    };
    summary.log();
    info!("wrote {output}");
    Ok(report(false, summary))
}

fn read(config: &Config, input: Input<'_>, limit: Option<usize>) -> Result<(Vec<Row>, Rows)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.threads.max(1))
        .enable_all()
        .build()
        .map_err(GenerateError::Runtime)?;
    runtime.block_on(input.rows(&session(config.threads)?, limit, config.seed))
}

fn publish(
    config: &Config,
    lineage: &Lineage,
    write: impl FnOnce(&Tables) -> Result<Summary>,
) -> Result<Summary> {
    let folder = FolderOutput::create(&config.output)?;
    let summary = write(&Tables {
        folder: folder.path(),
        lineage,
    })?;
    summary.write(folder.path())?;
    folder.commit(lineage)?;
    Ok(summary)
}
