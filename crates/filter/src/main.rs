//! The `pairmill-filter` program.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, ValueEnum};
use pairmill_cli::{Common, Outcome, UsageError};
use pairmill_filter::{Config, Format, Output, Promotion, Rules};
use pairmill_inference::Activation;
use pairmill_tables::LABEL_THRESHOLD;

/// Score mined candidates with a cross-encoder, drop or promote likely false negatives, write training rows
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
    /// Also write all candidates with scores, decisions and reasons: short for --also candidates=FILE
    #[arg(long, value_name = "FILE")]
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
    /// teacher-pair: the score from which on the label is 1 [default: 0.8]
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true, value_parser = number)]
    label_threshold: Option<f64>,
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
    rules: RuleArgs,
    #[command(flatten)]
    common: Common,
}

/// Scores are the model's. A query's margins are set by its lowest positive.
#[derive(Debug, Args)]
#[command(next_help_heading = "Decisions")]
struct RuleArgs {
    /// Drop a candidate with score + X > positive, the lowest of the query
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = number)]
    absolute_margin: Option<f64>,
    /// Drop a candidate with score > positive - |positive| * X, the lowest of the query
    #[arg(long, value_name = "X", default_value_t = 0.05, value_parser = share)]
    relative_margin: f64,
    /// Drop a candidate that scores more
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true, value_parser = number)]
    max_score: Option<f64>,
    /// Drop a candidate that scores less: too easy to learn from
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true, value_parser = number)]
    min_score: Option<f64>,
    /// Drop this share of each query's scored candidates, those with the highest scores (their
    /// number is rounded to the nearest)
    #[arg(long, value_name = "X", default_value_t = 0.0, value_parser = share)]
    top_share: f64,
    /// Negatives to keep for each pair, those of the best ranks
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    num_negatives: u16,
    /// Leave out pairs whose positive scores less: likely mislabelled ones [default: none]
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true, value_parser = number)]
    min_positive_score: Option<f64>,
    /// Promote a candidate that scores more than this and more than a positive of its query to be
    /// one of its positives; what the miner dropped is looked at too, save known positives and the
    /// query itself [default: none is promoted]
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true, value_parser = number)]
    promote_above: Option<f64>,
    /// Promote above that score alone, whether or not a positive scores less
    #[arg(long, requires = "promote_above")]
    promote_below_positive: bool,
    /// Promote at most N candidates of a query, the best by score; others that would be promoted
    /// are dropped [default: all]
    #[arg(long, value_name = "N", requires = "promote_above", value_parser = clap::value_parser!(u32).range(1..))]
    max_promoted: Option<u32>,
}

impl RuleArgs {
    fn rules(&self) -> Rules {
        Rules {
            absolute_margin: self.absolute_margin,
            relative_margin: self.relative_margin,
            max_score: self.max_score,
            min_score: self.min_score,
            top_share: self.top_share,
            num_negatives: usize::from(self.num_negatives),
            min_positive_score: self.min_positive_score,
            promotion: self.promote_above.map(|above| Promotion {
                above,
                below_positive: self.promote_below_positive,
                max_promoted: self.max_promoted.map(|most| most as usize),
            }),
        }
    }
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

fn output(text: &str) -> Result<Output, String> {
    let parts = text.split_once('=').and_then(|(format, path)| {
        let format = Format::from_str(format, false).ok()?;
        Some((format, PathBuf::from(path)))
    });
    match parts {
        Some((format, path)) if !path.as_os_str().is_empty() => Ok(Output { format, path }),
        _ => Err("expected FORMAT=FILE with a format of --format".to_owned()),
    }
}

fn config(cli: &Cli) -> Config {
    let audit = cli.audit.clone().map(|path| Output {
        format: Format::Candidates,
        path,
    });
    Config {
        candidates: cli.candidates.clone(),
        model: cli.model.clone(),
        output: Output {
            format: cli.format,
            path: cli.output.clone(),
        },
        also: audit.into_iter().chain(cli.also.clone()).collect(),
        allow_empty: cli.allow_empty,
        drop_ids: cli.drop_ids,
        label_threshold: cli.label_threshold.unwrap_or(LABEL_THRESHOLD),
        rules: cli.rules.rules(),
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
        let mut outputs = std::iter::once(&config.output).chain(&config.also);
        if cli.label_threshold.is_some()
            && !outputs.any(|output| output.format == Format::TeacherPair)
        {
            let only = "--label-threshold has no meaning without the format teacher-pair";
            return Err(UsageError(only.to_owned()).into());
        }
        let report = pairmill_filter::run(&config)?;
        if cli.common.json {
            writeln!(std::io::stdout(), "{}", serde_json::to_string(&report)?)?;
        }
        Ok(Outcome::Done)
    })
}
