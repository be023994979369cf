use std::path::PathBuf;

use pairmill_inference::{Activation, CrossEncoderOptions};
use pairmill_tables::{Lineage, TableError};
use serde::Serialize;

use crate::{Format, Rules};

/// What to filter, with which model and rules, to where.
#[derive(Debug, Clone)]
pub struct Config {
    /// The candidates: a path, folder or glob in any supported format, or `-`.
    pub candidates: String,
    /// Folder of the cross-encoder.
    pub model: PathBuf,
    /// The training table, or the judged candidates.
    pub output: PathBuf,
    /// Where to write the judged candidates as well.
    pub audit: Option<PathBuf>,
    /// What to write to the output.
    pub format: Format,
    /// Whether an output without rows is written, not refused.
    pub allow_empty: bool,
    /// Whether to leave the id columns out.
    pub drop_ids: bool,
    /// How to decide.
    pub rules: Rules,
    /// Longest pair in tokens, where the model's own limit is not wanted.
    pub max_length: Option<usize>,
    /// Tokens in a batch.
    pub token_budget: usize,
    /// What turns a logit into a score, where the model's own way is not wanted.
    pub activation: Option<Activation>,
    /// Seed, for the lineage: nothing here is drawn at random.
    pub seed: u64,
    /// Threads to work with.
    pub threads: usize,
    /// Whether to do the work again when the outputs are up to date.
    pub force: bool,
}

/// The options that shape an output.
#[derive(Serialize)]
struct Options<'a> {
    format: Format,
    drop_ids: bool,
    #[serde(flatten)]
    rules: &'a Rules,
    max_length: Option<usize>,
    activation: Option<Activation>,
}

impl Config {
    /// Finds options that contradict each other.
    ///
    /// # Errors
    /// A sentence that says which.
    pub fn validate(&self) -> Result<(), String> {
        if self.drop_ids && self.format == Format::Candidates {
            return Err("--drop-ids cannot be combined with --format candidates, whose rows are known by their ids".to_owned());
        }
        let absolute = |path: &PathBuf| std::path::absolute(path).ok();
        let output = absolute(&self.output);
        if let Some(audit) = &self.audit
            && absolute(audit) == output
        {
            return Err("--audit and --output name the same file".to_owned());
        }
        let written = [Some(&self.output), self.audit.as_ref()];
        let read = absolute(&PathBuf::from(&self.candidates));
        if written
            .into_iter()
            .flatten()
            .any(|path| absolute(path) == read)
        {
            return Err(format!(
                "{} would be replaced by the output; choose another name",
                self.candidates
            ));
        }
        Ok(())
    }

    pub(crate) fn cross_encoder_options(&self) -> CrossEncoderOptions {
        CrossEncoderOptions {
            threads: self.threads,
            max_length: self.max_length,
            token_budget: self.token_budget,
            activation: self.activation,
        }
    }

    /// The lineages of the output and of the audit table, which is that of `--format candidates`.
    pub(crate) fn lineages(&self) -> Result<(Lineage, Lineage), TableError> {
        let lineage = |format, drop_ids| {
            let options = Options {
                format,
                drop_ids,
                rules: &self.rules,
                max_length: self.max_length,
                activation: self.activation,
            };
            Lineage::new("filter", &options, self.seed)
        };
        let output = lineage(self.format, self.drop_ids)
            .with_input("candidates", &self.candidates)?
            .with_input("model", &self.model.to_string_lossy())?;
        let audit = Lineage {
            inputs: output.inputs.clone(),
            ..lineage(Format::Candidates, false)
        };
        Ok((output, audit))
    }
}
