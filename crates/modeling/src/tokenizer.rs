use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokenizers::normalizers::{self, Lowercase, NormalizerWrapper};
use tokenizers::{Tokenizer, TruncationParams};

use crate::files::{SENTENCE_CONFIGS, read_json, unreadable, write};
use crate::{ModelError, Result};

/// The tokens of one text or pair of texts, with the special tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenIds {
    /// Vocabulary ids.
    pub ids: Vec<u32>,
    /// Segment of each token: 0, or 1 for the second text of a pair.
    pub types: Vec<u32>,
    /// Whether the text or pair was longer than the maximum and therefore cut.
    pub truncated: bool,
}

/// A folder's `tokenizer.json`, without padding and cut at a length of our choice.
#[derive(Debug, Clone)]
pub struct TextTokenizer {
    tokenizer: Tokenizer,
    max_length: usize,
    path: PathBuf,
}

impl TextTokenizer {
    /// Loads `tokenizer.json` and checks it against the size of the vocabulary.
    ///
    /// # Errors
    /// If it is missing, malformed, or has tokens that the model does not know.
    pub fn load(folder: &Path, max_length: usize, vocab_size: i64) -> Result<Self> {
        let path = folder.join("tokenizer.json");
        let bytes = std::fs::read(&path).map_err(|source| unreadable(&path, source))?;
        let malformed = |detail| ModelError::Malformed {
            path: path.clone(),
            detail,
        };
        let tokenizer = Tokenizer::from_bytes(bytes)
            .map_err(|error| malformed(format!("not a sound tokenizer: {error}")))?;
        let largest = tokenizer.get_vocab(true).into_values().max().unwrap_or(0);
        if i64::from(largest) >= vocab_size {
            return Err(malformed(format!(
                "has token {largest}, but config.json says vocab_size {vocab_size}; the tokenizer is not this model's"
            )));
        }
        let mut loaded = Self {
            tokenizer,
            max_length,
            path: path.clone(),
        };
        loaded.set_max_length(max_length)?;
        Ok(loaded)
    }

    /// The longest sequence, special tokens included; longer texts are cut, pairs longest first.
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// Sets [`max_length`](Self::max_length).
    ///
    /// # Errors
    /// If the length leaves no room for a token beside the special ones.
    pub fn set_max_length(&mut self, max_length: usize) -> Result<()> {
        self.tokenizer.with_padding(None);
        self.tokenizer
            .with_truncation(Some(TruncationParams {
                max_length,
                ..TruncationParams::default()
            }))
            .map_err(|error| ModelError::Malformed {
                path: self.path.clone(),
                detail: format!("cannot cut at {max_length} tokens: {error}"),
            })?;
        self.max_length = max_length;
        Ok(())
    }

    /// Turns texts to lower case before anything else is done with them.
    ///
    /// # Errors
    /// If the tokenizer cannot be built anew.
    pub(crate) fn lowercase(&mut self) -> Result<()> {
        let mut steps = vec![NormalizerWrapper::Lowercase(Lowercase)];
        steps.extend(self.tokenizer.get_normalizer().cloned());
        self.tokenizer
            .with_normalizer(Some(normalizers::Sequence::new(steps)))
            .map_err(|error| ModelError::Malformed {
                path: self.path.clone(),
                detail: format!("cannot be set to lower case: {error}"),
            })?;
        Ok(())
    }

    /// Tokenises texts on all threads, in order.
    ///
    /// # Errors
    /// If the tokenizer fails on a text.
    pub fn encode(&self, texts: &[&str]) -> Result<Vec<TokenIds>> {
        self.encode_inputs(texts.to_vec())
    }

    /// Tokenises pairs of texts, each pair as one sequence.
    ///
    /// # Errors
    /// If the tokenizer fails on a pair.
    pub fn encode_pairs(&self, pairs: &[(&str, &str)]) -> Result<Vec<TokenIds>> {
        self.encode_inputs(pairs.to_vec())
    }

    fn encode_inputs<'s, E>(&self, inputs: Vec<E>) -> Result<Vec<TokenIds>>
    where
        E: Into<tokenizers::EncodeInput<'s>> + Send,
    {
        let encodings = self
            .tokenizer
            .encode_batch_fast(inputs, true)
            .map_err(|error| ModelError::Tokenize {
                detail: error.to_string(),
            })?;
        Ok(encodings
            .into_iter()
            .map(|encoding| TokenIds {
                ids: encoding.get_ids().to_vec(),
                types: encoding.get_type_ids().to_vec(),
                truncated: !encoding.get_overflowing().is_empty(),
            })
            .collect())
    }
}

/// Settings of the transformer module: `sentence_bert_config.json`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct SentenceConfig {
    max_seq_length: Option<f64>,
    #[serde(default)]
    pub do_lower_case: bool,
}

impl SentenceConfig {
    /// Those of a folder, under the newest name that it has; defaults where it has none.
    pub fn load(folder: &Path) -> Result<Self> {
        match Self::path(folder) {
            Some(path) => read_json(&path),
            None => Ok(Self::default()),
        }
    }

    fn path(folder: &Path) -> Option<PathBuf> {
        let mut paths = SENTENCE_CONFIGS.iter().map(|name| folder.join(name));
        paths.find(|path| path.is_file())
    }
}

/// Writes the longest sequence into a model folder, unless its files say so already.
pub(crate) fn save_max_length(folder: &Path, max_length: usize) -> Result<()> {
    if asked_length(folder)? == Some(max_length as f64) {
        return Ok(());
    }
    let (path, mut config) = match SentenceConfig::path(folder) {
        Some(path) => (path.clone(), read_json(&path)?),
        None => (folder.join(SENTENCE_CONFIGS[0]), serde_json::Map::new()),
    };
    config.insert("max_seq_length".to_owned(), max_length.into());
    write(&path, format!("{:#}", serde_json::Value::from(config)))
}

/// The longest sequence a folder asks for: `sentence_bert_config.json`, else the tokenizer's
/// `model_max_length`.
fn asked_length(folder: &Path) -> Result<Option<f64>> {
    let asked = SentenceConfig::load(folder)?.max_seq_length;
    let path = folder.join("tokenizer_config.json");
    if asked.is_some() || !path.is_file() {
        return Ok(asked);
    }
    let value: serde_json::Value = read_json(&path)?;
    Ok(value["model_max_length"].as_f64())
}

/// The same, never more than the model has positions.
pub(crate) fn max_length_of(folder: &Path, max_positions: i64) -> Result<usize> {
    let limit = usize::try_from(max_positions).unwrap_or(512);
    // Some tokenizers say 1e30 for "no limit".
    Ok(match asked_length(folder)? {
        Some(length) if length >= 1.0 => (length as usize).min(limit),
        _ => limit,
    })
}
