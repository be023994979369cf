use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Context, Result};

/// One line of `training_log.jsonl`.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum LogLine {
    Step {
        step: u64,
        epoch: f64,
        rows: usize,
        loss: f64,
        learning_rate: f64,
        grad_norm: f64,
        seconds: f64,
    },
    Evaluation {
        step: u64,
        metric: &'static str,
        score: f64,
        best: bool,
        seconds: f64,
    },
}

/// The metrics of a run as JSON Lines.
pub(crate) struct TrainingLog {
    file: File,
    path: PathBuf,
}

impl TrainingLog {
    pub fn create(path: &Path) -> Result<Self> {
        Self::open(
            path,
            OpenOptions::new().write(true).create(true).truncate(true),
        )
    }

    pub fn append(path: &Path) -> Result<Self> {
        Self::open(path, OpenOptions::new().append(true))
    }

    fn open(path: &Path, options: &OpenOptions) -> Result<Self> {
        let file = options
            .open(path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn write(&mut self, line: &LogLine) -> Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        self.file
            .write_all(text.as_bytes())
            .context("cannot write the training log")
    }

    pub fn sync(&self) -> Result<()> {
        self.file
            .sync_all()
            .context("cannot write the training log")
    }
}
