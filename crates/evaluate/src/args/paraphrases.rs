use pairmill_cli::numbers::positive_whole;
use pairmill_cli::{Common, UsageError, example};
use pairmill_evaluate::{Paraphrases, Task};

use super::{ModelArgs, OutputArgs, Request, refuse_stdin};

#[derive(Debug, clap::Args)]
#[command(before_help = example(
    "pairmill-evaluate paraphrases --model sentence-transformers/all-MiniLM-L6-v2 \
     --sentences sentences.csv --duplicates duplicates.csv"
))]
pub struct ParaphrasesArgs {
    #[command(flatten)]
    models: ModelArgs,
    /// Sentences: id, text
    #[arg(long, value_name = "FILE")]
    sentences: String,
    /// Pairs that mean the same: sentence1_id, sentence2_id; where there is a score, those of 0.5
    /// or more
    #[arg(long, value_name = "FILE")]
    duplicates: String,
    /// Take what means the same as one sentence to mean the same as each other
    #[arg(long)]
    add_transitive_closure: bool,
    /// Nearest sentences that can be paired with each one
    #[arg(long, value_name = "K", default_value_t = 100, value_parser = positive_whole)]
    top_k: usize,
    /// Pairs to mine
    #[arg(long, value_name = "N", default_value_t = 500_000, value_parser = positive_whole)]
    max_pairs: usize,
    #[command(flatten)]
    output: OutputArgs,
}

impl ParaphrasesArgs {
    pub fn request(&self, common: &Common) -> Result<Request<'_>, UsageError> {
        refuse_stdin([
            ("sentences", &self.sentences),
            ("duplicates", &self.duplicates),
        ])?;
        let task = Task::Paraphrases(Paraphrases {
            models: self.models.models(common)?,
            sentences: self.sentences.clone(),
            duplicates: self.duplicates.clone(),
            add_transitive_closure: self.add_transitive_closure,
            top_k: self.top_k,
            max_pairs: self.max_pairs,
        });
        Ok(Request {
            task,
            output: &self.output,
            thresholds: &self.models.fail_on_regression,
        })
    }
}
