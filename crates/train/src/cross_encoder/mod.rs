//! `pairmill-train cross-encoder`: trains a sequence-pair classifier and exports it to ONNX.

mod folds;
mod objective;
mod task;

use std::path::{Path, PathBuf};

use clap::Args;
use datafusion::prelude::SessionContext;
use pairmill_cli::{Common, Outcome, example};
use pairmill_hub::ModelSource;
use pairmill_modeling::CrossEncoder;
use pairmill_schema::counted;
use pairmill_tables::{Folds, Lineage, session};
use serde::Serialize;

use self::objective::Objective;
use self::task::CrossEncoderTask;
use crate::data::TrainingSet;
use crate::error::{Context, Result, TrainError};
use crate::export::write_quantized;
use crate::form::{TableArgs, Wanted};
use crate::labeled::{LabeledSet, LeftOut, Reading};
use crate::labels::Labels;
use crate::losses::cross_encoder::{Data, LossArgs};
use crate::model_card::{BaseModel, Kind, ModelCard, TrainingFile};
use crate::objective::read_scored_pairs;
use crate::options::Hyperparameters;
use crate::report::Report;
use crate::run::{Job, finish_training, prepare, trainable};
use crate::shuffle_buffer::{Parts, ShuffleBuffer};

/// Train a cross-encoder with one logit on labelled pairs and mined candidates, and export it to
/// ONNX
#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-train cross-encoder --model sentence-transformers/all-MiniLM-L6-v2 \
     --train runs/try/data/labeled_train.parquet --train runs/try/candidates.parquet \
     --output runs/try/cross-encoder"
))]
pub struct CrossEncoderArgs {
    /// Folder of the model to start from, or its id on the Hugging Face Hub
    #[arg(long, alias = "model-name-or-path", value_name = "DIR_OR_ID")]
    model: ModelSource,
    /// Folder to write the trained model to
    #[arg(long, alias = "output-dir", value_name = "DIR")]
    output: PathBuf,
    /// Training table, of the kind the loss needs. With bce and mse a candidates table of
    /// `pairmill-mine` may join the labelled pairs, and its kept rows become negatives
    #[arg(long, aliases = ["train-file", "train-data"], value_name = "FILE", required = true)]
    train: Vec<String>,
    /// Read the training tables in parts of about N rows, each shuffled for itself, instead of
    /// whole: for tables of labelled pairs, pairs or triplets larger than memory, best in Parquet
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    shuffle_buffer: Option<u32>,
    /// Folder with labeled_dev.parquet, for average precision during training
    #[arg(long, value_name = "DIR")]
    eval: Option<PathBuf>,
    /// bce, mse: deal the queries out to N folds and train a model for each without its queries, so
    /// that pairmill-filter has every query judged by a model that has not seen it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=100))]
    folds: Option<u32>,
    /// Also write model_quantized.onnx, with weights in int8, for pairmill-filter --int8
    #[arg(long)]
    int8: bool,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    training: Hyperparameters,
}

#[derive(Debug, Clone, Args, Serialize)]
struct DataArgs {
    /// bce, mse: mined negatives of each query, drawn at random from its kept candidates
    #[arg(long, default_value_t = 2, value_name = "N")]
    mined_negatives: usize,
    #[command(flatten)]
    columns: TableArgs,
    /// Longest pair in tokens [default: the model's own]
    #[arg(long, visible_alias = "max-seq-length", value_name = "N", value_parser = clap::value_parser!(u16).range(5..))]
    max_length: Option<u16>,
    // The last, since what follows would stand under its heading.
    #[command(flatten)]
    #[serde(flatten)]
    loss: LossArgs,
}

#[derive(Serialize)]
struct ShapingOptions<'a> {
    data: &'a DataArgs,
    shuffle_buffer: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    folds: Option<Folds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<LeftOut>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    int8: bool,
    training: &'a Hyperparameters,
}

/// Runs the command.
///
/// # Errors
/// If an input or the model is not sound, training diverges, or the output cannot be written.
pub fn run(args: &CrossEncoderArgs, common: &Common) -> Result<Outcome> {
    let (in_parts, in_folds) = (args.shuffle_buffer.is_some(), args.folds.is_some());
    args.data.loss.check(in_parts, in_folds)?;
    match args.folds {
        Some(number) => folds::run(args, number, common),
        None => {
            let report = train(args, None, &args.output, common)?;
            finish_training(&args.output, common, &args.training, report)
        }
    }
}

