use std::fmt;
use std::path::Path;

use pairmill_checkpoint::Prompts;
use pairmill_inference::SentenceEncoderOptions;
use pairmill_modeling::{SentenceEncoder, Side, SimilarityFunction};

use crate::error::{EvaluateError, Result};
use crate::models::options::{Backend, Device, Models};

/// A model as one of the backends has loaded it.
pub(crate) enum Network {
    Torch(Box<SentenceEncoder>),
    Onnx {
        encoder: Box<pairmill_inference::SentenceEncoder>,
        prompts: Prompts,
    },
}

impl Network {
    /// Loads the model of a folder; `name` is how the user calls it.
    pub fn load(models: &Models, name: &impl fmt::Display, folder: &Path) -> Result<Self> {
        match models.backend {
            Backend::Torch => Self::load_torch(models, name, folder),
            Backend::Onnx => Self::load_onnx(models, name, folder),
        }
    }

    fn load_torch(models: &Models, name: &impl fmt::Display, folder: &Path) -> Result<Self> {
        let device = match models.device {
            Device::Cpu => tch::Device::Cpu,
            Device::Cuda => pairmill_modeling::cuda().map_err(EvaluateError::Device)?,
        };
        let failed = |source| EvaluateError::Model {
            model: name.to_string(),
            source,
        };
        tch::set_num_threads(i32::try_from(models.threads).unwrap_or(i32::MAX));
        let mut encoder = SentenceEncoder::load(folder, device).map_err(failed)?;
        if let Some(max_length) = models.max_length {
            encoder.set_max_length(max_length).map_err(failed)?;
        }
        let prompts = models.prompts(encoder.prompts());
        encoder.set_prompts(prompts);
        Ok(Self::Torch(Box::new(encoder)))
    }

    fn load_onnx(models: &Models, name: &impl fmt::Display, folder: &Path) -> Result<Self> {
        let options = SentenceEncoderOptions {
            threads: models.threads,
            max_length: models.max_length,
            int8: models.int8,
            ..SentenceEncoderOptions::default()
        };
        let encoder = pairmill_inference::SentenceEncoder::load(folder, &options);
        let encoder = encoder.map_err(|source| EvaluateError::Onnx {
            model: name.to_string(),
            source,
        })?;
        Ok(Self::Onnx {
            prompts: models.prompts(encoder.prompts()),
            encoder: Box::new(encoder),
        })
    }

    /// Components of an embedding.
    pub fn dimension(&self) -> usize {
        match self {
            Self::Torch(encoder) => encoder.dimension(),
            Self::Onnx { encoder, .. } => encoder.dimension(),
        }
    }

    /// Returns how the model's embeddings are compared.
    pub fn similarity(&self) -> SimilarityFunction {
        match self {
            Self::Torch(encoder) => encoder.similarity(),
            Self::Onnx { encoder, .. } => encoder.similarity(),
        }
    }

    /// Returns the longest text in tokens.
    pub fn max_length(&self) -> usize {
        match self {
            Self::Torch(encoder) => encoder.max_length(),
            Self::Onnx { encoder, .. } => encoder.max_length(),
        }
    }

    /// Texts so far that were longer and therefore cut.
    pub fn truncated(&self) -> u64 {
        match self {
            Self::Torch(encoder) => encoder.truncated(),
            Self::Onnx { encoder, .. } => encoder.tally().truncated,
        }
    }

    /// Counts those of texts whose embeddings are there already, so that what is said of a run does
    /// not depend on what an earlier one has kept.
    pub fn count_cut(&self, name: &str, texts: &[&str], side: Side) -> Result<()> {
        let Self::Torch(encoder) = self else {
            return Ok(());
        };
        // A token is a byte at least, but for some that mark the ends.
        const MARKS: usize = 8;
        let besides = self.prompt(side).len() + MARKS;
        let long = texts.iter();
        let long = long.filter(|text| text.len() + besides > encoder.max_length());
        let long: Vec<&str> = long.copied().collect();
        let counted = encoder.tokenize(&long, side);
        counted.map(|_| ()).map_err(|source| EvaluateError::Model {
            model: name.to_owned(),
            source,
        })
    }

    /// Returns what is put before a text.
    pub fn prompt(&self, side: Side) -> &str {
        let (query, document, text) = match self {
            Self::Torch(encoder) => {
                let prompts = encoder.prompts();
                (&prompts.query, &prompts.document, &prompts.text)
            }
            Self::Onnx { prompts, .. } => (&prompts.query, &prompts.document, &prompts.text),
        };
        match side {
            Side::Query => query,
            Side::Document => document,
            Side::Text => text,
        }
    }

    /// Returns the embeddings of texts, row-major, as the model gives them. `progress` hears how
    /// many more are done.
    pub fn encode(
        &self,
        name: &str,
        texts: &[&str],
        side: Side,
        batch_size: usize,
        progress: &dyn Fn(usize),
    ) -> Result<Vec<f32>> {
        match self {
            Self::Torch(encoder) => {
                let batch_tokens = batch_size.saturating_mul(encoder.max_length());
                let embeddings = encoder.encode(texts, side, batch_tokens, progress);
                embeddings.map_err(|source| EvaluateError::Model {
                    model: name.to_owned(),
                    source,
                })
            }
            Self::Onnx { encoder, .. } => {
                let done = |batch: &[usize]| progress(batch.len());
                let embeddings = encoder.embed_with(texts, self.prompt(side), done);
                embeddings.map_err(|source| EvaluateError::Onnx {
                    model: name.to_owned(),
                    source,
                })
            }
        }
    }
}
