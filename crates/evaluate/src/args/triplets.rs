use pairmill_cli::{Common, UsageError};
use pairmill_evaluate::{Task, Triplets};

use super::{ModelArgs, OutputArgs, Request};

#[derive(Debug, clap::Args)]
pub struct TripletsArgs {
    #[command(flatten)]
    models: ModelArgs,
    /// Triplets: anchor, positive, negative (`-` reads an Arrow IPC stream from standard input)
    #[arg(long, value_name = "FILE")]
    triplets: String,
    #[command(flatten)]
    output: OutputArgs,
}

impl TripletsArgs {
    pub fn request(&self, common: &Common) -> Result<Request<'_>, UsageError> {
        Ok(Request {
            task: Task::Triplets(Triplets {
                models: self.models.models(common)?,
                triplets: self.triplets.clone(),
            }),
            output: &self.output,
            thresholds: &self.models.fail_on_regression,
        })
    }
}
