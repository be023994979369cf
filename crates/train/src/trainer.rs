use std::path::Path;
use std::time::Instant;

use pairmill_cli::Progress;
use pairmill_modeling::Dropout;
use tch::Tensor;

use crate::Hyperparameters;
use crate::checkpoint::{Checkpoints, Exact, Position};
use crate::error::{Result, TrainError};
use crate::log::{LogLine, TrainingLog};
use crate::memory;
use crate::optimizer::{AdamW, Clipped, Gradient};
use crate::plan;
use crate::report::{Delivered, Report};
use crate::schedule::Schedule;
use crate::stall::Stall;
use crate::task::{Batch, Masks, Task};
use crate::window::Parts;

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

/// Steps of all epochs, which may differ by a batch or two, since rows that clash wait for a later
/// one; a reckoning where the rows are read in parts.
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
            run.task.open_window(0, 0)?;
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
                "the checkpoint was made with {} threads, this run has {threads}: the weights will not be the same to the last bit as without the interruption (--threads {} would make them so)",
                self.position.threads,
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

    fn score_before(&mut self) -> Result<()> {
        if let Some((metric, score)) = self.task.score()? {
            self.metric = Some(metric);
            self.position.score_before = Some(Exact(score));
            tracing::info!("before training: {metric} on dev {score:.4}");
            if self.task.starts_as_model() {
                self.best_weights = Some(self.task.parameters().flat().copy());
            }
            self.write_evaluation(metric, score, false)?;
        }
        Ok(())
    }

    /// Trains to the end or until patience runs out: the last epoch's mean loss, and which.
    fn all_steps(&mut self) -> Result<(f64, bool)> {
        let windows = self.task.parts().map_or(1, Parts::number);
        loop {
            let (epoch, window) = (self.position.epoch, self.position.window);
            self.task.open_window(epoch, window)?;
            let batches = self.task.batches(epoch);
            let steps: Vec<&[Batch]> = batches
                .chunks(self.options.gradient_accumulation_steps as usize)
                .collect();
            let is_last_window = window + 1 == windows;
            if is_last_window && self.position.step_of_epoch + steps.len() == 0 {
                return Err(TrainError::NoBatch);
            }
            let epochs_done = |steps_done: usize| {
                let part = steps_done as f64 / steps.len() as f64;
                f64::from(epoch) + (window as f64 + part) / windows as f64
            };
            for step in steps.iter().skip(self.position.step_of_window) {
                let done = self.position.step_of_window;
                let rate = self.rate(epochs_done(done));
                self.one_step(step, rate, epochs_done(done + 1))?;
                let is_window_over = self.position.step_of_window == steps.len();
                if let Some(stopped_early) = self.go_on(is_window_over, is_last_window)? {
                    return Ok((self.mean_loss(), stopped_early));
                }
                self.save_if_due()?;
            }
            if steps.is_empty()
                && let Some(stopped_early) = self.go_on(true, is_last_window)?
            {
                return Ok((self.mean_loss(), stopped_early));
            }
        }
    }

    /// Whether the end of the data ends the run, rather than a number of steps: where the data is
    /// read in parts, the number of batches is not known before.
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

    /// What follows a step, or a window without one. If that ends the run: whether patience ran out.
    fn go_on(&mut self, is_window_over: bool, is_last_window: bool) -> Result<Option<bool>> {
        let is_epoch_over = is_window_over && is_last_window;
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
                "no better score in {} evaluations: stopping",
                self.options.patience
            );
            return Ok(Some(true));
        }
        // A window's first step follows the last of the one before it.
        if is_window_over {
            self.end_window(is_last_window);
        }
        Ok(None)
    }

    fn end_window(&mut self, is_last_window: bool) {
        let position = &mut self.position;
        position.window += 1;
        position.step_of_window = 0;
        if is_last_window {
            position.window = 0;
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
        self.position.step_of_window += 1;
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

    fn is_evaluation_due(&self, last_of_epoch: bool) -> bool {
        match self.options.eval_steps {
            Some(every) => self.position.step.is_multiple_of(u64::from(every)),
            None => last_of_epoch,
        }
    }

    /// Scores the model on dev and keeps the weights if they are the best and not below the start;
    /// whether to go on.
    fn evaluate(&mut self) -> Result<bool> {
        let Some((metric, score)) = self.task.score()? else {
            return Ok(true);
        };
        self.metric = Some(metric);
        let step = self.position.step;
        let gained = self.position.best.is_none_or(|(best, _)| score > best.0);
        let before = self.position.score_before.map(|before| before.0);
        let below = before.filter(|&before| score < before);
        self.write_evaluation(metric, score, gained && below.is_none())?;
        let verdict = match (below, gained) {
            (Some(before), _) => format!(", below the {before:.4} before training"),
            (None, true) => ", best so far".to_owned(),
            (None, false) => String::new(),
        };
        tracing::info!("step {step}: {metric} on dev {score:.4}{verdict}");
        if gained {
            if below.is_none() || !self.task.starts_as_model() {
                self.best_weights = Some(self.task.parameters().flat().copy());
            }
            self.position.best = Some((Exact(score), step));
            self.position.evaluations_without_gain = 0;
            return Ok(true);
        }
        self.position.evaluations_without_gain += 1;
        Ok(self.position.evaluations_without_gain < self.options.patience)
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

    /// Which weights the run comes to.
    fn delivered(&self) -> Delivered {
        let Position {
            score_before, best, ..
        } = &self.position;
        match (score_before, best) {
            (Some(before), Some((best, _))) if best < before && self.task.starts_as_model() => {
                Delivered::Start
            }
            (_, Some(_)) => Delivered::Best,
            _ => Delivered::Last,
        }
    }

    fn weights_moved(&self) -> Result<bool> {
        Ok(fingerprint(self.task.parameters().flat())? != self.start)
    }

    fn finish(mut self, report: &Report) -> Result<()> {
        self.log.sync()?;
        if let Some(warning) = self.stall.at_end() {
            tracing::warn!("{warning}");
        }
        if !report.weights_moved {
            tracing::warn!(
                "no weight has changed in {} steps: the model is the one it started from to the last bit, because each step had a rate or a gradient of 0 or was too small to count",
                report.steps
            );
        }
        if report.is_below_start()
            && let (Some(before), Some(trained)) = (report.score_before, report.trained_score)
        {
            let metric = report.metric.as_deref().unwrap_or("the score");
            let delivered = match report.delivered {
                Delivered::Start => {
                    "so the model delivered is the one it started from; another --learning-rate, more or cleaner rows may help, and without --eval the last weights are delivered whatever they score"
                }
                _ => {
                    "but that start is a head drawn at random, so the best of the trained ones is delivered; it has learnt nothing that dev can tell"
                }
            };
            tracing::warn!(
                "training did not help: {metric} on dev is {trained:.4} at best, {before:.4} before, {delivered}"
            );
        }
        let Some(best) = self.best_weights else {
            return Ok(());
        };
        let mut flat = self.task.parameters().flat().shallow_clone();
        tch::no_grad(|| flat.f_copy_(&best))?;
        Ok(())
    }
}

/// A number that changes with any bit of the weights.
fn fingerprint(weights: &Tensor) -> Result<u64> {
    /// Weights that are copied at a time.
    const CHUNK: i64 = 1 << 20;
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let (mut start, length) = (0, weights.size()[0]);
    while start < length {
        let chunk = weights.f_narrow(0, start, CHUNK.min(length - start))?;
        let values = Vec::<f32>::try_from(chunk.detach().to_device(tch::Device::Cpu))?;
        hash = values.iter().fold(hash, |hash, value| {
            (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0000_0100_0000_01b3)
        });
        start += CHUNK;
    }
    Ok(hash)
}
