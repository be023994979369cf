//! Short trainings that are compared with each other.

use std::fs;
use std::path::Path;
use std::rc::Rc;

use pairmill_cli::{Common, UsageError};
use pairmill_schema::counted;
use pairmill_tables::TemporaryFolder;
use serde::{Deserialize, Serialize};

use crate::Hyperparameters;
use crate::checkpoint::LOG_FILE;
use crate::encoder::{EncoderTask, Recipe};
use crate::error::{Context, Result};
use crate::evaluator::QueryScore;
use crate::report::Report;
use crate::trainer::train;

/// One training of an experiment.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Trial {
    /// Loss or number of rows.
    pub name: String,
    #[serde(flatten)]
    pub report: Report,
    /// What each dev query got when they were last scored, which is after the last step.
    #[serde(skip)]
    pub queries: Option<Rc<[QueryScore]>>,
    #[serde(skip)]
    pub times: Times,
}

/// What took how long, in seconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Times {
    /// Each step, in their order.
    pub steps: Vec<StepTime>,
    /// Each evaluation.
    pub evaluations: Vec<f64>,
}

/// What a step took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct StepTime {
    pub seconds: f64,
    /// The rows of its batch: the last one of an epoch has fewer.
    pub rows: u64,
}

impl Trial {
    /// Returns nDCG@10 on dev before and after.
    pub fn scores(&self) -> (f64, f64) {
        let score = |score: Option<f64>| score.unwrap_or(f64::NAN);
        (
            score(self.report.score_before),
            score(self.report.trained_score),
        )
    }
}

/// Refuses a recipe whose trainings cannot be compared.
///
/// # Errors
/// A [`UsageError`] that says why.
pub(crate) fn check(recipe: &Recipe) -> Result<()> {
    recipe.check()?;
    if recipe.has_eval() {
        return Ok(());
    }
    Err(UsageError(
        "--eval DIR is needed: without a dev split there is nothing to compare".to_owned(),
    )
    .into())
}

/// Trains; the task then has the weights that a training delivers.
pub(crate) fn trial(
    name: String,
    task: &mut EncoderTask,
    options: &Hyperparameters,
    common: &Common,
) -> Result<Trial> {
    let folder = TemporaryFolder::create(None).context("cannot write the training log")?;
    trial_with_log(name, task, options, common, &folder.path().join(LOG_FILE))
}

/// Does the same, with the log in this file.
pub(crate) fn trial_with_log(
    name: String,
    task: &mut EncoderTask,
    options: &Hyperparameters,
    common: &Common,
    log: &Path,
) -> Result<Trial> {
    let report = train(task, options, common.seed, log, None)?;
    Ok(Trial {
        name,
        report,
        queries: task.last_scores(),
        times: Times::of_log(log)?,
    })
}

/// Trains on ever smaller parts of the data, each time from the weights that there are now.
/// `options` says how for a number of rows. The trials come in ascending order of it.
pub(crate) fn trials_of_sizes(
    task: &mut EncoderTask,
    sizes: &[usize],
    options: impl Fn(usize) -> Hyperparameters,
    common: &Common,
) -> Result<Vec<Trial>> {
    let untrained = task.encoder.parameters().flat().copy();
    let mut trials: Vec<Trial> = Vec::new();
    // The largest first, since each smaller part is taken from the one before it.
    for &rows in sizes.iter().rev() {
        task.limit(rows);
        task.set_weights(&untrained)?;
        tracing::info!("training on {}", counted(rows, "row", "rows"));
        trials.insert(0, trial(rows.to_string(), task, &options(rows), common)?);
    }
    Ok(trials)
}

impl Times {
    /// Reads them of a training log: each line is as far from the one before it as what it tells
    /// of took.
    fn of_log(log: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Line {
            event: String,
            seconds: f64,
            #[serde(default)]
            rows: u64,
        }
        let text = fs::read_to_string(log).context("cannot read the training log")?;
        let (mut times, mut before) = (Self::default(), 0.0);
        for line in text.lines() {
            let line: Line = serde_json::from_str(line)?;
            let seconds = line.seconds - before;
            before = line.seconds;
            match line.event.as_str() {
                "step" => times.steps.push(StepTime {
                    seconds,
                    rows: line.rows,
                }),
                _ => times.evaluations.push(seconds),
            }
        }
        Ok(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_differences_of_lines() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log.jsonl");
        let line = |event: &str, seconds: f64| {
            format!("{{\"event\": \"{event}\", \"seconds\": {seconds}, \"rows\": 8}}\n")
        };
        let lines = [
            line("evaluation", 2.0),
            line("step", 2.5),
            line("step", 3.5),
            line("evaluation", 5.0),
        ];
        fs::write(&log, lines.concat()).unwrap();
        let times = Times::of_log(&log).unwrap();
        let steps = [0.5, 1.0].map(|seconds| StepTime { seconds, rows: 8 });
        assert_eq!(times.steps, steps);
        assert_eq!(times.evaluations, [2.0, 1.5]);
    }
}
