use std::collections::HashMap;
use std::path::Path;

use pairmill_cli::Progress;
use pairmill_modeling::{ModelError, SentenceEncoder};
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
    /// Folder of the model.
    pub model: String,
    /// Folder of the model it is compared with.
    pub baseline: Option<String>,
    /// Where they run.
    pub device: Device,
    /// Texts of full length in one forward pass; of shorter texts, as many as make up the same
    /// number of tokens.
    pub batch_size: usize,
    /// Longest text in tokens; `None` is what each model's own folder says.
    pub max_length: Option<usize>,
}

/// What of [`Models`] shapes the figures, for the lineage.
#[derive(Debug, Serialize)]
pub(crate) struct ModelOptions {
    device: Device,
    batch_size: usize,
    max_length: Option<usize>,
}

impl Models {
    pub(crate) fn options(&self) -> ModelOptions {
        ModelOptions {
            device: self.device,
            batch_size: self.batch_size,
            max_length: self.max_length,
        }
    }

    pub(crate) fn add_to(&self, lineage: Lineage) -> Result<Lineage> {
        let lineage = lineage.with_input("model", &self.model)?;
        Ok(match &self.baseline {
            Some(folder) => lineage.with_input("baseline", folder)?,
            None => lineage,
        })
    }

    pub(crate) fn load(&self, threads: usize) -> Result<Compared<Encoder>> {
        let folders = Compared {
            model: ("model", &self.model),
            baseline: self.baseline.as_ref().map(|folder| ("baseline", folder)),
        };
        tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
        folders.try_map(|&(role, folder)| Encoder::load(self, role, folder))
    }
}

/// A loaded model. All use of `pairmill-modeling` goes through here.
pub(crate) struct Encoder {
    /// `model` or `baseline`, for progress and log lines.
    pub role: &'static str,
    folder: String,
    batch_tokens: usize,
    inner: SentenceEncoder,
}

impl Encoder {
    fn load(models: &Models, role: &'static str, folder: &str) -> Result<Self> {
        let device = match models.device {
            Device::Cpu => tch::Device::Cpu,
            Device::Cuda if tch::Cuda::is_available() => tch::Device::Cuda(0),
            Device::Cuda => return Err(EvaluateError::NoCuda),
        };
        let failed = |source: ModelError| EvaluateError::Model {
            folder: folder.to_owned(),
            source,
        };
        let mut inner = SentenceEncoder::load(Path::new(folder), device).map_err(failed)?;
        if let Some(max_length) = models.max_length {
            inner.set_max_length(max_length).map_err(failed)?;
        }
        tracing::info!(
            "{role} {folder}: {} dimensions, texts up to {} tokens",
            inner.dimension(),
            inner.max_length()
        );
        Ok(Self {
            role,
            folder: folder.to_owned(),
            batch_tokens: models.batch_size.saturating_mul(inner.max_length()),
            inner,
        })
    }

    /// Unit vectors of the texts, in their order. Equal texts are computed once, so their vectors
    /// are equal to the last bit.
    pub fn embed(&self, texts: &[&str], progress: &Progress) -> Result<Embeddings> {
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
            .encode(&distinct, self.batch_tokens, &|done| {
                progress.inc(done as u64)
            })
            .map_err(|source| EvaluateError::Model {
                folder: self.folder.clone(),
                source,
            })?;
        let embeddings = Embeddings::normalised(values, self.inner.dimension()).map_err(|row| {
            EvaluateError::NotFinite {
                folder: self.folder.clone(),
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
    pub fn embed_all(&self, texts: &[&str]) -> Result<Embeddings> {
        let label = format!("embedding ({})", self.role);
        let progress = Progress::new(label, "texts", Some(texts.len() as u64));
        self.embed(texts, &progress)
    }
}
