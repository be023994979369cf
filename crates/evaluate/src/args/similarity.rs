use pairmill_cli::{Common, UsageError};
use pairmill_evaluate::{Similarity, Task};

use super::{ModelArgs, OutputArgs, Request};

#[derive(Debug, clap::Args)]
pub struct SimilarityArgs {
    #[command(flatten)]
    models: ModelArgs,
    /// Pairs: sentence1, sentence2, score (`-` reads an Arrow IPC stream from standard input)
    #[arg(long, value_name = "FILE")]
    pairs: String,
    #[command(flatten)]
    output: OutputArgs,
}

impl SimilarityArgs {
    pub fn request(&self, common: &Common) -> Result<Request<'_>, UsageError> {
        Ok(Request {
            task: Task::Similarity(Similarity {
                models: self.models.models(common)?,
                pairs: self.pairs.clone(),
            }),
            output: &self.output,
            thresholds: &self.models.fail_on_regression,
        })
    }
}
