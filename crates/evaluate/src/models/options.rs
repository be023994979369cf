use std::path::PathBuf;

use pairmill_checkpoint::Prompts;
use pairmill_hub::ModelSource;
use pairmill_tables::Lineage;
use serde::Serialize;

use crate::error::Result;

/// What computes the embeddings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// libtorch, from the model's safetensors.
    Torch,
    /// ONNX Runtime, from the model's `model.onnx`, on the processor.
    Onnx,
}

/// Where a model runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// The processor.
    Cpu,
    /// The first NVIDIA GPU.
    Cuda,
}

/// Which models to evaluate, and how to run them.
#[derive(Debug, Clone)]
pub struct Models {
    /// The model.
    pub model: ModelSource,
    /// The model it is compared with.
    pub baseline: Option<ModelSource>,
    /// What computes the embeddings.
    pub backend: Backend,
    /// Use `model_quantized.onnx` of the model, not of the baseline; with [`Backend::Onnx`] alone.
    pub int8: bool,
    /// Where they run; ONNX Runtime runs on the processor alone.
    pub device: Device,
    /// Threads to use.
    pub threads: usize,
    /// Folder that keeps embeddings for later runs.
    pub cache: Option<PathBuf>,
    /// Texts of full length in one forward pass; of shorter texts, as many as make up the same
    /// number of tokens.
    pub batch_size: usize,
    /// Longest text in tokens; `None` is what each model's own folder says.
    pub max_length: Option<usize>,
    /// Folder of a learning curve to show in the report; `None` is the model's own.
    pub learning_curve: Option<PathBuf>,
    /// Text put before each query; `None` is what each model's own folder says.
    pub query_prompt: Option<String>,
    /// Text put before each document; `None` is what each model's own folder says.
    pub document_prompt: Option<String>,
    /// Text put before each text that is neither; `None` is what each model's own folder says.
    pub text_prompt: Option<String>,
}

/// What of [`Models`] shapes the figures, for the lineage.
#[derive(Debug, Serialize)]
pub(crate) struct ModelOptions<'a> {
    backend: Backend,
    int8: bool,
    device: Device,
    batch_size: usize,
    max_length: Option<usize>,
    query_prompt: Option<&'a str>,
    document_prompt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_prompt: Option<&'a str>,
}

impl Models {
    /// Returns whether one of both is to be used from now on: int8 is compared to see what it
    /// costs, and a model with itself to see that nothing differs.
    pub(crate) fn is_choice(&self) -> bool {
        let model = self.model.to_string();
        let is_other = |baseline: &ModelSource| baseline.to_string() != model;
        !self.int8 && self.baseline.as_ref().is_some_and(is_other)
    }

    /// Returns a model's own prompts with those that the user gave.
    pub(crate) fn prompts(&self, own: &Prompts) -> Prompts {
        let given = |given: &Option<String>, own: &String| given.clone().unwrap_or(own.clone());
        Prompts {
            query: given(&self.query_prompt, &own.query),
            document: given(&self.document_prompt, &own.document),
            text: given(&self.text_prompt, &own.text),
        }
    }

    pub(crate) fn options(&self) -> ModelOptions<'_> {
        ModelOptions {
            backend: self.backend,
            int8: self.int8,
            device: self.device,
            batch_size: self.batch_size,
            max_length: self.max_length,
            query_prompt: self.query_prompt.as_deref(),
            document_prompt: self.document_prompt.as_deref(),
            text_prompt: self.text_prompt.as_deref(),
        }
    }

    pub(crate) fn add_to(&self, lineage: Lineage) -> Result<Lineage> {
        let add = |lineage: Lineage, role, model: &ModelSource| -> Result<Lineage> {
            Ok(lineage.with_input(role, &model.folder()?.display().to_string())?)
        };
        let mut lineage = add(lineage, "model", &self.model)?;
        if let Some(baseline) = &self.baseline {
            lineage = add(lineage, "baseline", baseline)?;
        }
        if let Some(folder) = &self.learning_curve {
            lineage = lineage.with_input("learning_curve", &folder.display().to_string())?;
        }
        Ok(lineage)
    }
}
