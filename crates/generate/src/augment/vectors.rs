use pairmill_checkpoint::scale_to_unit;
use pairmill_cli::Progress;
use pairmill_inference::{SentenceEncoder, SentenceEncoderOptions};
use tracing::{info, warn};

use super::config::AugmentModel;
use crate::Result;

/// Vectors of length 1, one a row.
pub(super) struct Vectors {
    dimension: usize,
    values: Vec<f32>,
}

impl Vectors {
    /// Takes a row-major matrix and scales each row to length 1.
    pub fn new(mut values: Vec<f32>, dimension: usize) -> Self {
        values.chunks_exact_mut(dimension).for_each(scale_to_unit);
        Self { dimension, values }
    }

    pub fn dimension(&self) -> usize {
        self.dimension
    }

    pub fn row(&self, number: usize) -> &[f32] {
        &self.values[number * self.dimension..][..self.dimension]
    }

    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.dimension)
    }
}

/// The model of the gates.
pub(super) struct Encoder {
    encoder: SentenceEncoder,
    name: String,
}

impl Encoder {
    pub fn load(model: &AugmentModel, threads: usize) -> Result<Self> {
        let options = SentenceEncoderOptions {
            threads,
            max_length: model.max_length,
            ..SentenceEncoderOptions::default()
        };
        Ok(Self {
            encoder: SentenceEncoder::load(model.source.folder()?, &options)?,
            name: model.source.name(),
        })
    }

    /// Embeds texts that search.
    pub fn queries(&self, texts: &[&str], what: &'static str) -> Result<Vectors> {
        self.embed(texts, &self.encoder.prompts().query, what)
    }

    /// Embeds texts that are found.
    pub fn documents(&self, texts: &[&str], what: &'static str) -> Result<Vectors> {
        self.embed(texts, &self.encoder.prompts().document, what)
    }

    fn embed(&self, texts: &[&str], prompt: &str, what: &'static str) -> Result<Vectors> {
        info!("embedding {} {what} with {}", texts.len(), self.name);
        let progress = Progress::new("embedding", what, Some(texts.len() as u64));
        let done = |batch: &[usize]| progress.inc(batch.len() as u64);
        let values = self.encoder.embed_with(texts, prompt, done)?;
        Ok(Vectors::new(values, self.encoder.dimension()))
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        let cut = self.encoder.tally().truncated;
        if cut > 0 {
            warn!(
                "{cut} texts are longer than the {} tokens that the model reads and were cut, so \
                 what stands behind was not compared",
                self.encoder.max_length()
            );
        }
    }
}
