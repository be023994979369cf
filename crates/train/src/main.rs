//! `pairmill-train`: trains encoders and cross-encoders in libtorch.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use pairmill_cli::Common;
use pairmill_train::{cross_encoder, encoder};

/// Train sentence encoders and cross-encoders
#[derive(Parser)]
#[command(name = "pairmill-train", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum Command {
    Encoder(encoder::EncoderArgs),
    CrossEncoder(cross_encoder::CrossEncoderArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    pairmill_cli::run(&cli.common, || match &cli.command {
        Command::Encoder(args) => encoder::run(args, &cli.common),
        Command::CrossEncoder(args) => cross_encoder::run(args, &cli.common),
    })
}
