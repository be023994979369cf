//! `pairmill-train encoder`: fine-tunes a sentence encoder on pairs, triplets or n-tuples.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use pairmill_cli::{Common, Outcome};
use pairmill_modeling::{Dropout, ModelCard, Parameters, SentenceEncoder, TokenIds};
use pairmill_tables::{FolderOutput, Lineage, session};
use serde::Serialize;
use tch::Tensor;

use crate::data::{Row, Text, TrainingSet};
use crate::evaluator::RetrievalEvaluator;
use crate::judgements::Judgements;
use crate::loss::multiple_negatives_ranking;
use crate::options::{Hyperparameters, ModelPaths};
use crate::run::{finish, prepare};
use crate::sampler::no_duplicates_batches;
use crate::trainer::{Report, Task, train};

/// Fine-tune a sentence encoder on pairs, triplets or n-tuples
#[derive(Debug, Args)]
pub struct EncoderArgs {
    #[command(flatten)]
    paths: ModelPaths,
    /// Training table: pairs, triplets or n-tuples, with or without ids; repeat it to give pairs and
    /// hard negatives for some of them. Rows of the same pair become one, with all its negatives
    #[arg(long, value_name = "FILE", required = true)]
    train: Vec<String>,
    /// Folder with corpus, queries_dev and qrels_dev (.parquet), for nDCG@10 during training
    #[arg(long, value_name = "DIR")]
    eval: Option<PathBuf>,
    /// Documents of the dev corpus to search; of a larger one, the judged ones and a sample
    #[arg(long, default_value_t = 5_000, value_name = "N")]
    eval_corpus_size: usize,
    /// Table with `id` and a group column: documents of one group are never negatives of each other
    #[arg(long, value_name = "FILE")]
    groups: Option<String>,
    /// Name of the group column
    #[arg(long, default_value = "category", value_name = "NAME")]
    group_column: String,
    #[command(flatten)]
    loss: LossArgs,
    #[command(flatten)]
    training: Hyperparameters,
}

#[derive(Debug, Clone, Args, Serialize)]
struct LossArgs {
    /// Loss to minimise
    #[arg(long, value_enum, default_value_t = Loss::Mnrl)]
    loss: Loss,
    /// Factor on the cosine similarity in the ranking loss
    #[arg(long, default_value_t = 20.0, value_name = "X")]
    scale: f64,
    /// Longest text in tokens [default: the model's own]
    #[arg(long, visible_alias = "max-seq-length", value_name = "N", value_parser = clap::value_parser!(u16).range(3..))]
    max_length: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Loss {
    /// Multiple-negatives ranking over in-batch and hard negatives.
    Mnrl,
}

#[derive(Serialize)]
struct ShapingOptions<'a> {
    loss: &'a LossArgs,
    training: &'a Hyperparameters,
    eval_corpus_size: Option<usize>,
    group_column: Option<&'a str>,
}

/// Runs the command.
///
/// # Errors
/// If an input or the model is not sound, training diverges, or the output cannot be written.
pub fn run(args: &EncoderArgs, common: &Common) -> Result<Outcome> {
    let runtime = prepare(common)?;
    let mut lineage = Lineage::new(
        "train encoder",
        &ShapingOptions {
            loss: &args.loss,
            training: &args.training,
            eval_corpus_size: args.eval.as_ref().map(|_| args.eval_corpus_size),
            group_column: args.groups.as_ref().map(|_| args.group_column.as_str()),
        },
        common.seed,
    )
    .with_input("model", &args.paths.model.display().to_string())?;
    for (number, file) in args.train.iter().enumerate() {
        lineage = lineage.with_input(&format!("train {}", number + 1), file)?;
    }
    if let Some(folder) = &args.eval {
        for name in ["corpus", "queries_dev", "qrels_dev"] {
            let file = folder.join(format!("{name}.parquet"));
            lineage = lineage.with_input(name, &file.display().to_string())?;
        }
    }
    if let Some(groups) = &args.groups {
        lineage = lineage.with_input("groups", groups)?;
    }
    let output = &args.paths.output;
    if !common.force && lineage.is_carried_by(output) {
        return finish::<Report>(output, common, None);
    }

    let device = args.training.device.resolve()?;
    let mut encoder = SentenceEncoder::load(&args.paths.model, device)?;
    if let Some(length) = args.loss.max_length {
        encoder.set_max_length(usize::from(length))?;
    }
    let (set, evaluator) = runtime.block_on(async {
        let session = session(common.threads())?;
        let mut set = TrainingSet::default();
        for file in &args.train {
            set.read(&session, file).await?;
        }
        if let Some(groups) = &args.groups {
            set.read_groups(&session, groups, &args.group_column)
                .await?;
        }
        let evaluator = match &args.eval {
            Some(folder) => {
                Some(RetrievalEvaluator::read(&session, folder, args.eval_corpus_size).await?)
            }
            None => None,
        };
        anyhow::Ok((set, evaluator))
    })?;
    tracing::info!(
        "training {} on {} pairs with {} hard negatives, {} epoch(s) of batch {}",
        args.paths.model.display(),
        set.rows.len(),
        set.negatives(),
        args.training.num_train_epochs,
        args.training.batch_size,
    );
    let staged = FolderOutput::create(output)?;
    let task = EncoderTask {
        judgements: Judgements::new(&set),
        keys: set.rows.iter().map(distinct_texts).collect(),
        set,
        evaluator,
        encoder,
        scale: args.loss.scale,
        batch_size: args.training.batch_size as usize,
        seed: common.seed,
    };
    let log = staged.path().join("training_log.jsonl");
    let report = train(&task, &args.training, common.seed, &log)?;
    task.encoder
        .save(staged.path())
        .context("saving the model")?;
    model_card(args, &report).save(staged.path())?;
    staged.commit(&lineage)?;
    finish(output, common, Some(report))
}

