//! The `pairmill-generate` program.

mod augment_args;
mod check_args;
mod corpus_args;
mod input_args;
mod labelling_args;

use std::path::PathBuf;
use std::process::ExitCode;

use augment_args::AugmentArgs;
use check_args::CheckArgs;
use clap::{Args, Parser, Subcommand};
use corpus_args::CorpusArgs;
use input_args::{IntakeArgs, KeptArgs, OutArgs, TableArgs};
use pairmill_cli::{Common, OtherName, Outcome, Program, UsageError, example};
use pairmill_generate::{
    Config, ConvertConfig, MAX_JUDGEMENTS, PairsOptions, QaOptions, Source, TicketsOptions,
};
use pairmill_tables::{ReadOptions, program_build};

const PROGRAM: Program = Program {
    versions: || {
        let build = format!("build {}", program_build());
        vec![build, pairmill_inference::runtime::version()]
    },
    other_names: &[
        OtherName::new(
            "test-size",
            "split",
            "use --split TRAIN,DEV,TEST, such as --split 0.8,0.1,0.1",
        ),
        OtherName::new(
            "train-size",
            "split",
            "use --split TRAIN,DEV,TEST, such as --split 0.8,0.1,0.1",
        ),
    ],
};

/// Of the program and of its first command.
const EXAMPLE: &str = "pairmill-generate qa --input data/qa.jsonl --output runs/try/data";

/// Turn tickets, question/answer pairs or files of text into training pairs, splits and judgements
#[derive(Debug, Parser)]
#[command(name = "pairmill-generate", version, before_help = example(EXAMPLE))]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    reading: ReadOptions,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Generate(Generate),
    /// A data set to or from BEIR's form, a run or judgements to or from TREC's
    ///
    /// A folder in BEIR's form (corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv) becomes a folder of
    /// tables (corpus.parquet, queries_SPLIT.parquet, qrels_SPLIT.parquet, and pairs_train.parquet
    /// of what the judgements of train call relevant), and a folder of tables becomes one in BEIR's
    /// form. A file with a run or judgements gets the form that the output's name tells: .parquet,
    /// .csv, .jsonl, .arrow, .trec, or .tsv for judgements as BEIR has them. Rows keep their order.
    Convert(ConvertArgs),
    /// Other wordings of the texts of a training table: synonyms, mistakes, back-translation
    ///
    /// The output is the table again with its wordings, ordered by id, and the columns source_id,
    /// method and similarity, which are empty for what was there before. A wording has the other
    /// columns of its source, so it stays in its split, and an id made of its source's. Refused
    /// and counted is one that is the same as its source, as another source or as an earlier
    /// wording, or lacks a word that must stay; with --model also one too far from its source, or
    /// nearer to another category (its centroid) or another positive than to its own.
    ///
    /// Give the rows to train on, not those to test on: a wording of a test question teaches the
    /// answer to it.
    Augment(Box<AugmentArgs>),
    /// Look through a table for what spoils it, mend what can be mended, and write a data card
    ///
    /// Duplicates, leakage between splits, contradicting labels, damaged and foreign texts,
    /// personal data and more. Each finding is a row of findings.parquet with its place, its reason
    /// and what to do about it; card.html counts them.
    Check(Box<CheckArgs>),
    #[command(flatten)]
    Label(labelling_args::Label),
}

#[derive(Debug, Subcommand)]
enum Generate {
    /// From question/answer pairs: an answer is relevant to its questions
    Qa(QaArgs),
    /// From labelled pairs, pairs or triplets: a text labelled 1 is relevant to its anchor
    ///
    /// The columns are found by the names of the usual guides: anchor, positive, negative; query,
    /// document, label; question, answer; sentence1, sentence2, label or score. A pair labelled 0
    /// and a negative are hard negatives: of train they stand in triplets_train.parquet, of every
    /// split in its labelled pairs.
    Pairs(PairsArgs),
    /// From support tickets: tickets of one category are relevant to each other
    Tickets(TicketsArgs),
    /// From documents, files or a table: the passage below a heading is relevant to it
    ///
    /// A document is cut at its headings, and what stands below each into passages. A heading asks
    /// for the first passage below it; a document's description, or else its title, asks for the
    /// document's first passage. Splits are of whole documents.
    ///
    /// A passage's id is the path of its document below the folder that all inputs share, `#` and
    /// the passage's number. The column `source` of the corpus is that path, so that
    /// `pairmill-mine --group-column source` leaves out passages of the positive's document. Of
    /// equal passages the first is kept. Code blocks, navigation, scripts, styles, template tags
    /// and what a page hides are left out, and of paragraphs that a tenth of the documents share (5
    /// at least) all but the first: the summary counts them.
    ///
    /// Of a table each row is a document, by its columns id, title (which may be absent) and text.
    Corpus(CorpusArgs),
}

