use pairmill_cli::numbers::positive_whole;
use pairmill_cli::{Common, UsageError, example};
use pairmill_evaluate::{Models, Precision, Retrieval, Task};
use pairmill_tables::ColumnNames;

use super::metrics::MetricArgs;
use super::{ModelArgs, OutputArgs, Request, refuse_stdin};

/// The example of the command, which is the program's too.
pub const EXAMPLE: &str = "pairmill-evaluate retrieval --model runs/try/model \
    --baseline sentence-transformers/all-MiniLM-L6-v2 --corpus runs/try/data/corpus.parquet \
    --queries runs/try/data/queries_test.parquet --qrels runs/try/data/qrels_test.parquet \
    --output runs/try/report";

#[derive(Debug, clap::Args)]
#[command(before_help = example(EXAMPLE))]
pub struct RetrievalArgs {
    #[command(flatten)]
    models: ModelArgs,
    /// Documents: id, title, text
    #[arg(long, value_name = "FILE")]
    corpus: String,
    /// Queries: id, text
    #[arg(long, value_name = "FILE")]
    queries: String,
    /// Judgements: query_id, corpus_id, score
    #[arg(long, value_name = "FILE")]
    qrels: String,
    /// Column of the corpus that holds the id
    #[arg(long, value_name = "NAME")]
    id_column: Option<String>,
    /// Column of the corpus that holds the title
    #[arg(long, value_name = "NAME")]
    title_column: Option<String>,
    /// Column of the corpus that holds the text
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,
    /// Text put before each query, such as "query: " [default: what the model's folder says]
    #[arg(long, alias = "query-instruction-for-retrieval", value_name = "TEXT")]
    query_prompt: Option<String>,
    /// Text put before each document [default: what the model's folder says]
    #[arg(long, aliases = ["corpus-prompt", "passage-instruction-for-retrieval"], value_name = "TEXT")]
    document_prompt: Option<String>,
    /// Give figures for groups of queries too: those of equal value in a column of the queries, or
    /// of similar `length`; may be repeated
    #[arg(long, value_name = "COLUMN")]
    group_by: Vec<String>,
    /// Queries to show that gained most and that lost most; without a baseline, that are served
    /// worst
    #[arg(long, value_name = "N", default_value_t = 10)]
    examples: usize,
    /// Also give the figures of embeddings cut to their first so many components, for models
    /// trained with the Matryoshka loss
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = positive_whole)]
    truncate_dim: Vec<usize>,
    /// Also give the figures of embeddings stored with less precision
    #[arg(long, value_name = "PRECISION,…", value_delimiter = ',', value_enum)]
    precision: Vec<Precision>,
    /// Column of the queries of which equal values make them one unit of the intervals and tests,
    /// such as a thread; `id` keeps each by itself [default: queries that share a relevant document
    /// are one]
    #[arg(long, visible_alias = "thread-column", value_name = "NAME")]
    cluster_column: Option<String>,
    #[command(flatten)]
    metrics: MetricArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl RetrievalArgs {
    pub fn request(&self, common: &Common) -> Result<Request<'_>, UsageError> {
        refuse_stdin([
            ("corpus", &self.corpus),
            ("queries", &self.queries),
            ("qrels", &self.qrels),
        ])?;
        let task = Task::Retrieval(Retrieval {
            models: Models {
                query_prompt: self.query_prompt.clone(),
                document_prompt: self.document_prompt.clone(),
                ..self.models.models(common)?
            },
            corpus: self.corpus.clone(),
            names: ColumnNames::new([
                ("id", self.id_column.as_deref()),
                ("title", self.title_column.as_deref()),
                ("text", self.text_column.as_deref()),
            ]),
            queries: self.queries.clone(),
            qrels: self.qrels.clone(),
            group_by: self.group_by.clone(),
            examples: self.examples,
            truncate_dim: self.truncate_dim.clone(),
            precision: self.precision.clone(),
            metrics: self.metrics.metrics(),
            ignore_identical_ids: self.metrics.ignore_identical_ids,
            cluster_column: self.cluster_column.clone(),
        });
        Ok(Request {
            task,
            output: &self.output,
            thresholds: &self.models.fail_on_regression,
        })
    }
}
