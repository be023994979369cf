use pairmill_evaluate::{Device, Models, Regression};
use pairmill_hub::ModelSource;

use super::at_least_one;

/// The models to evaluate and how to run them.
#[derive(Debug, clap::Args)]
pub struct ModelArgs {
    /// Folder of the model, in the sentence-transformers format, or its id on the Hugging Face Hub
    #[arg(long, value_name = "DIR_OR_ID")]
    model: ModelSource,
    /// The model to compare it with
    #[arg(long, value_name = "DIR_OR_ID")]
    baseline: Option<ModelSource>,
    /// Where the models run
    #[arg(long, value_enum, default_value_t = Device::Cpu)]
    device: Device,
    /// Texts of full length in one forward pass; of shorter ones, as many as make up as many tokens
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = at_least_one)]
    batch_size: usize,
    /// Longest text in tokens, the rest is cut [default: what the model's folder says]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    max_length: Option<usize>,
    /// Exit with code 3 if METRIC is below that of the baseline by more than BY [default: 0]; may
    /// be repeated
    #[arg(long, value_name = "METRIC[:BY]", requires = "baseline")]
    pub fail_on_regression: Vec<Regression>,
}

impl ModelArgs {
    pub fn models(&self) -> Models {
        Models {
            model: self.model.clone(),
            baseline: self.baseline.clone(),
            device: self.device,
            batch_size: self.batch_size,
            max_length: self.max_length,
            query_prompt: None,
            document_prompt: None,
        }
    }
}
