use std::collections::HashMap;

use pairmill_cli::Progress;
use pairmill_hub::ModelSource;
use pairmill_modeling::{ModelError, SentenceEncoder, Side};
use pairmill_tables::Lineage;
use serde::Serialize;

use crate::compared::Compared;
use crate::embeddings::Embeddings;
use crate::{EvaluateError, Result};

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
    /// Where they run.
    pub device: Device,
    /// Texts of full length in one forward pass; of shorter texts, as many as make up the same
    /// number of tokens.
    pub batch_size: usize,
    /// Longest text in tokens; `None` is what each model's own folder says.
    pub max_length: Option<usize>,
    /// Text put before each query; `None` is what each model's own folder says.
    pub query_prompt: Option<String>,
    /// Text put before each document; `None` is what each model's own folder says.
    pub document_prompt: Option<String>,
}

/// What of [`Models`] shapes the figures, for the lineage.
#[derive(Debug, Serialize)]
pub(crate) struct ModelOptions<'a> {
    device: Device,
    batch_size: usize,
    max_length: Option<usize>,
    query_prompt: Option<&'a str>,
    document_prompt: Option<&'a str>,
}

impl Models {
    pub(crate) fn options(&self) -> ModelOptions<'_> {
        ModelOptions {
            device: self.device,
            batch_size: self.batch_size,
            max_length: self.max_length,
            query_prompt: self.query_prompt.as_deref(),
            document_prompt: self.document_prompt.as_deref(),
        }
    }

    pub(crate) fn add_to(&self, lineage: Lineage) -> Result<Lineage> {
        let add = |lineage: Lineage, role, model: &ModelSource| -> Result<Lineage> {
            Ok(lineage.with_input(role, &model.folder()?.display().to_string())?)
        };
        let lineage = add(lineage, "model", &self.model)?;
        match &self.baseline {
            Some(baseline) => add(lineage, "baseline", baseline),
            None => Ok(lineage),
        }
    }

    pub(crate) fn load(&self, threads: usize) -> Result<Compared<Encoder>> {
        let models = Compared {
            model: ("model", &self.model),
            baseline: self.baseline.as_ref().map(|model| ("baseline", model)),
        };
        tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
        models.try_map(|&(role, model)| Encoder::load(self, role, model))
    }
}

/// A loaded model. All use of `pairmill-modeling` goes through here.
pub(crate) struct Encoder {
    /// `model` or `baseline`, for progress and log lines.
    pub role: &'static str,
    name: String,
    batch_tokens: usize,
    inner: SentenceEncoder,
}

impl Encoder {
    fn load(models: &Models, role: &'static str, model: &ModelSource) -> Result<Self> {
        let device = match models.device {
            Device::Cpu => tch::Device::Cpu,
            Device::Cuda if tch::Cuda::is_available() => tch::Device::Cuda(0),
            Device::Cuda => return Err(EvaluateError::NoCuda),
        };
        let failed = |source: ModelError| EvaluateError::Model {
            model: model.to_string(),
            source,
        };
        let mut inner = SentenceEncoder::load(model.folder()?, device).map_err(failed)?;
        if let Some(max_length) = models.max_length {
            inner.set_max_length(max_length).map_err(failed)?;
        }
        let (query, document) = (&models.query_prompt, &models.document_prompt);
        let prompts = inner.prompts().with(query.as_deref(), document.as_deref());
        inner.set_prompts(prompts).map_err(failed)?;
        tracing::info!(
            "{role} {model}: {} dimensions, texts up to {} tokens",
            inner.dimension(),
            inner.max_length()
        );
        Ok(Self {
            role,
            name: model.to_string(),
            batch_tokens: models.batch_size.saturating_mul(inner.max_length()),
            inner,
        })
    }

    /// Unit vectors of the texts, in their order. Equal texts are computed once, so their vectors
    /// are equal to the last bit.
    pub fn embed(&self, texts: &[&str], side: Side, progress: &Progress) -> Result<Embeddings> {
        self.embed_as(Embeddings::normalised, texts, side, progress)
    }

    fn embed_as(
        &self,
        embeddings_of: impl FnOnce(Vec<f32>, usize) -> Result<Embeddings, usize>,
        texts: &[&str],
        side: Side,
        progress: &Progress,
    ) -> Result<Embeddings> {
        let mut rows = HashMap::new();
        let mut distinct = Vec::new();
        let row_of_text: Vec<usize> = texts
            .iter()
            .map(|&text| {
                *rows.entry(text).or_insert_with(|| {
                    distinct.push(text);
                    distinct.len() - 1
                })
            })
            .collect();
        progress.inc((texts.len() - distinct.len()) as u64);
        let values = self
            .inner
            .encode(&distinct, side, self.batch_tokens, &|done| {
                progress.inc(done as u64)
            })
            .map_err(|source| EvaluateError::Model {
                model: self.name.clone(),
                source,
            })?;
        let embeddings = embeddings_of(values, self.inner.dimension()).map_err(|row| {
            EvaluateError::NotFinite {
                model: self.name.clone(),
                text: distinct[row].chars().take(60).collect(),
            }
        })?;
        Ok(if distinct.len() == texts.len() {
            embeddings
        } else {
            embeddings.select(&row_of_text)
        })
    }

    /// As [`embed`](Self::embed), with a progress of its own.
    pub fn embed_all(&self, texts: &[&str], side: Side) -> Result<Embeddings> {
        self.embed(texts, side, &self.progress(texts))
    }

    /// As [`embed_all`](Self::embed_all), but the vectors as the model gives them, which need not
    /// be of unit length.
    pub fn embed_raw(&self, texts: &[&str], side: Side) -> Result<Embeddings> {
        self.embed_as(Embeddings::new, texts, side, &self.progress(texts))
    }

    fn progress(&self, texts: &[&str]) -> Progress {
        let label = format!("embedding ({})", self.role);
        Progress::new(label, "texts", Some(texts.len() as u64))
    }
}
