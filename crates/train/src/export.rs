//! `pairmill-train export`: a sentence encoder for ONNX Runtime.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use pairmill_cli::{Common, Outcome};
use pairmill_modeling::SentenceEncoder;
use pairmill_tables::{FolderOutput, Lineage};
use serde::Serialize;
use tch::Device;

use crate::run::{finish, prepare};

/// Write a sentence encoder with its transformer as onnx/model.onnx
///
/// The ONNX file maps input_ids, attention_mask and, where the model has them, token_type_ids to
/// last_hidden_state; pooling and what follows is done by whoever runs it, by modules.json.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Folder of the model
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
}

/// What an export wrote.
#[derive(Serialize)]
struct Report {
    onnx: PathBuf,
    bytes: u64,
}

/// Runs the command.
///
/// # Errors
/// If the model is not sound or the output cannot be written.
pub fn run(args: &ExportArgs, common: &Common) -> Result<Outcome> {
    let _runtime = prepare(common)?;
    let model = args.model.display().to_string();
    let lineage = Lineage::new("train export", &(), common.seed).with_input("model", &model)?;
    if !common.force && lineage.is_carried_by(&args.output) {
        return finish::<Report>(&args.output, common, None);
    }
    let encoder = SentenceEncoder::load(&args.model, Device::Cpu)?;
    let staged = FolderOutput::create(&args.output)?;
    encoder.save(staged.path()).context("saving the model")?;
    let bytes = write_onnx(&encoder, staged.path())?;
    staged.commit(&lineage)?;
    let onnx = args.output.join(ONNX_FILE);
    finish(&args.output, common, Some(Report { onnx, bytes }))
}

const ONNX_FILE: &str = "onnx/model.onnx";

/// Writes the ONNX file into a model folder; its size in bytes.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write_onnx(encoder: &SentenceEncoder, folder: &Path) -> Result<u64> {
    let path = folder.join(ONNX_FILE);
    let cannot = || format!("cannot write {}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(cannot)?;
    }
    encoder.save_onnx(&path)?;
    Ok(fs::metadata(&path).with_context(cannot)?.len())
}
