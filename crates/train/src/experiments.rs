//! `pairmill-train compare-losses` and `learning-curve`: what a loss, or more labels, would bring.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use pairmill_cli::{Common, Outcome, UsageError, example};
use pairmill_report::{Estimate, LearningCurve, LearningPoint, learning_curve_svg};
use pairmill_schema::counted;
use pairmill_tables::{FolderOutput, Lineage};

use crate::encoder::Recipe;
use crate::error::{Context, Result, TrainError};
use crate::run::prepare;
use crate::task::Task;
use crate::trainer::steps_of_epochs;
use crate::trial::{Trial, check, trial, trials_of_sizes};

/// Train with several losses at the same number of steps and compare nDCG@10 on dev
///
/// Each loss is named with its table: --train mnrl=pairs.parquet --train cosent=labeled.parquet
#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-train compare-losses --model sentence-transformers/all-MiniLM-L6-v2 \
     --train mnrl=runs/try/data/pairs_train.parquet \
     --train cosent=runs/try/data/labeled_train.parquet --eval runs/try/data"
))]
pub struct CompareLossesArgs {
    #[command(flatten)]
    recipe: Recipe,
}

/// Train on growing parts of the data and draw nDCG@10 on dev against their size
#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-train learning-curve --model sentence-transformers/all-MiniLM-L6-v2 \
     --train runs/try/data/pairs_train.parquet --eval runs/try/data --output runs/try/curve"
))]
pub struct LearningCurveArgs {
    /// Training rows of each run [default: 100, 200, 500, 1000, … and all]
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    sizes: Vec<u32>,
    /// Folder for learning_curve.svg and learning_curve.json
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    recipe: Recipe,
}

/// Runs `compare-losses`.
///
/// # Errors
/// As `encoder`; or if there is but one loss, or no dev split.
pub fn compare_losses(args: &CompareLossesArgs, common: &Common) -> Result<Outcome> {
    let recipe = &args.recipe;
    check(recipe)?;
    let losses = recipe.losses();
    if losses.len() < 2 {
        return Err(UsageError(
            "compare-losses needs two losses or more: --train mnrl=FILE --train cosent=FILE …"
                .to_owned(),
        )
        .into());
    }
    let threads = prepare(common)?;
    let mut options = recipe.training.clone();
    let mut tasks = Vec::new();
    for loss in losses {
        tasks.push((loss, recipe.task(&threads, common, Some(loss))?));
    }
    if options.max_steps.is_none() {
        let steps = tasks
            .iter()
            .map(|(_, task)| steps_of_epochs(task, &options));
        let fewest = steps.min().unwrap_or(1);
        let steps = counted(fewest, "step", "steps");
        tracing::info!("each loss gets {steps}, as many as the smallest table has");
        options.max_steps = Some(fewest as u32);
    }
    let mut trials = Vec::new();
    for (loss, mut task) in tasks {
        tracing::info!("training with {loss}");
        trials.push(trial(loss.name.to_owned(), &mut task, &options, common)?);
    }
    trials.sort_by(|a, b| b.scores().1.total_cmp(&a.scores().1));
    print(&trials, "loss", common)?;
    Ok(Outcome::Done)
}

/// Runs `learning-curve`.
///
/// # Errors
/// As `encoder`; or if there is no dev split, or the output cannot be written.
pub fn learning_curve(args: &LearningCurveArgs, common: &Common) -> Result<Outcome> {
    let recipe = &args.recipe;
    check(recipe)?;
    recipe.check_whole("learning-curve")?;
    let threads = prepare(common)?;
    let mut lineage = recipe.lineage("train learning-curve", common.seed)?;
    lineage.options["sizes"] = args.sizes.as_slice().into();
    let staged = match &args.output {
        Some(folder) if lineage.is_done(folder, common.force)? => {
            tracing::info!("{} is up to date", folder.display());
            if common.json
                && let Some(trials) = Lineage::figures(folder)
            {
                writeln!(std::io::stdout(), "{trials}")?;
            }
            return Ok(Outcome::Done);
        }
        Some(folder) => Some(FolderOutput::create(folder)?),
        None => None,
    };
    let mut task = recipe.task(&threads, common, None)?;
    let sizes = sizes(&args.sizes, task.rows());
    let options = |_| recipe.training.clone();
    let trials = trials_of_sizes(&mut task, &sizes, options, common)?;
    print(&trials, "rows", common)?;
    if let Some(staged) = staged {
        let cannot = || format!("cannot write into {}", staged.path().display());
        let json = serde_json::to_vec_pretty(&trials)?;
        std::fs::write(staged.path().join("learning_curve.json"), json).with_context(cannot)?;
        let svg = learning_curve_svg(&curve(&trials)).ok_or(TrainError::NoCurve)?;
        std::fs::write(staged.path().join("learning_curve.svg"), svg).with_context(cannot)?;
        staged.commit_with(&lineage, &trials)?;
    }
    if let Some(folder) = &args.output {
        tracing::info!("wrote {}", folder.join("learning_curve.svg").display());
    }
    Ok(Outcome::Done)
}

/// Draws nDCG@10 on dev against the number of training rows.
fn curve(trials: &[Trial]) -> LearningCurve {
    let point = |trial: &Trial| LearningPoint {
        rows: trial.report.rows as u64,
        score: Estimate::new(trial.scores().1, None),
    };
    LearningCurve {
        metric: "nDCG@10 on dev".to_owned(),
        before: trials.first().map(|trial| trial.scores().0),
        points: trials.iter().map(point).collect(),
        predicted: Vec::new(),
    }
}

/// Returns the wished sizes up to `all`, or 1, 2 and 5 times the powers of ten from 100 on; then
/// `all`.
fn sizes(wished: &[u32], all: usize) -> Vec<usize> {
    let mut sizes: Vec<usize> = match wished {
        [] => (2..9)
            .flat_map(|power| [1, 2, 5].map(|digit| digit * 10usize.pow(power)))
            .filter(|&size| size < all)
            .chain([all])
            .collect(),
        wished => wished
            .iter()
            .map(|&size| (size as usize).min(all))
            .collect(),
    };
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

fn print(trials: &[Trial], first: &str, common: &Common) -> Result<()> {
    let mut text = String::new();
    if common.json {
        text = serde_json::to_string(trials)? + "\n";
    } else {
        let _ = writeln!(
            text,
            "| {first} | training rows | steps | seconds | nDCG@10 before | nDCG@10 after | difference |\n|---|--:|--:|--:|--:|--:|--:|"
        );
        for trial in trials {
            let ((before, after), report) = (trial.scores(), &trial.report);
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.1} | {before:.4} | {after:.4} | {:+.4} |",
                trial.name,
                report.rows,
                report.steps,
                report.seconds,
                after - before
            );
        }
    }
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_grow_up_to_all_rows() {
        assert_eq!(sizes(&[], 1_300), [100, 200, 500, 1_000, 1_300]);
        assert_eq!(sizes(&[], 60), [60]);
        assert_eq!(sizes(&[500, 100, 9_000], 1_300), [100, 500, 1_300]);
    }
}
