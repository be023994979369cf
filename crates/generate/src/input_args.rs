//! Options of what is read and split, for the commands that take tables.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use pairmill_generate::{Fractions, IntakeOptions};
use pairmill_hygiene::{Kind, kind, strippable};
use pairmill_schema::Sameness;
use pairmill_tables::{KeptColumns, RowFilter};

#[derive(Debug, Args)]
pub struct TableArgs {
    /// Parquet, CSV, JSON Lines or Arrow IPC: a file, folder or glob; `-` reads an Arrow IPC stream
    /// from standard input
    #[arg(long, value_name = "FILE")]
    pub input: String,
    #[command(flatten)]
    pub out: OutArgs,
    /// Use only N rows, chosen by a hash of their ids [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Column of the ids [default: id; without one, ids are made from the content]
    #[arg(long, value_name = "NAME")]
    pub id_column: Option<String>,
    #[command(flatten)]
    pub kept: KeptArgs,
    #[command(flatten)]
    pub intake: IntakeArgs,
}

#[derive(Debug, Args)]
pub struct KeptArgs {
    /// Other columns of the input that go along to pairs_train, as text: names parted by commas, or
    /// `all`. A pair of tickets has those of its first ticket; of rows that give the same pair, the
    /// first counts
    #[arg(long, value_name = "NAMES")]
    pub keep_columns: Option<KeptColumns>,
}

#[derive(Debug, Args)]
pub struct OutArgs {
    /// Folder for the tables; it appears whole or not at all
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// Fractions of train, dev and test
    #[arg(long, value_name = "TRAIN,DEV,TEST", default_value_t)]
    pub split: Fractions,
    /// When two questions are the same (also headings, tickets and categories); answers and
    /// passages are always compared as `identical`
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    pub same_text: Sameness,
}

#[derive(Debug, Args)]
pub struct FilterArgs {
    /// Use only the rows for which this condition holds, in SQL over the columns as the input
    /// names them: status <> 'spam' AND "Created At" >= '2024-01-01'. Columns of CSV and JSON
    /// Lines are text, but for numbers of JSON, and blank cells of CSV are NULL; beside a number a
    /// text is read as one, and two columns of texts are compared letter by letter unless CAST(…
    /// AS DOUBLE) makes them numbers
    #[arg(long = "where", value_name = "SQL")]
    pub filter: Option<RowFilter>,
}

#[derive(Debug, Args)]
pub struct IntakeArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Take out of texts what is no part of what they say, parted by commas: what `check` finds
    /// under the same names
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = strip_names())]
    strip: Vec<&'static Kind>,
    /// Split by the times in this column instead of at random: the newest rows are test, those
    /// before them dev. ISO dates, or seconds or milliseconds since 1970. The rows of one text (an
    /// answer, a ticket, a passage) stay together and go by the newest of them, so train has
    /// nothing newer than what is tested
    #[arg(long, value_name = "COLUMN")]
    split_by_time: Option<String>,
}

impl IntakeArgs {
    /// Returns what the library is to do.
    pub fn options(self) -> IntakeOptions {
        IntakeOptions {
            filter: self.filter.filter,
            strip: self.strip,
            split_by_time: self.split_by_time,
        }
    }
}

fn strip_names() -> impl TypedValueParser<Value = &'static Kind> {
    let named = strippable().map(|kind| {
        let (short, help) = match kind.name {
            "html_markup" => ("html", "tags, and entities become letters"),
            "quoted_mail" => (
                "quoted",
                "earlier mails below the text or between its lines",
            ),
            _ => ("signature", "greetings at the end and what follows them"),
        };
        PossibleValue::new(kind.name).alias(short).help(help)
    });
    PossibleValuesParser::new(named)
        .map(|name| strippable_of(&name).expect("the parser lets no other name pass"))
}

/// Returns the kind of a name or of its short form.
fn strippable_of(name: &str) -> Option<&'static Kind> {
    match name {
        "html" => kind("html_markup"),
        "quoted" => kind("quoted_mail"),
        "signature" => kind("mail_signature"),
        name => kind(name),
    }
}
