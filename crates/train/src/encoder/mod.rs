//! `pairmill-train encoder`: fine-tunes a sentence encoder.

mod objectives;
mod stream;
mod task;

use std::cell::RefCell;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pairmill_cli::{Common, Outcome, UsageError, example};
use pairmill_hub::ModelSource;
use pairmill_modeling::SentenceEncoder;
use pairmill_schema::counted;
use pairmill_tables::{Lineage, Threads, session};
use serde::Serialize;

use crate::error::{Context, Result, TrainError};
use crate::evaluator::RetrievalEvaluator;
use crate::export::write_onnx;
use crate::form::TableArgs;
use crate::losses::encoder::{Data, Loss, LossArgs};
use crate::losses::matryoshka::MatryoshkaDim;
use crate::losses::registry::Family;
use crate::model_card::{BaseModel, Kind, ModelCard, TrainingFile};
use crate::options::Hyperparameters;
use crate::report::Report;
use crate::run::{Job, finish_training, prepare, trainable};
use crate::shuffle_buffer::ShuffleBuffer;

use self::stream::Stream;

pub(crate) use task::EncoderTask;

/// The example of the command, which is the program's too.
pub const EXAMPLE: &str = "pairmill-train encoder --model sentence-transformers/all-MiniLM-L6-v2 \
    --train runs/try/triplets.parquet --eval runs/try/data --output runs/try/model";

/// Fine-tune a sentence encoder on pairs, triplets, labelled pairs, tickets or scored candidates
#[derive(Debug, Clone, Args)]
#[command(before_help = example(EXAMPLE))]
pub struct EncoderArgs {
    /// Folder to write the trained model to
    #[arg(long, alias = "output-dir", value_name = "DIR")]
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
pub(crate) struct Recipe {
    /// Folder of the model to start from, or its id on the Hugging Face Hub (with @revision, if
    /// wanted)
    #[arg(long, alias = "model-name-or-path", value_name = "DIR_OR_ID")]
    pub(crate) model: ModelSource,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) loss: LossArgs,
    #[command(flatten)]
    pub(crate) training: Hyperparameters,
}

/// What an encoder is trained and evaluated on.
#[derive(Debug, Clone, Args, Serialize)]
pub(crate) struct DataArgs {
    /// Training table, of the kind the loss needs; LOSS=FILE gives it a loss of its own. Repeat it
    /// for more: rows of the same pair become one, with all its hard negatives
    #[arg(
        long,
        aliases = ["train-file", "train-data"],
        value_name = "[LOSS=]FILE",
        required = true
    )]
    #[serde(skip)]
    pub(crate) train: Vec<String>,
    /// Read the training tables in parts of about N rows, each shuffled for itself, instead of
    /// whole: for tables larger than memory, best in Parquet. Known positives are then those of the
    /// same part
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    shuffle_buffer: Option<u32>,
    /// Folder with corpus, queries_dev and qrels_dev (.parquet), for nDCG@10 during training
    #[arg(long, value_name = "DIR")]
    #[serde(skip)]
    pub(crate) eval: Option<PathBuf>,
    /// Documents of the dev corpus to search; of a larger one, the judged ones and a sample
    #[arg(long, default_value_t = 5_000, value_name = "N")]
    pub(crate) eval_corpus_size: usize,
    #[command(flatten)]
    pub(crate) columns: TableArgs,
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
    /// Longest query (anchor, first sentence) in tokens [default: --max-length]
    #[arg(long, alias = "query-max-len", value_name = "N", value_parser = clap::value_parser!(u16).range(3..))]
    query_max_length: Option<u16>,
    /// Longest document (positive, negative, second sentence) in tokens [default: --max-length]
    #[arg(long, alias = "passage-max-len", value_name = "N", value_parser = clap::value_parser!(u16).range(3..))]
    document_max_length: Option<u16>,
    /// Text put before each query, such as "query: " [default: the model's own]
    #[arg(long, alias = "query-instruction-for-retrieval", value_name = "TEXT")]
    query_prompt: Option<String>,
    /// Text put before each document [default: the model's own]
    #[arg(long, alias = "passage-instruction-for-retrieval", value_name = "TEXT")]
    document_prompt: Option<String>,
}

impl DataArgs {
    fn sources(&self, default: Loss) -> impl Iterator<Item = objectives::Source<'_>> {
        let tables = self.train.iter();
        tables.map(move |argument| objectives::source(argument, default))
    }

    /// Returns the losses in use, each once, in the order of the registry.
    fn losses(&self, default: Loss) -> Vec<Loss> {
        let all = Data::LOSSES.iter().copied();
        all.filter(|&loss| self.sources(default).any(|source| source.loss == loss))
            .collect()
    }

    /// Sets what the options say about how texts are read.
    pub(crate) fn shape(&self, encoder: &mut SentenceEncoder) -> Result<()> {
        let own = encoder.max_length();
        let length = |side: Option<u16>| side.or(self.max_length).map_or(own, usize::from);
        let document = length(self.document_max_length);
        let query = length(self.query_max_length);
        encoder.set_max_length(document)?;
        if query != document {
            encoder.set_max_query_length(query)?;
        }
        let (query, document) = (
            self.query_prompt.as_deref(),
            self.document_prompt.as_deref(),
        );
        let prompts = encoder.prompts().with(query, document);
        encoder.set_prompts(prompts);
        Ok(())
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
    let threads = prepare(common)?;
    let stage = match export {
        Some(ExportFormat::Onnx) => "train encoder, onnx",
        None => "train encoder",
    };
    let lineage = recipe.lineage(stage, common.seed)?;
    if lineage.is_done(output, common.force)? {
        return finish_training(output, common, &recipe.training, None);
    }
    let mut task = recipe.task(&threads, common, None)?;
    let job = Job {
        output,
        lineage: &lineage,
        options: &recipe.training,
        common,
    };
    let report = job.run(&mut task, |task, report, folder| {
        task.encoder.save(folder).context("saving the model")?;
        if *export == Some(ExportFormat::Onnx) {
            write_onnx(&task.encoder, folder)?;
        }
        recipe
            .card(&task.encoder, &threads, &lineage, report)?
            .save(folder)
    })?;
    finish_training(output, common, &recipe.training, Some(report))
}

