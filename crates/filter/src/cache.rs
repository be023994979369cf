use std::fs;
use std::path::{Path, PathBuf};

use pairmill_tables::{is_stream, keep_when_interrupted, sibling};
use tracing::warn;

use crate::Result;

/// Where scores are kept.
#[derive(Debug)]
pub(crate) struct ScoreFolder {
    /// The user's folder.
    kept: Option<PathBuf>,
    /// The hidden one beside the output.
    hidden: Option<PathBuf>,
    /// Whether that is of use after an error.
    is_kept: bool,
}

impl ScoreFolder {
    pub fn new(kept: Option<&Path>, output: &Path) -> Result<Self> {
        let hidden = match is_stream(output) {
            true => None,
            false => Some(sibling(output, ".scores")?),
        };
        if let Some(folder) = kept.or(hidden.as_deref()) {
            let goes_on = "the scores so far, from where the same command goes on";
            keep_when_interrupted(folder, goes_on);
        }
        Ok(Self {
            kept: kept.map(Path::to_owned),
            // Left from a run that was killed.
            is_kept: hidden.as_ref().is_some_and(|hidden| hidden.exists()),
            hidden,
        })
    }

    /// Returns the folder to use, if there is one.
    pub fn path(&self) -> Option<&Path> {
        self.kept.as_deref().or(self.hidden.as_deref())
    }

    /// Keeps what is beside the output after an error, for the same command to go on from.
    pub fn keep(&mut self) {
        self.is_kept = true;
    }

    /// Removes what is beside the output, now that it is written.
    pub fn finish(mut self) {
        if let Some(hidden) = self.hidden.take() {
            let _ = fs::remove_dir_all(hidden);
        }
    }
}

impl Drop for ScoreFolder {
    /// Tidies up after an error. An empty folder goes away.
    fn drop(&mut self) {
        let Some(hidden) = &self.hidden else { return };
        let _ = match self.is_kept {
            true => fs::remove_dir(hidden),
            false => fs::remove_dir_all(hidden),
        };
        if self.kept.is_none() && hidden.exists() {
            warn!(
                "the scores so far are kept beside the output; the same command goes on from there"
            );
        }
    }
}
