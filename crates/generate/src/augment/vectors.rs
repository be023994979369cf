use pairmill_cli::Progress;
use pairmill_inference::{SentenceEncoder, SentenceEncoderOptions};
use pairmill_retrieval::Embeddings;
use pairmill_schema::excerpt;
use tracing::{info, warn};

use super::config::AugmentModel;
use crate::input::EXCERPT;
use crate::{GenerateError, Result};

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
    pub fn queries(&self, texts: &[&str], what: &'static str) -> Result<Embeddings> {
        self.embed(texts, &self.encoder.prompts().query, what)
    }

    /// Embeds texts that are found.
    pub fn documents(&self, texts: &[&str], what: &'static str) -> Result<Embeddings> {
        self.embed(texts, &self.encoder.prompts().document, what)
    }

    fn embed(&self, texts: &[&str], prompt: &str, what: &'static str) -> Result<Embeddings> {
        info!("embedding {} {what} with {}", texts.len(), self.name);
        let progress = Progress::new("embedding", what, Some(texts.len() as u64));
        let done = |batch: &[usize]| progress.inc(batch.len() as u64);
        let values = self.encoder.embed_with(texts, prompt, done)?;
        let embeddings = Embeddings::normalised(values, self.encoder.dimension());
        embeddings.map_err(|row| GenerateError::NoVector {
            model: self.name.clone(),
            text: excerpt(texts[row], EXCERPT),
        })
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
