use std::path::PathBuf;

use pairmill_cli::numbers::positive_whole;
use pairmill_cli::{Common, UsageError};
use pairmill_evaluate::{Backend, Device, Models, Regression};
use pairmill_hub::ModelSource;

/// The models to evaluate and how to run them.
#[derive(Debug, clap::Args)]
pub struct ModelArgs {
    /// Folder of the model, in the sentence-transformers format, or its id on the Hugging Face Hub
    #[arg(long, alias = "model-name-or-path", value_name = "DIR_OR_ID")]
    model: ModelSource,
    /// The model to compare it with
    #[arg(long, value_name = "DIR_OR_ID")]
    baseline: Option<ModelSource>,
    /// Use the model's `model_quantized.onnx` (`pairmill-train export --int8` writes one); the
    /// baseline stays in float32, so that a model beside itself shows what int8 costs
    #[arg(long)]
    int8: bool,
    #[command(flatten)]
    network: NetworkArgs,
    /// Folder of `pairmill-train learning-curve`, whose curve the report shows [default: the
    /// model's]
    #[arg(long, value_name = "DIR")]
    learning_curve: Option<PathBuf>,
    /// Exit with code 3 if METRIC is below that of the baseline by more than BY [default: 0]; may
    /// be repeated
    #[arg(long, value_name = "METRIC[:BY]", requires = "baseline")]
    pub fail_on_regression: Vec<Regression>,
}

/// How a sentence encoder is run.
#[derive(Debug, clap::Args)]
pub struct NetworkArgs {
    /// What computes the embeddings
    #[arg(long, value_enum, default_value_t = Backend::Torch)]
    backend: Backend,
    /// Folder that keeps embeddings, found again by model and text: a later run computes only what
    /// is new
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Where to compute
    #[arg(long, value_enum, default_value_t = Device::Cpu)]
    device: Device,
    /// Texts of full length in one forward pass; of shorter ones, as many as make up as many
    /// tokens. On the processor a pass has 2,048 tokens at most, which its caches hold
    #[arg(
        long,
        aliases = ["eval-batch-size", "per-device-eval-batch-size"],
        value_name = "N",
        default_value_t = 32,
        value_parser = positive_whole
    )]
    batch_size: usize,
    /// Longest text in tokens, the rest is cut [default: what the model's folder says]
    #[arg(long, alias = "max-seq-length", value_name = "N", value_parser = positive_whole)]
    max_length: Option<usize>,
}

impl ModelArgs {
    /// # Errors
    /// If the options do not go together.
    pub fn models(&self, common: &Common) -> Result<Models, UsageError> {
        Ok(Models {
            baseline: (self.baseline.as_ref()).map(|baseline| self.network.source(baseline)),
            learning_curve: self.learning_curve.clone(),
            ..self.network.models(&self.model, self.int8, common)?
        })
    }
}

impl NetworkArgs {
    /// Returns a model without a baseline.
    ///
    /// # Errors
    /// If the options do not go together.
    pub fn models(
        &self,
        model: &ModelSource,
        int8: bool,
        common: &Common,
    ) -> Result<Models, UsageError> {
        if int8 && self.backend != Backend::Onnx {
            return Err(UsageError(
                "--int8: libtorch does not run models in int8; add --backend onnx".to_owned(),
            ));
        }
        if self.device == Device::Cuda && self.backend == Backend::Onnx {
            return Err(UsageError(
                "--device cuda: ONNX Runtime runs on the processor here; leave out --backend onnx"
                    .to_owned(),
            ));
        }
        Ok(Models {
            model: self.source(model).with_int8(int8),
            baseline: None,
            backend: self.backend,
            int8,
            device: self.device,
            threads: common.threads(),
            cache: self.cache.clone(),
            batch_size: self.batch_size,
            max_length: self.max_length,
            learning_curve: None,
            query_prompt: None,
            document_prompt: None,
            text_prompt: None,
        })
    }

    fn source(&self, model: &ModelSource) -> ModelSource {
        match self.backend {
            Backend::Torch => model.clone(),
            Backend::Onnx => ModelSource::of_onnx(&model.to_string()),
        }
    }
}
