use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use datafusion::prelude::DataFrame;
use lru::LruCache;
use pairmill_inference::SimilarityFunction;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::Result;
use crate::embed::{Texts, complete};
use crate::model::{Model, Side};
use crate::passages::Passages;
use crate::store::{Key, Store, key};

/// Bytes of embeddings of texts that were asked for lately.
const CACHE_BYTES: usize = 32 << 20;
/// Stands for no passage.
pub(crate) const NONE: u32 = u32::MAX;

/// A corpus whose passages are still to be embedded.
pub struct Builder {
    model: Model,
    store: Store,
    passages: Passages,
    keys: Vec<Key>,
    texts: usize,
    missing: Vec<u32>,
}

impl Builder {
    /// Reads a corpus (columns `id`, `title`, `text`) and finds out which of its texts have no
    /// embedding yet in `folder`, where each model with its options has a folder of its own. A
    /// nameless file there holds the texts for as long as the index lives.
    ///
    /// # Errors
    /// If two passages share an id, the corpus cannot
    /// be read to its end, the folder cannot be written, or another process is adding to it.
    pub async fn open(folder: &Path, model: Model, corpus: DataFrame) -> Result<Self> {
        let store = Store::open(folder, &model.about(), model.encoder.dimension())?;
        let (passages, keys) = Passages::read(corpus, folder).await?;
        let mut seen = FxHashSet::default();
        let mut is_missing = |key: &Key| seen.insert(*key) && store.row(key).is_none();
        let numbers = 0..keys.len() as u32;
        let missing = numbers
            .filter(|&number| is_missing(&keys[number as usize]))
            .collect();
        Ok(Self {
            texts: seen.len(),
            missing,
            model,
            passages,
            keys,
            store,
        })
    }

    /// Returns the number of passages.
    pub fn len(&self) -> usize {
        self.passages.len()
    }

    /// Returns whether there is no passage.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of distinct texts.
    pub fn texts(&self) -> usize {
        self.texts
    }

    /// Returns how many of them are still to be embedded.
    pub fn missing(&self) -> usize {
        self.missing.len()
    }

    /// Embeds what is missing. `embedded` hears how many more texts are done.
    ///
    /// # Errors
    /// If a text cannot be embedded or the folder cannot be written.
    pub fn build(mut self, embedded: impl Fn(u64)) -> Result<Index> {
        let texts = Corpus {
            passages: &self.passages,
            keys: &self.keys,
        };
        complete(
            &mut self.store,
            &self.model,
            &texts,
            &self.missing,
            embedded,
        )?;
        self.store.share();
        Ok(self.finish())
    }

    fn finish(self) -> Index {
        // Every text was found or embedded.
        let rows: Vec<u32> = self
            .keys
            .iter()
            .filter_map(|key| self.store.row(key))
            .collect();
        let mut first = vec![NONE; self.store.len()];
        for (number, &row) in rows.iter().enumerate().rev() {
            first[row as usize] = number as u32;
        }
        let mut by_row: Vec<u32> = (0..rows.len() as u32).collect();
        by_row.sort_by_key(|&number| rows[number as usize]);
        Index {
            recent: Mutex::new(LruCache::new(cache_size(self.model.encoder.dimension()))),
            model: self.model,
            store: self.store,
            passages: self.passages,
            rows,
            first,
            by_row,
        }
    }
}

/// The texts of a corpus.
struct Corpus<'a> {
    passages: &'a Passages,
    keys: &'a [Key],
}

impl Texts for Corpus<'_> {
    fn key(&self, number: u32) -> Key {
        self.keys[number as usize]
    }

    fn bytes(&self, number: u32) -> usize {
        self.passages.text_bytes(number)
    }

    fn text(&self, number: u32) -> Result<String> {
        self.passages.text(number)
    }
}

/// The embeddings of a corpus, to be searched.
///
/// Holds some forty bytes for each passage in memory, beside its id; embeddings and texts are read
/// from disk as they are needed.
pub struct Index {
    pub(crate) model: Model,
    pub(crate) store: Store,
    pub(crate) passages: Passages,
    /// Where each passage's embedding is.
    pub(crate) rows: Vec<u32>,
    /// The first passage with each embedding, [`NONE`] for those of no passage.
    pub(crate) first: Vec<u32>,
    /// The passages in the order of their embeddings, those of one in their own order.
    pub(crate) by_row: Vec<u32>,
    recent: Mutex<LruCache<Key, Box<[f32]>>>,
}

impl Index {
    /// Returns the number of passages.
    pub fn len(&self) -> usize {
        self.passages.len()
    }

    /// Returns whether the index holds no passage.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn similarity(&self) -> SimilarityFunction {
        self.model.encoder.similarity()
    }

    pub(crate) fn dimension(&self) -> usize {
        self.model.encoder.dimension()
    }

    /// Returns the embedding of a passage.
    pub(crate) fn embedding(&self, number: u32) -> Result<Vec<f32>> {
        let row = self.rows[number as usize] as usize;
        let mut embedding = vec![0.0; self.dimension()];
        self.store.read(row..row + 1, &mut embedding)?;
        Ok(embedding)
    }

    /// Returns the embeddings of texts, row-major: looked up where they are known, computed where
    /// not.
    pub(crate) fn embeddings(&self, texts: &[&str], side: Side) -> Result<Vec<f32>> {
        let dimension = self.dimension();
        let mut embeddings = vec![0.0; texts.len() * dimension];
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let mut unknown: FxHashMap<Key, usize> = FxHashMap::default();
        let (mut unknown_texts, mut waiting) = (Vec::new(), Vec::new());
        for (number, (text, embedding)) in texts
            .iter()
            .zip(embeddings.chunks_exact_mut(dimension))
            .enumerate()
        {
            let mut key = key(text);
            let row = match side {
                Side::Document => self.store.row(&key),
                Side::Query => None,
            };
            if let Some(row) = row {
                self.store.read(row as usize..row as usize + 1, embedding)?;
                continue;
            }
            // A query and a document of the same text are remembered apart.
            key[0] = key[0] & !1 | u8::from(side == Side::Query);
            if let Some(known) = recent.get(&key) {
                embedding.copy_from_slice(known);
                continue;
            }
            let place = *unknown.entry(key).or_insert_with(|| {
                unknown_texts.push(*text);
                unknown_texts.len() - 1
            });
            waiting.push((number, place));
        }
        let new = self.model.embed(&unknown_texts, side, |_| ())?;
        for (number, place) in waiting {
            embeddings[number * dimension..][..dimension]
                .copy_from_slice(&new[place * dimension..][..dimension]);
        }
        for (key, place) in unknown {
            recent.put(key, new[place * dimension..][..dimension].into());
        }
        Ok(embeddings)
    }
}

/// Returns how many embeddings are remembered.
fn cache_size(dimension: usize) -> NonZeroUsize {
    let bytes = dimension.max(1) * size_of::<f32>();
    NonZeroUsize::new(CACHE_BYTES / bytes).unwrap_or(NonZeroUsize::MIN)
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index")
            .field("model", &self.model)
            .field("passages", &self.len())
            .finish_non_exhaustive()
    }
}
