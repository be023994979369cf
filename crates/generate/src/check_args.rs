//! The options of `check`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use pairmill_cli::numbers::{positive_whole, share, similarity};
use pairmill_cli::{Common, UsageError, example};
use pairmill_generate::{CheckColumns, CheckConfig, CheckOptions, LabellingModel, TableFormat};
use pairmill_hub::ModelSource;
use pairmill_hygiene::{Fix, Kind, Severity, TableKind, kind, kinds};
use pairmill_tables::KeptColumns;

use crate::input_args::FilterArgs;

/// Stands for all fixes that lose nothing.
const SAFE: &str = "safe";
/// The other fix of `label_noise`, which drops.
const RELABEL: &str = "relabel";

#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-generate check --input data/tickets.jsonl --output runs/try/check"
))]
pub struct CheckArgs {
    /// Parquet, CSV, JSON Lines or Arrow IPC: a file, folder or glob, or a folder that `generate`
    /// wrote, whose splits are held against each other; `-` reads an Arrow IPC stream from standard
    /// input
    #[arg(long, value_name = "FILE")]
    input: String,
    #[command(flatten)]
    filter: FilterArgs,
    /// What its rows say [default: told from its columns]
    #[arg(long, value_name = "KIND", value_parser = table_kinds())]
    kind: Option<TableKind>,
    /// A table of another split, which must share no text with it; may be repeated. Which split is
    /// which is told by names such as tickets_test.parquet; else the input is what is learned from
    #[arg(long, value_name = "FILE")]
    against: Vec<String>,
    /// The passages that judgements name, for `--kind qrels`
    #[arg(long, value_name = "FILE")]
    corpus: Option<String>,
    /// The queries that judgements name, for `--kind qrels`
    #[arg(long, value_name = "FILE")]
    queries: Option<String>,
    /// The judgements of a corpus: passages that duplicate a relevant one must be judged too
    #[arg(long, value_name = "FILE")]
    qrels: Option<String>,
    /// Folder for the findings, the card and a mended table; it appears whole or not at all
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// What the tables in it are: findings.parquet, findings.csv or findings.jsonl
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    table_format: TableFormat,
    /// End with exit code 3 if something is found that is at least as bad
    #[arg(long, value_name = "SEVERITY", value_parser = severities())]
    fail_on: Option<Severity>,
    /// Say what was found in two lines rather than in one for each kind
    #[arg(long)]
    brief: bool,
    #[command(flatten)]
    looking: LookingArgs,
    #[command(flatten)]
    mending: MendingArgs,
    #[command(flatten)]
    columns: ColumnArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "What to look for")]
struct LookingArgs {
    /// Look for these kinds alone, parted by commas [default: all that the tables give reason to]
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = kind_names())]
    only: Vec<&'static Kind>,
    /// Do not look for these kinds
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = kind_names(),
        hide_possible_values = true)]
    skip: Vec<&'static Kind>,
    /// The Jaccard similarity from which on two texts are nearly the same: of their words where
    /// one has fewer than 50 different ones, else of their runs of five words
    #[arg(long, value_name = "X", default_value_t = 0.8, value_parser = similarity::<f64>)]
    near_duplicates: f64,
    /// Count tokens as this sentence encoder does, a folder or an id of the Hugging Face Hub, and
    /// take from it how much of a text is read [default: count words]. If it has an ONNX file, as
    /// `pairmill-train export` makes it, its embeddings tell the categories of tickets that are
    /// likely wrong, and texts that say in other words what another split says
    #[arg(long, value_name = "DIR_OR_ID")]
    model: Option<String>,
    /// The cosine of their embeddings from which on two texts say the same
    #[arg(long, value_name = "X", default_value_t = 0.85, value_parser = similarity::<f32>)]
    paraphrases: f32,
    /// Folder that keeps embeddings, so that the next run computes none again
    #[arg(long, value_name = "DIR", requires = "model")]
    cache: Option<PathBuf>,
    /// How much of a text is read, in tokens of the model, else in words [default: the model's, or
    /// 200 words]
    #[arg(long, value_name = "N", value_parser = positive_whole)]
    max_length: Option<usize>,
    /// The languages that are expected, such as `en,de` [default: those of 5 % of the texts]
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    languages: Vec<String>,
    /// The share of the rows from which on a line that they have in common is boilerplate
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share::<f64>)]
    boilerplate_share: f64,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "What to mend")]
