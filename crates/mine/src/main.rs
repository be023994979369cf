//! The `pairmill-mine` program.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use pairmill_cli::{Common, Outcome, UsageError};
use pairmill_mine::{Corpus, Frame, MineConfig, SearchConfig};
use serde::Serialize;

/// Mine candidates for hard negatives: search a corpus with every pair's anchor
///
/// Every passage looked at is written with the decision to keep or drop it and the reason.
#[derive(Debug, Parser)]
#[command(
    name = "pairmill-mine",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    mine: Option<MineArgs>,
    #[command(flatten)]
    corpus: Option<CorpusArgs>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a plain ranked run of queries against a corpus
    Search(SearchArgs),
}

#[derive(Debug, Args)]
struct CorpusArgs {
    /// Passages to search: id, title (may be absent), text
    #[arg(long, value_name = "FILE", value_parser = table_file)]
    corpus: String,
    /// Folder that keeps the corpus' index for the next run [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    index: Option<PathBuf>,
    /// Column of the corpus' ids [default: id]
    #[arg(long, value_name = "NAME")]
    id_column: Option<String>,
    /// Column of the corpus' titles [default: title]
    #[arg(long, value_name = "NAME")]
    title_column: Option<String>,
    /// Column of the corpus' texts [default: text]
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,
}

#[derive(Debug, Args)]
struct MineArgs {
    /// Training pairs: anchor_id, anchor, positive_id, positive
    #[arg(long, value_name = "FILE", value_parser = table_file)]
    pairs: String,
    /// The candidates, a Parquet file; it appears whole or not at all
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Judgements that name further positives: query_id, corpus_id, score
    #[arg(long, value_name = "FILE", value_parser = table_file)]
    qrels: Option<String>,
    /// Passages to look at for each anchor
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    top_k: u32,
    /// Column of the corpus, such as a category, in which a negative must differ from the positive
    #[arg(long, value_name = "NAME")]
    group_column: Option<String>,
}

#[derive(Debug, Args)]
struct SearchArgs {
    #[command(flatten)]
    corpus: CorpusArgs,
    /// Queries: id, text
    #[arg(long, value_name = "FILE", value_parser = table_file)]
    queries: String,
    /// The run, a Parquet file: query_id, corpus_id, rank, score; it appears whole or not at all
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Passages to write for each query
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    top_k: u32,
}

fn table_file(path: &str) -> Result<String, String> {
    match path {
        "-" => Err(
            "standard input cannot be used where several tables are read; give a file".to_owned(),
        ),
        path => Ok(path.to_owned()),
    }
}

impl From<CorpusArgs> for Corpus {
    fn from(args: CorpusArgs) -> Self {
        Self {
            path: args.corpus,
            index: args.index,
            id_column: args.id_column,
            title_column: args.title_column,
            text_column: args.text_column,
        }
    }
}

impl MineArgs {
    fn config(self, corpus: CorpusArgs, common: &Common) -> MineConfig {
        MineConfig {
            pairs: self.pairs,
            corpus: corpus.into(),
            qrels: self.qrels,
            top_k: self.top_k as usize,
            group_column: self.group_column,
            frame: frame(self.output, common),
        }
    }
}

impl SearchArgs {
    fn config(self, common: &Common) -> SearchConfig {
        SearchConfig {
            corpus: self.corpus.into(),
            queries: self.queries,
            top_k: self.top_k as usize,
            frame: frame(self.output, common),
        }
    }
}

fn frame(output: PathBuf, common: &Common) -> Frame {
    Frame {
        output,
        seed: common.seed,
        threads: common.threads(),
        force: common.force,
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let common = cli.common;
    pairmill_cli::run(&common, || match (cli.command, cli.mine, cli.corpus) {
        (Some(Command::Search(args)), _, _) => {
            let report = pairmill_mine::search(&args.config(&common))?;
            print(&common, &report)
        }
        (None, Some(args), Some(corpus)) => {
            let report = pairmill_mine::mine(&args.config(corpus, &common))?;
            print(&common, &report)
        }
        // Required arguments are missing, which the parser has refused already.
        _ => Err(UsageError("nothing to do; see --help".to_owned()).into()),
    })
}

fn print(common: &Common, report: &impl Serialize) -> anyhow::Result<Outcome> {
    if common.json {
        writeln!(std::io::stdout(), "{}", serde_json::to_string(report)?)?;
    }
    Ok(Outcome::Done)
}
