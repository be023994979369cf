//! The small trainings: what they bring, what the whole is taken to bring, and how long it takes.

use std::rc::Rc;
use std::time::Instant;

use pairmill_cli::Common;
use pairmill_metrics::{Clusters, Extrapolated, extrapolate};
use pairmill_report::{Estimate, LearningPoint};

use super::advice::{Baseline, Prediction, SmallTraining, Time};
use crate::Hyperparameters;
use crate::encoder::EncoderTask;
use crate::error::{Result, TrainError};
use crate::evaluator::{QueryScore, mean_ndcg};
use crate::task::Task;
use crate::trainer::steps_of_epochs;
use crate::trial::{Trial, trials_of_sizes};

/// The share of the rows that the largest small training has, one part in so many. The three
/// together then cost about a tenth of the whole.
const PART: usize = 16;
/// Rows that it has at least, up to half of all: fewer make too few steps to tell anything.
const ROWS: usize = 512;
/// Rows of the smallest.
const FEWEST: usize = 16;
/// Steps after which the time of one is steady.
const WARM_UP: usize = 3;
/// The share of the predictions that the interval holds.
pub(super) const CONFIDENCE: f64 = 0.95;
/// Points that a predicted curve is drawn through.
const POINTS: usize = 12;

/// What the small trainings found.
pub(super) struct SmallTrainings {
    pub baseline: Baseline,
    /// Training rows of the whole.
    rows: usize,
    start: Rc<[QueryScore]>,
    clusters: Clusters,
    trials: Vec<Trial>,
    plan: Plan,
    started: Instant,
    seed: u64,
}

/// The training as given.
struct Plan {
    steps: u64,
    /// Rows of all steps together.
    rows: u64,
    evaluations: u64,
    /// Seconds of the evaluation before training.
    evaluation: f64,
}

impl SmallTrainings {
    /// Scores the model as it is, and trains on three small parts of the rows, or on those of
    /// these sizes.
    ///
    /// # Errors
    /// If a training fails.
    pub fn run(
        task: &mut EncoderTask,
        options: &Hyperparameters,
        wished: &[u32],
        started: Instant,
        common: &Common,
    ) -> Result<Self> {
        let all = task.rows();
        let before = Instant::now();
        let start = task.query_scores()?.ok_or(TrainError::NoCurve)?;
        let plan = Plan::new(task, options, before.elapsed().as_secs_f64());
        let clusters = task.query_clusters().ok_or(TrainError::NoCurve)?.clone();
        let baseline = Baseline {
            score: mean_ndcg(&start),
            dev_queries: start.len(),
            dev_clusters: clusters.len(),
        };
        let sizes = sizes(all, wished);
        let names: Vec<String> = sizes.iter().map(usize::to_string).collect();
        tracing::info!(
            "nDCG@10 on dev is {:.4}; training on {} of {all} rows to see what that brings",
            baseline.score,
            names.join(", ")
        );
        let options = |rows| scaled(options, rows, all);
        let trials = trials_of_sizes(task, &sizes, options, common)?;
        Ok(Self {
            baseline,
            rows: all,
            start,
            clusters,
            trials,
            plan,
            started,
            seed: common.seed,
        })
    }

    /// Predicts what the whole training brings in nDCG@10.
    pub fn prediction(&self) -> Option<Prediction> {
        let largest = self.trials.last()?.report.rows;
        let steps = (0..=POINTS).map(|point| point as f64 / POINTS as f64);
        let ratio = self.rows as f64 / largest as f64;
        let mut wanted: Vec<f64> = steps
            .map(|step| largest as f64 * ratio.powf(step))
            .collect();
        wanted.push(2.0 * self.rows as f64);
        let mut found = self.extrapolated(&wanted, |score| 1.0 - score.ndcg)?;
        let twice = found.pop()?;
        let whole = *found.last()?;
        let small = |trial: &Trial| SmallTraining {
            rows: trial.report.rows,
            steps: trial.report.steps,
            score: trial.scores().1,
        };
        let point = |found: &Extrapolated| {
            let score = |gain: f64| self.baseline.score + gain;
            let interval = (score(found.interval.low), score(found.interval.high));
            LearningPoint {
                rows: found.rows.round() as u64,
                score: Estimate::new(score(found.gain), Some(interval)),
            }
        };
        Some(Prediction {
            rows: self.rows,
            gain: whole.gain,
            low: whole.interval.low,
            high: whole.interval.high,
            gain_of_twice_the_rows: twice.gain - whole.gain,
            small_trainings: self.trials.iter().map(small).collect(),
            curve: found.iter().map(point).collect(),
        })
    }

