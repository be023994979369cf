//! Scores on dev: before training, during it, and what the run delivers by them.

use pairmill_schema::counted;

use super::Run;
use crate::checkpoint::{Exact, Position};
use crate::error::Result;
use crate::fingerprint::fingerprint;
use crate::log::LogLine;
use crate::report::{Delivered, Report};

impl Run<'_> {
    pub(super) fn score_before(&mut self) -> Result<()> {
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

    pub(super) fn is_evaluation_due(&self, last_of_epoch: bool) -> bool {
        match self.options.eval_steps {
            Some(every) => self.position.step.is_multiple_of(u64::from(every)),
            None => last_of_epoch,
        }
    }

    /// Scores the model on dev and keeps the weights if they are the best and not below the start;
    /// whether to go on.
    pub(super) fn evaluate(&mut self) -> Result<bool> {
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
            (None, true) if before == Some(score) => ", as before training".to_owned(),
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

    /// Returns which weights the run comes to.
    pub(super) fn delivered(&self) -> Delivered {
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

    pub(super) fn weights_moved(&self) -> Result<bool> {
        Ok(fingerprint(self.task.parameters().flat())? != self.start)
    }

    pub(super) fn finish(mut self, report: &Report) -> Result<()> {
        self.log.sync()?;
        if let Some(warning) = self.stall.at_end() {
            tracing::warn!("{warning}");
        }
        if !report.weights_moved {
            tracing::warn!(
                "no weight has changed in {}: the model is the one it started from to the last bit, because each step had a rate or a gradient of 0 or was too small to count",
                counted(report.steps, "step", "steps")
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
