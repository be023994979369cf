use std::fs;
use std::path::{Path, PathBuf};

use pairmill_tables::{FolderOutput, Lineage};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::evidence::Settings;
use crate::report::{Report, html, markdown};
use crate::reporting::{complete, evidence_notes};
use crate::{EvaluateError, Evaluation, Result};

/// How to run, whatever is evaluated.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Folder for the results; `None` only returns the figures.
    pub output: Option<PathBuf>,
    /// How much evidence to gather; it holds the seed.
    pub settings: Settings,
    /// Threads to use.
    pub threads: usize,
    /// Work even where the output is up to date.
    pub force: bool,
}

/// Figures of an output folder, as JSON and for people.
pub(crate) const FIGURES: &str = "metrics.json";
pub(crate) const MARKDOWN: &str = "report.md";
pub(crate) const PAGE: &str = "report.html";

impl Frame {
    /// Runs `work` unless the output folder already holds its result. `inputs` adds the content
    /// of the inputs to the lineage. `work` may write more files into the folder that it is given.
    pub(crate) fn run(
        &self,
        task: &str,
        method: &str,
        options: &impl Serialize,
        inputs: impl FnOnce(Lineage) -> Result<Lineage>,
        work: impl FnOnce(Option<Results<'_>>) -> Result<Evaluation>,
    ) -> Result<Evaluation> {
        let Some(target) = &self.output else {
            let evaluation = work(None)?;
            tracing::info!("{}", evaluation.summary());
            return Ok(evaluation);
        };
        let lineage = inputs(Lineage::new(
            &format!("evaluate {task}"),
            &(options, self.settings),
            self.settings.seed,
        ))?;
        let (evaluation, up_to_date) = kept(target, &lineage, self.force, |results| {
            let evaluation = work(Some(results))?;
            let report = Report {
                evidence: evidence_notes(&evaluation, &self.settings),
                ..complete(evaluation.drawn.clone(), &evaluation, method)
            };
            write(results.folder, MARKDOWN, &markdown(&report))?;
            write(results.folder, PAGE, &html(&report))?;
            Ok(evaluation)
        })?;
        match up_to_date {
            true => (evaluation.warnings.iter()).for_each(|warning| tracing::warn!("{warning}")),
            false => tracing::info!("{}", evaluation.summary()),
        }
        Ok(Evaluation {
            up_to_date,
            ..evaluation
        })
    }
}

/// What `work` gives, kept in the output folder; or what that holds already, and true, if the
/// lineage is the same. `work` may write more files into the folder that it is given.
pub(crate) fn kept<T: Serialize + DeserializeOwned>(
    target: &Path,
    lineage: &Lineage,
    force: bool,
    work: impl FnOnce(Results<'_>) -> Result<T>,
) -> Result<(T, bool)> {
    if lineage.is_done(target, force)?
        && let Some(stored) = stored(target)
    {
        tracing::info!("{} is up to date", target.display());
        return Ok((stored, true));
    }
    let output = FolderOutput::create(target)?;
    let results = Results {
        folder: output.path(),
        lineage,
    };
    let value = work(results)?;
    results.write_json(FIGURES, &value)?;
    output.commit(lineage)?;
    tracing::info!("wrote {}", target.display());
    Ok((value, false))
}

/// Where the results of a run go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Results<'a> {
    pub folder: &'a Path,
    pub lineage: &'a Lineage,
}

impl Results<'_> {
    /// The table of what was seen of each item, for tasks whose items are no queries.
    pub fn items(&self) -> PathBuf {
        self.folder.join("per_item.parquet")
    }

    /// Writes a file of the folder.
    pub fn write_json(&self, name: &str, content: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_string_pretty(content).expect("results are plain data");
        text.push('\n');
        write(self.folder, name, &text)
    }
}

/// The figures that a folder holds.
pub(crate) fn stored<T: DeserializeOwned>(folder: &Path) -> Option<T> {
    let text = fs::read_to_string(folder.join(FIGURES)).ok()?;
    serde_json::from_str(&text).ok()
}

pub(crate) fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, text).map_err(|source| EvaluateError::Unwritable { path, source })
}
