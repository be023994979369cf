//! Options of the commands that find out what to label.

use std::path::PathBuf;

use clap::{Args, Subcommand, builder::PossibleValuesParser, builder::TypedValueParser};
use pairmill_active_learning::{PairStrategy, Strategy};
use pairmill_cli::numbers::{positive_whole, similarity};
use pairmill_cli::{Common, Outcome, example};
use pairmill_generate::{
    CollectConfig, CollectPairsConfig, LabellingModel, SelectConfig, SelectPairsConfig, SheetForm,
    SimulateConfig, TextColumns,
};
use pairmill_hub::ModelSource;
use pairmill_tables::table_path;
use strum::VariantArray;

use crate::input_args::FilterArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum Label {
    /// Choose the texts of an unlabelled pool whose labels would teach most, as a sheet to fill in
    ///
    /// Without labels, texts that represent the pool: the most typical one of as many clusters as
    /// texts are asked for. With labels, those that logistic regression on the embeddings is least
    /// sure of, spread over clusters. Texts that are labelled already, empty or repeated are left
    /// out.
    Select(SelectArgs),
    /// Read filled-in sheets back as a table of labelled texts
    ///
    /// A sheet may come back in any order and half filled: as CSV or another table with the columns
    /// id and category, or as the JSON that Label Studio or Argilla exports. What was labelled
    /// before goes along, so the output is what the next `select` and `generate tickets` take.
    Collect(CollectArgs),
    /// Choose the passages of queries whose judgement would teach most, as a sheet to fill in
    ///
    /// The model finds candidates for each query of the pool. Queries for which a relevant passage
    /// is known are left out, and so is what was judged already.
    SelectPairs(SelectPairsArgs),
    /// Read filled-in sheets of `select-pairs` back as a table of labelled pairs
    ///
    /// In the column `relevant` stands 1 or yes, 0 or no, or nothing yet; judgements with a column
    /// `score` are taken as well. What was judged before goes along, so the output is what the next
    /// `select-pairs` and `generate pairs` take.
    CollectPairs(CollectPairsArgs),
    /// Play choosing and labelling through with known categories, to see what choosing saves
    Simulate(SimulateArgs),
}

#[derive(Debug, Args)]
struct ColumnArgs {
    /// Column of the ids [default: id; without one, ids are made from the texts]
    #[arg(long, value_name = "NAME")]
    id_column: Option<String>,
    /// Column of the texts; several, parted by commas, are joined by a blank line [default: text]
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,
    /// Column of the categories [default: category]
    #[arg(long, value_name = "NAME")]
    category_column: Option<String>,
}

#[derive(Debug, Args)]
struct ModelArgs {
    /// Sentence encoder: a folder with model.onnx, as `pairmill-train export` makes it, or an id on
    /// the Hugging Face Hub
    #[arg(long, value_name = "DIR_OR_ID")]
    model: String,
    /// Longest text in tokens; longer ones are cut [default: the model's own limit]
    #[arg(long, value_name = "N", value_parser = positive_whole)]
    max_length: Option<usize>,
    /// Folder that keeps embeddings, so that the next round computes none again
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-generate select --pool data/tickets.jsonl --model runs/try/model-onnx --number 50 \
     --output runs/try/sheet.csv"
))]
pub(crate) struct SelectArgs {
    /// The unlabelled texts (columns id, text)
    #[arg(long, value_name = "FILE")]
    pool: String,
    #[command(flatten)]
    filter: FilterArgs,
    /// Texts labelled so far (columns id, text, category); may be repeated
    #[arg(long, value_name = "FILE")]
    labelled: Vec<String>,
    /// The sheet to write; it appears whole or not at all
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// What the sheet is for: a spreadsheet or any table, Label Studio or Argilla (JSON to import)
    #[arg(long, value_name = "FORM", default_value_t, value_parser = variants::<SheetForm>())]
    form: SheetForm,
    /// Texts to choose
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = positive_whole)]
    number: usize,
    /// By what, once two categories are known
    #[arg(long, value_name = "STRATEGY", default_value_t, value_parser = variants::<Strategy>())]
    strategy: Strategy,
    /// No two chosen texts have a cosine above X
    #[arg(long, value_name = "X", default_value_t = 0.95, value_parser = similarity::<f32>)]
    max_similarity: f32,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    columns: ColumnArgs,
}

