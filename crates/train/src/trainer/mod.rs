mod evaluation;

use std::path::Path;
use std::time::Instant;

use pairmill_cli::Progress;
use pairmill_modeling::Dropout;
use pairmill_schema::counted;
use tch::Tensor;

use crate::Hyperparameters;
use crate::checkpoint::{Checkpoints, Exact, Position};
use crate::error::{Result, TrainError};
use crate::fingerprint::fingerprint;
use crate::log::{LogLine, TrainingLog};
use crate::memory;
use crate::optimizer::{AdamW, Clipped, Gradient};
use crate::plan;
use crate::report::{Delivered, Report};
use crate::schedule::Schedule;
use crate::shuffle_buffer::Parts;
use crate::stall::Stall;
use crate::task::{Batch, Masks, Task};

/// Trains a task and leaves the best weights in its parameters: those it started from where no step
/// scores as high on dev and these are a model already.
///
/// # Errors
/// If the loss is not finite, the log or a checkpoint cannot be written, the checkpoint to resume
/// from is damaged or of another run, or libtorch fails.
pub(crate) fn train(
    task: &mut dyn Task,
    options: &Hyperparameters,
    seed: u64,
    log: &Path,
    checkpoints: Option<&Checkpoints>,
) -> Result<Report> {
    let mut run = Run::start(task, options, seed, log, checkpoints)?;
    let resumed_from = (run.position.step > 0).then_some(run.position.step);
    let (last_loss, stopped_early) = run.all_steps()?;
    let delivered = run.delivered();
    let position = &run.position;
    let (score, step) = match (delivered, position.best) {
        (Delivered::Start, _) => (position.score_before, 0),
        (_, Some((score, step))) => (Some(score), step),
        (_, None) => (None, position.step),
    };
    let report = Report {
        rows: run.task.parts().map_or(run.task.rows(), Parts::rows),
        steps: position.step,
        resumed_from,
        final_loss: last_loss,
        metric: run.metric.map(str::to_owned),
        score_before: position.score_before.map(|score| score.0),
        best_score: score.map(|score| score.0),
        best_step: step,
        trained_score: position.best.map(|(score, _)| score.0),
        delivered,
        weights_moved: run.weights_moved()?,
        batch_rows: position.batch_rows as f64 / position.batches.max(1) as f64,
        stopped_early,
        seconds: run.seconds(),
    };
    run.finish(&report)?;
    Ok(report)
}

/// Counts the steps of all epochs, which may differ by a batch or two, since rows that clash wait
/// for a later one; a reckoning where the rows are read in parts.
pub(crate) fn steps_of_epochs(task: &dyn Task, options: &Hyperparameters) -> u64 {
    let batches_of_step = options.gradient_accumulation_steps as usize;
    let steps = |epoch| match task.parts() {
        Some(parts) => parts.steps(options.batch_size as usize, batches_of_step),
        None => task.batches(epoch).len().div_ceil(batches_of_step),
    };
    (0..options.num_train_epochs)
        .map(|epoch| steps(epoch) as u64)
        .sum()
}

/// A training run under way.
struct Run<'a> {
    task: &'a mut dyn Task,
    options: &'a Hyperparameters,
    checkpoints: Option<&'a Checkpoints>,
    schedule: Schedule,
    total_steps: u64,
    dropout: Dropout,
    optimizer: AdamW,
    position: Position,
    /// The weights to deliver: at first those of the start, if there is a dev split.
    best_weights: Option<Tensor>,
    /// What the weights were at the start.
    start: u64,
    stall: Stall,
    metric: Option<&'static str>,
    log: TrainingLog,
    progress: Progress,
    started: Instant,
    seconds_before: f64,
    /// Whether the checkpoints that are there are of this run.
    owns_checkpoints: bool,
}

