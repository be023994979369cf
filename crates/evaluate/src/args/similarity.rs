use pairmill_cli::{Common, UsageError, example};
use pairmill_evaluate::{Similarity, Task};

use super::{ModelArgs, OutputArgs, Request};

#[derive(Debug, clap::Args)]
#[command(before_help = example(
    "pairmill-evaluate similarity --model runs/try/model \
     --baseline sentence-transformers/all-MiniLM-L6-v2 \
     --pairs runs/try/data/labeled_test.parquet"
))]
pub struct SimilarityArgs {
    #[command(flatten)]
    models: ModelArgs,
    /// Pairs: sentence1, sentence2, score (`-` reads an Arrow IPC stream from standard input)
    #[arg(long, value_name = "FILE")]
    pairs: String,
    /// Column of which equal values make pairs one unit of the intervals and tests [default: pairs
    /// that share their first sentence are one, or the second at the highest score]
    #[arg(long, visible_alias = "thread-column", value_name = "NAME")]
    cluster_column: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

impl SimilarityArgs {
    pub fn request(&self, common: &Common) -> Result<Request<'_>, UsageError> {
        Ok(Request {
            task: Task::Similarity(Similarity {
                models: self.models.models(common)?,
                pairs: self.pairs.clone(),
                cluster_column: self.cluster_column.clone(),
            }),
            output: &self.output,
            thresholds: &self.models.fail_on_regression,
        })
    }
}
