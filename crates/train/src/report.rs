use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::figures::kept_figures;

/// How training went.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// Training rows.
    pub rows: usize,
    /// Steps taken.
    pub steps: u64,
    /// The step of the checkpoint the run went on from.
    #[serde(default)]
    pub resumed_from: Option<u64>,
    /// Mean loss of the last epoch's steps.
    pub final_loss: f64,
    /// Name of the dev score.
    pub metric: Option<String>,
    /// Dev score before training.
    pub score_before: Option<f64>,
    /// Dev score of the weights that are delivered.
    pub best_score: Option<f64>,
    /// The step after which that was reached; 0 for the start.
    pub best_step: u64,
    /// Best dev score after a step, which is less than the one before training where the start is
    /// delivered.
    pub trained_score: Option<f64>,
    /// Which weights are delivered.
    pub delivered: Delivered,
    /// Whether training has changed any weight.
    pub weights_moved: bool,
    /// Rows of a batch: mean over the steps taken.
    pub batch_rows: f64,
    /// Whether patience ran out before the last step.
    pub stopped_early: bool,
    /// Seconds of training and evaluation.
    #[serde(default)]
    pub seconds: f64,
}

/// Which weights a training delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivered {
    /// Those of the best score on dev.
    Best,
    /// Those of the last step, where there is no dev split.
    Last,
    /// Those that training started from, since no step scored as high on dev.
    Start,
}

impl Report {
    /// Returns whether no step scored as high on dev as the start.
    pub fn is_below_start(&self) -> bool {
        let scores = self.score_before.zip(self.trained_score);
        scores.is_some_and(|(before, trained)| trained < before)
    }

    /// Returns the report that was kept with an output, without what was of the run alone.
    pub(crate) fn of_output(output: &Path) -> Option<Self> {
        serde_json::from_value(kept_figures(output)?).ok()
    }
}
