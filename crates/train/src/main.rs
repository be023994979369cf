//! `pairmill-train`: trains encoders and cross-encoders in libtorch.

mod other_names;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use pairmill_cli::{Common, Outcome, Program, example};
use pairmill_modeling::caught;
use pairmill_tables::{ReadOptions, program_build};
use pairmill_train::config_file::with_config_file;
use pairmill_train::{
    TrainError, advise, check_model, cross_encoder, encoder, experiments, export, sweep,
};

use crate::other_names::OTHER_NAMES;

const PROGRAM: Program = Program {
    versions: || {
        let build = format!("build {}", program_build());
        let runtime = pairmill_inference::runtime::version();
        vec![build, pairmill_modeling::libtorch(), runtime]
    },
    other_names: &OTHER_NAMES,
};

/// Train sentence encoders and cross-encoders
#[derive(Parser)]
#[command(
    name = "pairmill-train",
    version,
    before_help = example(encoder::EXAMPLE)
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// TOML file with any of the options; those of the command line win
    #[arg(
        long,
        global = true,
        help_heading = "Common options",
        value_name = "FILE"
    )]
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
    CheckModel(check_model::CheckModelArgs),
    CompareLosses(Box<experiments::CompareLossesArgs>),
    LearningCurve(Box<experiments::LearningCurveArgs>),
    Advise(Box<advise::AdviseArgs>),
    Sweep(Box<sweep::SweepArgs>),
}

fn main() -> ExitCode {
    pairmill_cli::on_interrupt(pairmill_tables::abandon_outputs);
    let arguments =
        match with_config_file(&Cli::command(), &OTHER_NAMES, std::env::args_os().collect()) {
            Ok(arguments) => arguments,
            Err(error) => return pairmill_cli::fail(&error.into()),
        };
    let cli = pairmill_cli::parse_from::<Cli>(&PROGRAM, arguments);
    cli.reading.clone().set();
    // Whatever libtorch fails at, above all for want of memory, ends as an error.
    pairmill_cli::run(&cli.common, || Ok(caught(|| run(&cli))??))
}

fn run(cli: &Cli) -> Result<Outcome, TrainError> {
    match &cli.command {
        Command::Encoder(args) => encoder::run(args, &cli.common),
        Command::CrossEncoder(args) => cross_encoder::run(args, &cli.common),
        Command::Export(args) => export::run(args, &cli.common),
        Command::CheckModel(args) => check_model::run(args, &cli.common),
        Command::CompareLosses(args) => experiments::compare_losses(args, &cli.common),
        Command::LearningCurve(args) => experiments::learning_curve(args, &cli.common),
        Command::Advise(args) => advise::run(args, &cli.common),
        Command::Sweep(args) => sweep::run(args, &cli.common),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_an_example_and_other_names_lead_somewhere() {
        assert_eq!(pairmill_cli::check::<Cli>(&PROGRAM), Ok(()));
    }
}
