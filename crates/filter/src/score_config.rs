use std::path::{Path, PathBuf};

use pairmill_tables::Lineage;
use serde::Serialize;

use crate::{Model, Result};

/// What to score, with which model, to where.
#[derive(Debug, Clone)]
pub struct ScoreConfig {
    /// A table with two columns of text: a path, folder or glob in any supported format, or `-`.
    pub pairs: String,
    /// The table to write, in the format of its name, or `-` for an Arrow IPC stream on standard
    /// output.
    pub output: PathBuf,
    /// The model.
    pub model: Model,
    /// The columns of text, if they are none of [`KNOWN_COLUMNS`](crate::KNOWN_COLUMNS).
    pub columns: Option<[String; 2]>,
    /// Name of the column to add.
    pub score_column: String,
    /// Seed, for the lineage: nothing here is drawn at random.
    pub seed: u64,
    /// Whether to do the work again when the output is up to date.
    pub force: bool,
}

/// The options that shape an output.
#[derive(Serialize)]
struct Options<'a> {
    columns: &'a Option<[String; 2]>,
    score_column: &'a str,
    max_length: Option<usize>,
    activation: Option<pairmill_inference::Activation>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    int8: bool,
}

impl ScoreConfig {
    /// Finds options that contradict each other.
    ///
    /// # Errors
    /// A sentence that says which.
    pub fn validate(&self) -> Result<(), String> {
        if self.pairs == "-" && self.model.int8.is_some() {
            return Err("--int8 is compared with float32 on a sample of the pairs first, so these cannot come from standard input; give a file".to_owned());
        }
        Ok(())
    }

    /// Returns the output, if it is a file.
    pub(crate) fn to_file(&self) -> Option<&Path> {
        (self.output != Path::new("-")).then_some(self.output.as_path())
    }

    pub(crate) fn lineage(&self) -> Result<Lineage> {
        let options = Options {
            columns: &self.columns,
            score_column: &self.score_column,
            max_length: self.model.max_length,
            activation: self.model.activation,
            int8: self.model.int8.is_some(),
        };
        let lineage =
            Lineage::new("score", &options, self.seed).with_input("pairs", &self.pairs)?;
        self.model.add_to(lineage)
    }
}
