use pairmill_cli::{UsageError, example};
use pairmill_evaluate::{RankedRun, Regression, Task, Ties, WithoutResults};

use super::metrics::MetricArgs;
use super::{OutputArgs, Request, refuse_stdin};

#[derive(Debug, clap::Args)]
#[command(before_help = example(
    "pairmill-evaluate run --run runs/try/run.parquet \
     --qrels runs/try/data/qrels_test.parquet --output runs/try/bm25"
))]
pub struct RunArgs {
    /// Ranked run: query_id, corpus_id, rank (may be absent), score; or in TREC's form
    #[arg(long, value_name = "FILE")]
    run: String,
    /// The run to compare it with, in the same form
    #[arg(long, value_name = "FILE")]
    baseline: Option<String>,
    /// Judgements: query_id, corpus_id, score; or in TREC's form
    #[arg(long, value_name = "FILE")]
    qrels: String,
    #[command(flatten)]
    metrics: MetricArgs,
    /// What ranks the results, and which of two equal ones stands first
    #[arg(long, value_enum, default_value_t = Ties::Score)]
    ties: Ties,
    /// What becomes of judged queries for which the run has no result
    #[arg(long, value_name = "POLICY", value_enum, default_value_t = WithoutResults::Zero)]
    without_results: WithoutResults,
    /// Exit with code 3 if METRIC is below that of the baseline by more than BY [default: 0]; may
    /// be repeated
    #[arg(long, value_name = "METRIC[:BY]", requires = "baseline")]
    fail_on_regression: Vec<Regression>,
    #[command(flatten)]
    output: OutputArgs,
}

impl RunArgs {
    pub fn request(&self) -> Result<Request<'_>, UsageError> {
        let baseline = self.baseline.iter().map(|run| ("baseline", run));
        refuse_stdin(
            [("run", &self.run), ("qrels", &self.qrels)]
                .into_iter()
                .chain(baseline),
        )?;
        let task = Task::RankedRun(RankedRun {
            run: self.run.clone(),
            baseline: self.baseline.clone(),
            qrels: self.qrels.clone(),
            metrics: self.metrics.metrics(),
            ties: self.ties,
            without_results: self.without_results,
            ignore_identical_ids: self.metrics.ignore_identical_ids,
        });
        Ok(Request {
            task,
            output: &self.output,
            thresholds: &self.fail_on_regression,
        })
    }
}
