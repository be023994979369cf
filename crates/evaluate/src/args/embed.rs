use std::path::{Path, PathBuf};

use clap::ValueEnum;
use pairmill_checkpoint::Side;
use pairmill_cli::numbers::positive_whole;
use pairmill_cli::{Common, UsageError, example};
use pairmill_evaluate::{Embed, Models};
use pairmill_hub::ModelSource;
use pairmill_tables::{ColumnNames, Format, table_path};

use super::Job;
use super::models::NetworkArgs;

/// What the texts are to a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// What is found: documents, answers, passages.
    Documents,
    /// What is looked for: questions.
    Queries,
    /// Neither: sentences that are compared with each other.
    Texts,
}

#[derive(Debug, clap::Args)]
#[command(before_help = example(
    "pairmill-evaluate embed --model runs/try/model --input data/tickets.jsonl \
     --output runs/try/tickets.npy"
))]
pub struct EmbedArgs {
    /// Folder of the model, in the sentence-transformers format, or its id on the Hugging Face Hub
    #[arg(long, value_name = "DIR_OR_ID")]
    model: ModelSource,
    /// Table of texts: id, text and, where there is one, title, which goes before the text (`-`
    /// reads an Arrow IPC stream from standard input)
    #[arg(long, value_name = "FILE")]
    input: String,
    /// The vectors, as the name says: .parquet, .jsonl or .arrow, with the columns `id` and
    /// `embedding`; .npy, an array of NumPy without ids; `-` writes an Arrow IPC stream to standard
    /// output. Rows are in the order of the input
    #[arg(long, value_name = "FILE", value_parser = vectors_path)]
    output: PathBuf,
    /// What the texts are, which decides the prompt that the model wants before them
    #[arg(long = "texts-are", value_name = "KIND", value_enum, default_value_t = Kind::Documents)]
    kind: Kind,
    /// Text put before each text [default: what the model's folder says for --texts-are]
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// Scale each vector to length 1, also where the model does not
    #[arg(long)]
    normalize: bool,
    /// Keep the first N components of each vector, for models trained with the Matryoshka loss;
    /// --normalize scales what is kept
    #[arg(long, value_name = "N", value_parser = positive_whole)]
    truncate_dim: Option<usize>,
    /// Column that holds the id; .npy needs none
    #[arg(long, value_name = "NAME")]
    id_column: Option<String>,
    /// Column that holds the title
    #[arg(long, value_name = "NAME")]
    title_column: Option<String>,
    /// Column that holds the text
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,
    /// Use `model_quantized.onnx`, which `pairmill-train export --int8` writes
    #[arg(long)]
    int8: bool,
    #[command(flatten)]
    network: NetworkArgs,
}

impl EmbedArgs {
    pub fn job(&self, common: &Common) -> Result<Job, UsageError> {
        common.check_output(&self.output)?;
        if let (Kind::Queries, Some(title)) = (self.kind, &self.title_column) {
            return Err(UsageError(format!(
                "--title-column {title}: queries have no titles; leave it out, or --texts-are \
                 queries"
            )));
        }
        let prompt = |kind| self.prompt.clone().filter(|_| kind == self.kind);
        Ok(Job::Embed(Embed {
            models: Models {
                query_prompt: prompt(Kind::Queries),
                document_prompt: prompt(Kind::Documents),
                text_prompt: prompt(Kind::Texts),
                ..self.network.models(&self.model, self.int8, common)?
            },
            side: match self.kind {
                Kind::Documents => Side::Document,
                Kind::Queries => Side::Query,
                Kind::Texts => Side::Text,
            },
            input: self.input.clone(),
            names: ColumnNames::new([
                ("id", self.id_column.as_deref()),
                ("title", self.title_column.as_deref()),
                ("text", self.text_column.as_deref()),
            ]),
            normalize: self.normalize,
            truncate_dim: self.truncate_dim,
            output: self.output.clone(),
            seed: common.seed,
            threads: common.threads(),
            force: common.force,
        }))
    }
}

fn vectors_path(text: &str) -> Result<PathBuf, String> {
    let path = Path::new(text);
    if path.extension().is_some_and(|ending| ending == "npy") {
        return Ok(path.to_owned());
    }
    match Format::of_name(path) {
        Some(Format::Csv(_)) => Err(
            "a cell of CSV or TSV holds no vector; expected a name that ends in .parquet, .npy, \
             .jsonl or .arrow"
                .to_owned(),
        ),
        _ => table_path(text),
    }
}
