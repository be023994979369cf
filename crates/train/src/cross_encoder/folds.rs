use std::fs;
use std::time::Instant;

use pairmill_cli::{Common, Outcome};
use pairmill_report::format::duration;
use pairmill_tables::{FolderOutput, Folds};
use serde::Serialize;

use super::{CrossEncoderArgs, train};
use crate::checkpoint::{Checkpoints, LOG_FILE};
use crate::error::{Context, Result};
use crate::figures::{figures, kept_figures};
use crate::labeled::LeftOut;
use crate::report::Report;
use crate::run::finish;

/// How the folds went.
#[derive(Debug, Serialize)]
struct FoldsReport {
    /// One report per fold, without what is of the run where its model was there from a killed one.
    folds: Vec<serde_json::Value>,
}

/// Trains a model for each fold, without the queries of the fold, into one folder. The models
/// lie beside the output until all are there; a killed run goes on after the last whole one.
pub(super) fn run(args: &CrossEncoderArgs, number: u32, common: &Common) -> Result<Outcome> {
    let folds = Folds {
        folds: number,
        seed: common.seed,
    };
    let lineage = args.lineage(Some(folds), None, common.seed)?;
    let output = &args.output;
    if lineage.is_done(output, common.force)? {
        return finish_folds(args, &folds, common, None);
    }
    let staged = FolderOutput::create(output)?.with_log(LOG_FILE);
    let parts = Checkpoints::new(output, &lineage, 0);
    let mut reports = Vec::new();
    let mut seconds = None;
    for fold in 0..number {
        // The bar of each training tells its own time alone.
        let left = seconds.map_or_else(String::new, |last: f64| {
            let left = duration(last * f64::from(number - fold));
            format!(", about {left} for what is left of them")
        });
        tracing::info!("fold {} of {number}{left}", fold + 1);
        let started = Instant::now();
        let left_out = LeftOut { folds, fold };
        let model = folds.model(parts.folder(), fold);
        let report = train(args, Some(left_out), &model, common)
            .with_context(|| format!("fold {} of {number}", fold + 1))?;
        reports.push(match report {
            Some(report) => {
                seconds = Some(started.elapsed().as_secs_f64());
                serde_json::to_value(report)?
            }
            None => kept_figures(&model).unwrap_or_default(),
        });
    }
    let report = FoldsReport { folds: reports };
    for fold in 0..number {
        let model = folds.model(parts.folder(), fold);
        fs::rename(&model, folds.model(staged.path(), fold))
            .with_context(|| format!("cannot move {}", model.display()))?;
    }
    folds.save(staged.path())?;
    staged.commit_with(&lineage, &figures(output, &report)?)?;
    parts.remove()?;
    finish_folds(args, &folds, common, Some(report))
}

/// Reports how the folds went; `None` where the output was there already.
fn finish_folds(
    args: &CrossEncoderArgs,
    folds: &Folds,
    common: &Common,
    made: Option<FoldsReport>,
) -> Result<Outcome> {
    let mut models = (0..folds.folds).map(|fold| folds.model(&args.output, fold));
    let below = models.any(|model| {
        let report = Report::of_output(&model);
        report.is_some_and(|report| report.is_below_start())
    });
    finish(&args.output, common, made)?;
    Ok(match args.training.fail_below_start && below {
        true => Outcome::ThresholdMissed,
        false => Outcome::Done,
    })
}
