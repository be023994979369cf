use pairmill_cli::UsageError;
use pairmill_evaluate::{RankedRun, Task};

use super::{OutputArgs, Request, refuse_stdin};

#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Ranked run: query_id, corpus_id, rank, score
    #[arg(long, value_name = "FILE")]
    run: String,
    /// Judgements: query_id, corpus_id, score
    #[arg(long, value_name = "FILE")]
    qrels: String,
    #[command(flatten)]
    output: OutputArgs,
}

impl RunArgs {
    pub fn request(&self) -> Result<Request<'_>, UsageError> {
        refuse_stdin([("run", &self.run), ("qrels", &self.qrels)])?;
        let task = Task::RankedRun(RankedRun {
            run: self.run.clone(),
            qrels: self.qrels.clone(),
        });
        Ok(Request {
            task,
            output: &self.output,
            thresholds: &[],
        })
    }
}
