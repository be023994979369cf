use std::fs;
use std::path::{Path, PathBuf};

use pairmill_tables::sibling;
use tracing::warn;

use crate::Result;

/// Where scores are kept.
#[derive(Debug)]
pub(crate) struct ScoreFolder {
    /// The user's folder.
    kept: Option<PathBuf>,
    /// The hidden one beside the output.
    hidden: Option<PathBuf>,
    /// Whether that is left from a run that was killed.
    was_there: bool,
}

impl ScoreFolder {
    pub fn new(kept: Option<&Path>, output: Option<&Path>) -> Result<Self> {
        let hidden = output
            .map(|output| sibling(output, ".scores"))
            .transpose()?;
        Ok(Self {
            kept: kept.map(Path::to_owned),
            was_there: hidden.as_ref().is_some_and(|hidden| hidden.exists()),
            hidden,
        })
    }

    /// The folder to use, if there is one.
    pub fn path(&self) -> Option<&Path> {
        self.kept.as_deref().or(self.hidden.as_deref())
    }

    /// Removes what is beside the output, now that it is written.
    pub fn finish(mut self) {
        if let Some(hidden) = self.hidden.take() {
            let _ = fs::remove_dir_all(hidden);
        }
    }

    /// Removes what this run has put beside the output, of which nothing will come.
    pub fn give_up(self) {
        if !self.was_there {
            self.finish();
        }
    }
}

impl Drop for ScoreFolder {
    /// After an error. An empty folder goes away.
    fn drop(&mut self) {
        let Some(hidden) = &self.hidden else { return };
        let _ = fs::remove_dir(hidden);
        if self.kept.is_none() && hidden.exists() {
            warn!(
                "the scores so far are kept beside the output; the same command goes on from there"
            );
        }
    }
}
