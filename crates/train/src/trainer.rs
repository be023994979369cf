use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};
use pairmill_cli::Progress;
use pairmill_modeling::{Dropout, Parameters};
use serde::Serialize;
use tch::Tensor;

use crate::Hyperparameters;
use crate::checkpoint::{Checkpoints, Exact, Position};
use crate::log::{LogLine, TrainingLog};
use crate::optimizer::{AdamW, Gradient};
use crate::schedule::Schedule;

/// Rows that go through the model together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Which training data they are of, where there are several.
    pub source: usize,
    pub rows: Vec<usize>,
}

/// The dropout masks of a batch, which depend on nothing but the seed, the step and the place of
/// the batch in it.
pub(crate) struct Masks<'a> {
    dropout: &'a Dropout,
    step: u64,
    batch: u64,
}

impl Masks<'_> {
    /// The masks of a part of the batch, from the first one on.
    pub fn of_part(&self, part: usize) -> &Dropout {
        let stream = self.step | self.batch << 32 | (part as u64) << 48;
        self.dropout.set_step(stream);
        self.dropout
    }
}

/// What is trained: batches, their loss, and a score on dev.
pub(crate) trait Task {
    /// The model's parameters.
    fn parameters(&self) -> &Parameters;
    /// Batches of an epoch; the same for the same epoch.
    fn batches(&self, epoch: u32) -> Vec<Batch>;
    /// Adds the gradient of `share` times the loss of a batch; the loss.
    fn add_gradient(
        &self,
        batch: &Batch,
        share: f64,
        masks: &Masks<'_>,
        gradient: &mut Gradient<'_>,
    ) -> Result<f64>;
    /// The name and value of the dev score (higher is better), if there is a dev split.
    fn score(&self) -> Result<Option<(&'static str, f64)>>;
}

/// How training went.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Training rows.
    pub rows: usize,
    /// Steps taken.
    pub steps: u64,
    /// The step of the checkpoint the run went on from.
    pub resumed_from: Option<u64>,
    /// Mean loss of the last epoch's steps.
    pub final_loss: f64,
    /// Name of the dev score.
    pub metric: Option<&'static str>,
    /// Dev score before training.
    pub score_before: Option<f64>,
    /// Best dev score; the weights saved are those that reached it.
    pub best_score: Option<f64>,
    /// The step after which the best score was reached.
    pub best_step: u64,
    /// Whether patience ran out before the last step.
    pub stopped_early: bool,
    /// Seconds of training and evaluation.
    pub seconds: f64,
}

/// Trains a task and leaves the best weights in its parameters.
///
/// # Errors
/// If the loss is not finite, the log or a checkpoint cannot be written, the checkpoint to resume
/// from is damaged or of another run, or libtorch fails.
pub(crate) fn train(
    task: &dyn Task,
    options: &Hyperparameters,
    seed: u64,
    log: &Path,
    checkpoints: Option<&Checkpoints>,
) -> Result<Report> {
    let mut run = Run::start(task, options, seed, log, checkpoints)?;
    let resumed_from = (run.position.step > 0).then_some(run.position.step);
    let rows = task.batches(0).iter().map(|batch| batch.rows.len()).sum();
    let (last_loss, stopped_early) = run.all_steps()?;
    let position = &run.position;
    let report = Report {
        rows,
        steps: position.step,
        resumed_from,
        final_loss: last_loss,
        metric: run.metric,
        score_before: position.score_before.map(|score| score.0),
        best_score: position.best.map(|(score, _)| score.0),
        best_step: position.best.map_or(position.step, |(_, step)| step),
        stopped_early,
        seconds: run.seconds(),
    };
    run.finish()?;
    Ok(report)
}

/// Steps of all epochs, which may differ by a batch or two, since rows that clash wait for a later one.
pub(crate) fn steps_of_epochs(task: &dyn Task, options: &Hyperparameters) -> u64 {
    let accumulated = options.gradient_accumulation_steps as usize;
    (0..options.num_train_epochs)
        .map(|epoch| task.batches(epoch).len().div_ceil(accumulated) as u64)
        .sum()
}

/// A training run under way.
struct Run<'a> {
    task: &'a dyn Task,
    options: &'a Hyperparameters,
    checkpoints: Option<&'a Checkpoints>,
    schedule: Schedule,
    total_steps: u64,
    dropout: Dropout,
    optimizer: AdamW,
    position: Position,
    best_weights: Option<Tensor>,
    metric: Option<&'static str>,
    log: TrainingLog,
    progress: Progress,
    started: Instant,
    seconds_before: f64,
    last_saved: u64,
}

