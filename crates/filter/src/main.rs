//! The `pairmill-filter` program.

mod rule_args;

use std::convert::Infallible;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use pairmill_candidates::LABEL_THRESHOLD;
use pairmill_cli::numbers::{number, share};
use pairmill_cli::{Common, OtherName, Program, UsageError, example};
use pairmill_filter::{Config, Format, Model, Output, Rules, ScoreConfig};
use pairmill_hub::ModelSource;
use pairmill_inference::Activation;
use pairmill_tables::{KeptColumns, ReadOptions, program_build, table_path};

use crate::rule_args::RuleArgs;

const PROGRAM: Program = Program {
    versions: || {
        let build = format!("build {}", program_build());
        vec![build, pairmill_inference::runtime::version()]
    },
    other_names: &[
        OtherName::new(
            "batch-size",
            "token-budget",
            "use --token-budget N, the tokens of a batch; scores do not depend on it",
        ),
        OtherName::new(
            "margin",
            "absolute-margin",
            "use --absolute-margin or --relative-margin",
        ),
        OtherName::new("as-triplets", "format", "use --format triplet"),
        OtherName::new(
            "output-scores",
            "format",
            "use --format candidates, or --audit FILE beside another format",
        ),
        OtherName::new(
            "range-min",
            "candidates",
            "`pairmill-mine --range-min` leaves the best candidates out before they are scored",
        ),
        OtherName::new(
            "range-max",
            "candidates",
            "`pairmill-mine --top-k` bounds what is scored",
        ),
        OtherName::new(
            "sampling-strategy",
            "candidates",
            "the candidates of the best ranks are kept; `pairmill-mine --sampling-strategy` draws",
        ),
    ],
};

/// Score mined candidates with a cross-encoder, drop or promote likely false negatives, write
/// training rows
#[derive(Debug, Parser)]
#[command(
    name = "pairmill-filter",
    version,
    before_help = example(
        "pairmill-filter --candidates runs/try/candidates.parquet \
         --model cross-encoder/ms-marco-MiniLM-L6-v2 --output runs/try/triplets.parquet"
    ),
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    filter: Option<FilterArgs>,
    // No parts of FilterArgs: clap takes an optional group that holds another for absent.
    #[command(flatten)]
    model: Option<ModelArgs>,
    #[command(flatten)]
    rules: Option<RuleArgs>,
    #[command(flatten)]
    reading: ReadOptions,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a column with a cross-encoder's scores to any table with two columns of text
    Score(ScoreArgs),
    /// Check that a cross-encoder can be used: fetch it where it is on the Hub, and load it
    ///
    /// A pipeline does so first, so that a mistyped model costs nothing.
    CheckModel(CheckModelArgs),
}

#[derive(Debug, Args)]
struct FilterArgs {
    /// Candidates from pairmill-mine: a file, folder or glob; `-` reads an Arrow IPC stream from
    /// standard input
    #[arg(long, value_name = "FILE")]
    candidates: String,
    /// Table to write, as the name says: .parquet, .csv, .tsv, .jsonl or .arrow; `-` writes an
    /// Arrow IPC stream to standard output
    #[arg(long, value_name = "FILE", value_parser = table_path)]
    output: PathBuf,
    /// What to write
    #[arg(long, alias = "output-format", value_enum, default_value_t = Format::TRIPLET, value_name = "FORMAT")]
    format: Format,
    /// Also write all candidates with scores, decisions and reasons: short for --also
    /// candidates=FILE
    #[arg(long, value_name = "FILE", value_parser = table_path)]
    audit: Option<PathBuf>,
    /// Also write the same decisions in another format, such as pairs=FILE; may be repeated
    #[arg(long, value_name = "FORMAT=FILE", value_parser = output)]
    also: Vec<Output>,
    /// Where no row is left, write an empty table and warn instead of failing
    #[arg(long)]
    allow_empty: bool,
    /// Leave the id columns out
    #[arg(long)]
    drop_ids: bool,
    /// Other columns of the candidates that go along to every output, as text: names parted by
    /// commas, or `all`
    #[arg(long, value_name = "NAMES")]
    keep_columns: Option<KeptColumns>,
    /// teacher-pair: the score from which on the label is 1 [default: 0.8]
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true, value_parser = number::<f64>)]
    label_threshold: Option<f64>,
}

#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-filter check-model --model cross-encoder/ms-marco-MiniLM-L6-v2"
))]
struct CheckModelArgs {
    #[command(flatten)]
    model: ModelArgs,
}

#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-filter score --pairs runs/try/data/pairs_train.parquet \
     --model cross-encoder/ms-marco-MiniLM-L6-v2 --output runs/try/scores.parquet"
))]
struct ScoreArgs {
    /// A table with two columns of text, in any format; `-` reads an Arrow IPC stream from standard
    /// input
    #[arg(long, value_name = "FILE")]
    pairs: String,
    #[command(flatten)]
    model: ModelArgs,
    /// Table to write, as the name says (.parquet, .csv, .tsv, .jsonl or .arrow): all columns of
    /// the table, in its order, and the scores; `-` writes an Arrow IPC stream to standard output
    #[arg(long, value_name = "FILE", value_parser = table_path)]
    output: PathBuf,
    /// The columns of text [default: sentence1,sentence2, else anchor,positive, else query,text]
    #[arg(long, value_name = "A,B", value_parser = two_columns)]
    columns: Option<[String; 2]>,
    /// Name of the column of scores
    #[arg(long, value_name = "NAME", default_value = "score")]
    score_column: String,
}

