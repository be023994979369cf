use std::io::Write;
use std::path::Path;

use pairmill_cli::{Common, Outcome};
use pairmill_modeling::{Lora, Parameters};
use pairmill_schema::counted;
use pairmill_tables::{FolderOutput, Lineage, Threads};
use serde::Serialize;

use crate::Hyperparameters;
use crate::checkpoint::{Checkpoints, LOG_FILE};
use crate::error::{Result, TrainError};
use crate::figures::{figures, kept_figures};
use crate::report::Report;
use crate::task::Task;
use crate::trainer::train;

/// Sets up threads for a training command.
pub(crate) fn prepare(common: &Common) -> Result<Threads> {
    tch::set_num_threads(common.threads() as i32);
    Ok(Threads::new(common.threads())?)
}

/// Reports the end of a training, of now or, where `made` is `None`, of the run that made the
/// output. The exit code is that of a missed threshold if it ended below its start and that is to
/// fail.
pub(crate) fn finish_training(
    output: &Path,
    common: &Common,
    options: &Hyperparameters,
    made: Option<Report>,
) -> Result<Outcome> {
    let report = made.clone().or_else(|| Report::of_output(output));
    let below = report.is_some_and(|report| report.is_below_start());
    finish(output, common, made)?;
    Ok(match options.fail_below_start && below {
        true => Outcome::ThresholdMissed,
        false => Outcome::Done,
    })
}

/// Reports the end of a command; `None` where the output was there already.
pub(crate) fn finish<R: Serialize>(
    output: &Path,
    common: &Common,
    report: Option<R>,
) -> Result<Outcome> {
    match &report {
        Some(_) => tracing::info!("wrote {}", output.display()),
        None => tracing::info!("{} is up to date", output.display()),
    }
    if common.json {
        #[derive(Serialize)]
        struct Result {
            output: String,
            up_to_date: bool,
            #[serde(flatten)]
            report: Option<serde_json::Value>,
        }
        let result = Result {
            output: output.display().to_string(),
            up_to_date: report.is_none(),
            report: match &report {
                Some(report) => Some(serde_json::to_value(report)?),
                None => kept_figures(output),
            },
        };
        writeln!(std::io::stdout(), "{}", serde_json::to_string(&result)?)?;
    }
    Ok(Outcome::Done)
}

/// A training that ends in a model folder.
pub(crate) struct Job<'a> {
    pub output: &'a Path,
    pub lineage: &'a Lineage,
    pub options: &'a Hyperparameters,
    pub common: &'a Common,
}

impl Job<'_> {
    /// Trains with checkpoints beside the output, has `save` write the model into the folder, and
    /// puts that in place.
    ///
    /// # Errors
    /// If training fails or the folder cannot be written; checkpoints then stay.
    pub fn run<T: Task>(
        &self,
        task: &mut T,
        save: impl FnOnce(&T, &Report, &Path) -> Result<()>,
    ) -> Result<Report> {
        let staged = FolderOutput::create(self.output)?.with_log(LOG_FILE);
        let keep = self.options.save_total_limit as usize;
        let checkpoints = Checkpoints::new(self.output, self.lineage, keep);
        let log = staged.path().join(LOG_FILE);
        let seed = self.common.seed;
        let report = train(task, self.options, seed, &log, Some(&checkpoints))?;
        save(task, &report, staged.path())?;
        staged.commit_with(self.lineage, &figures(self.output, &report)?)?;
        checkpoints.remove()?;
        Ok(report)
    }
}

/// Freezes the parameters that the options name, or adds adapters and trains these and what
/// `is_head` names.
///
/// # Errors
/// If the model has fewer layers, nothing is left to train, or libtorch fails.
pub(crate) fn trainable(
    parameters: Parameters,
    is_head: &dyn Fn(&str) -> bool,
    options: &Hyperparameters,
    seed: u64,
) -> Result<Parameters> {
    let layer = |name: &str| -> Option<usize> {
        let (_, rest) = name
            .split_once("layer.")
            .or_else(|| name.split_once("layers."))?;
        rest.split('.').next()?.parse().ok()
    };
    let layers = parameters.iter().filter_map(|(name, _)| layer(name));
    let layers = layers.max().map_or(0, |last| last + 1);
    if options.freeze_layers > layers {
        return Err(TrainError::FreezeLayers {
            asked: options.freeze_layers,
            layers,
        });
    }
    let all: usize = parameters.iter().map(|(_, tensor)| tensor.numel()).sum();
    let mut parameters = parameters;
    if let Some(rank) = options.lora_rank {
        let rank = i64::from(rank);
        let alpha = options.lora_alpha.unwrap_or(2.0 * rank as f64);
        parameters = parameters.with_lora(Lora { rank, alpha, seed }, is_head)?;
    }
    parameters = parameters.frozen(&|name| match layer(name) {
        Some(layer) => layer < options.freeze_layers,
        None => options.freeze_embeddings && name.contains("embeddings."),
    })?;
    if options.bf16 {
        parameters = parameters.in_bf16();
    }
    let trained = parameters.flat().numel();
    if trained == 0 {
        return Err(TrainError::AllFrozen);
    }
    if trained < all {
        let parameters = counted(trained, "parameter", "parameters");
        tracing::info!("training {parameters}; the model has {all}");
    }
    Ok(parameters)
}