/// Trains a model into a folder, on all queries or without those of a fold, unless it is there
/// already.
fn train(
    args: &CrossEncoderArgs,
    left_out: Option<LeftOut>,
    output: &Path,
    common: &Common,
) -> Result<Option<Report>> {
    let threads = prepare(common)?;
    let dev_file = args.dev_file();
    let lineage = args.lineage(None, left_out, common.seed)?;
    if lineage.is_done(output, common.force)? {
        return Ok(None);
    }

    let device = args.training.device.resolve()?;
    let starts_as_judge = CrossEncoder::is_in(args.model.folder()?);
    let model = CrossEncoder::load(args.model.folder()?, device, common.seed)?;
    let mut model = model.with_parameters(|parameters, is_head| {
        trainable(parameters, is_head, &args.training, common.seed)
    })?;
    let own_length = model.max_length();
    if let Some(length) = args.data.max_length {
        model.set_max_length(usize::from(length))?;
    }
    let (objective, parts, dev_set) = threads.block_on(async {
        // One partition, so that rows come in the order of their table for any number of threads.
        let session = session(1)?;
        let (objective, parts) = match args.shuffle_buffer {
            Some(size) => {
                let files: Vec<&str> = args.train.iter().map(String::as_str).collect();
                let parts = Parts::new(&files, size as usize, common.seed).await?;
                (None, Some(parts))
            }
            None => {
                let objective =
                    args.objective(&session, ShuffleBuffer::Whole, left_out, common.seed);
                (Some(objective.await?), None)
            }
        };
        let dev = match &dev_file {
            Some(file) => {
                let mut dev = LabeledSet::default();
                let reading = args.reading(0, common.seed).of_dev();
                dev.read(&session, file, reading).await?;
                dev.check_dev(file)?;
                Some(dev)
            }
            None => None,
        };
        Ok::<_, TrainError>((objective, parts, dev))
    })?;
    let rows = match (&objective, &parts) {
        (Some(objective), _) => objective.describe(),
        (None, parts) => counted(parts.as_ref().map_or(0, Parts::rows), "row", "rows"),
    };
    tracing::info!(
        "training a cross-encoder from {} on {rows}, {} of batch {}",
        args.model,
        counted(args.training.num_train_epochs, "epoch", "epochs"),
        args.training.batch_size,
    );
    let mut task = CrossEncoderTask {
        model,
        starts_as_judge,
        own_length,
        args,
        left_out,
        objective,
        parts,
        opened: None,
        dev_set,
        batch_size: args.training.batch_size as usize,
        seed: common.seed,
    };
    let job = Job {
        output,
        lineage: &lineage,
        options: &args.training,
        common,
    };
    let report = job.run(&mut task, |task, report, folder| {
        task.model
            .save(folder)
            .context("saving the cross-encoder")?;
        if args.int8 {
            write_quantized(&task.model, folder)?;
        }
        let loss = args.data.loss.loss;
        let files = args.train.iter().map(String::as_str);
        let card = ModelCard {
            kind: Kind::CrossEncoder,
            base: BaseModel::of(&args.model),
            losses: vec![(loss.name, loss.class)],
            max_length: task.model.max_length(),
            facts: vec![(
                "for ONNX Runtime",
                "`model.onnx`, the same network".to_owned(),
            )],
            data: TrainingFile::all(&threads, files, &lineage)?,
            training: &args.training,
            report,
        };
        card.save(folder)
    })?;
    Ok(Some(report))
}

impl CrossEncoderArgs {
    fn dev_file(&self) -> Option<String> {
        let folder = self.eval.as_ref()?;
        Some(folder.join("labeled_dev.parquet").display().to_string())
    }

    fn lineage(
        &self,
        folds: Option<Folds>,
        left_out: Option<LeftOut>,
        seed: u64,
    ) -> Result<Lineage> {
        let options = ShapingOptions {
            data: &self.data,
            shuffle_buffer: self.shuffle_buffer,
            folds,
            left_out,
            int8: self.int8,
            training: &self.training,
        };
        let mut lineage = Lineage::new("train cross-encoder", &options, seed)
            .with_input("model", &self.model.folder()?.display().to_string())?;
        for (number, file) in (1..).zip(&self.train) {
            lineage = lineage.with_input(&format!("train {number}"), file)?;
        }
        if let Some(file) = &self.dev_file() {
            lineage = lineage.with_input("labeled_dev", file)?;
        }
        Ok(lineage)
    }

    /// Returns how labelled pairs are read.
    fn reading(&self, mined: usize, seed: u64) -> Reading<'_> {
        Reading {
            columns: &self.data.columns,
            labels: Labels::Share,
            wanted: match self.data.loss.loss.data {
                Data::LabeledPairs(wanted, _) => wanted,
                _ => Wanted::Labels,
            },
            is_only: self.train.len() == 1,
            mined,
            seed,
        }
    }

    async fn objective(
        &self,
        session: &SessionContext,
        buffer: ShuffleBuffer,
        left_out: Option<LeftOut>,
        seed: u64,
    ) -> Result<Objective> {
        let data = &self.data;
        let files: Vec<&str> = self.train.iter().map(String::as_str).collect();
        let (loss, options) = (data.loss.loss, &data.loss.options);
        match loss.data {
            Data::LabeledPairs(wanted, make) => {
                let mut set = LabeledSet::default();
                for &file in &files {
                    match buffer {
                        ShuffleBuffer::Whole => {
                            let reading = self.reading(data.mined_negatives, seed);
                            set.read(session, file, reading).await?;
                        }
                        part => {
                            let reading = self.reading(0, seed);
                            set.read_pairs(session, file, reading, part).await?;
                        }
                    }
                }
                if let Some(left_out) = left_out {
                    set.leave_out(left_out);
                }
                match wanted {
                    Wanted::Labels if buffer.is_whole() => set.check_both_labels()?,
                    Wanted::Similarities if buffer.is_whole() => set.check_labels_differ(&files)?,
                    _ => {}
                }
                Ok(Objective::Labeled(set, make(options)))
            }
            Data::ScoredCandidates { candidates, loss } => {
                let negatives = usize::from(candidates(options));
                let pairs = read_scored_pairs(session, &files, negatives).await?;
                Ok(Objective::of_scored(pairs, loss()))
            }
            Data::Pairs { in_batch, loss } => {
                let in_batch = usize::from(in_batch(options));
                let set = TrainingSet::read_all(session, &files, &data.columns, buffer).await?;
                Ok(Objective::of_pairs(&set, in_batch, loss()))
            }
            Data::Queries(make) => {
                let set = TrainingSet::read_all(session, &files, &data.columns, buffer).await?;
                Objective::of_queries(&set, loss, make(), buffer)
            }
        }
    }
}
