use std::path::{Path, PathBuf};

use datafusion::prelude::SessionContext;
use pairmill_candidates::TrainingRows;
use pairmill_inference::Activation;
use pairmill_tables::{ColumnNames, KeptColumns, Lineage, Table};
use serde::Serialize;

use crate::{Format, Model, Rules};

/// A table to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// What to write.
    pub format: Format,
    /// Where to.
    pub path: PathBuf,
}

/// What to filter, with which model and rules, to where.
#[derive(Debug, Clone)]
pub struct Config {
    /// The candidates: a path, folder or glob in any supported format, or `-`.
    pub candidates: String,
    /// The cross-encoder.
    pub model: Model,
    /// The training table, or the decided candidates.
    pub output: Output,
    /// What else to write of the same decisions.
    pub also: Vec<Output>,
    /// Whether an output without rows is written, not refused.
    pub allow_empty: bool,
    /// Whether to leave the id columns out.
    pub drop_ids: bool,
    /// Other columns of the candidates that go along to every output.
    pub kept: KeptColumns,
    /// The score from which on a teacher's label is 1.
    pub label_threshold: f64,
    /// How to decide.
    pub rules: Rules,
    /// Seed, for the lineage: nothing here is drawn at random.
    pub seed: u64,
    /// Whether to do the work again when the outputs are up to date.
    pub force: bool,
}

/// The options that shape an output.
#[derive(Serialize)]
struct Options<'a> {
    format: Format,
    drop_ids: bool,
    #[serde(skip_serializing_if = "KeptColumns::is_none")]
    kept: &'a KeptColumns,
    #[serde(skip_serializing_if = "Option::is_none")]
    label_threshold: Option<f64>,
    #[serde(flatten)]
    rules: &'a Rules,
    max_length: Option<usize>,
    activation: Option<Activation>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    int8: bool,
}

impl Config {
    /// Finds options that contradict each other.
    ///
    /// # Errors
    /// A sentence that says which.
    pub fn validate(&self) -> Result<(), String> {
        if self.drop_ids && self.output.format == Format::CANDIDATES {
            return Err("--drop-ids cannot be combined with --format candidates, whose rows are known by their ids".to_owned());
        }
        if self.candidates == "-" && self.model.int8.is_some() {
            return Err("--int8 is compared with float32 on a sample of the candidates first, so these cannot come from standard input; give a file".to_owned());
        }
        if self.also.iter().any(|output| output.path == Path::new("-")) {
            return Err(
                "only --output can be standard output; give a file for the others".to_owned(),
            );
        }
        let absolute = |path: &Path| std::path::absolute(path).ok();
        let paths: Vec<_> = self.outputs().map(|output| &*output.path).collect();
        for (number, path) in paths.iter().enumerate() {
            let is_same = |other: &&&Path| absolute(other) == absolute(path);
            if paths[..number].iter().any(|other| is_same(&other)) {
                return Err(format!("{} is named for two outputs", path.display()));
            }
        }
        Ok(())
    }

    /// Returns the tables to write, the main one first.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = &Output> {
        std::iter::once(&self.output).chain(&self.also)
    }

    /// Returns the configuration with the names of the columns that go along, where all do.
    pub(crate) async fn with_kept(
        &self,
        session: &SessionContext,
        names: &ColumnNames,
    ) -> crate::Result<Self> {
        let table = (Table::Candidates, names);
        let kept = &self.kept;
        let kept = kept.of_input(session, &self.candidates, table, &[], Table::Candidates);
        Ok(Self {
            kept: kept.await?,
            ..self.clone()
        })
    }

    /// Returns the rows of an output.
    pub(crate) fn rows(&self, format: Format) -> TrainingRows {
        TrainingRows {
            label_threshold: self.label_threshold,
            drop_ids: self.drop_ids && format != Format::CANDIDATES,
            kept: self.kept.fields(),
            ..TrainingRows::new(format, self.rules.num_negatives)
        }
    }

    /// Returns the lineage of each output.
    pub(crate) fn lineages(&self) -> crate::Result<Vec<Lineage>> {
        let inputs =
            Lineage::new("filter", &(), self.seed).with_input("candidates", &self.candidates)?;
        let inputs = self.model.add_to(inputs)?;
        let lineage = |output: &Output| {
            let rows = self.rows(output.format);
            let is_labeled = output.format == Format::TEACHER_PAIR;
            let options = Options {
                format: output.format,
                drop_ids: rows.drop_ids,
                kept: &self.kept,
                label_threshold: is_labeled.then_some(self.label_threshold),
                rules: &self.rules,
                max_length: self.model.max_length,
                activation: self.model.activation,
                int8: self.model.int8.is_some(),
            };
            Lineage::new("filter", &options, self.seed).with_inputs_of(&inputs)
        };
        Ok(self.outputs().map(lineage).collect())
    }
}
