use std::path::PathBuf;

use pairmill_hygiene::{Kind, TableKind, kinds};
use pairmill_tables::{KeptColumns, RowFilter};
use serde::Serialize;

use super::by_model::LABEL_NOISE;
use crate::intake::kind_names;
use crate::labelling::LabellingModel;

/// What to look through, and where to write what is found.
#[derive(Debug, Clone)]
pub struct CheckConfig {
    /// The table to look through, or a folder that `generate` wrote; `-` reads standard input.
    pub input: String,
    /// Tables of other splits, which must share no text with it.
    pub against: Vec<String>,
    /// The passages that judgements name.
    pub corpus: Option<String>,
    /// The queries that judgements name.
    pub queries: Option<String>,
    /// The judgements of the passages.
    pub qrels: Option<String>,
    /// The model whose tokens are counted, and whose embeddings tell likely wrong categories and
    /// paraphrases if it is there in ONNX.
    pub model: Option<LabellingModel>,
    /// What shapes the output.
    pub options: CheckOptions,
    /// The output folder.
    pub output: PathBuf,
    /// Seed of the lineage; nothing is drawn.
    pub seed: u64,
    /// Threads to compare with.
    pub threads: usize,
    /// Whether to say what was found in a line rather than in one for each kind.
    pub brief: bool,
    /// Whether to do the work again when the output is up to date.
    pub force: bool,
}

/// What shapes the output.
#[derive(Debug, Clone, Serialize)]
pub struct CheckOptions {
    /// What the rows say; told from the columns where it is not given.
    pub kind: Option<TableKind>,
    /// What the columns are called.
    pub columns: CheckColumns,
    /// The rows of the input that are looked at; all if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<RowFilter>,
    /// Other columns that go along to the mended table.
    pub kept: KeptColumns,
    /// Columns that hold personal data.
    pub personal_columns: Vec<String>,
    /// Kinds to look for; all where none is named.
    #[serde(serialize_with = "kind_names")]
    pub only: Vec<&'static Kind>,
    /// Kinds not to look for.
    #[serde(serialize_with = "kind_names")]
    pub skip: Vec<&'static Kind>,
    /// Kinds to mend.
    #[serde(serialize_with = "kind_names")]
    pub fix: Vec<&'static Kind>,
    /// Whether rows get the categories that are likelier than theirs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub relabel: bool,
    /// Whether to write the table with placeholders in the place of personal data.
    pub anonymise: bool,
    /// The Jaccard similarity from which on two texts are near-duplicates.
    pub near_duplicates: f64,
    /// The cosine from which on a text of one split says what one of an earlier split says.
    pub paraphrases: f32,
    /// The most of a text that is read, in tokens or words.
    pub max_length: Option<usize>,
    /// The languages that are expected.
    pub languages: Vec<String>,
    /// The share of the rows that a line must be in to be boilerplate.
    pub boilerplate_share: f64,
    /// What the tables of the output are.
    pub format: TableFormat,
}

/// What the columns of the input are called, where not as in the contract.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CheckColumns {
    /// Name in the contract, name in the input.
    pub named: Vec<(&'static str, String)>,
}

/// What a table is written as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum TableFormat {
    /// Parquet
    #[default]
    Parquet,
    /// CSV
    Csv,
    /// JSON Lines
    Jsonl,
}

impl TableFormat {
    /// Returns what a file's name ends in.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }
}

impl CheckConfig {
    /// Whether a mended table is written.
    pub fn mends(&self) -> bool {
        let options = &self.options;
        !options.fix.is_empty() || options.relabel || options.anonymise
    }
}

impl CheckOptions {
    /// Returns the kinds to look for: what is to be mended is looked for in any case.
    pub fn kinds(&self) -> Vec<&'static Kind> {
        let is_wanted = |kind: &&'static Kind| {
            let is_named = self.only.is_empty() || self.only.contains(kind);
            let is_mended = self.fix.contains(kind) || self.relabel && kind.name == LABEL_NOISE;
            is_mended || is_named && !self.skip.contains(kind)
        };
        kinds().filter(is_wanted).collect()
    }
}