#[derive(Debug, Args)]
struct ModelArgs {
    /// A cross-encoder in ONNX: a folder with model.onnx (or onnx/model.onnx), tokenizer.json and
    /// config.json, or an id on the Hugging Face Hub, where @ may add a revision; or the folder of
    /// `pairmill-train cross-encoder --folds`
    #[arg(long, aliases = ["cross-encoder", "model-name-or-path"], value_name = "DIR_OR_ID", value_parser = onnx_model)]
    model: ModelSource,
    /// Folder that keeps scores for later runs with this model, whatever their other options; a
    /// score takes 21 bytes there, and 25 to 50 of memory [default: beside the output while the run
    /// lasts]
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Longest pair in tokens; longer ones are cut [default: the model's own limit]
    #[arg(long, alias = "max-seq-length", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_length: Option<u32>,
    /// Tokens in a batch: bounds memory, does not change scores
    #[arg(long, value_name = "N", default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(1..))]
    token_budget: u32,
    /// Run model_quantized.onnx, which `pairmill-train cross-encoder --int8` writes, where on a
    /// sample it agrees with float32
    #[arg(long)]
    int8: bool,
    /// Refuse int8 where the share of equal decisions, of the candidates that either keeps or
    /// promotes, or the rank correlation of the scores is lower
    #[arg(long, value_name = "SHARE", requires = "int8", default_value_t = 0.95, value_parser = share::<f64>)]
    min_agreement: f64,
    /// What turns the model's output into a score [default: as its config says, else sigmoid;
    /// sigmoid too where the config says identity and all thresholds are from 0 to 1]
    #[arg(long, value_enum, value_name = "NAME")]
    activation: Option<ActivationName>,
}

fn onnx_model(given: &str) -> Result<ModelSource, Infallible> {
    Ok(ModelSource::of_onnx(given))
}

fn two_columns(text: &str) -> Result<[String; 2], String> {
    match text.split_once(',') {
        Some((first, second)) if !first.is_empty() && !second.is_empty() => {
            Ok([first.to_owned(), second.to_owned()])
        }
        _ => Err("expected two names with a comma between".to_owned()),
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ActivationName {
    Sigmoid,
    Identity,
}

fn output(text: &str) -> Result<Output, String> {
    let parts = text.split_once('=').and_then(|(format, path)| {
        let format = Format::from_str(format, false).ok()?;
        (!path.is_empty()).then_some((format, path))
    });
    match parts {
        Some((format, path)) => Ok(Output {
            format,
            path: table_path(path)?,
        }),
        None => Err("expected FORMAT=FILE with a format of --format".to_owned()),
    }
}

impl ModelArgs {
    fn model(self, common: &Common) -> Model {
        Model {
            source: self.model.with_int8(self.int8),
            max_length: self.max_length.map(|length| length as usize),
            token_budget: self.token_budget as usize,
            activation: self.activation.map(|name| match name {
                ActivationName::Sigmoid => Activation::Sigmoid,
                ActivationName::Identity => Activation::Identity,
            }),
            int8: self.int8.then_some(self.min_agreement),
            cache: self.cache,
            threads: common.threads(),
        }
    }
}

impl ScoreArgs {
    fn config(self, common: &Common) -> ScoreConfig {
        ScoreConfig {
            pairs: self.pairs,
            output: self.output,
            model: self.model.model(common),
            columns: self.columns,
            score_column: self.score_column,
            seed: common.seed,
            force: common.force,
        }
    }
}

fn config(cli: FilterArgs, model: Model, rules: Rules, common: &Common) -> Config {
    let audit = cli.audit.map(|path| Output {
        format: Format::CANDIDATES,
        path,
    });
    Config {
        candidates: cli.candidates,
        model,
        output: Output {
            format: cli.format,
            path: cli.output,
        },
        also: audit.into_iter().chain(cli.also).collect(),
        allow_empty: cli.allow_empty,
        drop_ids: cli.drop_ids,
        kept: cli.keep_columns.unwrap_or_default(),
        label_threshold: cli.label_threshold.unwrap_or(LABEL_THRESHOLD),
        rules,
        seed: common.seed,
        force: common.force,
    }
}

fn main() -> ExitCode {
    pairmill_cli::on_interrupt(pairmill_tables::abandon_outputs);
    let cli: Cli = pairmill_cli::parse(&PROGRAM);
    let common = cli.common;
    cli.reading.set();
    let command = async {
        match (cli.command, cli.filter, cli.model) {
            (Some(Command::Score(args)), _, _) => {
                let config = args.config(&common);
                config.validate().map_err(UsageError)?;
                common.check_output(&config.output)?;
                pairmill_cli::print(&common, &pairmill_filter::score(&config).await?)
            }
            (Some(Command::CheckModel(args)), _, _) => {
                let report = pairmill_filter::check_model(&args.model.model(&common))?;
                pairmill_cli::print(&common, &report)
            }
            (None, Some(args), Some(model)) => {
                let has_threshold = args.label_threshold.is_some();
                let rules = cli.rules.map_or_else(Rules::default, |rules| rules.rules());
                let config = config(args, model.model(&common), rules, &common);
                config.validate().map_err(UsageError)?;
                common.check_output(&config.output.path)?;
                let mut outputs = std::iter::once(&config.output).chain(&config.also);
                if has_threshold && !outputs.any(|output| output.format == Format::TEACHER_PAIR) {
                    let only = "--label-threshold has no meaning without the format teacher-pair";
                    return Err(UsageError(only.to_owned()).into());
                }
                pairmill_cli::print(&common, &pairmill_filter::run(&config).await?)
            }
            // Required arguments are missing, which the parser has refused already.
            _ => Err(UsageError("nothing to do; see --help".to_owned()).into()),
        }
    };
    pairmill_cli::run_async(&common, command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_an_example_and_other_names_lead_somewhere() {
        assert_eq!(pairmill_cli::check::<Cli>(&PROGRAM), Ok(()));
    }
}