impl Recipe {
    /// Finds options that contradict each other.
    ///
    /// # Errors
    /// A [`UsageError`] that says which.
    pub(crate) fn check(&self) -> Result<()> {
        Ok(self.loss.check(&self.losses())?)
    }

    /// Refuses to read the data in parts.
    ///
    /// # Errors
    /// A [`UsageError`].
    pub(crate) fn check_whole(&self, command: &str) -> Result<()> {
        match self.data.shuffle_buffer {
            Some(_) => Err(UsageError(format!("--shuffle-buffer has no meaning for {command}, which draws rows from the whole data")).into()),
            None => Ok(()),
        }
    }

    /// Returns the losses in use.
    pub(crate) fn losses(&self) -> Vec<Loss> {
        self.data.losses(self.loss.loss)
    }

    /// Returns the training tables, each with its loss.
    pub(crate) fn tables(&self) -> Vec<(Loss, &str)> {
        let sources = self.data.sources(self.loss.loss);
        sources.map(|source| (source.loss, source.file)).collect()
    }

    /// Returns whether there is a dev split to score on.
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
        .with_input("model", &self.model.folder()?.display().to_string())?;
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
        if let Some(guide) = &self.loss.options.guide {
            lineage = lineage.with_input("guide", &guide.folder()?.display().to_string())?;
        }
        Ok(lineage)
    }

    /// Loads the model and the data, all or what is for one loss.
    pub(crate) fn task(
        &self,
        threads: &Threads,
        common: &Common,
        only: Option<Loss>,
    ) -> Result<EncoderTask> {
        let device = self.training.device.resolve()?;
        let encoder = SentenceEncoder::load(self.model.folder()?, device)?;
        let mut encoder = encoder.with_parameters(|parameters| {
            trainable(parameters, &|_| false, &self.training, common.seed)
        })?;
        let own_length = encoder.max_length();
        self.data.shape(&mut encoder)?;
        let matryoshka = self.matryoshka(encoder.dimension())?;
        let (objectives, stream, evaluator) = threads.block_on(async {
            // One partition, so that rows come in the order of their table for any number of
            // threads.
            let session = session(1)?;
            let (objectives, stream) = match self.data.shuffle_buffer {
                Some(rows) => {
                    let rows = rows as usize;
                    let stream = Stream::new(self, rows, only, device, common.seed).await?;
                    (Vec::new(), Some(stream))
                }
                None => {
                    let buffer = ShuffleBuffer::Whole;
                    let objectives =
                        objectives::objectives(&session, self, only, buffer, device, common.seed);
                    (objectives.await?, None)
                }
            };
            let evaluator = match &self.data.eval {
                Some(folder) => {
                    let size = self.data.eval_corpus_size;
                    Some(RetrievalEvaluator::read(&session, folder, "dev", size, &encoder).await?)
                }
                None => None,
            };
            Ok::<_, TrainError>((objectives, stream, evaluator))
        })?;
        let task = EncoderTask {
            encoder,
            objectives,
            stream,
            opened: None,
            own_length,
            evaluator,
            scored: RefCell::default(),
            mixing: self.loss.multi_dataset_batch_sampler,
            matryoshka,
            mini_batch_size: self.loss.mini_batch_size.map(|size| size as usize),
            batch_size: self.training.batch_size as usize,
            seed: common.seed,
        };
        tracing::info!(
            "training {} on {}, {} of batch {}",
            self.model,
            task.describe(),
            counted(self.training.num_train_epochs, "epoch", "epochs"),
            self.training.batch_size,
        );
        Ok(task)
    }

    /// Describes the trained model.
    pub(crate) fn card<'a>(
        &'a self,
        encoder: &SentenceEncoder,
        threads: &Threads,
        lineage: &Lineage,
        report: &'a Report,
    ) -> Result<ModelCard<'a>> {
        let similarity = encoder.similarity().name();
        let files = self.data.sources(self.loss.loss).map(|source| source.file);
        let losses = self.losses();
        Ok(ModelCard {
            kind: Kind::Encoder { similarity },
            base: BaseModel::of(&self.model),
            losses: losses.iter().map(|loss| (loss.name, loss.class)).collect(),
            max_length: encoder.max_length(),
            facts: vec![
                ("dimensions", encoder.dimension().to_string()),
                ("compared by", similarity.to_owned()),
            ],
            data: TrainingFile::all(threads, files, lineage)?,
            training: &self.training,
            report,
        })
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
