//! The trainings of a sweep, each kept as it ends, so that none is done twice.

use std::path::{Path, PathBuf};

use pairmill_cli::Common;
use pairmill_metrics::{Clusters, percentile_interval};
use pairmill_schema::counted;
use pairmill_tables::{FolderOutput, Lineage, Threads, keep_when_interrupted, remove_folder};
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::grid::Point;
use crate::checkpoint::LOG_FILE;
use crate::encoder::{EncoderTask, Recipe};
use crate::error::{Context, Result, TrainError};
use crate::evaluator::QueryScore;
use crate::losses::encoder::Loss;
use crate::report::Report;
use crate::trial::trial_with_log;

/// The folder of the winner so far, among those of the trials.
const WINNER: &str = "winner";
/// The model in it and in the output.
pub(super) const MODEL: &str = "model";
/// Resamples of the dev queries.
const RESAMPLES: usize = 1_000;
const CONFIDENCE: f64 = 0.95;

/// A training of the sweep.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SweepTrial {
    #[serde(flatten)]
    pub point: Point,
    #[serde(flatten)]
    pub report: Report,
    /// What it gained in nDCG@10 on dev, with its 95 % interval over resampled dev queries.
    pub gain: f64,
    pub interval: Option<(f64, f64)>,
}

/// Everything that decides how a sweep goes.
pub(super) struct Sweep<'a> {
    pub recipe: &'a Recipe,
    pub losses: Vec<Loss>,
    pub points: Vec<Point>,
    pub output: &'a Path,
    pub threads: &'a Threads,
    pub common: &'a Common,
}

/// A task with the weights that each trial starts from.
struct Start {
    task: EncoderTask,
    weights: Tensor,
    point: Point,
}

impl SweepTrial {
    /// Returns the best nDCG@10 on dev after a step.
    pub fn score(&self) -> f64 {
        self.report.trained_score.unwrap_or(f64::NEG_INFINITY)
    }
}

impl Sweep<'_> {
    /// Runs the trials that were not run before. The best comes first; of equals, the first one
    /// tried.
    ///
    /// # Errors
    /// If a training fails, or a folder cannot be written.
    pub fn run(&self) -> Result<Vec<SweepTrial>> {
        let folder = self.folder();
        let goes_on = "the same command goes on with the trainings that are left";
        keep_when_interrupted(&folder, goes_on);
        let mut start: Option<Start> = None;
        let mut trials: Vec<SweepTrial> = Vec::new();
        for (number, point) in (1..).zip(&self.points) {
            let recipe = point.applied(self.recipe, &self.losses);
            let lineage = self.lineage(&recipe, point)?;
            let place = folder.join(point.name());
            let all = counted(self.points.len(), "training", "trainings");
            if let Some(done) = self.done(&lineage, &place)? {
                tracing::info!("{number} of {all}: {} is done", point.name());
                trials.push(done);
                continue;
            }
            tracing::info!("{number} of {all}: {}", point.name());
            if !start
                .as_ref()
                .is_some_and(|start| start.point.shares_task(point))
            {
                // The one before makes room first.
                drop(start.take());
                start = Some(self.start(&recipe, point)?);
            }
            let Some(Start { task, weights, .. }) = &mut start else {
                continue;
            };
            task.set_weights(weights)?;
            task.batch_size = recipe.training.batch_size as usize;
            let staged = FolderOutput::create(&place)?.with_log(LOG_FILE);
            let log = staged.path().join(LOG_FILE);
            let before = task.query_scores()?.ok_or(TrainError::NoCurve)?;
            let done = trial_with_log(point.name(), task, &recipe.training, self.common, &log)?;
            let delivered = task.query_scores()?.ok_or(TrainError::NoCurve)?;
            let clusters = task.query_clusters().ok_or(TrainError::NoCurve)?;
            let (gain, interval) = gain(&before, &delivered, clusters, self.common.seed);
            let done = SweepTrial {
                point: point.clone(),
                report: done.report,
                gain,
                interval,
            };
            if trials.iter().all(|other| other.score() < done.score()) {
                self.keep_winner(&recipe, &lineage, task, &done.report)?;
            }
            staged.commit_with(&lineage, &done)?;
            trials.push(done);
        }
        trials.sort_by(|one, other| other.score().total_cmp(&one.score()));
        Ok(trials)
    }

    fn start(&self, recipe: &Recipe, point: &Point) -> Result<Start> {
        let mut task = recipe.task(self.threads, self.common, None)?;
        if let Some(most) = point.negatives {
            task.limit_negatives(most);
        }
        Ok(Start {
            weights: task.encoder.parameters().flat().copy(),
            task,
            point: point.clone(),
        })
    }

    /// What an earlier run found.
    fn done(&self, lineage: &Lineage, place: &Path) -> Result<Option<SweepTrial>> {
        if !lineage.is_done(place, self.common.force)? {
            return Ok(None);
        }
        let figures = Lineage::figures(place);
        Ok(figures.and_then(|figures| serde_json::from_value(figures).ok()))
    }

    fn keep_winner(
        &self,
        recipe: &Recipe,
        lineage: &Lineage,
        task: &EncoderTask,
        report: &Report,
    ) -> Result<()> {
        let staged = FolderOutput::create(&self.folder().join(WINNER))?;
        let model = staged.path().join(MODEL);
        std::fs::create_dir(&model).context("cannot write the model")?;
        task.encoder.save(&model).context("saving the model")?;
        let card = recipe.card(&task.encoder, self.threads, lineage, report)?;
        card.save(&model)?;
        Ok(staged.commit(lineage)?)
    }

    /// Returns the folder of the winner's model.
    pub fn winner(&self) -> PathBuf {
        self.folder().join(WINNER).join(MODEL)
    }

    fn lineage(&self, recipe: &Recipe, point: &Point) -> Result<Lineage> {
        let mut lineage = recipe.lineage("train sweep, trial", self.common.seed)?;
        lineage.options["negatives"] = serde_json::to_value(point.negatives)?;
        Ok(lineage)
    }

    /// The trials lie beside the output until it is whole.
    fn folder(&self) -> PathBuf {
        let mut folder = self.output.as_os_str().to_owned();
        folder.push(".trials");
        folder.into()
    }

    /// Removes what was kept for going on.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn clear(&self) -> Result<()> {
        let folder = self.folder();
        let names = self.points.iter().map(Point::name);
        for name in names.chain([WINNER.to_owned()]) {
            remove_folder(&folder.join(name))?;
        }
        // Trials of another grid may be left in it.
        let _ = std::fs::remove_dir(&folder);
        Ok(())
    }
}

/// The mean gain in nDCG@10 of the same queries, with its interval. Queries that share an answer
/// are drawn together.
pub(super) fn gain(
    before: &[QueryScore],
    after: &[QueryScore],
    clusters: &Clusters,
    seed: u64,
) -> (f64, Option<(f64, f64)>) {
    let pairs = before.iter().zip(after);
    let gains: Vec<f64> = pairs
        .map(|(before, after)| after.ndcg - before.ndcg)
        .collect();
    let mean = |items: &[u32]| {
        let sum: f64 = items.iter().map(|&item| gains[item as usize]).sum();
        vec![sum / items.len() as f64]
    };
    let means = clusters.bootstrap(RESAMPLES, seed, mean);
    let interval = percentile_interval(means.into_iter().flatten(), CONFIDENCE);
    let whole = gains.iter().sum::<f64>() / gains.len().max(1) as f64;
    (whole, interval.map(|found| (found.low, found.high)))
}