#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-generate collect --sheet data/tickets.jsonl --pool data/tickets.jsonl \
     --output runs/try/labelled.parquet"
))]
pub(crate) struct CollectArgs {
    /// A sheet that was filled in; may be repeated
    #[arg(long, value_name = "FILE", required = true)]
    sheet: Vec<String>,
    /// The texts that the sheets were made of
    #[arg(long, value_name = "FILE")]
    pool: String,
    /// Texts labelled before, which go along; may be repeated
    #[arg(long, value_name = "FILE")]
    labelled: Vec<String>,
    /// The table of labelled texts to write (id, text, category, round); it appears whole or not at
    /// all
    #[arg(long, value_name = "FILE", value_parser = table_path)]
    output: PathBuf,
    #[command(flatten)]
    columns: ColumnArgs,
}

#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-generate select-pairs --pool runs/try/data/queries_dev.parquet \
     --corpus runs/try/data/corpus.parquet --model runs/try/model-onnx --number 50 \
     --output runs/try/to-judge.csv"
))]
pub(crate) struct SelectPairsArgs {
    /// The queries whose passages are to be judged (columns id, text)
    #[arg(long, value_name = "FILE")]
    pool: String,
    #[command(flatten)]
    filter: FilterArgs,
    /// The passages (columns id, text and perhaps title)
    #[arg(long, value_name = "FILE")]
    corpus: String,
    /// What is judged so far, as `collect-pairs` writes it; may be repeated
    #[arg(long, value_name = "FILE")]
    judged: Vec<String>,
    /// The sheet to write: a table with the queries, the passages and an empty column `relevant`;
    /// it appears whole or not at all
    #[arg(long, value_name = "FILE", value_parser = table_path)]
    output: PathBuf,
    /// Passages to choose
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = positive_whole)]
    number: usize,
    /// Passages of a query at most: the nearest to it that are not judged
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = positive_whole)]
    per_query: usize,
    /// By what queries are chosen
    #[arg(long, value_name = "STRATEGY", default_value_t, value_parser = variants::<PairStrategy>())]
    strategy: PairStrategy,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    columns: QueryColumnArgs,
}

#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-generate collect-pairs --sheet runs/try/data/qrels_dev.parquet \
     --pool runs/try/data/queries_dev.parquet --corpus runs/try/data/corpus.parquet \
     --output runs/try/judged.parquet"
))]
pub(crate) struct CollectPairsArgs {
    /// A sheet that was filled in; may be repeated
    #[arg(long, value_name = "FILE", required = true)]
    sheet: Vec<String>,
    /// The queries that the sheets were made of
    #[arg(long, value_name = "FILE")]
    pool: String,
    /// The passages that the sheets were made of
    #[arg(long, value_name = "FILE")]
    corpus: String,
    /// What was judged before, which goes along; may be repeated
    #[arg(long, value_name = "FILE")]
    judged: Vec<String>,
    /// The table of labelled pairs to write; it appears whole or not at all
    #[arg(long, value_name = "FILE", value_parser = table_path)]
    output: PathBuf,
    #[command(flatten)]
    columns: QueryColumnArgs,
}

#[derive(Debug, Args)]
struct QueryColumnArgs {
    /// Column of the queries' ids [default: id; without one, ids are made from the texts]
    #[arg(long, value_name = "NAME")]
    id_column: Option<String>,
    /// Column of the queries; several, parted by commas, are joined by a blank line [default: text]
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,
}

#[derive(Debug, Args)]
#[command(before_help = example(
    "pairmill-generate simulate --pool data/tickets.jsonl --test data/tickets.jsonl \
     --model runs/try/model-onnx --number 50 --output runs/try/saved"
))]
pub(crate) struct SimulateArgs {
    /// Labelled texts whose categories are taken as unknown until they are chosen
    #[arg(long, value_name = "FILE")]
    pool: String,
    /// Labelled texts to measure on
    #[arg(long, value_name = "FILE")]
    test: String,
    /// Folder for the curve as a page, Markdown and JSON; it appears whole or not at all
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Texts to choose at first and in each round
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = positive_whole)]
    number: usize,
    /// Rounds after the first choice
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = positive_whole)]
    rounds: usize,
    /// What to compare with a random choice; may be repeated
    #[arg(long, value_name = "STRATEGY", default_values_t = [Strategy::default()],
        value_parser = variants::<Strategy>())]
    strategy: Vec<Strategy>,
    /// How often to play each through, with a seed of its own each time
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
    /// No two texts chosen in one round have a cosine above X
    #[arg(long, value_name = "X", default_value_t = 0.95, value_parser = similarity::<f32>)]
    max_similarity: f32,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    columns: ColumnArgs,
}

