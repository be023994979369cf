//! `pairmill-train export`: a model for ONNX Runtime.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use pairmill_checkpoint::write;
use pairmill_cli::numbers::read;
use pairmill_cli::{Common, Outcome, Progress, UsageError, example};
use pairmill_hub::ModelSource;
use pairmill_inference::HiddenStates;
use pairmill_modeling::onnx::Precision;
use pairmill_modeling::{CrossEncoder, ModelError, SentenceEncoder, Side, SimilarityFunction};
use pairmill_tables::{ColumnNames, FolderOutput, Lineage, Table, open, session, string_column};
use serde::Serialize;
use tch::Device;

use crate::error::{Context, Result, TrainError};
use crate::figures::figures;
use crate::run::{finish, prepare};

/// Texts that int8 is compared with float32 on where the user gives none: the questions and answers
/// of the sample.
const TEXTS: &str = include_str!("../../../data/qa.jsonl");
/// Of more texts, this many are compared.
const COMPARED: usize = 500;

/// Write a sentence encoder with its transformer as onnx/model.onnx, or a cross-encoder as
/// model.onnx
///
/// An encoder's ONNX file maps input_ids, attention_mask and, where the model has them,
/// token_type_ids to last_hidden_state; pooling and what follows is done by whoever runs it, by
/// modules.json. A cross-encoder's maps them to logits, and the folder is one that pairmill-filter
/// takes.
#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-train export --model runs/try/model --output runs/try/model-onnx"
))]
pub struct ExportArgs {
    /// Folder of the model, or its id on the Hugging Face Hub
    #[arg(long, value_name = "DIR_OR_ID")]
    model: ModelSource,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Also write model_quantized.onnx beside it, with weights in int8 and the rest rounded as it
    /// comes: about a quarter of the size. That of a cross-encoder is compared with float32 by
    /// `pairmill-filter --int8`, on the candidates
    #[arg(long)]
    int8: bool,
    /// Refuse int8 embeddings whose mean cosine with the float32 ones is below this
    #[arg(long, default_value_t = 0.99, value_name = "COSINE", requires = "int8", value_parser = cosine)]
    min_agreement: f64,
    /// Table with a text column to compare embeddings on, 500 rows of it [default: texts of the
    /// sample]
    #[arg(long, value_name = "FILE", requires = "int8")]
    texts: Option<String>,
}

/// What an export wrote.
#[derive(Serialize)]
struct Report {
    onnx: PathBuf,
    bytes: u64,
    int8: Option<Int8Report>,
}

/// What int8 came to.
#[derive(Serialize)]
struct Int8Report {
    onnx: PathBuf,
    bytes: u64,
    texts: usize,
    /// Cosine of the embeddings in int8 and float32: mean and least.
    mean_agreement: f64,
    least_agreement: f64,
}

/// Runs the command.
///
/// # Errors
/// If the model is not sound, int8 agrees too little, or the output cannot be written.
pub fn run(args: &ExportArgs, common: &Common) -> Result<Outcome> {
    let threads = prepare(common)?;
    let folder = args.model.folder()?;
    let options = (args.int8, args.int8.then_some(args.min_agreement));
    let mut lineage = Lineage::new("train export", &options, common.seed)
        .with_input("model", &folder.display().to_string())?;
    if let Some(texts) = &args.texts {
        lineage = lineage.with_input("texts", texts)?;
    }
    if lineage.is_done(&args.output, common.force)? {
        return finish::<Report>(&args.output, common, None);
    }
    let staged = FolderOutput::create(&args.output)?;
    if let Some(card) = args.model.card() {
        write(&staged.path().join("README.md"), card).map_err(ModelError::from)?;
    }
    if CrossEncoder::is_in(folder) {
        if args.texts.is_some() {
            let message = "--texts is for sentence encoders; this model is a cross-encoder, which pairmill-filter compares on the candidates";
            return Err(UsageError(message.to_owned()).into());
        }
        let model = CrossEncoder::load(folder, Device::Cpu, common.seed)?;
        model
            .save_untrained(staged.path())
            .context("saving the model")?;
        if args.int8 {
            write_quantized(&model, staged.path())?;
        }
        let file = staged.path().join(CROSS_ENCODER_FILE);
        let report = Report {
            onnx: args.output.join(CROSS_ENCODER_FILE),
            bytes: fs::metadata(&file)?.len(),
            int8: None,
        };
        staged.commit_with(&lineage, &figures(&args.output, &report)?)?;
        return finish(&args.output, common, Some(report));
    }
    let encoder = SentenceEncoder::load(folder, Device::Cpu)?;
    encoder.save(staged.path()).context("saving the model")?;
    let bytes = write_onnx(&encoder, staged.path())?;
    let int8 = if args.int8 {
        let texts = match &args.texts {
            Some(file) => threads.block_on(read_texts(file))?,
            None => sample_texts()?,
        };
        Some(write_int8(&encoder, staged.path(), &texts, args, common)?)
    } else {
        None
    };
    let onnx = args.output.join(ONNX_FILE);
    let report = Report { onnx, bytes, int8 };
    staged.commit_with(&lineage, &figures(&args.output, &report)?)?;
    finish(&args.output, common, Some(report))
}

