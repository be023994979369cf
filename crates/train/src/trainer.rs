use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use pairmill_cli::Progress;
use pairmill_modeling::{Dropout, Parameters};
use serde::Serialize;
use tch::Tensor;

use crate::Hyperparameters;
use crate::optimizer::{AdamW, clipped_gradient};
use crate::schedule::LinearSchedule;

/// What is trained: batches, their loss, and a score on dev.
pub(crate) trait Task {
    /// The model's parameters.
    fn parameters(&self) -> &Parameters;
    /// Batches of row numbers of an epoch; the same for the same epoch.
    fn batches(&self, epoch: u32) -> Vec<Vec<usize>>;
    /// The loss of a batch.
    fn loss(&self, rows: &[usize], dropout: &Dropout) -> Result<Tensor>;
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

/// One line of `training_log.jsonl`.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum LogLine {
    Step {
        step: u64,
        epoch: f64,
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

struct Best {
    score: f64,
    step: u64,
    weights: Tensor,
}

/// Trains a task and leaves the best weights in its parameters.
///
/// # Errors
/// If the loss is not finite, the log cannot be written, or libtorch fails.
pub(crate) fn train(
    task: &dyn Task,
    options: &Hyperparameters,
    seed: u64,
    log_path: &Path,
) -> Result<Report> {
    let mut log =
        File::create(log_path).with_context(|| format!("cannot write {}", log_path.display()))?;
    let started = Instant::now();
    let epochs = options.num_train_epochs;
    let rows = task.batches(0).iter().map(Vec::len).sum();
    // Epochs may differ by a batch or two, since rows that clash wait for a later one.
    let total_steps = (0..epochs)
        .map(|epoch| task.batches(epoch).len() as u64)
        .sum();
    let schedule = LinearSchedule::new(total_steps, options.warmup_ratio);
    let dropout = Dropout::new(seed);
    let mut optimizer = AdamW::new(task.parameters(), options.weight_decay);
    let mut report = Report {
        rows,
        steps: 0,
        final_loss: f64::NAN,
        metric: None,
        score_before: None,
        best_score: None,
        best_step: 0,
        stopped_early: false,
        seconds: 0.0,
    };
    if let Some((metric, score)) = task.score()? {
        report.metric = Some(metric);
        report.score_before = Some(score);
        tracing::info!("before training: {metric} on dev {score:.4}");
        write_line(&mut log, &evaluation(0, metric, score, false, started))?;
    }
    let mut best: Option<Best> = None;
    let mut evaluations_without_gain = 0;
    let progress = Progress::new("training", "steps", Some(total_steps));
    let mut step = 0u64;
    'training: for epoch in 0..epochs {
        let batches = task.batches(epoch);
        let mut losses = Vec::with_capacity(batches.len());
        let last_batch = batches.len() - 1;
        for (number, batch) in batches.iter().enumerate() {
            dropout.set_step(step);
            let rate = options.learning_rate * schedule.factor(step);
            let loss = task.loss(batch, &dropout)?;
            let value = loss.f_double_value(&[])?;
            if !value.is_finite() {
                bail!(
                    "the loss became {value} at step {}; try a lower --learning-rate (now {})",
                    step + 1,
                    options.learning_rate
                );
            }
            let (gradient, grad_norm) =
                clipped_gradient(&loss, task.parameters(), options.max_grad_norm)?;
            if !grad_norm.is_finite() {
                bail!(
                    "the gradient became {grad_norm} at step {}; try a lower --learning-rate (now {})",
                    step + 1,
                    options.learning_rate
                );
            }
            optimizer.step(task.parameters(), &gradient, rate);
            step += 1;
            losses.push(value);
            progress.message(format!("loss {value:.4}, rate {rate:.1e}"));
            progress.inc(1);
            let line = LogLine::Step {
                step,
                epoch: f64::from(epoch) + (number + 1) as f64 / batches.len() as f64,
                loss: value,
                learning_rate: rate,
                grad_norm,
                seconds: started.elapsed().as_secs_f64(),
            };
            write_line(&mut log, &line)?;
            let due = match options.eval_steps {
                Some(every) => step.is_multiple_of(u64::from(every)),
                None => number == last_batch,
            };
            let last_step = epoch + 1 == epochs && number == last_batch;
            if (due || last_step)
                && let Some((metric, score)) = task.score()?
            {
                let gained = best.as_ref().is_none_or(|best| score > best.score);
                write_line(&mut log, &evaluation(step, metric, score, gained, started))?;
                tracing::info!(
                    "step {step}: {metric} on dev {score:.4}{}",
                    if gained { ", best so far" } else { "" }
                );
                if gained {
                    let weights = task.parameters().flat().copy();
                    best = Some(Best {
                        score,
                        step,
                        weights,
                    });
                    evaluations_without_gain = 0;
                } else {
                    evaluations_without_gain += 1;
                    if evaluations_without_gain >= options.patience && !last_step {
                        report.stopped_early = true;
                        tracing::info!(
                            "no better score in {} evaluations: stopping",
                            options.patience
                        );
                    }
                }
            }
            report.final_loss = losses.iter().sum::<f64>() / losses.len() as f64;
            if report.stopped_early {
                break 'training;
            }
        }
    }
    report.steps = step;
    report.best_step = step;
    if let Some(best) = best {
        let mut flat = task.parameters().flat().shallow_clone();
        tch::no_grad(|| flat.f_copy_(&best.weights))?;
        report.best_score = Some(best.score);
        report.best_step = best.step;
        if report
            .score_before
            .is_some_and(|before| best.score < before)
        {
            tracing::warn!("the trained model scores lower on dev than the one it started from");
        }
    }
    log.sync_all().context("cannot write the training log")?;
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

fn evaluation(
    step: u64,
    metric: &'static str,
    score: f64,
    best: bool,
    started: Instant,
) -> LogLine {
    LogLine::Evaluation {
        step,
        metric,
        score,
        best,
        seconds: started.elapsed().as_secs_f64(),
    }
}

fn write_line(log: &mut File, line: &LogLine) -> Result<()> {
    let mut text = serde_json::to_string(line)?;
    text.push('\n');
    log.write_all(text.as_bytes())
        .context("cannot write the training log")
}
