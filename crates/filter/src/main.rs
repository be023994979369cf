//! The `pairmill-filter` program.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use pairmill_cli::{Common, Outcome, UsageError};
use pairmill_filter::{Config, Format, Rules};
use pairmill_inference::Activation;

/// Score mined candidates with a cross-encoder, drop likely false negatives, write training rows
#[derive(Debug, Parser)]
#[command(name = "pairmill-filter", version)]
struct Cli {
    /// Candidates from pairmill-mine: a file, folder or glob; `-` reads an Arrow IPC stream from standard input
    #[arg(long, value_name = "FILE")]
    candidates: String,
    /// Folder of a cross-encoder: model.onnx (or onnx/model.onnx), tokenizer.json, config.json
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
    /// Parquet file to write
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// What to write
    #[arg(long, value_enum, default_value_t = Format::Triplet, value_name = "FORMAT")]
    format: Format,
    /// Also write all candidates with scores, decisions and reasons, whatever the format
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
    /// Where no row is left, write an empty table and warn instead of failing
    #[arg(long)]
    allow_empty: bool,
    /// Leave the id columns out
    #[arg(long)]
    drop_ids: bool,
    /// Drop a candidate that scores more than the positive less this share of it
    #[arg(long, value_name = "X", default_value_t = 0.05, value_parser = share)]
    relative_margin: f64,
    /// Negatives to keep for each pair, those of the best ranks
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    num_negatives: u16,
    /// Leave out pairs whose positive scores less [default: none]
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true, value_parser = number)]
    min_positive_score: Option<f64>,
    /// Longest pair in tokens; longer ones are cut [default: the model's own limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_length: Option<u32>,
    /// Tokens in a batch: bounds memory, does not change scores
    #[arg(long, value_name = "N", default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(1..))]
    token_budget: u32,
    /// What turns the model's output into a score [default: as its config says, else sigmoid]
    #[arg(long, value_enum, value_name = "NAME")]
    activation: Option<ActivationName>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ActivationName {
    Sigmoid,
    Identity,
}

fn number(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if f64::is_finite(number) => Ok(number),
        _ => Err("expected a number".to_owned()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    let number = number(text)?;
    if (0.0..=1.0).contains(&number) {
        return Ok(number);
    }
    Err("expected a number from 0 to 1".to_owned())
}

fn config(cli: &Cli) -> Config {
    Config {
        candidates: cli.candidates.clone(),
        model: cli.model.clone(),
        output: cli.output.clone(),
        audit: cli.audit.clone(),
        format: cli.format,
        allow_empty: cli.allow_empty,
        drop_ids: cli.drop_ids,
        rules: Rules {
            relative_margin: cli.relative_margin,
            num_negatives: usize::from(cli.num_negatives),
            min_positive_score: cli.min_positive_score,
        },
        max_length: cli.max_length.map(|length| length as usize),
        token_budget: cli.token_budget as usize,
        activation: cli.activation.map(|name| match name {
            ActivationName::Sigmoid => Activation::Sigmoid,
            ActivationName::Identity => Activation::Identity,
        }),
        seed: cli.common.seed,
        threads: cli.common.threads(),
        force: cli.common.force,
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let config = config(&cli);
    pairmill_cli::run(&cli.common, || {
        config.validate().map_err(UsageError)?;
        let report = pairmill_filter::run(&config)?;
        if cli.common.json {
            writeln!(std::io::stdout(), "{}", serde_json::to_string(&report)?)?;
        }
        Ok(Outcome::Done)
    })
}
