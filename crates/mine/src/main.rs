//! The `pairmill-mine` program.

mod corpus_args;
mod other_names;
mod values;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use pairmill_candidates::TrainingFormat;
use pairmill_cli::numbers::{number, positive_whole, similarity};
use pairmill_cli::{Common, Program, UsageError, example};
use pairmill_mine::{
    ExplainConfig, MineConfig, Pairs, RoundTripConfig, RunOptions, Sampling, SearchConfig,
    Selection,
};
use pairmill_schema::Sameness;
use pairmill_tables::{KeptColumns, ReadOptions, program_build, run_path, table_path};

use crate::corpus_args::CorpusArgs;
use crate::other_names::OTHER_NAMES;
use crate::values::{one_of_stdin, table_file};

/// Negatives of a training row where nothing else is asked for, as in sentence-transformers.
const NUM_NEGATIVES: usize = 3;

const PROGRAM: Program = Program {
    versions: || {
        let build = format!("build {}", program_build());
        vec![build, pairmill_inference::runtime::version()]
    },
    other_names: &OTHER_NAMES,
};

/// Mine candidates for hard negatives: search a corpus with every pair's anchor
///
/// Every passage looked at is written with the decision to keep or drop it and the reason.
#[derive(Debug, Parser)]
#[command(
    name = "pairmill-mine",
    version,
    before_help = example(
        "pairmill-mine --pairs runs/try/data/pairs_train.parquet \
         --corpus runs/try/data/corpus.parquet --output runs/try/candidates.parquet"
    ),
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    mine: Option<MineArgs>,
    // These are no parts of MineArgs: clap takes an optional group that holds another for absent.
    #[command(flatten)]
    columns: Option<PairColumns>,
    #[command(flatten)]
    selection: Option<SelectionArgs>,
    #[command(flatten)]
    corpus: Option<CorpusArgs>,
    #[command(flatten)]
    reading: ReadOptions,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a plain ranked run of queries against a corpus
    Search(Box<SearchArgs>),
    /// Keep the pairs whose anchor finds its positive again
    ///
    /// For queries that were made of passages: one that does not find its passage among the first
    /// asks for something else, or for much else as well.
    RoundTrip(Box<RoundTripArgs>),
    /// Show what was decided on the candidates of one query, and why
    Explain(ExplainArgs),
}