/// What no two rows of a batch may share.
fn distinct_texts(row: &Row) -> Vec<u32> {
    let mut texts = vec![row.anchor.text, row.positive.text];
    texts.extend(row.negatives.iter().map(|negative| negative.text));
    texts
}

struct EncoderTask {
    encoder: SentenceEncoder,
    set: TrainingSet,
    judgements: Judgements,
    keys: Vec<Vec<u32>>,
    evaluator: Option<RetrievalEvaluator>,
    scale: f64,
    batch_size: usize,
    seed: u64,
}

impl Task for EncoderTask {
    fn parameters(&self) -> &Parameters {
        self.encoder.parameters()
    }

    fn batches(&self, epoch: u32) -> Vec<Vec<usize>> {
        no_duplicates_batches(&self.keys, self.batch_size, self.seed, epoch)
    }

    fn loss(&self, rows: &[usize], dropout: &Dropout) -> Result<Tensor> {
        let batch: Vec<&Row> = rows.iter().map(|&row| &self.set.rows[row]).collect();
        let text = |text: Text| self.set.text(text);
        // Anchors, positives, negatives: all in one forward pass.
        let texts: Vec<&str> = batch
            .iter()
            .map(|row| text(row.anchor))
            .chain(batch.iter().map(|row| text(row.positive)))
            .chain(
                batch
                    .iter()
                    .flat_map(|row| row.negatives.iter().map(|&n| text(n))),
            )
            .collect();
        let sequences = self.encoder.tokenize(&texts)?;
        let sequences: Vec<&TokenIds> = sequences.iter().collect();
        let embeddings = self.encoder.forward(&sequences, Some(dropout));
        let anchors = batch.len() as i64;
        let documents = texts.len() as i64 - anchors;
        let excluded = self
            .judgements
            .excluded(&self.set, &batch)
            .to_device(embeddings.device());
        Ok(multiple_negatives_ranking(
            &embeddings.narrow(0, 0, anchors),
            &embeddings.narrow(0, anchors, documents),
            self.scale,
            Some(&excluded),
        ))
    }

    fn score(&self) -> Result<Option<(&'static str, f64)>> {
        match &self.evaluator {
            Some(evaluator) => Ok(Some(("ndcg@10", evaluator.ndcg_at_10(&self.encoder)?))),
            None => Ok(None),
        }
    }
}

fn model_card(args: &EncoderArgs, report: &Report) -> ModelCard {
    let name = |path: &PathBuf| {
        path.file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    };
    let base = name(&args.paths.model);
    let mut body = format!(
        "A sentence-embedding model: `{base}` fine-tuned by Pairmill {} on {} rows.\n\n| option | value |\n|---|---|\n",
        env!("CARGO_PKG_VERSION"),
        report.rows
    );
    let training = &args.training;
    let rows = [
        (
            "loss",
            format!("multiple negatives ranking, scale {}", args.loss.scale),
        ),
        ("epochs", training.num_train_epochs.to_string()),
        ("batch size", training.batch_size.to_string()),
        ("learning rate", training.learning_rate.to_string()),
        ("warm-up ratio", training.warmup_ratio.to_string()),
        ("weight decay", training.weight_decay.to_string()),
    ];
    for (option, value) in rows {
        let _ = writeln!(body, "| {option} | {value} |");
    }
    if let (Some(metric), Some(before), Some(best)) =
        (report.metric, report.score_before, report.best_score)
    {
        let _ = write!(
            body,
            "\nOn the dev split {metric} rose from {before:.4} to {best:.4} (step {} of {}).\n",
            report.best_step, report.steps
        );
    }
    body.push_str(
        "\n```python\nfrom sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(\"path/to/this/folder\")\nembeddings = model.encode([\"a text\"])\n```\n",
    );
    ModelCard {
        title: name(&args.paths.output),
        pipeline_tag: "sentence-similarity",
        body,
    }
}
