use pairmill_cli::{Common, UsageError, example};
use pairmill_evaluate::{Pairs, Task};

use super::{ModelArgs, OutputArgs, Request};

#[derive(Debug, clap::Args)]
#[command(before_help = example(
    "pairmill-evaluate pairs --model runs/try/model \
     --baseline sentence-transformers/all-MiniLM-L6-v2 \
     --pairs runs/try/data/labeled_test.parquet"
))]
pub struct PairsArgs {
    #[command(flatten)]
    models: ModelArgs,
    /// Pairs: sentence1, sentence2, label, or a score of 0 or 1 in its place (`-` reads an
    /// Arrow IPC stream from standard input)
    #[arg(long, value_name = "FILE")]
    pairs: String,
    /// Column of which equal values make pairs one unit of the intervals and tests [default: pairs
    /// that share their first sentence are one, or the second where both mean the same]
    #[arg(long, visible_alias = "thread-column", value_name = "NAME")]
    cluster_column: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

impl PairsArgs {
    pub fn request(&self, common: &Common) -> Result<Request<'_>, UsageError> {
        Ok(Request {
            task: Task::Pairs(Pairs {
                models: self.models.models(common)?,
                pairs: self.pairs.clone(),
                cluster_column: self.cluster_column.clone(),
            }),
            output: &self.output,
            thresholds: &self.models.fail_on_regression,
        })
    }
}