#[derive(Debug, Args)]
struct MineArgs {
    /// Training pairs: anchor, positive and, if there are, anchor_id, positive_id; by a column
    /// `label` or `score`, those from 0.5 on
    #[arg(long, value_name = "FILE", value_parser = table_file)]
    pairs: String,
    /// When two questions are the same and share their answers; passages are always compared as
    /// `identical`
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    same_text: Sameness,
    /// Take a passage with a query's id for the query whatever it says [default: where one of both
    /// texts holds the other]
    #[arg(long)]
    ignore_identical_ids: bool,
    /// The candidates or training rows, as the name says: .parquet, .csv, .tsv, .jsonl or .arrow;
    /// `-` writes an Arrow IPC stream to standard output. A file appears whole or not at all
    #[arg(long, value_name = "FILE", value_parser = table_path)]
    output: PathBuf,
    /// What to write: all candidates for pairmill-filter, or training rows
    #[arg(long, alias = "output-format", value_name = "FORMAT", default_value = "candidates", value_parser = formats())]
    format: TrainingFormat,
    /// Write all candidates with decision and reason to this file as well
    #[arg(long, value_name = "FILE", value_parser = table_path)]
    audit: Option<PathBuf>,
    /// Leave the id columns out, for tools that take every column for text
    #[arg(long)]
    drop_ids: bool,
    /// Judgements that name further positives: query_id, corpus_id, score
    #[arg(long, value_name = "FILE", value_parser = table_file)]
    qrels: Option<String>,
    /// Passages to look at for each anchor
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    top_k: u32,
    /// Column of the corpus, such as a category, in which a negative must differ from the positive
    #[arg(long, value_name = "NAME")]
    group_column: Option<String>,
    /// Leave out passages whose share of three-word sequences in common with a positive of the
    /// query (Jaccard similarity) is at least this
    #[arg(long, value_name = "X", default_value_t = 0.9, value_parser = similarity::<f32>)]
    near_duplicates: f32,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Columns of the pairs")]
struct PairColumns {
    /// Column of the anchors [default: anchor]
    #[arg(long, alias = "anchor-column-name", value_name = "NAME")]
    anchor_column: Option<String>,
    /// Column of the positives [default: positive]
    #[arg(long, alias = "positive-column-name", value_name = "NAME")]
    positive_column: Option<String>,
    /// Column of the anchors' ids [default: anchor_id; without one, ids are made from the texts]
    #[arg(long, value_name = "NAME")]
    anchor_id_column: Option<String>,
    /// Column of the positives' ids [default: positive_id; without one, ids are made from the
    /// texts]
    #[arg(long, value_name = "NAME")]
    positive_id_column: Option<String>,
    /// Column by which pairs are positives or not, or none [default: label or score, if there is
    /// one]
    #[arg(long, value_name = "NAME")]
    label_column: Option<String>,
    /// Other columns of the pairs that go along to the output, as text: names parted by commas, or
    /// `all`
    #[arg(long, value_name = "NAMES")]
    keep_columns: Option<KeptColumns>,
    /// Make ids from the texts, whatever stands in the id columns
    #[arg(long, conflicts_with_all = ["anchor_id_column", "positive_id_column"])]
    content_ids: bool,
}

impl PairColumns {
    fn pairs(self, path: String) -> Pairs {
        Pairs {
            path,
            anchor_id_column: self.anchor_id_column,
            anchor_column: self.anchor_column,
            positive_id_column: self.positive_id_column,
            positive_column: self.positive_column,
            label_column: self.label_column,
            content_ids: self.content_ids,
            kept: self.keep_columns.unwrap_or_default(),
        }
    }
}

/// Names and meaning are those of sentence-transformers' `mine_hard_negatives`; scores are those of
/// BM25, or similarities where the retriever is dense or hybrid.
#[derive(Debug, Default, Args)]
#[command(
    next_help_heading = "Selection (by BM25 scores; with --retriever dense or hybrid by similarities)"
)]
struct SelectionArgs {
    /// Skip so many of the best candidates, counting those that nothing else speaks against
    #[arg(long, value_name = "N", default_value_t = 0)]
    range_min: usize,
    /// Look no further than so many candidates that nothing else speaks against [default: all]
    #[arg(long, value_name = "N", value_parser = positive_whole)]
    range_max: Option<usize>,
    /// Skip so many of the best ranks, whatever holds them
    #[arg(long, value_name = "N", default_value_t = 0)]
    rank_min: usize,
    /// Leave out candidates that score more
    #[arg(long, value_name = "X", value_parser = number::<f32>, allow_negative_numbers = true)]
    max_score: Option<f32>,
    /// Leave out candidates that score less
    #[arg(long, value_name = "X", value_parser = number::<f32>, allow_negative_numbers = true)]
    min_score: Option<f32>,
    /// Leave out candidates with score + X > the lowest score of the query's positives
    #[arg(long, value_name = "X", value_parser = number::<f32>, allow_negative_numbers = true)]
    absolute_margin: Option<f32>,
    /// Leave out candidates with score > positive - |positive| * X, of the query's lowest positive
    #[arg(long, value_name = "X", value_parser = number::<f32>, allow_negative_numbers = true)]
    relative_margin: Option<f32>,
    /// Negatives of each pair [default: all for candidates, 3 for training rows]
    #[arg(long, alias = "negative-number", value_name = "N", value_parser = positive_whole)]
    num_negatives: Option<usize>,
    /// Which candidates become negatives
    #[arg(long, value_name = "NAME", value_enum, default_value_t = Sampling::Top)]
    sampling_strategy: Sampling,
    /// Take known positives as candidates too, labelled 1, for full rankings
    #[arg(long)]
    include_positives: bool,
}

#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-mine explain --candidates runs/try/candidates.parquet --query-id Q001"
))]
struct ExplainArgs {
    /// The candidates, as pairmill-mine or pairmill-filter wrote them
    #[arg(long, value_name = "FILE", value_parser = table_file)]
    candidates: String,
    /// The query
    #[arg(long, value_name = "ID")]
    query_id: String,
}

#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-mine search --queries runs/try/data/queries_test.parquet \
     --corpus runs/try/data/corpus.parquet --output runs/try/run.parquet"
))]
struct SearchArgs {
    /// Queries: id, text
    #[arg(long, value_name = "FILE", value_parser = table_file)]
    queries: String,
    /// The run: query_id, corpus_id, rank, score as the name says: .parquet, .csv, .tsv, .jsonl,
    /// .arrow, or .trec for TREC's form; `-` writes an Arrow IPC stream to standard output. A file
    /// appears whole or not at all
    #[arg(long, value_name = "FILE", value_parser = run_path)]
    output: PathBuf,
    /// Passages to write for each query
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    top_k: u32,
    #[command(flatten)]
    corpus: CorpusArgs,
}

#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-mine round-trip --pairs runs/try/data/pairs_train.parquet \
     --corpus runs/try/data/corpus.parquet --output runs/try/pairs.parquet"
))]
struct RoundTripArgs {
    /// Pairs: anchor, positive and, if there are, anchor_id, positive_id; by a column `label` or
    /// `score`, those from 0.5 on
    #[arg(long, value_name = "FILE", value_parser = table_file)]
    pairs: String,
    /// The pairs that are kept, as the name says: .parquet, .csv, .tsv, .jsonl or .arrow; `-`
    /// writes an Arrow IPC stream to standard output. A file appears whole or not at all
    #[arg(long, value_name = "FILE", value_parser = table_path)]
    output: PathBuf,
    /// Write all pairs with the rank of the positive and the passage that was found first to this
    /// file as well
    #[arg(long, value_name = "FILE", value_parser = table_path)]
    audit: Option<PathBuf>,
    /// Passages among which the anchor has to find its positive
    #[arg(long, value_name = "K", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    within: u32,
    #[command(flatten)]
    columns: PairColumns,
    #[command(flatten)]
    corpus: CorpusArgs,
}

