//! The `pairmill-generate` program.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use pairmill_cli::{Common, Outcome};
use pairmill_generate::{Config, Fractions, QaOptions, Source, TicketsOptions};

/// Turn tickets or question/answer pairs into training pairs, splits and judgements
#[derive(Debug, Parser)]
#[command(name = "pairmill-generate", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// From question/answer pairs: an answer is relevant to its questions
    Qa(QaArgs),
    /// From support tickets: tickets of one category are relevant to each other
    Tickets(TicketsArgs),
}

#[derive(Debug, Args)]
struct InOut {
    /// Parquet, CSV, JSON Lines or Arrow IPC: a file, folder or glob; `-` reads an Arrow IPC stream from standard input
    #[arg(long, value_name = "FILE")]
    input: String,
    /// Folder for the tables; it appears whole or not at all
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Fractions of train, dev and test
    #[arg(long, value_name = "TRAIN,DEV,TEST", default_value_t)]
    split: Fractions,
    /// Use only N rows, chosen by a hash of their ids [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Column of the ids [default: id; without one, ids are made from the content]
    #[arg(long, value_name = "NAME")]
    id_column: Option<String>,
}

#[derive(Debug, Args)]
struct QaArgs {
    #[command(flatten)]
    in_out: InOut,
    /// Random negatives for each question in the labelled pairs
    #[arg(long, value_name = "N", default_value_t = 1)]
    negatives_per_question: u32,
    /// Column of the questions [default: question]
    #[arg(long, value_name = "NAME")]
    question_column: Option<String>,
    /// Column of the answers [default: answer]
    #[arg(long, value_name = "NAME")]
    answer_column: Option<String>,
}

#[derive(Debug, Args)]
struct TicketsArgs {
    #[command(flatten)]
    in_out: InOut,
    /// Most positive pairs to make
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    max_pairs: u32,
    /// Random negatives for each positive in the labelled pairs
    #[arg(long, value_name = "N", default_value_t = 1)]
    negatives_per_positive: u32,
    /// Column of the texts [default: text]
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,
    /// Column of the categories [default: category]
    #[arg(long, value_name = "NAME")]
    category_column: Option<String>,
}

fn config(command: Command, common: &Common) -> Config {
    let limit = |in_out: &InOut| {
        in_out
            .limit
            .map(|n| usize::try_from(n).unwrap_or(usize::MAX))
    };
    let (in_out, source) = match command {
        Command::Qa(args) => {
            let options = QaOptions {
                negatives_per_question: args.negatives_per_question as usize,
                split: args.in_out.split,
                limit: limit(&args.in_out),
                id_column: args.in_out.id_column.clone(),
                question_column: args.question_column,
                answer_column: args.answer_column,
            };
            (args.in_out, Source::Qa(options))
        }
        Command::Tickets(args) => {
            let options = TicketsOptions {
                max_pairs: args.max_pairs as usize,
                negatives_per_positive: args.negatives_per_positive as usize,
                split: args.in_out.split,
                limit: limit(&args.in_out),
                id_column: args.in_out.id_column.clone(),
                text_column: args.text_column,
                category_column: args.category_column,
            };
            (args.in_out, Source::Tickets(options))
        }
    };
    Config {
        source,
        input: in_out.input,
        output: in_out.output,
        seed: common.seed,
        threads: common.threads(),
        force: common.force,
    }
}

fn main() -> ExitCode {
    let Cli { command, common } = Cli::parse();
    let config = config(command, &common);
    pairmill_cli::run(&common, || {
        let report = pairmill_generate::run(&config)?;
        if common.json {
            writeln!(std::io::stdout(), "{}", serde_json::to_string(&report)?)?;
        }
        Ok(Outcome::Done)
    })
}
