use std::convert::Infallible;

use pairmill_cli::numbers::positive_whole;
use pairmill_cli::{UsageError, example};
use pairmill_evaluate::{Regression, Rerank, Task};
use pairmill_hub::ModelSource;

use super::metrics::MetricArgs;
use super::{OutputArgs, Request, refuse_stdin};

#[derive(Debug, clap::Args)]
#[command(before_help = example(
    "pairmill-evaluate rerank --model cross-encoder/ms-marco-MiniLM-L6-v2 \
     --run runs/try/run.parquet --corpus runs/try/data/corpus.parquet \
     --queries runs/try/data/queries_test.parquet \
     --qrels runs/try/data/qrels_test.parquet --output runs/try/reranked"
))]
pub struct RerankArgs {
    /// A cross-encoder in ONNX: a folder with model.onnx (or onnx/model.onnx), tokenizer.json and
    /// config.json, or its id on the Hugging Face Hub
    #[arg(long, value_name = "DIR_OR_ID", value_parser = onnx_model)]
    model: ModelSource,
    /// Longest pair in tokens; longer ones are cut [default: the model's own limit]
    #[arg(long, alias = "max-seq-length", value_name = "N", value_parser = positive_whole)]
    max_length: Option<usize>,
    /// Ranked run: query_id, corpus_id, rank, score
    #[arg(long, value_name = "FILE")]
    run: String,
    /// Documents: id, title, text
    #[arg(long, value_name = "FILE")]
    corpus: String,
    /// Queries: id, text
    #[arg(long, value_name = "FILE")]
    queries: String,
    /// Judgements: query_id, corpus_id, score
    #[arg(long, value_name = "FILE")]
    qrels: String,
    /// Results of each query to rank anew; those below are left out
    #[arg(long, value_name = "K", default_value_t = 100, value_parser = positive_whole)]
    top_k: usize,
    /// Rank the relevant documents that the run lacks as well, as sentence-transformers does: the
    /// figures are those of the cross-encoder alone, whatever the run has missed
    #[arg(long)]
    always_rerank_positives: bool,
    /// Queries to show that gained most and that lost most against the order of the run
    #[arg(long, value_name = "N", default_value_t = 10)]
    examples: usize,
    #[command(flatten)]
    metrics: MetricArgs,
    /// Exit with code 3 if METRIC of the new ranking is below that of the run by more than BY
    /// [default: 0]; may be repeated
    #[arg(long, value_name = "METRIC[:BY]")]
    fail_on_regression: Vec<Regression>,
    #[command(flatten)]
    output: OutputArgs,
}

fn onnx_model(given: &str) -> Result<ModelSource, Infallible> {
    Ok(ModelSource::of_onnx(given))
}

impl RerankArgs {
    pub fn request(&self) -> Result<Request<'_>, UsageError> {
        refuse_stdin([
            ("run", &self.run),
            ("corpus", &self.corpus),
            ("queries", &self.queries),
            ("qrels", &self.qrels),
        ])?;
        let task = Task::Rerank(Rerank {
            model: self.model.clone(),
            max_length: self.max_length,
            run: self.run.clone(),
            corpus: self.corpus.clone(),
            queries: self.queries.clone(),
            qrels: self.qrels.clone(),
            top_k: self.top_k,
            always_rerank_positives: self.always_rerank_positives,
            metrics: self.metrics.metrics(),
            ignore_identical_ids: self.metrics.ignore_identical_ids,
            examples: self.examples,
        });
        Ok(Request {
            task,
            output: &self.output,
            thresholds: &self.fail_on_regression,
        })
    }
}
