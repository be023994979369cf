use pairmill_cli::{Common, UsageError, example};
use pairmill_evaluate::{Margin, Task, Triplets};

use super::{ModelArgs, OutputArgs, Request};

#[derive(Debug, clap::Args)]
#[command(before_help = example(
    "pairmill-evaluate triplets --model runs/try/model \
     --baseline sentence-transformers/all-MiniLM-L6-v2 \
     --triplets runs/try/triplets.parquet"
))]
pub struct TripletsArgs {
    #[command(flatten)]
    models: ModelArgs,
    /// Triplets: anchor, positive, negative (`-` reads an Arrow IPC stream from standard input)
    #[arg(long, value_name = "FILE")]
    triplets: String,
    /// By how much the positive has to be more alike than the negative, for all similarity
    /// functions or for one of cosine, dot, euclidean and manhattan; may be repeated [default: 0]
    #[arg(long, value_name = "[FUNCTION:]BY", allow_hyphen_values = true)]
    margin: Vec<Margin>,
    /// Column of which equal values make triplets one unit of the intervals and tests [default:
    /// triplets that share an anchor or a positive are one]
    #[arg(long, visible_alias = "thread-column", value_name = "NAME")]
    cluster_column: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

impl TripletsArgs {
    pub fn request(&self, common: &Common) -> Result<Request<'_>, UsageError> {
        Ok(Request {
            task: Task::Triplets(Triplets {
                models: self.models.models(common)?,
                triplets: self.triplets.clone(),
                margins: self.margin.clone(),
                cluster_column: self.cluster_column.clone(),
            }),
            output: &self.output,
            thresholds: &self.models.fail_on_regression,
        })
    }
}