    /// Returns the share of the dev queries that fail now, and what the whole training takes off
    /// it. `None` in its place where none fails.
    pub fn failures(&self, failure: impl Fn(f64) -> f64) -> (f64, Option<Extrapolated>) {
        let failure = |score: &QueryScore| failure(score.reciprocal_rank);
        let failing = self.start.iter().map(failure).sum::<f64>() / self.start.len() as f64;
        let drop = self.extrapolated(&[self.rows as f64], failure);
        (failing, drop.and_then(|found| found.first().copied()))
    }

    fn extrapolated(
        &self,
        wanted: &[f64],
        error: impl Fn(&QueryScore) -> f64,
    ) -> Option<Vec<Extrapolated>> {
        let errors = |scores: &[QueryScore]| scores.iter().map(&error).collect::<Vec<f64>>();
        let trained = self.trials.iter().filter_map(|trial| {
            let queries = trial.queries.as_ref()?;
            Some((trial.report.rows as f64, errors(queries)))
        });
        let trained: Vec<(f64, Vec<f64>)> = trained.collect();
        extrapolate(
            &errors(&self.start),
            &trained,
            wanted,
            &self.clusters,
            CONFIDENCE,
            self.seed,
        )
    }

    /// Reckons how long the whole training takes, from the steps that were measured.
    pub fn time(&self) -> Time {
        let times = self.trials.iter().map(|trial| &trial.times);
        let steps = times.clone().flat_map(|times| {
            // The first steps set up memory; where there are no others, they have to do.
            let skipped = WARM_UP.min(times.steps.len().saturating_sub(1));
            &times.steps[skipped..]
        });
        // By their rows: of so few steps, many are the last of an epoch and smaller.
        let measured_steps = steps.clone().count();
        let rows: u64 = steps.clone().map(|step| step.rows).sum();
        let of_a_row = steps.map(|step| step.seconds).sum::<f64>() / rows.max(1) as f64;
        let step = of_a_row * self.plan.rows as f64 / self.plan.steps as f64;
        // The first of each was that of the start, which is known.
        let evaluations = times.filter_map(|times| times.evaluations.last().copied());
        let evaluations: Vec<f64> = evaluations.chain([self.plan.evaluation]).collect();
        let evaluation = evaluations.iter().sum::<f64>() / evaluations.len() as f64;
        let Plan {
            steps, evaluations, ..
        } = self.plan;
        Time {
            steps,
            evaluations,
            step,
            measured_steps,
            evaluation,
            seconds: steps as f64 * step + evaluations as f64 * evaluation,
            advice: self.started.elapsed().as_secs_f64(),
        }
    }
}

impl Plan {
    fn new(task: &EncoderTask, options: &Hyperparameters, evaluation: f64) -> Self {
        let of_epochs = steps_of_epochs(task, options).max(1);
        let steps = options.max_steps.map_or(of_epochs, u64::from);
        let rows = match options.max_steps {
            Some(_) => steps * u64::from(options.batch_size),
            None => task.rows() as u64 * u64::from(options.num_train_epochs),
        };
        let an_epoch = of_epochs.div_ceil(u64::from(options.num_train_epochs));
        let every = options.eval_steps.map_or(an_epoch, u64::from);
        Self {
            steps,
            rows,
            // One before training, and one after the last step.
            evaluations: 1 + steps.div_ceil(every),
            evaluation,
        }
    }
}

/// Three sizes, each twice the one before it, or those that are wished, up to all rows.
fn sizes(all: usize, wished: &[u32]) -> Vec<usize> {
    let mut sizes: Vec<usize> = match wished {
        [] => {
            let largest = (all / PART).max(ROWS.min(all / 2));
            [largest / 4, largest / 2, largest]
                .map(|size| size.max(FEWEST))
                .to_vec()
        }
        wished => wished.iter().map(|&size| size as usize).collect(),
    };
    sizes.iter_mut().for_each(|size| *size = (*size).min(all));
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// Returns how a part of the rows is trained on: as the whole, with its share of the steps, and
/// scored once, at the end.
fn scaled(options: &Hyperparameters, rows: usize, all: usize) -> Hyperparameters {
    let share = |steps: u32| (u64::from(steps) * rows as u64 / all.max(1) as u64).max(1) as u32;
    Hyperparameters {
        max_steps: options.max_steps.map(share),
        eval_steps: Some(u32::MAX),
        ..options.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_trainings_cost_a_tenth_of_a_large_one() {
        assert_eq!(sizes(160_000, &[]), [2_500, 5_000, 10_000]);
        assert_eq!(sizes(3_000, &[]), [128, 256, 512]);
        assert_eq!(sizes(600, &[]), [75, 150, 300]);
        assert_eq!(sizes(40, &[]), [16, 20]);
        assert_eq!(sizes(10, &[]), [10]);
        assert_eq!(sizes(600, &[500, 100, 9_000]), [100, 500, 600]);
    }
}
