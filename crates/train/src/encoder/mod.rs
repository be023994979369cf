//! `pairmill-train encoder`: fine-tunes a sentence encoder.

mod card;
mod losses;
mod task;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use pairmill_cli::{Common, Outcome, UsageError};
use pairmill_modeling::SentenceEncoder;
use pairmill_tables::{Lineage, session};
use serde::Serialize;
use tokio::runtime::Runtime;

use crate::evaluator::RetrievalEvaluator;
use crate::export::write_onnx;
use crate::loss::matryoshka::MatryoshkaDim;
use crate::objective::Objective;
use crate::options::Hyperparameters;
use crate::run::{Job, finish, freeze, prepare};
use crate::sampler::shuffled_batches;
use crate::trainer::Report;

pub use losses::{Loss, LossArgs};
pub(crate) use task::{EncoderTask, Prompts};

/// Fine-tune a sentence encoder on pairs, triplets, labelled pairs, tickets or scored candidates
#[derive(Debug, Clone, Args)]
pub struct EncoderArgs {
    /// Folder to write the trained model to
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Also write the model in this format
    #[arg(long, value_enum, value_name = "FORMAT")]
    export: Option<ExportFormat>,
    #[command(flatten)]
    recipe: Recipe,
}

/// A format for other runtimes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// onnx/model.onnx in the model folder
    Onnx,
}

/// A model, data, a loss and how to train.
#[derive(Debug, Clone, Args)]
pub struct Recipe {
    /// Folder of the model to start from
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    loss: LossArgs,
    #[command(flatten)]
    pub(crate) training: Hyperparameters,
}

/// A part of a recipe's data.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Part {
    /// The tables of this loss only.
    pub loss: Option<Loss>,
    /// At most so many training rows.
    pub rows: Option<usize>,
}

/// What an encoder is trained and evaluated on.
#[derive(Debug, Clone, Args, Serialize)]
pub struct DataArgs {
    /// Training table, of the kind the loss needs; LOSS=FILE gives it a loss of its own. Repeat it for
    /// more: rows of the same pair become one, with all its hard negatives
    #[arg(long, value_name = "[LOSS=]FILE", required = true)]
    #[serde(skip)]
    train: Vec<String>,
    /// Folder with corpus, queries_dev and qrels_dev (.parquet), for nDCG@10 during training
    #[arg(long, value_name = "DIR")]
    #[serde(skip)]
    eval: Option<PathBuf>,
    /// Documents of the dev corpus to search; of a larger one, the judged ones and a sample
    #[arg(long, default_value_t = 5_000, value_name = "N")]
    eval_corpus_size: usize,
    /// Table with `id` and a group column: documents of one group are never negatives of each other
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    groups: Option<String>,
    /// Name of the group column
    #[arg(long, default_value = "category", value_name = "NAME")]
    group_column: String,
    /// Longest text in tokens [default: the model's own]
    #[arg(long, visible_alias = "max-seq-length", value_name = "N", value_parser = clap::value_parser!(u16).range(3..))]
    max_length: Option<u16>,
    /// Text put before each query (anchor, first sentence), such as "query: "
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "TEXT"
    )]
    query_prompt: String,
    /// Text put before each document (positive, negative, second sentence)
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "TEXT"
    )]
    document_prompt: String,
}

impl DataArgs {
    fn sources(&self, default: Loss) -> impl Iterator<Item = losses::Source<'_>> {
        let tables = self.train.iter();
        tables.map(move |argument| losses::source(argument, default))
    }

    fn losses(&self, default: Loss) -> Vec<Loss> {
        let mut losses: Vec<Loss> = self.sources(default).map(|source| source.loss).collect();
        losses.sort();
        losses.dedup();
        losses
    }

    fn prompts(&self) -> Prompts {
        Prompts {
            query: self.query_prompt.clone(),
            document: self.document_prompt.clone(),
        }
    }
}

/// The options that shape the model.
#[derive(Serialize)]
struct ShapingOptions<'a> {
    data: &'a DataArgs,
    loss: &'a LossArgs,
    losses: Vec<Loss>,
    training: &'a Hyperparameters,
}

/// Runs the command.
///
/// # Errors
/// If an input or the model is not sound, training diverges, or the output cannot be written.
pub fn run(args: &EncoderArgs, common: &Common) -> Result<Outcome> {
    let EncoderArgs {
        output,
        export,
        recipe,
    } = args;
    recipe.check()?;
    let runtime = prepare(common)?;
    let stage = match export {
        Some(ExportFormat::Onnx) => "train encoder, onnx",
        None => "train encoder",
    };
    let lineage = recipe.lineage(stage, common.seed)?;
    if !common.force && lineage.is_carried_by(output) {
        return finish::<Report>(output, common, None);
    }
    let task = recipe.task(&runtime, common, Part::default())?;
    let job = Job {
        output,
        lineage: &lineage,
        options: &recipe.training,
        common,
    };
    job.run(&task, |report, folder| {
        task.save(folder)?;
        if *export == Some(ExportFormat::Onnx) {
            write_onnx(&task.encoder, folder)?;
        }
        Ok(card::model_card(recipe, output, report).save(folder)?)
    })
}

