use std::sync::Arc;

use pairmill_checkpoint::normalize;
use pairmill_inference::{SentenceEncoder, SimilarityFunction};
use serde::Serialize;

use crate::Result;

/// Raised whenever embeddings written by an older version must not be reused.
const LAYOUT: u32 = 2;

/// A sentence encoder and how it is used.
#[derive(Debug, Clone)]
pub struct Model {
    /// The encoder.
    pub encoder: Arc<SentenceEncoder>,
    /// Hash of its files.
    pub hash: String,
    /// Text put before each query.
    pub query_prompt: String,
    /// Text put before each passage.
    pub document_prompt: String,
}

impl Model {
    /// Returns the embeddings of texts as they are compared: of length 1 where that is by cosine.
    pub(crate) fn embed(
        &self,
        texts: &[&str],
        side: Side,
        embedded: impl Fn(u64),
    ) -> Result<Vec<f32>> {
        let prompt = match side {
            Side::Query => &self.query_prompt,
            Side::Document => &self.document_prompt,
        };
        let done = |batch: &[usize]| embedded(batch.len() as u64);
        let mut embeddings = self.encoder.embed_with(texts, prompt, done)?;
        if self.encoder.similarity() == SimilarityFunction::Cosine {
            embeddings
                .chunks_exact_mut(self.encoder.dimension())
                .for_each(normalize);
        }
        Ok(embeddings)
    }

    /// Returns what decides on the embedding of a passage.
    pub(crate) fn about(&self) -> impl Serialize + use<> {
        serde_json::json!({
            "layout": LAYOUT,
            "model": self.hash,
            "max_length": self.encoder.max_length(),
            "prompt": self.document_prompt,
            "similarity": self.encoder.similarity(),
            "dimension": self.encoder.dimension(),
        })
    }
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Query,
    Document,
}
