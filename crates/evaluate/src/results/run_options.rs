use std::path::PathBuf;

use pairmill_report::{MARKDOWN_FILE, PAGE_FILE, today};
use pairmill_tables::{Lineage, Results, kept_results};
use serde::Serialize;

use crate::error::{EvaluateError, Result};
use crate::report::{Report, html, markdown};
use crate::results::evaluation::Evaluation;
use crate::results::reporting::{complete, evidence_notes};
use crate::statistics::evidence::Settings;

/// The card of the model with the figures of an evaluation.
const CARD_FILE: &str = "model_card.md";

/// How to run, whatever is evaluated.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Folder for the results; `None` only returns the figures.
    pub output: Option<PathBuf>,
    /// How much evidence to gather; it holds the seed.
    pub settings: Settings,
    /// Threads to use.
    pub threads: usize,
    /// Work even where the output is up to date.
    pub force: bool,
}

impl RunOptions {
    /// Runs `work` unless the output folder already holds its result. `inputs` adds the content
    /// of the inputs to the lineage. `work` may write more files into the folder that it is given.
    pub(crate) fn run(
        &self,
        task: &str,
        method: &str,
        options: &impl Serialize,
        inputs: impl FnOnce(Lineage) -> Result<Lineage>,
        work: impl FnOnce(Option<Results<'_>>) -> Result<Evaluation>,
    ) -> Result<Evaluation> {
        let Some(target) = &self.output else {
            let evaluation = work(None)?;
            tracing::info!("{}", evaluation.summary());
            return Ok(evaluation);
        };
        let lineage = inputs(Lineage::new(
            &format!("evaluate {task}"),
            &(options, self.settings),
            self.settings.seed,
        ))?;
        let (evaluation, up_to_date) = kept_results(target, &lineage, self.force, |results| {
            let evaluation = work(Some(results))?;
            let report = Report {
                date: today(),
                evidence: evidence_notes(&evaluation, &self.settings),
                ..complete(evaluation.drawn.clone(), &evaluation, method)
            };
            results.write(MARKDOWN_FILE, &markdown(&report))?;
            results.write(PAGE_FILE, &html(&report))?;
            if let Some(card) = &evaluation.card {
                results.write(CARD_FILE, &card.with_figures(&report))?;
            }
            Ok::<_, EvaluateError>(evaluation)
        })?;
        match up_to_date {
            true => (evaluation.warnings.iter()).for_each(|warning| tracing::warn!("{warning}")),
            false => tracing::info!("{}", evaluation.summary()),
        }
        Ok(Evaluation {
            up_to_date,
            ..evaluation
        })
    }
}
