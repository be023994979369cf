//! `pairmill-train`: trains encoders and cross-encoders in libtorch.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use pairmill_cli::{Common, Outcome};
use pairmill_modeling::caught;
use pairmill_tables::ReadOptions;
use pairmill_train::config_file::with_config_file;
use pairmill_train::{TrainError, cross_encoder, encoder, experiments, export};

/// Train sentence encoders and cross-encoders
#[derive(Parser)]
#[command(name = "pairmill-train", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// TOML file with any of the options; those of the command line win
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    reading: ReadOptions,
    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum Command {
    Encoder(Box<encoder::EncoderArgs>),
    CrossEncoder(Box<cross_encoder::CrossEncoderArgs>),
    Export(export::ExportArgs),
    CompareLosses(Box<experiments::CompareLossesArgs>),
    LearningCurve(Box<experiments::LearningCurveArgs>),
}

fn main() -> ExitCode {
    pairmill_cli::on_interrupt(pairmill_tables::abandon_outputs);
    let arguments = match with_config_file(&Cli::command(), std::env::args_os().collect()) {
        Ok(arguments) => arguments,
        Err(error) => return pairmill_cli::fail(&error.into()),
    };
    let cli = pairmill_cli::parse_from::<Cli>(arguments);
    cli.reading.clone().set();
    // Whatever libtorch fails at, above all for want of memory, ends as an error.
    pairmill_cli::run(&cli.common, || Ok(caught(|| run(&cli))??))
}

fn run(cli: &Cli) -> Result<Outcome, TrainError> {
    match &cli.command {
        Command::Encoder(args) => encoder::run(args, &cli.common),
        Command::CrossEncoder(args) => cross_encoder::run(args, &cli.common),
        Command::Export(args) => export::run(args, &cli.common),
        Command::CompareLosses(args) => experiments::compare_losses(args, &cli.common),
        Command::LearningCurve(args) => experiments::learning_curve(args, &cli.common),
    }
}
