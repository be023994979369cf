use std::fs;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{FolderOutput, Lineage, Result, TableError};

/// The file of a folder of results that holds its figures.
const FIGURES: &str = "metrics.json";

/// Where the results of a run go.
#[derive(Debug, Clone, Copy)]
pub struct Results<'a> {
    /// The folder, which appears whole or not at all.
    pub folder: &'a Path,
    /// Whence they come.
    pub lineage: &'a Lineage,
}

impl Results<'_> {
    /// Writes a file of the folder.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(|source| TableError::Unwritable { path, source })
    }

    /// Writes plain data as a JSON file of the folder.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_json(&self, name: &str, content: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_string_pretty(content).expect("results are plain data");
        text.push('\n');
        self.write(name, &text)
    }
}

/// Keeps what `work` gives as the figures of the folder at `target`; or gives what that holds
/// already, and true, if the lineage is the same. `work` may write more files into the folder that
/// it is given.
///
/// # Errors
/// If `work` fails, or the folder cannot be written.
pub fn kept_results<T: Serialize + DeserializeOwned, E: From<TableError>>(
    target: &Path,
    lineage: &Lineage,
    force: bool,
    work: impl FnOnce(Results<'_>) -> Result<T, E>,
) -> Result<(T, bool), E> {
    if lineage.is_done(target, force)?
        && let Some(stored) = stored_figures(target)
    {
        tracing::info!("{} is up to date", target.display());
        return Ok((stored, true));
    }
    let output = FolderOutput::create(target)?;
    let results = Results {
        folder: output.path(),
        lineage,
    };
    let figures = work(results)?;
    results.write_json(FIGURES, &figures)?;
    output.commit(lineage)?;
    tracing::info!("wrote {}", target.display());
    Ok((figures, false))
}

/// Reads the figures that a folder of results holds; `None` where there are none of this kind.
pub fn stored_figures<T: DeserializeOwned>(folder: &Path) -> Option<T> {
    let text = fs::read_to_string(folder.join(FIGURES)).ok()?;
    serde_json::from_str(&text).ok()
}