struct MendingArgs {
    /// Write the mended table, and dropped.parquet with what was dropped or changed and why: kinds
    /// parted by commas, `safe` for those that lose nothing, or `relabel` for the categories that
    /// are likelier than those given [default without a value: safe]
    #[arg(long, value_name = "KINDS", value_delimiter = ',', num_args = 0..=1,
        default_missing_value = SAFE, value_parser = fix_names())]
    fix: Vec<String>,
    /// Write the table with a placeholder such as `<EMAIL_1>` in the place of each piece of
    /// personal data; equal values get the same one within a run
    #[arg(long)]
    anonymise: bool,
    /// Columns beside the texts that hold personal data, such as names, parted by commas; where
    /// their values stand in the texts of the row they are replaced too
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    personal_columns: Vec<String>,
    /// Other columns of the input that go along to the mended table, as text: names parted by
    /// commas, or `all` [default: all; of standard input none]
    #[arg(long, value_name = "NAMES")]
    keep_columns: Option<KeptColumns>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Columns of the input")]
struct ColumnArgs {
    /// Column of the ids [default: id; without one, rows are named by their number]
    #[arg(long, value_name = "NAME")]
    id_column: Option<String>,
    /// Column of the texts of tickets, queries and passages; here and below several, parted by
    /// commas, are joined by a blank line [default: text]
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,
    /// Column of the titles of passages [default: title, if there is one]
    #[arg(long, value_name = "NAME")]
    title_column: Option<String>,
    /// Column of the categories [default: category]
    #[arg(long, value_name = "NAME")]
    category_column: Option<String>,
    /// Column of the questions [default: question]
    #[arg(long, value_name = "NAME")]
    question_column: Option<String>,
    /// Column of the answers [default: answer]
    #[arg(long, value_name = "NAME")]
    answer_column: Option<String>,
    /// Column of the anchors [default: anchor; of labelled pairs sentence1]
    #[arg(long, value_name = "NAME")]
    anchor_column: Option<String>,
    /// Column of the other texts [default: positive; of labelled pairs sentence2]
    #[arg(long, value_name = "NAME")]
    positive_column: Option<String>,
    /// Column of the negatives of triplets [default: negative]
    #[arg(long, value_name = "NAME")]
    negative_column: Option<String>,
    /// Column of the labels of labelled pairs [default: score or label]
    #[arg(long, value_name = "NAME")]
    label_column: Option<String>,
}

impl CheckArgs {
    /// What ends the run with exit code 3.
    pub fn fail_on(&self) -> Option<Severity> {
        self.fail_on
    }

    /// Builds what the library is to do.
    ///
    /// # Errors
    /// If the model cannot be had, or all kinds are left out.
    pub fn config(self, common: &Common) -> anyhow::Result<CheckConfig> {
        let has = |name: &str| self.mending.fix.iter().any(|fix| fix == name);
        let relabel = has(RELABEL);
        if relabel && has("label_noise") {
            let message = "--fix label_noise drops the rows that --fix relabel keeps; name one";
            return Err(UsageError(message.to_owned()).into());
        }
        let model = self
            .looking
            .model
            .as_deref()
            .map(model_source)
            .transpose()?;
        let model = model.map(|model| LabellingModel {
            model,
            max_length: self.looking.max_length,
            cache: self.looking.cache,
        });
        let options = CheckOptions {
            kind: self.kind,
            columns: self.columns.named(),
            filter: self.filter.filter,
            kept: self.mending.keep_columns.unwrap_or(KeptColumns::All),
            personal_columns: self.mending.personal_columns,
            only: self.looking.only,
            skip: self.looking.skip,
            fix: fixes(&self.mending.fix),
            relabel,
            anonymise: self.mending.anonymise,
            near_duplicates: self.looking.near_duplicates,
            paraphrases: self.looking.paraphrases,
            max_length: self.looking.max_length,
            languages: self.looking.languages,
            boilerplate_share: self.looking.boilerplate_share,
            format: self.table_format,
        };
        if options.kinds().is_empty() {
            let message = "--only and --skip leave no kind to look for; skip fewer";
            return Err(UsageError(message.to_owned()).into());
        }
        Ok(CheckConfig {
            input: self.input,
            against: self.against,
            corpus: self.corpus,
            queries: self.queries,
            qrels: self.qrels,
            model,
            options,
            output: self.output,
            seed: common.seed,
            threads: common.threads(),
            brief: self.brief,
            force: common.force,
        })
    }
}

