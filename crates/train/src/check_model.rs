//! `pairmill-train check-model`: whether a model can be had and trained, before the work begins.

use std::io::{self, Write};

use clap::Args;
use pairmill_cli::{Common, Outcome, example};
use pairmill_hub::ModelSource;
use pairmill_modeling::{CrossEncoder, SentenceEncoder};
use serde::Serialize;
use tch::Device;

use crate::error::Result;
use crate::options::DeviceKind;

/// Check that a model can be trained: fetch it where it is on the Hub, and load it
///
/// A pipeline does so first, so that a mistyped model costs nothing. `pairmill-filter check-model`
/// is for cross-encoders in ONNX.
#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-train check-model --model sentence-transformers/all-MiniLM-L6-v2"
))]
pub struct CheckModelArgs {
    /// Folder of the model, or its id on the Hugging Face Hub (with @revision, if wanted)
    #[arg(long, alias = "model-name-or-path", value_name = "DIR_OR_ID")]
    model: ModelSource,
    /// Where it is to be trained
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu)]
    device: DeviceKind,
}

/// What a model is.
#[derive(Serialize)]
struct Report {
    model: String,
    kind: &'static str,
    /// Components of an embedding.
    #[serde(skip_serializing_if = "Option::is_none")]
    dimension: Option<usize>,
    /// Longest text, or pair, in tokens.
    max_length: usize,
}

/// Runs the command.
///
/// # Errors
/// If the model cannot be had or loaded, or the device cannot be used.
pub fn run(args: &CheckModelArgs, common: &Common) -> Result<Outcome> {
    args.device.resolve()?;
    let folder = args.model.folder()?;
    let model = args.model.to_string();
    let report = match CrossEncoder::is_in(folder) {
        true => Report {
            model,
            kind: "cross-encoder",
            dimension: None,
            max_length: CrossEncoder::load(folder, Device::Cpu, common.seed)?.max_length(),
        },
        false => {
            let encoder = SentenceEncoder::load(folder, Device::Cpu)?;
            Report {
                model,
                kind: "sentence encoder",
                dimension: Some(encoder.dimension()),
                max_length: encoder.max_length(),
            }
        }
    };
    let dimension = report
        .dimension
        .map(|dimension| format!("{dimension} dimensions, "));
    tracing::info!(
        "{}: a {}, {}up to {} tokens",
        report.model,
        report.kind,
        dimension.unwrap_or_default(),
        report.max_length,
    );
    if common.json {
        writeln!(io::stdout(), "{}", serde_json::to_string(&report)?)?;
    }
    Ok(Outcome::Done)
}
