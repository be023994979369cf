//! Retrieval data sets between BEIR's form and the tables of the stages, and runs and judgements
//! between TREC's form, BEIR's and Parquet.

mod file;
mod folder;
mod pairs;
mod rows;
mod set;

use std::path::{Path, PathBuf};

use pairmill_tables::{Lineage, session};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::Result;

pub use folder::{FolderSummary, SplitSummary};

/// What to convert, to where.
#[derive(Debug, Clone)]
pub struct ConvertConfig {
    /// A folder of a data set, or a file of a run or judgements.
    pub input: String,
    /// A folder for the data set in the other form, or a file whose ending tells the form.
    pub output: PathBuf,
    /// The splits to convert; all if empty.
    pub splits: Vec<String>,
    /// Whether to do the work again when the output is up to date.
    pub force: bool,
}

impl ConvertConfig {
    /// Finds options that contradict each other.
    ///
    /// # Errors
    /// A sentence that says which.
    pub fn validate(&self) -> Result<(), String> {
        if Path::new(&self.input).is_file() && !self.splits.is_empty() {
            return Err(format!(
                "--split chooses among the splits of a folder, but {} is a file",
                self.input
            ));
        }
        Ok(())
    }
}

/// What was converted.
#[derive(Debug, Clone, Serialize)]
pub struct ConvertReport {
    /// Whether there was nothing to do.
    pub up_to_date: bool,
    /// The output.
    pub output: PathBuf,
    /// What it holds.
    #[serde(flatten)]
    pub summary: Option<ConvertSummary>,
}

/// What an output holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ConvertSummary {
    /// A data set.
    Folder(FolderSummary),
    /// A run or judgements.
    File {
        /// Which of both: `run` or `qrels`.
        table: String,
        /// Its rows.
        rows: u64,
    },
}

/// Converts a data set or a file, unless the output is up to date. Rows keep their order. Tables
/// are read on the threads of the runtime that it is awaited in.
///
/// # Errors
/// If the input is of no form that can be converted or is unsound (see [`pairmill_tables::open`]),
/// the output's form cannot hold it, or the output cannot be written.
pub async fn convert(config: &ConvertConfig) -> Result<ConvertReport> {
    // One partition keeps the order of the rows.
    let session = session(1)?;
    let summary = match Path::new(&config.input).is_dir() {
        true => folder::convert(config, &session).await?,
        false => file::convert(config, &session).await?,
    };
    let up_to_date = summary.is_none();
    let summary = summary.or_else(|| {
        info!("{} is up to date", config.output.display());
        serde_json::from_value(Lineage::figures(&config.output)?).ok()
    });
    Ok(ConvertReport {
        up_to_date,
        output: config.output.clone(),
        summary,
    })
}