impl<'a> Run<'a> {
    fn start(
        task: &'a dyn Task,
        options: &'a Hyperparameters,
        seed: u64,
        log: &Path,
        checkpoints: Option<&'a Checkpoints>,
    ) -> Result<Self> {
        let total_steps = match options.max_steps {
            Some(steps) => u64::from(steps),
            None => steps_of_epochs(task, options),
        };
        let mut run = Self {
            task,
            options,
            checkpoints,
            schedule: Schedule::new(options.lr_scheduler_type, total_steps, options.warmup_ratio),
            total_steps,
            dropout: Dropout::new(seed),
            optimizer: AdamW::new(task.parameters(), options.weight_decay),
            position: Position::default(),
            best_weights: None,
            metric: None,
            log: TrainingLog::create(log)?,
            progress: Progress::new("training", "steps", Some(total_steps)),
            started: Instant::now(),
            seconds_before: 0.0,
            last_saved: 0,
        };
        if !run.resume(log)? {
            run.score_before()?;
        }
        Ok(run)
    }

    /// Goes on from the newest checkpoint where that is wanted and there is one.
    fn resume(&mut self, log: &Path) -> Result<bool> {
        let Some(checkpoints) = self.checkpoints else {
            return Ok(false);
        };
        if !self.options.resume {
            if let Some(step) = checkpoints.newest() {
                tracing::warn!(
                    "starting over; an earlier run came to step {step}: stop and add --resume to go on from there ({} is replaced at the next checkpoint)",
                    checkpoints.folder().display()
                );
            }
            return Ok(false);
        }
        let Some(checkpoint) = checkpoints.load()? else {
            tracing::info!("no checkpoint to resume from: starting at the beginning");
            return Ok(false);
        };
        checkpoint.restore(self.task.parameters(), &mut self.optimizer, log)?;
        self.log = TrainingLog::append(log)?;
        self.position = checkpoint.position;
        self.best_weights = checkpoint.best_weights;
        self.seconds_before = self.position.seconds.0;
        self.last_saved = self.position.step;
        self.progress.inc(self.position.step);
        tracing::info!(
            "resumed at step {} of {}",
            self.position.step,
            self.total_steps
        );
        Ok(true)
    }

    fn score_before(&mut self) -> Result<()> {
        if let Some((metric, score)) = self.task.score()? {
            self.metric = Some(metric);
            self.position.score_before = Some(Exact(score));
            tracing::info!("before training: {metric} on dev {score:.4}");
            self.write_evaluation(metric, score, false)?;
        }
        Ok(())
    }

    /// Trains to the end or until patience runs out: the last epoch's mean loss, and which.
    fn all_steps(&mut self) -> Result<(f64, bool)> {
        while self.position.step < self.total_steps {
            let batches = self.task.batches(self.position.epoch);
            let steps: Vec<&[Batch]> = batches
                .chunks(self.options.gradient_accumulation_steps as usize)
                .collect();
            for step in steps.iter().skip(self.position.step_of_epoch) {
                self.one_step(step, steps.len())?;
                let last_of_epoch = self.position.step_of_epoch == steps.len();
                let last_of_all = self.position.step == self.total_steps;
                if (last_of_all || self.is_evaluation_due(last_of_epoch)) && !self.evaluate()? {
                    return Ok((self.mean_loss(), true));
                }
                if last_of_all {
                    return Ok((self.mean_loss(), false));
                }
                // The next epoch's first step follows the last of this one.
                if last_of_epoch {
                    self.position.epoch += 1;
                    self.position.step_of_epoch = 0;
                    self.position.loss_sum = Exact(0.0);
                }
                self.save_if_due()?;
            }
        }
        Ok((f64::NAN, false))
    }

    fn mean_loss(&self) -> f64 {
        self.position.loss_sum.0 / self.position.step_of_epoch as f64
    }