impl Recipe {
    /// Finds options that contradict each other.
    ///
    /// # Errors
    /// A [`UsageError`] that says which.
    pub(crate) fn check(&self) -> Result<()> {
        self.loss.check(&self.losses())
    }

    /// The losses in use.
    pub(crate) fn losses(&self) -> Vec<Loss> {
        self.data.losses(self.loss.loss)
    }

    /// Whether there is a dev split to score on.
    pub(crate) fn has_eval(&self) -> bool {
        self.data.eval.is_some()
    }

    pub(crate) fn lineage(&self, stage: &str, seed: u64) -> Result<Lineage> {
        let mut lineage = Lineage::new(
            stage,
            &ShapingOptions {
                data: &self.data,
                loss: &self.loss,
                losses: self
                    .data
                    .sources(self.loss.loss)
                    .map(|source| source.loss)
                    .collect(),
                training: &self.training,
            },
            seed,
        )
        .with_input("model", &self.model.display().to_string())?;
        for (number, source) in (1..).zip(self.data.sources(self.loss.loss)) {
            lineage = lineage.with_input(&format!("train {number}"), source.file)?;
        }
        if let Some(folder) = &self.data.eval {
            for name in ["corpus", "queries_dev", "qrels_dev"] {
                let file = folder.join(format!("{name}.parquet"));
                lineage = lineage.with_input(name, &file.display().to_string())?;
            }
        }
        if let Some(groups) = &self.data.groups {
            lineage = lineage.with_input("groups", groups)?;
        }
        if let Some(guide) = &self.loss.guide {
            lineage = lineage.with_input("guide", &guide.display().to_string())?;
        }
        Ok(lineage)
    }

    /// Loads the model and the data.
    pub(crate) fn task(
        &self,
        runtime: &Runtime,
        common: &Common,
        part: Part,
    ) -> Result<EncoderTask> {
        let device = self.training.device.resolve()?;
        let mut encoder = SentenceEncoder::load(&self.model, device)?;
        if let Some(length) = self.data.max_length {
            encoder.set_max_length(usize::from(length))?;
        }
        let matryoshka = self.matryoshka(encoder.dimension())?;
        freeze(encoder.parameters(), &self.training)?;
        let prompts = self.data.prompts();
        let (mut objectives, evaluator) = runtime.block_on(async {
            let session = session(common.threads())?;
            let objectives =
                losses::objectives(&session, self, part.loss, device, common.seed).await?;
            let evaluator = match &self.data.eval {
                Some(folder) => {
                    let size = self.data.eval_corpus_size;
                    Some(RetrievalEvaluator::read(&session, folder, size, &prompts).await?)
                }
                None => None,
            };
            anyhow::Ok((objectives, evaluator))
        })?;
        if let Some(rows) = part.rows {
            limit(&mut objectives, rows, common.seed);
        }
        let task = EncoderTask {
            encoder,
            objectives,
            evaluator,
            prompts,
            mixing: self.loss.multi_dataset_batch_sampler,
            matryoshka,
            mini_batch_size: self.loss.mini_batch_size.map(|size| size as usize),
            batch_size: self.training.batch_size as usize,
            seed: common.seed,
        };
        tracing::info!(
            "training {} on {}, {} epoch(s) of batch {}",
            self.model.display(),
            task.objectives
                .iter()
                .map(|objective| objective.describe())
                .collect::<Vec<_>>()
                .join(" and "),
            self.training.num_train_epochs,
            self.training.batch_size,
        );
        Ok(task)
    }

    fn matryoshka(&self, dimension: usize) -> Result<Vec<MatryoshkaDim>> {
        let weights = self.loss.matryoshka_weights.iter().copied();
        let dims = self.loss.matryoshka_dims.iter();
        let dims = dims.zip(weights.chain(std::iter::repeat(1.0)));
        dims.map(|(&dim, weight)| {
            if dim as usize > dimension {
                let message =
                    format!("--matryoshka-dims {dim}: the model has {dimension} dimensions");
                return Err(UsageError(message).into());
            }
            let dim = i64::from(dim);
            Ok(MatryoshkaDim { dim, weight })
        })
        .collect()
    }
}

/// Leaves `rows` training rows, drawn by the seed so that a larger number holds a smaller one's,
/// shared out over the objectives in proportion.
fn limit(objectives: &mut [Box<dyn Objective>], rows: usize, seed: u64) {
    let all: usize = objectives.iter().map(|objective| objective.rows()).sum();
    for objective in objectives {
        let share = (objective.rows() * rows.min(all)).div_ceil(all.max(1));
        let order = shuffled_batches(objective.rows(), 1, seed, 0).concat();
        objective.retain(&order[..share.min(order.len())]);
    }
}
