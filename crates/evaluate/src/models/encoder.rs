use std::collections::HashMap;
use std::iter;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use pairmill_cli::Progress;
use pairmill_dense::{Key, Store, key};
use pairmill_hub::ModelSource;
use pairmill_modeling::{Side, SimilarityFunction};
use pairmill_schema::{agreeing, counted, excerpt};
use pairmill_tables::{hash_input, keep_when_interrupted};

use crate::error::{EvaluateError, Result};
use crate::models::network::Network;
use crate::models::options::Models;
use crate::paired::Paired;
use pairmill_retrieval::Embeddings;

/// Raised whenever embeddings that an older version kept must not be reused.
const LAYOUT: u32 = 2;
/// Texts embedded between two writes into the cache, which is what a kill may lose. Many, because
/// those of like length share a batch.
const KEPT: usize = 8_192;

impl Models {
    /// Loads the model and, where there is one, the baseline, which stays in float32.
    pub(crate) fn load(&self) -> Result<Paired<Encoder>> {
        let float32 = Self {
            int8: false,
            ..self.clone()
        };
        let models = Paired {
            model: ("model", &self.model, self),
            baseline: (self.baseline.as_ref()).map(|model| ("baseline", model, &float32)),
        };
        let mut caches = Vec::new();
        models.try_map(|&(role, model, options)| Encoder::load(options, role, model, &mut caches))
    }
}

/// Embeddings that are kept, and what they are embeddings by.
#[derive(Clone)]
struct Cache {
    about: serde_json::Value,
    store: Arc<Mutex<Store>>,
}

impl Cache {
    /// Opens that of a model, or takes one of the same embeddings that is open, since a store has
    /// one owner.
    fn open(
        models: &Models,
        folder: &Path,
        network: &Network,
        open: &mut Vec<Self>,
    ) -> Result<Option<Self>> {
        let Some(base) = &models.cache else {
            return Ok(None);
        };
        let about = serde_json::json!({
            "layout": LAYOUT,
            "model": hash_input(&folder.display().to_string())?,
            "backend": models.backend,
            "int8": models.int8,
            "device": models.device,
            "max_length": network.max_length(),
            "dimension": network.dimension(),
        });
        if let Some(same) = open.iter().find(|one| one.about == about) {
            return Ok(Some(same.clone()));
        }
        let store = Store::open(base, &about, network.dimension())?;
        keep_when_interrupted(
            base,
            "the embeddings so far, from where the same command goes on",
        );
        let cache = Self {
            about,
            store: Arc::new(Mutex::new(store)),
        };
        open.push(cache.clone());
        Ok(Some(cache))
    }
}

/// A loaded model.
pub(crate) struct Encoder {
    /// `model` or `baseline`, for progress and log lines.
    pub role: &'static str,
    name: String,
    batch_size: usize,
    network: Network,
    cache: Option<Cache>,
    /// Texts so far, equal ones of a call once.
    texts: AtomicU64,
}

impl Paired<Encoder> {
    /// What speaks against taking the figures for those of the whole texts.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for encoder in iter::once(&self.model).chain(&self.baseline) {
            let (cut, texts) = encoder.cut();
            if cut > 0 {
                let were = agreeing(cut, "was", "were");
                warnings.push(format!(
                    "{cut} of {} {were} longer than the {} reads ({}) and {were} cut",
                    counted(texts, "text", "texts"),
                    encoder.role,
                    counted(encoder.max_length() as u64, "token", "tokens")
                ));
            }
        }
        if let Some(baseline) = &self.baseline {
            let (ours, theirs) = (self.model.max_length(), baseline.max_length());
            if ours < theirs {
                warnings.push(format!(
                    "the model reads {ours} tokens of a text and the baseline {theirs}, so the \
                     model sees less of long ones; --max-length sets one limit for both"
                ));
            }
        }
        warnings
    }
}

impl Encoder {
    fn load(
        models: &Models,
        role: &'static str,
        model: &ModelSource,
        caches: &mut Vec<Cache>,
    ) -> Result<Self> {
        let folder = model.folder()?;
        let network = Network::load(models, model, folder)?;
        tracing::info!(
            "{role} {model}{}: {} dimensions, texts up to {} tokens",
            if models.int8 { " in int8" } else { "" },
            network.dimension(),
            network.max_length()
        );
        let cache = Cache::open(models, folder, &network, caches)?;
        Ok(Self {
            role,
            name: model.to_string(),
            batch_size: models.batch_size,
            network,
            cache,
            texts: AtomicU64::new(0),
        })
    }