/// Takes one of the names of a type's variants.
fn variants<T>() -> impl TypedValueParser<Value = T>
where
    T: VariantArray + Into<&'static str> + std::str::FromStr + Copy + Send + Sync + 'static,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let names: Vec<&'static str> = T::VARIANTS.iter().map(|&one| one.into()).collect();
    PossibleValuesParser::new(names).try_map(|name| name.parse::<T>())
}

impl From<ColumnArgs> for TextColumns {
    fn from(args: ColumnArgs) -> Self {
        Self {
            id: args.id_column,
            text: args.text_column,
            category: args.category_column,
        }
    }
}

impl From<QueryColumnArgs> for TextColumns {
    fn from(args: QueryColumnArgs) -> Self {
        Self {
            id: args.id_column,
            text: args.text_column,
            category: None,
        }
    }
}

impl From<ModelArgs> for LabellingModel {
    fn from(args: ModelArgs) -> Self {
        Self {
            model: ModelSource::of_onnx(&args.model),
            max_length: args.max_length,
            cache: args.cache,
        }
    }
}

impl Label {
    /// Carries out the command.
    pub async fn run(self, common: &Common) -> anyhow::Result<Outcome> {
        let (seed, threads, force) = (common.seed, common.threads(), common.force);
        match self {
            Self::Select(args) => {
                let config = SelectConfig {
                    pool: args.pool,
                    filter: args.filter.filter,
                    labelled: args.labelled,
                    columns: args.columns.into(),
                    model: args.model.into(),
                    number: args.number,
                    strategy: args.strategy,
                    max_similarity: args.max_similarity,
                    output: args.output,
                    form: args.form,
                    seed,
                    threads,
                    force,
                };
                config.validate().map_err(pairmill_cli::UsageError)?;
                pairmill_cli::print(common, &pairmill_generate::select(&config).await?)
            }
            Self::Collect(args) => {
                let config = CollectConfig {
                    sheets: args.sheet,
                    pool: args.pool,
                    labelled: args.labelled,
                    columns: args.columns.into(),
                    output: args.output,
                    force,
                };
                pairmill_cli::print(common, &pairmill_generate::collect(&config).await?)
            }
            Self::SelectPairs(args) => {
                let config = SelectPairsConfig {
                    pool: args.pool,
                    filter: args.filter.filter,
                    corpus: args.corpus,
                    judged: args.judged,
                    columns: args.columns.into(),
                    model: args.model.into(),
                    number: args.number,
                    per_query: args.per_query,
                    strategy: args.strategy,
                    output: args.output,
                    seed,
                    threads,
                    force,
                };
                pairmill_cli::print(common, &pairmill_generate::select_pairs(&config).await?)
            }
            Self::CollectPairs(args) => {
                let config = CollectPairsConfig {
                    sheets: args.sheet,
                    pool: args.pool,
                    corpus: args.corpus,
                    judged: args.judged,
                    columns: args.columns.into(),
                    output: args.output,
                    force,
                };
                pairmill_cli::print(common, &pairmill_generate::collect_pairs(&config).await?)
            }
            Self::Simulate(args) => {
                let config = SimulateConfig {
                    pool: args.pool,
                    test: args.test,
                    columns: args.columns.into(),
                    model: args.model.into(),
                    number: args.number,
                    rounds: args.rounds,
                    strategies: args.strategy,
                    runs: args.runs,
                    max_similarity: args.max_similarity,
                    output: args.output,
                    seed,
                    threads,
                    force,
                };
                pairmill_cli::print(common, &pairmill_generate::simulate(&config).await?)
            }
        }
    }
}
