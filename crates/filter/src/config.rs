use std::path::PathBuf;

use pairmill_inference::Activation;
use pairmill_tables::Lineage;
use serde::Serialize;

use crate::{Format, Model, Rules};

/// What to filter, with which model and rules, to where.
#[derive(Debug, Clone)]
pub struct Config {
    /// The candidates: a path, folder or glob in any supported format, or `-`.
    pub candidates: String,
    /// The cross-encoder.
    pub model: Model,
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

    /// The lineages of the output and of the audit table, which is that of `--format candidates`.
    pub(crate) fn lineages(&self) -> crate::Result<(Lineage, Lineage)> {
        let lineage = |format, drop_ids| {
            let options = Options {
                format,
                drop_ids,
                rules: &self.rules,
                max_length: self.model.max_length,
                activation: self.model.activation,
            };
            Lineage::new("filter", &options, self.seed)
        };
        let output =
            lineage(self.format, self.drop_ids).with_input("candidates", &self.candidates)?;
        let output = self.model.add_to(output)?;
        let audit = Lineage {
            inputs: output.inputs.clone(),
            ..lineage(Format::Candidates, false)
        };
        Ok((output, audit))
    }
}