/// Returns the formats that no model's scores are needed for.
fn formats() -> impl TypedValueParser<Value = TrainingFormat> {
    let formats = TrainingFormat::value_variants().iter();
    let formats = formats.filter(|format| !format.needs_scores());
    PossibleValuesParser::new(formats.filter_map(TrainingFormat::to_possible_value))
        .try_map(|name| TrainingFormat::from_str(&name, false))
}

impl MineArgs {
    fn config(
        self,
        columns: PairColumns,
        selection: SelectionArgs,
        corpus: CorpusArgs,
        common: &Common,
    ) -> Result<MineConfig, String> {
        one_of_stdin([Some(&self.pairs), corpus.file(), self.qrels.as_deref()])?;
        let pairs = columns.pairs(self.pairs);
        let config = MineConfig {
            corpus: corpus.corpus(Some(&pairs))?,
            pairs,
            same_text: self.same_text,
            ignore_identical_ids: self.ignore_identical_ids,
            qrels: self.qrels,
            top_k: self.top_k as usize,
            group_column: self.group_column,
            near_duplicates: self.near_duplicates,
            selection: selection.selection(self.format),
            format: self.format,
            drop_ids: self.drop_ids,
            audit: self.audit,
            run: run_options(self.output, common),
        };
        config.validate()?;
        Ok(config)
    }
}

impl SelectionArgs {
    fn selection(self, format: TrainingFormat) -> Selection {
        let of_rows = (format != TrainingFormat::CANDIDATES).then_some(NUM_NEGATIVES);
        Selection {
            range_min: self.range_min,
            range_max: self.range_max,
            rank_min: self.rank_min,
            max_score: self.max_score,
            min_score: self.min_score,
            absolute_margin: self.absolute_margin,
            relative_margin: self.relative_margin,
            num_negatives: self.num_negatives.or(of_rows),
            sampling_strategy: self.sampling_strategy,
            include_positives: self.include_positives,
        }
    }
}

impl SearchArgs {
    fn config(self, common: &Common) -> Result<SearchConfig, String> {
        one_of_stdin([Some(&self.queries), self.corpus.file()])?;
        Ok(SearchConfig {
            corpus: self.corpus.corpus(None)?,
            queries: self.queries,
            top_k: self.top_k as usize,
            run: run_options(self.output, common),
        })
    }
}

impl RoundTripArgs {
    fn config(self, common: &Common) -> Result<RoundTripConfig, String> {
        one_of_stdin([Some(&self.pairs), self.corpus.file()])?;
        let pairs = self.columns.pairs(self.pairs);
        let config = RoundTripConfig {
            corpus: self.corpus.corpus(Some(&pairs))?,
            pairs,
            within: self.within as usize,
            audit: self.audit,
            run: run_options(self.output, common),
        };
        config.validate()?;
        Ok(config)
    }
}

fn run_options(output: PathBuf, common: &Common) -> RunOptions {
    RunOptions {
        output,
        seed: common.seed,
        threads: common.threads(),
        force: common.force,
    }
}

fn main() -> ExitCode {
    pairmill_cli::on_interrupt(pairmill_tables::abandon_outputs);
    let cli: Cli = pairmill_cli::parse(&PROGRAM);
    let common = cli.common;
    cli.reading.set();
    let command = async {
        match (cli.command, cli.mine) {
            (Some(Command::Search(args)), _) => {
                let config = args.config(&common).map_err(UsageError)?;
                common.check_output(&config.run.output)?;
                pairmill_cli::print(&common, &pairmill_mine::search(&config).await?)
            }
            (Some(Command::RoundTrip(args)), _) => {
                let config = args.config(&common).map_err(UsageError)?;
                common.check_output(&config.run.output)?;
                pairmill_cli::print(&common, &pairmill_mine::round_trip(&config).await?)
            }
            (Some(Command::Explain(args)), _) => {
                let explanation = pairmill_mine::explain(&ExplainConfig {
                    candidates: args.candidates,
                    query_id: args.query_id,
                    threads: common.threads(),
                })
                .await?;
                if !common.json {
                    write!(std::io::stdout(), "{explanation}")?;
                }
                pairmill_cli::print(&common, &explanation)
            }
            (None, Some(args)) => {
                let selection = cli.selection.unwrap_or_default();
                let corpus = cli.corpus.unwrap_or_default();
                let columns = cli.columns.unwrap_or_default();
                let config = args.config(columns, selection, corpus, &common);
                let config = config.map_err(UsageError)?;
                common.check_output(&config.run.output)?;
                pairmill_cli::print(&common, &pairmill_mine::mine(&config).await?)
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