#[derive(Debug, Args)]
#[command(before_help = example(EXAMPLE))]
struct QaArgs {
    #[command(flatten)]
    table: TableArgs,
    /// Random negatives for each question in the labelled pairs
    #[arg(long, value_name = "N", default_value_t = 1)]
    negatives_per_question: u32,
    /// Column of the questions; several, parted by commas, are joined by a blank line [default:
    /// question]
    #[arg(long, value_name = "NAME")]
    question_column: Option<String>,
    /// Column of the answers, or several [default: answer]
    #[arg(long, value_name = "NAME")]
    answer_column: Option<String>,
}

#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-generate pairs --input data/qa.jsonl --output runs/try/pairs"
))]
struct PairsArgs {
    /// Parquet, CSV, JSON Lines or Arrow IPC: a file, folder or glob; `-` reads an Arrow IPC stream
    /// from standard input
    #[arg(long, value_name = "FILE")]
    input: String,
    #[command(flatten)]
    out: OutArgs,
    /// Use only N rows, chosen by a hash of their texts [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Random negatives for each anchor in the labelled pairs
    #[arg(long, value_name = "N", default_value_t = 1)]
    negatives_per_anchor: u32,
    /// The label, from 0 to 1, from which on a text is relevant to its anchor
    #[arg(long, value_name = "X", default_value_t = 0.5)]
    label_threshold: f64,
    /// Column of the anchors [default: anchor, query, question, sentence1, sentence_a or text1]
    #[arg(long, value_name = "NAME")]
    anchor_column: Option<String>,
    /// Column of the other texts [default: positive, document, passage, answer, sentence2,
    /// sentence_b or text2]
    #[arg(long, value_name = "NAME")]
    positive_column: Option<String>,
    /// Column of texts that are not relevant to the anchor [default: negative or hard_negative, or
    /// all of negative_1, negative_2 …, if there are any]
    #[arg(long, value_name = "NAME")]
    negative_column: Option<String>,
    /// Column of the labels [default: label or score, if there is one]
    #[arg(long, value_name = "NAME")]
    label_column: Option<String>,
    #[command(flatten)]
    kept: KeptArgs,
    #[command(flatten)]
    intake: IntakeArgs,
}

#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-generate tickets --input data/tickets.jsonl --output runs/try/tickets"
))]
struct TicketsArgs {
    #[command(flatten)]
    table: TableArgs,
    /// Most positive pairs to make
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    max_pairs: u32,
    /// Random negatives for each positive in the labelled pairs
    #[arg(long, value_name = "N", default_value_t = 1)]
    negatives_per_positive: u32,
    /// Most relevance judgements of dev and of test: every ticket of train is relevant to those of
    /// its category, so beyond this fewer tickets are queries
    #[arg(long, value_name = "N", default_value_t = MAX_JUDGEMENTS, value_parser = clap::value_parser!(u64).range(1..))]
    max_judgements: u64,
    /// Column of the texts; several, such as `subject,body`, are joined by a blank line, without
    /// those that are blank [default: text]
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,
    /// Column of the categories [default: category]
    #[arg(long, value_name = "NAME")]
    category_column: Option<String>,
}

#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-generate convert --input runs/try/data --output runs/try/beir"
))]
struct ConvertArgs {
    /// A folder with a data set, or a file with a run or judgements
    #[arg(long, value_name = "PATH", value_parser = path)]
    input: String,
    /// The folder or file to write; it appears whole or not at all
    #[arg(long, value_name = "PATH")]
    output: PathBuf,
    /// Convert only this split of a folder; may be repeated [default: all that have judgements]
    #[arg(long, value_name = "NAME")]
    split: Vec<String>,
}

