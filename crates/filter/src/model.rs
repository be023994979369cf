use std::path::{Path, PathBuf};

use pairmill_hub::ModelSource;
use pairmill_inference::{Activation, CrossEncoderOptions};
use pairmill_tables::Lineage;

use crate::Result;

/// The cross-encoder to score with, and how.
#[derive(Debug, Clone)]
pub struct Model {
    /// Its folder, or its id on the Hugging Face Hub; or a folder with a model for each fold.
    pub source: ModelSource,
    /// Longest pair in tokens, where the model's own limit is not wanted.
    pub max_length: Option<usize>,
    /// Tokens in a batch.
    pub token_budget: usize,
    /// What turns a logit into a score, where the model's own way is not wanted.
    pub activation: Option<Activation>,
    /// Whether to run the model in int8, if on a sample the share of equal decisions and the rank
    /// correlation with float32 are at least this.
    pub int8: Option<f64>,
    /// Folder that keeps scores for later runs.
    pub cache: Option<PathBuf>,
    /// Threads to work with.
    pub threads: usize,
}

impl Model {
    /// Returns the folder of the model, brought from the Hub if need be.
    pub(crate) fn folder(&self) -> Result<&Path> {
        Ok(self.source.folder()?)
    }

    pub(crate) fn options(&self) -> CrossEncoderOptions {
        CrossEncoderOptions {
            threads: self.threads,
            max_length: self.max_length,
            token_budget: self.token_budget,
            activation: self.activation,
            int8: self.int8.is_some(),
        }
    }

    /// Adds the content hash of the model's files to a lineage.
    pub(crate) fn add_to(&self, lineage: Lineage) -> Result<Lineage> {
        let folder = self.folder()?;
        Ok(lineage.with_input("model", &folder.to_string_lossy())?)
    }
}