impl<'a> Run<'a> {
    fn start(
        task: &'a mut dyn Task,
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
            options,
            checkpoints,
            schedule: Schedule::new(options.lr_scheduler_type, total_steps, options.warmup_ratio),
            total_steps,
            dropout: Dropout::new(seed),
            optimizer: AdamW::new(task.parameters(), options.weight_decay),
            start: fingerprint(task.parameters().flat())?,
            stall: Stall::default(),
            task,
            position: Position::default(),
            best_weights: None,
            metric: None,
            log: TrainingLog::create(log)?,
            progress: Progress::new("training", "steps", Some(total_steps)),
            started: Instant::now(),
            seconds_before: 0.0,
            owns_checkpoints: false,
        };
        if run.resume(log)? {
            return Ok(run);
        }
        if run.task.parts().is_some() {
            // An unsound table is found before the model is scored.
            run.task.open_buffer(0, 0)?;
        }
        plan::announce(run.task, options)?;
        run.score_before()?;
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
        self.owns_checkpoints = true;
        self.progress.inc(self.position.step);
        let threads = tch::get_num_threads();
        if threads != self.position.threads {
            tracing::warn!(
                "the checkpoint was made with {}, this run has {threads}: the weights will not be the same to the last bit as without the interruption (--threads {} would make them so)",
                counted(self.position.threads, "thread", "threads"),
                self.position.threads
            );
        }
        tracing::info!(
            "resumed at step {} of {}",
            self.position.step,
            self.total_steps
        );
        Ok(true)
    }

    /// Trains to the end or until patience runs out: the last epoch's mean loss, and which.
    fn all_steps(&mut self) -> Result<(f64, bool)> {
        let buffers = self.task.parts().map_or(1, Parts::number);
        loop {
            let (epoch, buffer) = (self.position.epoch, self.position.buffer);
            self.task.open_buffer(epoch, buffer)?;
            let batches = self.task.batches(epoch);
            let steps: Vec<&[Batch]> = batches
                .chunks(self.options.gradient_accumulation_steps as usize)
                .collect();
            let is_last_buffer = buffer + 1 == buffers;
            if is_last_buffer && self.position.step_of_epoch + steps.len() == 0 {
                return Err(TrainError::NoBatch);
            }
            let epochs_done = |steps_done: usize| {
                let part = steps_done as f64 / steps.len() as f64;
                f64::from(epoch) + (buffer as f64 + part) / buffers as f64
            };
            for step in steps.iter().skip(self.position.step_of_buffer) {
                let done = self.position.step_of_buffer;
                let rate = self.rate(epochs_done(done));
                self.one_step(step, rate, epochs_done(done + 1))?;
                let is_buffer_over = self.position.step_of_buffer == steps.len();
                if let Some(stopped_early) = self.go_on(is_buffer_over, is_last_buffer)? {
                    return Ok((self.mean_loss(), stopped_early));
                }
                self.save_if_due()?;
            }
            if steps.is_empty()
                && let Some(stopped_early) = self.go_on(true, is_last_buffer)?
            {
                return Ok((self.mean_loss(), stopped_early));
            }
        }
    }

    /// Returns whether the end of the data ends the run, rather than a number of steps: where the
    /// data is read in parts, the number of batches is not known before.
    fn ends_with_the_data(&self) -> bool {
        self.task.parts().is_some() && self.options.max_steps.is_none()
    }

    fn rate(&self, epochs_done: f64) -> f64 {
        let step = match self.ends_with_the_data() {
            true => {
                let share = epochs_done / f64::from(self.options.num_train_epochs);
                (share * self.total_steps as f64) as u64
            }
            false => self.position.step,
        };
        self.options.learning_rate * self.schedule.factor(step)
    }

    /// Returns what follows a step, or a buffer without one. If that ends the run: whether patience
    /// ran out.
    fn go_on(&mut self, is_buffer_over: bool, is_last_buffer: bool) -> Result<Option<bool>> {
        let is_epoch_over = is_buffer_over && is_last_buffer;
        let is_last = match self.ends_with_the_data() {
            true => is_epoch_over && self.position.epoch + 1 == self.options.num_train_epochs,
            false => self.position.step == self.total_steps,
        };
        if is_last {
            self.evaluate()?;
            return Ok(Some(false));
        }
        if self.is_evaluation_due(is_epoch_over) && !self.evaluate()? {
            tracing::info!(
                "no better score in {}: stopping",
                counted(self.options.patience, "evaluation", "evaluations")
            );
            return Ok(Some(true));
        }
        // A buffer's first step follows the last of the one before it.
        if is_buffer_over {
            self.end_buffer(is_last_buffer);
        }
        Ok(None)
    }

    fn end_buffer(&mut self, is_last_buffer: bool) {
        let position = &mut self.position;
        position.buffer += 1;
        position.step_of_buffer = 0;
        if is_last_buffer {
            position.buffer = 0;
            position.epoch += 1;
            position.step_of_epoch = 0;
            position.loss_sum = Exact(0.0);
        }
    }

    fn mean_loss(&self) -> f64 {
        self.position.loss_sum.0 / self.position.step_of_epoch as f64
    }

    /// Takes one optimiser step on one or several batches.
    fn one_step(&mut self, batches: &[Batch], rate: f64, epochs_done: f64) -> Result<()> {
        let step = self.position.step;
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
        let Clipped {
            gradient,
            norm: grad_norm,
            scale,
        } = gradient.clipped(self.options.max_grad_norm)?;
        self.check_finite("gradient", grad_norm)?;
        let parameters = self.task.parameters();
        self.optimizer.step(parameters, &gradient, scale, rate);
        if let Some(warning) = self.stall.after_step(loss, grad_norm) {
            tracing::warn!("{warning}");
        }
        let rows: usize = batches.iter().map(|batch| batch.rows.len()).sum();
        self.position.batch_rows += rows as u64;
        self.position.batches += batches.len() as u64;
        self.position.step += 1;
        memory::after_step(self.position.step);
        self.position.step_of_epoch += 1;
        self.position.step_of_buffer += 1;
        self.position.loss_sum.0 += loss;
        self.progress
            .message(format!("loss {loss:.4}, rate {rate:.1e}"));
        self.progress.inc(1);
        self.log.write(&LogLine::Step {
            step: self.position.step,
            epoch: epochs_done,
            rows,
            loss,
            learning_rate: rate,
            grad_norm,
            seconds: self.seconds(),
        })
    }

    fn check_finite(&self, what: &'static str, value: f64) -> Result<()> {
        if value.is_finite() {
            return Ok(());
        }
        let newest = self.checkpoints.and_then(Checkpoints::newest);
        let kept = match newest.filter(|_| self.owns_checkpoints) {
            Some(step) => format!("; the checkpoint of step {step} is kept"),
            None => String::new(),
        };
        Err(TrainError::NotFinite {
            what,
            value,
            step: self.position.step + 1,
            rate: self.options.learning_rate,
            kept,
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
        if !self.owns_checkpoints {
            checkpoints.remove()?;
            self.owns_checkpoints = true;
        }
        self.position.seconds = Exact(self.seconds());
        self.position.threads = tch::get_num_threads();
        self.log.sync()?;
        checkpoints.save(
            &self.position,
            self.task.parameters(),
            &self.optimizer,
            self.best_weights.as_ref(),
            self.log.path(),
        )?;
        Ok(())
    }

    fn seconds(&self) -> f64 {
        self.seconds_before + self.started.elapsed().as_secs_f64()
    }
}