    /// Returns the model as the user gave it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Components of an embedding.
    pub fn dimension(&self) -> usize {
        self.network.dimension()
    }

    /// Returns the longest text in tokens.
    pub fn max_length(&self) -> usize {
        self.network.max_length()
    }

    /// How many texts were longer, of how many.
    fn cut(&self) -> (u64, u64) {
        (self.network.truncated(), self.texts.load(Relaxed))
    }

    /// Returns unit vectors of the texts, in their order. Equal texts are computed once, so their
    /// vectors are equal to the last bit.
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
        self.texts.fetch_add(distinct.len() as u64, Relaxed);
        let values = match &self.cache {
            Some(cache) => self.encode_cached(&cache.store, &distinct, side, progress)?,
            None => self.encode(&distinct, side, progress)?,
        };
        let embeddings = embeddings_of(values, self.network.dimension()).map_err(|row| {
            EvaluateError::NotFinite {
                model: self.name.clone(),
                text: excerpt(distinct[row], 60),
            }
        })?;
        Ok(if distinct.len() == texts.len() {
            embeddings
        } else {
            embeddings.select(&row_of_text)
        })
    }

    /// Returns how the model's embeddings are compared.
    pub fn similarity(&self) -> SimilarityFunction {
        self.network.similarity()
    }

    /// As [`embed`](Self::embed), but the vectors as the model compares them: of unit length where
    /// that is by cosine, else as the model gives them.
    pub fn embed_to_compare(
        &self,
        texts: &[&str],
        side: Side,
        progress: &Progress,
    ) -> Result<Embeddings> {
        match self.similarity() {
            SimilarityFunction::Cosine => self.embed(texts, side, progress),
            _ => self.embed_raw(texts, side, progress),
        }
    }

    /// As [`embed`](Self::embed), with a progress of its own.
    pub fn embed_all(&self, texts: &[&str], side: Side) -> Result<Embeddings> {
        self.embed(texts, side, &self.progress(texts))
    }

    /// As [`embed`](Self::embed), but the vectors as the model gives them, which need not be of
    /// unit length.
    pub fn embed_raw(&self, texts: &[&str], side: Side, progress: &Progress) -> Result<Embeddings> {
        self.embed_as(Embeddings::new, texts, side, progress)
    }

    fn encode(&self, texts: &[&str], side: Side, progress: &Progress) -> Result<Vec<f32>> {
        let done = |done| progress.inc(done as u64);
        self.network
            .encode(&self.name, texts, side, self.batch_size, &done)
    }

    /// As [`encode`](Self::encode), with what the cache has taken from there, and the rest kept in
    /// it.
    fn encode_cached(
        &self,
        cache: &Mutex<Store>,
        texts: &[&str],
        side: Side,
        progress: &Progress,
    ) -> Result<Vec<f32>> {
        let mut store = cache.lock().unwrap_or_else(PoisonError::into_inner);
        let prompt = self.network.prompt(side);
        let keys: Vec<Key> = texts
            .iter()
            .map(|text| key(&format!("{prompt}\u{1f}{text}")))
            .collect();
        let (missing, missing_keys): (Vec<&str>, Vec<Key>) = texts
            .iter()
            .zip(&keys)
            .filter(|(_, key)| store.row(key).is_none())
            .unzip();
        progress.inc((texts.len() - missing.len()) as u64);
        let known = iter::zip(texts, &keys).filter(|(_, key)| store.row(key).is_some());
        let known: Vec<&str> = known.map(|(text, _)| *text).collect();
        self.network.count_cut(&self.name, &known, side)?;
        for (texts, keys) in missing.chunks(KEPT).zip(missing_keys.chunks(KEPT)) {
            let embeddings = self.encode(texts, side, progress)?;
            store.append(keys, &embeddings)?;
        }
        let dimension = self.network.dimension();
        let mut values = vec![0.0; texts.len() * dimension];
        for (key, embedding) in keys.iter().zip(values.chunks_exact_mut(dimension)) {
            if let Some(row) = store.row(key) {
                store.read(row as usize..row as usize + 1, embedding)?;
            }
        }
        Ok(values)
    }

    /// Returns a progress of embedding texts.
    pub fn progress(&self, texts: &[&str]) -> Progress {
        let label = format!("embedding ({})", self.role);
        Progress::new(label, "texts", Some(texts.len() as u64))
    }
}