impl ColumnArgs {
    fn named(self) -> CheckColumns {
        let columns = [
            (self.id_column, &["id"][..]),
            (self.text_column, &["text"]),
            (self.title_column, &["title"]),
            (self.category_column, &["category"]),
            (self.question_column, &["question"]),
            (self.answer_column, &["answer"]),
            (self.anchor_column, &["anchor", "sentence1"]),
            (self.positive_column, &["positive", "sentence2"]),
            (self.negative_column, &["negative"]),
            (self.label_column, &["score"]),
        ];
        let named = columns
            .into_iter()
            .filter_map(|(name, ours)| Some((name?, ours)));
        CheckColumns {
            named: named
                .flat_map(|(name, ours)| ours.iter().map(move |ours| (*ours, name.clone())))
                .collect(),
        }
    }
}

fn table_kinds() -> impl TypedValueParser<Value = TableKind> {
    const KINDS: [&str; 8] = [
        "tickets", "qa", "pairs", "labeled", "triplets", "corpus", "queries", "qrels",
    ];
    PossibleValuesParser::new(KINDS).map(|name| {
        pairmill_generate::named_kind(&name).expect("the parser lets no other name pass")
    })
}

fn severities() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(["note", "warning", "error"]).map(|name| match name.as_str() {
        "note" => Severity::Note,
        "warning" => Severity::Warning,
        _ => Severity::Error,
    })
}

fn kind_names() -> impl TypedValueParser<Value = &'static Kind> {
    let named = |kind: &'static Kind| PossibleValue::new(kind.name).help(kind.title);
    PossibleValuesParser::new(kinds().map(named))
        .map(|name| kind(&name).expect("the parser lets no other name pass"))
}

fn fix_names() -> PossibleValuesParser {
    let fixable = kinds().filter(|kind| kind.fix != Fix::None);
    let names = fixable.map(|kind| {
        let does = match kind.fix.drops() {
            true => "drops",
            false => "changes",
        };
        let loses = if kind.fix.is_safe() { " (safe)" } else { "" };
        PossibleValue::new(kind.name).help(format!("{does} {}{loses}", kind.title))
    });
    let safe = PossibleValue::new(SAFE).help("all that are marked so");
    let relabel = PossibleValue::new(RELABEL).help("changes categories that are likely wrong");
    PossibleValuesParser::new([safe, relabel].into_iter().chain(names))
}

/// The model of this name: with an ONNX file where there is one.
fn model_source(given: &str) -> anyhow::Result<ModelSource> {
    let model = ModelSource::of_onnx(given);
    if model.folder().is_ok() {
        return Ok(model);
    }
    let model: ModelSource = given.parse()?;
    model.folder()?;
    Ok(model)
}

/// The kinds of these names.
fn fixes(names: &[String]) -> Vec<&'static Kind> {
    let is_named = |kind: &&'static Kind| {
        let by_name = names.iter().any(|name| name == kind.name);
        by_name || kind.fix.is_safe() && names.iter().any(|name| name == SAFE)
    };
    kinds().filter(is_named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn safe_stands_for_the_fixes_that_lose_nothing() {
        let names = |given: &[&str]| -> Vec<&str> {
            let given: Vec<String> = given.iter().map(|name| (*name).to_owned()).collect();
            fixes(&given).iter().map(|kind| kind.name).collect()
        };
        assert_eq!(
            names(&[SAFE]),
            [
                "exact_duplicate",
                "empty_text",
                "mojibake",
                "control_character",
                "category_spelling"
            ]
        );
        assert_eq!(names(&["html_markup"]), ["html_markup"]);
        assert!(names(&[]).is_empty());
    }
}
