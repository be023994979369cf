use std::fs;

use anyhow::{Context, Result};
use pairmill_cli::{Common, Outcome};
use pairmill_tables::{FolderOutput, Folds};
use serde::Serialize;

use super::{CrossEncoderArgs, train};
use crate::checkpoint::Checkpoints;
use crate::labeled::LeftOut;
use crate::report::Report;
use crate::run::tell;

/// How the folds went.
#[derive(Debug, Serialize)]
struct FoldsReport {
    /// One report per fold.
    folds: Vec<Option<Report>>,
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
        return finish_folds(args, &folds, common, true);
    }
    let staged = FolderOutput::create(output)?;
    let parts = Checkpoints::new(output, &lineage, 0);
    for fold in 0..number {
        tracing::info!("fold {} of {number}", fold + 1);
        let left_out = LeftOut { folds, fold };
        train(
            args,
            Some(left_out),
            &folds.model(parts.folder(), fold),
            common,
        )
        .with_context(|| format!("fold {} of {number}", fold + 1))?;
    }
    for fold in 0..number {
        let model = folds.model(parts.folder(), fold);
        fs::rename(&model, folds.model(staged.path(), fold))
            .with_context(|| format!("cannot move {}", model.display()))?;
    }
    folds.save(staged.path())?;
    staged.commit(&lineage)?;
    parts.remove()?;
    finish_folds(args, &folds, common, false)
}

/// Reports how the folds went, from the folders of their models.
fn finish_folds(
    args: &CrossEncoderArgs,
    folds: &Folds,
    common: &Common,
    up_to_date: bool,
) -> Result<Outcome> {
    let reports = (0..folds.folds).map(|fold| Report::of_folder(&folds.model(&args.output, fold)));
    let folds: Vec<Option<Report>> = reports.collect();
    let below = folds.iter().flatten().any(Report::is_below_start);
    tell(
        &args.output,
        common,
        up_to_date,
        &Some(FoldsReport { folds }),
    )?;
    Ok(match args.training.fail_below_start && below {
        true => Outcome::ThresholdMissed,
        false => Outcome::Done,
    })
}
