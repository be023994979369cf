use std::path::{Path, PathBuf};

use pairmill_hub::ModelSource;
use pairmill_inference::{Activation, CrossEncoder, CrossEncoderOptions, Tally};
use pairmill_tables::Lineage;
use tracing::{info, warn};

use crate::Result;
use crate::cache::ScoreFolder;

/// The cross-encoder to score with, and how.
#[derive(Debug, Clone)]
pub struct Model {
    /// Its folder, or its id on the Hugging Face Hub.
    pub source: ModelSource,
    /// Longest pair in tokens, where the model's own limit is not wanted.
    pub max_length: Option<usize>,
    /// Tokens in a batch.
    pub token_budget: usize,
    /// What turns a logit into a score, where the model's own way is not wanted.
    pub activation: Option<Activation>,
    /// Folder that keeps scores for later runs.
    pub cache: Option<PathBuf>,
    /// Threads to work with.
    pub threads: usize,
}

impl Model {
    /// Adds the content hash of the model's files to a lineage.
    pub(crate) fn add_to(&self, lineage: Lineage) -> Result<Lineage> {
        let folder = self.source.folder()?;
        Ok(lineage.with_input("model", &folder.to_string_lossy())?)
    }

    /// Loads the model, without a cache.
    pub(crate) fn load(&self) -> Result<CrossEncoder> {
        let options = CrossEncoderOptions {
            threads: self.threads,
            max_length: self.max_length,
            token_budget: self.token_budget,
            activation: self.activation,
        };
        Ok(CrossEncoder::load(self.source.folder()?, &options)?)
    }

    /// Lets a model keep its scores, so that a killed run goes on where it was: in the folder of the
    /// user, or else beside the output, if that is a file, until the [`ScoreFolder`] is
    /// [finished](ScoreFolder::finish).
    pub(crate) fn cached(
        &self,
        model: CrossEncoder,
        lineage: &Lineage,
        output: Option<&Path>,
    ) -> Result<(CrossEncoder, ScoreFolder)> {
        let folder = ScoreFolder::new(self.cache.as_deref(), output)?;
        let hash = lineage.inputs.get("model").map_or("", String::as_str);
        let model = match folder.path() {
            Some(path) => model.with_cache(path, hash)?,
            None => model,
        };
        if model.known() > 0 {
            let pairs = model.known();
            info!("the scores of {pairs} pairs of texts are there from earlier runs");
        }
        Ok((model, folder))
    }
}

/// Says how much was scored.
pub(crate) fn log_tally(tally: Tally, seconds: f64) {
    let Tally {
        scored,
        cached,
        truncated,
    } = tally;
    let rate = scored as f64 / seconds.max(1e-3);
    info!("scored {scored} pairs of texts in {seconds:.1} s ({rate:.0} a second)");
    if cached > 0 {
        info!("took the scores of {cached} more from earlier runs");
    }
    if truncated > 0 {
        let pairs = scored + cached;
        warn!(
            "{truncated} of {pairs} pairs of texts were longer than the model reads and were cut"
        );
    }
}
