use pairmill_hub::ModelSource;
use pairmill_inference::SentenceEncoderOptions;
use serde::Serialize;

/// How passages are found.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retrieval {
    /// By BM25.
    #[default]
    Bm25,
    /// By the similarity of embeddings.
    Dense(Encoder),
    /// By both, fused by reciprocal ranks.
    Hybrid {
        /// The model of the embeddings.
        #[serde(flatten)]
        encoder: Encoder,
        /// What is added to each rank.
        rrf_k: u32,
    },
}

/// A sentence encoder, and how it reads texts.
#[derive(Debug, Clone, Serialize)]
pub struct Encoder {
    /// The model.
    #[serde(skip)]
    pub model: ModelSource,
    /// Text put before each query; the model's own if not given.
    pub query_prompt: Option<String>,
    /// Text put before each passage; the model's own if not given.
    pub document_prompt: Option<String>,
    /// Longest text in tokens; the model's own limit if not given.
    pub max_length: Option<usize>,
    /// Tokens in a batch, padding counted.
    #[serde(skip)]
    pub token_budget: usize,
}

impl Retrieval {
    /// Returns whether passages are found by BM25, alone or not.
    pub fn has_bm25(&self) -> bool {
        !matches!(self, Self::Dense(_))
    }

    /// Returns the sentence encoder, if there is one.
    pub fn encoder(&self) -> Option<&Encoder> {
        match self {
            Self::Bm25 => None,
            Self::Dense(encoder) | Self::Hybrid { encoder, .. } => Some(encoder),
        }
    }
}

impl Encoder {
    pub(crate) fn options(&self, threads: usize) -> SentenceEncoderOptions {
        SentenceEncoderOptions {
            threads,
            max_length: self.max_length,
            token_budget: self.token_budget,
            int8: false,
        }
    }
}