fn path(path: &str) -> Result<String, String> {
    match path {
        "-" => Err("standard input cannot be converted; give a folder or file".to_owned()),
        path => Ok(path.to_owned()),
    }
}

impl ConvertArgs {
    fn config(self, common: &Common) -> ConvertConfig {
        ConvertConfig {
            input: self.input,
            output: self.output,
            splits: self.split,
            force: common.force,
        }
    }
}

fn config(command: Generate, common: &Common) -> anyhow::Result<Config> {
    let limit = |limit: Option<u64>| limit.map(|rows| usize::try_from(rows).unwrap_or(usize::MAX));
    let (output, source) = match command {
        Generate::Qa(args) => {
            let options = QaOptions {
                negatives_per_question: args.negatives_per_question as usize,
                split: args.table.out.split,
                same_text: args.table.out.same_text,
                limit: limit(args.table.limit),
                id_column: args.table.id_column,
                question_column: args.question_column,
                answer_column: args.answer_column,
                kept: args.table.kept.keep_columns.unwrap_or_default(),
                intake: args.table.intake.options(),
            };
            let input = args.table.input;
            (args.table.out.output, Source::Qa { input, options })
        }
        Generate::Pairs(args) => {
            let options = PairsOptions {
                negatives_per_anchor: args.negatives_per_anchor as usize,
                split: args.out.split,
                same_text: args.out.same_text,
                limit: limit(args.limit),
                label_threshold: args.label_threshold,
                anchor_column: args.anchor_column,
                positive_column: args.positive_column,
                negative_column: args.negative_column,
                label_column: args.label_column,
                kept: args.kept.keep_columns.unwrap_or_default(),
                intake: args.intake.options(),
            };
            let input = args.input;
            (args.out.output, Source::Pairs { input, options })
        }
        Generate::Tickets(args) => {
            let options = TicketsOptions {
                max_pairs: args.max_pairs as usize,
                negatives_per_positive: args.negatives_per_positive as usize,
                max_judgements: args.max_judgements,
                split: args.table.out.split,
                same_text: args.table.out.same_text,
                limit: limit(args.table.limit),
                id_column: args.table.id_column,
                text_column: args.text_column,
                category_column: args.category_column,
                kept: args.table.kept.keep_columns.unwrap_or_default(),
                intake: args.table.intake.options(),
            };
            let input = args.table.input;
            (args.table.out.output, Source::Tickets { input, options })
        }
        Generate::Corpus(args) => {
            let (inputs, output) = (args.input.clone(), args.out.output.clone());
            let options = args.options()?;
            (output, Source::Corpus { inputs, options })
        }
    };
    Ok(Config {
        source,
        output,
        seed: common.seed,
        threads: common.threads(),
        force: common.force,
    })
}

fn main() -> ExitCode {
    pairmill_cli::on_interrupt(pairmill_tables::abandon_outputs);
    let Cli {
        command,
        reading,
        common,
    } = pairmill_cli::parse(&PROGRAM);
    reading.set();
    pairmill_cli::run_async(&common, async {
        match command {
            Command::Generate(command) => {
                let report = pairmill_generate::run(&config(command, &common)?).await?;
                pairmill_cli::print(&common, &report)
            }
            Command::Check(args) => {
                let least = args.fail_on();
                let report = pairmill_generate::check(&args.config(&common)?).await?;
                pairmill_cli::print(&common, &report)?;
                Ok(match least.is_some_and(|least| report.has(least)) {
                    true => Outcome::ThresholdMissed,
                    false => Outcome::Done,
                })
            }
            Command::Convert(args) => {
                let config = args.config(&common);
                config.validate().map_err(UsageError)?;
                let report = pairmill_generate::convert(&config).await?;
                pairmill_cli::print(&common, &report)
            }
            Command::Label(command) => command.run(&common).await,
            Command::Augment(args) => args.run(&common).await,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_an_example_and_other_names_lead_somewhere() {
        assert_eq!(pairmill_cli::check::<Cli>(&PROGRAM), Ok(()));
    }
}