const ONNX_FILE: &str = "onnx/model.onnx";
const CROSS_ENCODER_FILE: &str = "model.onnx";
const INT8_CROSS_ENCODER_FILE: &str = "model_quantized.onnx";
const INT8_FILE: &str = "onnx/model_quantized.onnx";

/// Writes the ONNX file into a model folder; its size in bytes.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write_onnx(encoder: &SentenceEncoder, folder: &Path) -> Result<u64> {
    write_with(encoder, &folder.join(ONNX_FILE), Precision::Float32)
}

/// Writes a cross-encoder in int8 beside the float32 one.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write_quantized(model: &CrossEncoder, folder: &Path) -> Result<()> {
    Ok(model.save_onnx(&folder.join(INT8_CROSS_ENCODER_FILE), Precision::Int8)?)
}

fn write_with(encoder: &SentenceEncoder, path: &Path, precision: Precision) -> Result<u64> {
    let cannot = || format!("cannot write {}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(cannot)?;
    }
    encoder.save_onnx(path, precision)?;
    Ok(fs::metadata(path).with_context(cannot)?.len())
}

/// Writes the int8 file, runs it and compares.
fn write_int8(
    encoder: &SentenceEncoder,
    folder: &Path,
    texts: &[String],
    args: &ExportArgs,
    common: &Common,
) -> Result<Int8Report> {
    let path = folder.join(INT8_FILE);
    let bytes = write_with(encoder, &path, Precision::Int8)?;
    let model = HiddenStates::open(&path, common.threads())?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let sequences = encoder.tokenize(&texts, Side::Text)?;
    let progress = Progress::new("comparing int8", "texts", Some(texts.len() as u64));
    let mut cosines = Vec::with_capacity(texts.len());
    for sequence in sequences {
        let states = model.of(&sequence.ids, &sequence.types)?;
        let rounded = encoder.embed_states(&sequence, &states)?;
        let exact = encoder.embed(&[sequence], usize::MAX, &|_| {})?;
        cosines.push(SimilarityFunction::Cosine.exact(&rounded, &exact));
        progress.inc(1);
    }
    drop(progress);
    let mean_agreement = cosines.iter().sum::<f64>() / cosines.len() as f64;
    let least_agreement = cosines.iter().copied().fold(f64::INFINITY, f64::min);
    tracing::info!(
        "int8 agrees with float32: mean cosine {mean_agreement:.4}, least {least_agreement:.4} over {} texts",
        cosines.len()
    );
    if mean_agreement.is_nan() || mean_agreement < args.min_agreement {
        return Err(TrainError::Int8 {
            mean: mean_agreement,
            least: args.min_agreement,
        });
    }
    Ok(Int8Report {
        onnx: args.output.join(INT8_FILE),
        bytes,
        texts: cosines.len(),
        mean_agreement,
        least_agreement,
    })
}

fn sample_texts() -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for line in TEXTS.lines() {
        let row: serde_json::Value = serde_json::from_str(line)?;
        let fields = ["question", "answer"].map(|name| row[name].as_str().map(str::to_owned));
        texts.extend(fields.into_iter().flatten());
    }
    texts.truncate(COMPARED);
    Ok(texts)
}

async fn read_texts(file: &str) -> Result<Vec<String>> {
    let names = ColumnNames::default().with_optional("id");
    let session = session(1)?;
    let frame = open(&session, file, Table::Queries, &names, &[]).await?;
    let mut texts = Vec::new();
    for batch in frame.limit(0, Some(COMPARED))?.collect().await? {
        let column = string_column(&batch, "text");
        texts.extend(column.iter().flatten().map(str::to_owned));
    }
    Ok(texts)
}

fn cosine(text: &str) -> Result<f64, String> {
    let holds = |cosine| (-1.0..=1.0).contains(&cosine);
    read(text, holds, "a number from -1 to 1")
}
