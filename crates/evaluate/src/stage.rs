use std::fs;
use std::path::{Path, PathBuf};

use pairmill_tables::{FolderOutput, Lineage};
use serde::Serialize;

use crate::evidence::Settings;
use crate::report::{html, markdown};
use crate::reporting::complete;
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
const PAGE: &str = "report.html";

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
        if !self.force
            && lineage.is_carried_by(target)
            && let Some(stored) = stored(target)
        {
            tracing::info!("{} is up to date", target.display());
            return Ok(stored);
        }
        let output = FolderOutput::create(target)?;
        let results = Results {
            folder: output.path(),
            lineage: &lineage,
        };
        let evaluation = work(Some(results))?;
        results.write_json(FIGURES, &evaluation)?;
        let report = complete(evaluation.drawn.clone(), &evaluation, method);
        write(output.path(), MARKDOWN, &markdown(&report))?;
        write(output.path(), PAGE, &html(&report))?;
        output.commit(&lineage)?;
        tracing::info!("{}, written to {}", evaluation.summary(), target.display());
        Ok(evaluation)
    }
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
pub(crate) fn stored(folder: &Path) -> Option<Evaluation> {
    let text = fs::read_to_string(folder.join(FIGURES)).ok()?;
    let evaluation: Evaluation = serde_json::from_str(&text).ok()?;
    Some(Evaluation {
        up_to_date: true,
        ..evaluation
    })
}

pub(crate) fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, text).map_err(|source| EvaluateError::Unwritable { path, source })
}
