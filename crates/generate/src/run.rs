use std::path::PathBuf;

use pairmill_tables::{FolderOutput, KeptColumns, Lineage, session};
use serde::Serialize;
use tracing::info;

use crate::corpus::{self, Files, is_table};
use crate::input::{Found, Input};
use crate::tickets::TicketSet;
use crate::write::Tables;
use crate::{
    CorpusOptions, GenerateError, PairsOptions, QaOptions, Result, Summary, TicketsOptions, qa,
};

/// What to generate, from where, to where.
#[derive(Debug, Clone)]
pub struct Config {
    /// The input, with the options that shape the output.
    pub source: Source,
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
    Qa {
        /// A path, folder or glob in any supported format, or `-`.
        input: String,
        /// What to make of it.
        options: QaOptions,
    },
    /// Labelled pairs, pairs or triplets.
    Pairs {
        /// A path, folder or glob in any supported format, or `-`.
        input: String,
        /// What to make of it.
        options: PairsOptions,
    },
    /// Tickets with categories.
    Tickets {
        /// A path, folder or glob in any supported format, or `-`.
        input: String,
        /// What to make of it.
        options: TicketsOptions,
    },
    /// Files of text.
    Corpus {
        /// Files and folders.
        inputs: Vec<String>,
        /// What to make of them.
        options: CorpusOptions,
    },
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

/// Writes the output folder, whole or not at all, unless it is up to date. Tables are read on the
/// threads of the runtime that it is awaited in.
///
/// # Errors
/// If the input is unsound (see [`pairmill_tables::open`]), gives one id to different rows, or
/// has too little for the split asked for, or if the output cannot be written.
pub async fn run(config: &Config) -> Result<Report> {
    let seed = config.seed;
    match &config.source {
        Source::Qa { input, options } => {
            let lineage = Lineage::new("generate qa", options, seed).with_input("input", input)?;
            let make = async {
                let found = config.read(options.input(input), options.limit).await?;
                let mut set = qa::retrieval_set(found.rows, options, input, seed)?;
                set.kept = found.kept;
                config.publish(&lineage, |tables| {
                    Ok(Summary {
                        rows: found.counts,
                        facts: qa::facts(&set),
                        time: set.time.clone(),
                        splits: set.write(tables)?,
                    })
                })
            };
            config.unless_up_to_date(&lineage, make).await
        }
        Source::Pairs { input, options } => {
            let lineage =
                Lineage::new("generate pairs", options, seed).with_input("input", input)?;
            let make = async {
                let session = session(config.threads)?;
                let set = options.read(&session, input, seed).await?;
                config.publish(&lineage, |tables| set.write(tables))
            };
            config.unless_up_to_date(&lineage, make).await
        }
        Source::Tickets { input, options } => {
            let lineage =
                Lineage::new("generate tickets", options, seed).with_input("input", input)?;
            let make = async {
                let found = config.read(options.input(input), options.limit).await?;
                let set = TicketSet::new(found.rows, options, input, seed)?;
                config.publish(&lineage, |tables| {
                    set.write(tables, found.counts, &found.kept)
                })
            };
            config.unless_up_to_date(&lineage, make).await
        }
        Source::Corpus { inputs, options } if inputs.iter().any(|input| is_table(input)) => {
            let [input] = &inputs[..] else {
                let inputs = inputs.join(", ");
                return Err(GenerateError::SeveralTables { inputs });
            };
            let lineage = of_documents(options, seed)?.with_input("input", input)?;
            let make = async {
                let kept = KeptColumns::default();
                let table = options.table.input(input, &kept);
                let found = config.read(table, options.limit).await?;
                let made = corpus::of_rows(found, input, options, seed)?;
                config.publish(&lineage, |tables| made.write(tables))
            };
            config.unless_up_to_date(&lineage, make).await
        }
        Source::Corpus { inputs, options } => {
            let files = Files::find(inputs)?;
            let mut lineage = of_documents(options, seed)?;
            lineage.inputs.insert("input".to_owned(), files.hash());
            let make = async {
                let made = corpus::of_files(files, inputs, options, seed)?;
                config.publish(&lineage, |tables| made.write(tables))
            };
            config.unless_up_to_date(&lineage, make).await
        }
    }
}

/// Returns the lineage of what is made of documents, whatever they are.
fn of_documents(options: &CorpusOptions, seed: u64) -> Result<Lineage> {
    let lineage = Lineage::new("generate corpus", options, seed);
    Ok(match &options.tokenizer {
        Some(tokenizer) => lineage.with_input("tokenizer", &tokenizer.to_string_lossy())?,
        None => lineage,
    })
}

impl Config {
    async fn unless_up_to_date(
        &self,
        lineage: &Lineage,
        make: impl Future<Output = Result<Summary>>,
    ) -> Result<Report> {
        let output = self.output.display();
        let report = |up_to_date, summary| Report {
            up_to_date,
            output: self.output.clone(),
            summary,
        };
        if lineage.is_done(&self.output, self.force)?
            && let Some(summary) = Summary::of_folder(&self.output)
            && summary.is_complete()
        {
            info!("{output} is up to date");
            return Ok(report(true, summary));
        }
        let summary = make.await?;
        summary.log();
        info!("wrote {output}");
        Ok(report(false, summary))
    }

    async fn read(&self, input: Input<'_>, limit: Option<usize>) -> Result<Found> {
        let session = session(self.threads)?;
        input.rows(&session, limit, self.seed).await
    }

    fn publish(
        &self,
        lineage: &Lineage,
        write: impl FnOnce(&Tables) -> Result<Summary>,
    ) -> Result<Summary> {
        let folder = FolderOutput::create(&self.output)?;
        let summary = write(&Tables {
            folder: folder.path(),
            lineage,
        })?;
        summary.write(folder.path())?;
        folder.commit(lineage)?;
        Ok(summary)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn it_can_be_awaited_in_a_task_of_the_callers_runtime() {
        let dir = tempfile::tempdir().unwrap();
        let input = dir.path().join("qa.csv");
        let rows = (0..60).map(|n| format!("q{n},Where is room {n}?,On floor {n}.\n"));
        fs::write(
            &input,
            "id,question,answer\n".to_owned() + &rows.collect::<String>(),
        )
        .unwrap();
        let config = Config {
            source: Source::Qa {
                input: input.display().to_string(),
                options: QaOptions::default(),
            },
            output: dir.path().join("tables"),
            seed: 42,
            threads: 1,
            force: false,
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        for up_to_date in [false, true] {
            let config = config.clone();
            let running = runtime.spawn(async move { run(&config).await });
            let report = runtime.block_on(running).unwrap().unwrap();
            assert_eq!(
                (report.up_to_date, report.summary.rows.read),
                (up_to_date, 60)
            );
        }
    }
}
