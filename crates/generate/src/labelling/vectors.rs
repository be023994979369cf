use std::path::{Path, PathBuf};
use std::sync::Arc;

use pairmill_cli::Progress;
use pairmill_dense::{Model, Store, store_texts};
use pairmill_hub::ModelSource;
use pairmill_inference::{SentenceEncoder, SentenceEncoderOptions};
use pairmill_retrieval::Embeddings;
use pairmill_tables::{ColumnNames, Lineage};
use serde::Serialize;
use tracing::{info, warn};

use crate::{GenerateError, Result};

/// The columns of a pool or of labelled texts, where they have other names.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TextColumns {
    /// Column of the ids.
    pub id: Option<String>,
    /// Column of the texts.
    pub text: Option<String>,
    /// Column of the categories.
    pub category: Option<String>,
}

impl TextColumns {
    pub(crate) fn names(&self) -> ColumnNames {
        ColumnNames::new([
            ("id", self.id.as_deref()),
            ("text", self.text.as_deref()),
            ("category", self.category.as_deref()),
        ])
        .with_optional("id")
    }
}

/// The model whose embeddings tell texts apart.
#[derive(Debug, Clone)]
pub struct LabellingModel {
    /// A sentence-transformers folder with an ONNX file, or its id on the Hub.
    pub model: ModelSource,
    /// Longest text in tokens; the model's own limit if not given.
    pub max_length: Option<usize>,
    /// Folder where embeddings are kept from run to run.
    pub cache: Option<PathBuf>,
}

impl LabellingModel {
    /// Adds the model to what an output is made of.
    pub(crate) fn add_to(&self, lineage: Lineage) -> Result<Lineage> {
        let folder = self.model.folder()?;
        Ok(lineage.with_input("model", &folder.to_string_lossy())?)
    }

    /// Returns the embeddings of texts, scaled to length 1. Without a cache they lie in a folder
    /// that is gone when the run ends.
    pub(crate) fn embed(
        &self,
        texts: &[&str],
        lineage: &Lineage,
        threads: usize,
    ) -> Result<Embeddings> {
        let prompt = |encoder: &SentenceEncoder| encoder.prompts().document.clone();
        self.embed_with(prompt, texts, lineage, threads)
    }

    /// As [`embed`](Self::embed), of texts that search.
    pub(crate) fn embed_queries(
        &self,
        texts: &[&str],
        lineage: &Lineage,
        threads: usize,
    ) -> Result<Embeddings> {
        let prompt = |encoder: &SentenceEncoder| encoder.prompts().query.clone();
        self.embed_with(prompt, texts, lineage, threads)
    }

    fn embed_with(
        &self,
        prompt: impl Fn(&SentenceEncoder) -> String,
        texts: &[&str],
        lineage: &Lineage,
        threads: usize,
    ) -> Result<Embeddings> {
        let options = SentenceEncoderOptions {
            threads,
            max_length: self.max_length,
            ..SentenceEncoderOptions::default()
        };
        let encoder = Arc::new(SentenceEncoder::load(self.model.folder()?, &options)?);
        let model = Model {
            hash: lineage.inputs.get("model").cloned().unwrap_or_default(),
            query_prompt: String::new(),
            document_prompt: prompt(&encoder),
            encoder: Arc::clone(&encoder),
        };
        let temporary;
        let folder = match &self.cache {
            Some(cache) => cache,
            None => {
                let folder = tempfile::Builder::new().prefix("pairmill-").tempdir();
                temporary = folder.map_err(GenerateError::Temporary)?;
                temporary.path()
            }
        };
        let store = self.store_texts(folder, &model, texts)?;
        let cut = encoder.tally().truncated;
        if cut > 0 {
            warn!(
                "{cut} texts are longer than the {} tokens that the model reads and were cut",
                encoder.max_length()
            );
        }
        let dimension = encoder.dimension();
        // The embeddings of a million texts take all memory that there is to spare.
        drop((model, encoder));
        let values = store.of_texts(texts)?;
        drop(store);
        let embeddings = Embeddings::normalised(values, dimension);
        embeddings.map_err(|row| GenerateError::NoVector {
            model: self.model.name(),
            text: pairmill_schema::excerpt(texts[row], crate::input::EXCERPT),
        })
    }

    fn store_texts(&self, folder: &Path, model: &Model, texts: &[&str]) -> Result<Store> {
        let progress = std::cell::RefCell::new(None);
        let begin = |missing: u64| {
            if missing > 0 {
                info!("embedding {missing} texts with {}", self.model.name());
                *progress.borrow_mut() = Some(Progress::new("embedding", "texts", Some(missing)));
            }
        };
        let done = |texts: u64| {
            if let Some(progress) = &*progress.borrow() {
                progress.inc(texts);
            }
        };
        // ONNX Runtime calls back from this thread alone.
        Ok(store_texts(folder, model, texts, begin, done)?)
    }
}
