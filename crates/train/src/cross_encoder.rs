//! `pairmill-train cross-encoder`: trains a sequence-pair classifier and exports it to ONNX.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use pairmill_cli::{Common, Outcome};
use pairmill_metrics::average_precision;
use pairmill_modeling::{CrossEncoder, Dropout, ModelCard, Parameters, TokenIds};
use pairmill_tables::{FolderOutput, Lineage, session};
use serde::Serialize;
use tch::Tensor;

use crate::labeled::LabeledSet;
use crate::loss::binary_cross_entropy;
use crate::options::{Hyperparameters, ModelPaths};
use crate::run::{finish, prepare};
use crate::sampler::shuffled_batches;
use crate::trainer::{Report, Task, train};

/// Tokens in a batch of the evaluation.
const BATCH_TOKENS: usize = 8_192;

/// Train a cross-encoder with one logit on labelled pairs and mined candidates, and export it to ONNX
#[derive(Debug, Args)]
pub struct CrossEncoderArgs {
    #[command(flatten)]
    paths: ModelPaths,
    /// Labelled pairs; repeat it to add the candidates table of `pairmill-mine`, whose kept rows
    /// become negatives
    #[arg(long, value_name = "FILE", required = true)]
    train: Vec<String>,
    /// Folder with labeled_dev.parquet, for average precision during training
    #[arg(long, value_name = "DIR")]
    eval: Option<PathBuf>,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    training: Hyperparameters,
}

#[derive(Debug, Clone, Args, Serialize)]
struct DataArgs {
    /// Mined negatives of each query, drawn at random from its kept candidates
    #[arg(long, default_value_t = 2, value_name = "N")]
    mined_negatives: usize,
    /// Longest pair in tokens [default: the model's own]
    #[arg(long, visible_alias = "max-seq-length", value_name = "N", value_parser = clap::value_parser!(u16).range(5..))]
    max_length: Option<u16>,
}

#[derive(Serialize)]
struct ShapingOptions<'a> {
    data: &'a DataArgs,
    training: &'a Hyperparameters,
}

/// Runs the command.
///
/// # Errors
/// If an input or the model is not sound, training diverges, or the output cannot be written.
pub fn run(args: &CrossEncoderArgs, common: &Common) -> Result<Outcome> {
    let runtime = prepare(common)?;
    let mut lineage = Lineage::new(
        "train cross-encoder",
        &ShapingOptions {
            data: &args.data,
            training: &args.training,
        },
        common.seed,
    )
    .with_input("model", &args.paths.model.display().to_string())?;
    for (number, file) in args.train.iter().enumerate() {
        lineage = lineage.with_input(&format!("train {}", number + 1), file)?;
    }
    let dev_file = args
        .eval
        .as_ref()
        .map(|folder| folder.join("labeled_dev.parquet").display().to_string());
    if let Some(file) = &dev_file {
        lineage = lineage.with_input("labeled_dev", file)?;
    }
    let output = &args.paths.output;
    if !common.force && lineage.is_carried_by(output) {
        return finish::<Report>(output, common, None);
    }

    let device = args.training.device.resolve()?;
    let mut model = CrossEncoder::load(&args.paths.model, device, common.seed)?;
    if let Some(length) = args.data.max_length {
        model.set_max_length(usize::from(length))?;
    }
    let (train_set, dev_set) = runtime.block_on(async {
        let session = session(common.threads())?;
        let mut set = LabeledSet::default();
        for file in &args.train {
            set.read(&session, file, args.data.mined_negatives, common.seed)
                .await?;
        }
        let dev = match &dev_file {
            Some(file) => {
                let mut dev = LabeledSet::default();
                dev.read(&session, file, 0, common.seed).await?;
                Some(dev)
            }
            None => None,
        };
        anyhow::Ok((set, dev))
    })?;
    train_set.check_both_labels()?;
    tracing::info!(
        "training a cross-encoder from {} on {} pairs ({} positive), {} epoch(s) of batch {}",
        args.paths.model.display(),
        train_set.pairs.len(),
        train_set.positives(),
        args.training.num_train_epochs,
        args.training.batch_size,
    );
    let staged = FolderOutput::create(output)?;
    let task = CrossEncoderTask {
        model,
        train_set,
        dev_set,
        batch_size: args.training.batch_size as usize,
        seed: common.seed,
    };
    let log = staged.path().join("training_log.jsonl");
    let report = train(&task, &args.training, common.seed, &log)?;
    task.model
        .save(staged.path())
        .context("saving the cross-encoder")?;
    ModelCard {
        title: "Cross-encoder".to_owned(),
        pipeline_tag: "text-ranking",
        body: format!(
            "Scores how well a text answers a query (sigmoid of one logit). Trained by Pairmill {} on {} pairs with binary cross-entropy. `model.onnx` is the same network for ONNX Runtime.\n",
            env!("CARGO_PKG_VERSION"),
            report.rows
        ),
    }
    .save(staged.path())?;
    staged.commit(&lineage)?;
    finish(output, common, Some(report))
}

struct CrossEncoderTask {
    model: CrossEncoder,
    train_set: LabeledSet,
    dev_set: Option<LabeledSet>,
    batch_size: usize,
    seed: u64,
}

impl Task for CrossEncoderTask {
    fn parameters(&self) -> &Parameters {
        self.model.parameters()
    }

    fn batches(&self, epoch: u32) -> Vec<Vec<usize>> {
        shuffled_batches(
            self.train_set.pairs.len(),
            self.batch_size,
            self.seed,
            epoch,
        )
    }

    fn loss(&self, rows: &[usize], dropout: &Dropout) -> Result<Tensor> {
        let pairs: Vec<_> = rows.iter().map(|&row| &self.train_set.pairs[row]).collect();
        let texts: Vec<(&str, &str)> = pairs.iter().map(|pair| pair.texts()).collect();
        let labels: Vec<f32> = pairs.iter().map(|pair| pair.label).collect();
        let sequences = self.model.tokenize(&texts)?;
        let sequences: Vec<&TokenIds> = sequences.iter().collect();
        let logits = self.model.forward(&sequences, Some(dropout));
        let labels = Tensor::from_slice(&labels).to_device(logits.device());
        Ok(binary_cross_entropy(&logits, &labels))
    }

    fn score(&self) -> Result<Option<(&'static str, f64)>> {
        let Some(dev) = &self.dev_set else {
            return Ok(None);
        };
        let texts: Vec<(&str, &str)> = dev.pairs.iter().map(|pair| pair.texts()).collect();
        let scores = self.model.scores(&texts, BATCH_TOKENS)?;
        let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
        let labels: Vec<bool> = dev.pairs.iter().map(|pair| pair.label >= 0.5).collect();
        Ok(Some(("ap", average_precision(&scores, &labels))))
    }
}