    /// Takes one optimiser step on one or several batches.
    fn one_step(&mut self, batches: &[Batch], steps_of_epoch: usize) -> Result<()> {
        let step = self.position.step;
        let rate = self.options.learning_rate * self.schedule.factor(step);
        let mut gradient = Gradient::new(self.task.parameters());
        let share = 1.0 / batches.len() as f64;
        let mut loss = 0.0;
        for (number, batch) in batches.iter().enumerate() {
            let masks = Masks {
                dropout: &self.dropout,
                step,
                batch: number as u64,
            };
            loss += share
                * self
                    .task
                    .add_gradient(batch, share, &masks, &mut gradient)?;
            self.check_finite("loss", loss)?;
        }
        let (gradient, grad_norm) = gradient.clipped(self.options.max_grad_norm)?;
        self.check_finite("gradient", grad_norm)?;
        self.optimizer.step(self.task.parameters(), &gradient, rate);
        self.position.step += 1;
        self.position.step_of_epoch += 1;
        self.position.loss_sum.0 += loss;
        self.progress
            .message(format!("loss {loss:.4}, rate {rate:.1e}"));
        self.progress.inc(1);
        self.log.write(&LogLine::Step {
            step: self.position.step,
            epoch: f64::from(self.position.epoch)
                + self.position.step_of_epoch as f64 / steps_of_epoch as f64,
            loss,
            learning_rate: rate,
            grad_norm,
            seconds: self.seconds(),
        })
    }

    fn check_finite(&self, what: &str, value: f64) -> Result<()> {
        if value.is_finite() {
            return Ok(());
        }
        let kept = match self.checkpoints.and_then(Checkpoints::newest) {
            Some(step) if step <= self.position.step => {
                format!("; the checkpoint of step {step} is kept")
            }
            _ => String::new(),
        };
        bail!(
            "the {what} became {value} at step {}; try a lower --learning-rate (now {}){kept}",
            self.position.step + 1,
            self.options.learning_rate
        );
    }

    fn is_evaluation_due(&self, last_of_epoch: bool) -> bool {
        match self.options.eval_steps {
            Some(every) => self.position.step.is_multiple_of(u64::from(every)),
            None => last_of_epoch,
        }
    }

    /// Scores the model on dev and keeps the weights if they are the best; whether to go on.
    fn evaluate(&mut self) -> Result<bool> {
        let Some((metric, score)) = self.task.score()? else {
            return Ok(true);
        };
        self.metric = Some(metric);
        let step = self.position.step;
        let gained = self.position.best.is_none_or(|(best, _)| score > best.0);
        self.write_evaluation(metric, score, gained)?;
        tracing::info!(
            "step {step}: {metric} on dev {score:.4}{}",
            if gained { ", best so far" } else { "" }
        );
        if gained {
            self.best_weights = Some(self.task.parameters().flat().copy());
            self.position.best = Some((Exact(score), step));
            self.position.evaluations_without_gain = 0;
            return Ok(true);
        }
        self.position.evaluations_without_gain += 1;
        let patient = self.position.evaluations_without_gain < self.options.patience;
        if !patient && step < self.total_steps {
            tracing::info!(
                "no better score in {} evaluations: stopping",
                self.options.patience
            );
            return Ok(false);
        }
        Ok(true)
    }

    fn write_evaluation(&mut self, metric: &'static str, score: f64, best: bool) -> Result<()> {
        self.log.write(&LogLine::Evaluation {
            step: self.position.step,
            metric,
            score,
            best,
            seconds: self.seconds(),
        })
    }

    fn save_if_due(&mut self) -> Result<()> {
        let every = u64::from(self.options.save_steps);
        let step = self.position.step;
        let Some(checkpoints) = self.checkpoints else {
            return Ok(());
        };
        if every == 0 || !step.is_multiple_of(every) {
            return Ok(());
        }
        if self.last_saved == 0 {
            // What an earlier run left, which this one did not resume from.
            checkpoints.remove()?;
        }
        self.position.seconds = Exact(self.seconds());
        self.log.sync()?;
        checkpoints.save(
            &self.position,
            self.task.parameters(),
            &self.optimizer,
            self.best_weights.as_ref(),
            self.log.path(),
        )?;
        self.last_saved = step;
        Ok(())
    }

    fn seconds(&self) -> f64 {
        self.seconds_before + self.started.elapsed().as_secs_f64()
    }

    fn finish(self) -> Result<()> {
        self.log.sync()?;
        let Some(best) = self.best_weights else {
            return Ok(());
        };
        let mut flat = self.task.parameters().flat().shallow_clone();
        tch::no_grad(|| flat.f_copy_(&best))?;
        let scores = self.position.score_before.zip(self.position.best);
        if scores.is_some_and(|(before, (best, _))| best < before) {
            tracing::warn!("the trained model scores lower on dev than the one it started from");
        }
        Ok(())
    }
}
