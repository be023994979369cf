use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::Value;
use tokenizers::normalizers::{self, Lowercase, NormalizerWrapper};
use tokenizers::utils::truncation::TruncationDirection;
use tokenizers::{AddedToken, Encoding, PostProcessor, Tokenizer};

use crate::architecture::tokenizer_class;
use crate::error::{excerpt, excerpt_of_pair};
use crate::files::{damaged, malformed, unreadable};
use crate::rebuilt_tokenizer::rebuilt;
use crate::tokenizer_config::TokenizerConfig;
use crate::{CheckpointError, Result};

/// The tokens of one text or pair of texts, with the special tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TokenIds {
    /// Vocabulary ids.
    pub ids: Vec<u32>,
    /// Segment of each token: 0, or 1 for the second text of a pair.
    pub types: Vec<u32>,
    /// Tokens at the start that a pooling without prompts leaves out.
    pub prompt: usize,
    /// Whether the text or pair was longer than the maximum and therefore cut.
    pub truncated: bool,
}

impl TokenIds {
    /// Returns the number of tokens.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

/// Turns texts and pairs of texts into token ids, cut at a length of our choice; of a pair, the
/// longer text is cut first.
#[derive(Debug, Clone)]
pub struct TextTokenizer {
    tokenizer: Tokenizer,
    path: PathBuf,
    max_length: usize,
    direction: TruncationDirection,
    has_segments: bool,
    /// One more than the largest id.
    size: usize,
}

impl TextTokenizer {
    /// Loads the tokenizer of a folder as transformers would. What `tokenizer.json` says about the
    /// longest text and padding is left aside, as there.
    pub(crate) fn load(
        folder: &Path,
        settings: &TokenizerConfig,
        config: &Value,
        lowercase: bool,
    ) -> Result<Self> {
        let path = folder.join("tokenizer.json");
        let bad = |error: &dyn std::fmt::Display| damaged(&path, "as a tokenizer", error);
        let class = tokenizer_class(settings, config);
        let mut tokenizer: Tokenizer = match rebuilt(folder, settings, config, class)? {
            Some(json) => serde_json::from_value(json).map_err(|error| bad(&error))?,
            None => {
                let bytes = std::fs::read(&path).map_err(|source| unreadable(&path, source))?;
                let mut own = Tokenizer::from_bytes(bytes).map_err(|error| bad(&error))?;
                add_special_tokens(&mut own, settings).map_err(|error| bad(&error))?;
                own
            }
        };
        let own = tokenizer.get_truncation().map(|own| own.direction);
        let direction = match settings.is_left(folder, "truncation_side")? {
            Some(true) => TruncationDirection::Left,
            Some(false) => TruncationDirection::Right,
            None => own.unwrap_or(TruncationDirection::Right),
        };
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(None)
            .map_err(|error| bad(&error))?;
        if settings.flag(folder, "split_special_tokens")? == Some(true) {
            tokenizer.set_encode_special_tokens(true);
        }
        if lowercase && !has_lowercase(tokenizer.get_normalizer()) {
            let mut steps = vec![NormalizerWrapper::Lowercase(Lowercase)];
            steps.extend(tokenizer.get_normalizer().cloned());
            let steps = normalizers::Sequence::new(steps);
            tokenizer
                .with_normalizer(Some(steps))
                .map_err(|error| bad(&error))?;
        }
        let largest = tokenizer.get_vocab(true).into_values().max();
        let size = largest.map_or(0, |id| id as usize + 1);
        if let Some(known) = config["vocab_size"].as_u64()
            && size as u64 > known
        {
            let detail = format!(
                "has token {}, but config.json says vocab_size {known}: the tokenizer does not fit the model; put the tokenizer.json there that the model was trained with",
                size - 1
            );
            return Err(malformed(&path, detail));
        }
        Ok(Self {
            tokenizer,
            path,
            max_length: usize::MAX,
            direction,
            has_segments: class.has_segments(settings),
            size,
        })
    }

    /// Returns one more than the largest id that it can make.
    pub fn vocab_size(&self) -> usize {
        self.size
    }

    /// Returns the id of a token, if there is one.
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        self.tokenizer.token_to_id(token)
    }

    /// Returns the longest text or pair in tokens, marks counted.
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// Sets [`max_length`](Self::max_length).
    pub fn set_max_length(&mut self, max_length: usize) {
        self.max_length = max_length;
    }

    /// Returns how many tokens are added to mark the ends of a text, or of the two of a pair.
    pub fn marks(&self, is_pair: bool) -> usize {
        let processor = self.tokenizer.get_post_processor();
        processor.map_or(0, |processor| processor.added_tokens(is_pair))
    }

    /// Returns how many tokens of a text there is room for beside its marks.
    fn room(&self, is_pair: bool) -> usize {
        self.max_length.saturating_sub(self.marks(is_pair))
    }

    /// Returns the tokens of a text.
    ///
    /// # Errors
    /// If the tokenizer fails or makes no token.
    pub fn encode(&self, text: &str) -> Result<TokenIds> {
        let encoded = || {
            let mut text = self.tokenizer.encode_fast(text, false)?;
            let truncated = self.cut(&mut text, self.room(false));
            let text = self.tokenizer.post_process(text, None, true)?;
            Ok(self.ids(&text, truncated))
        };
        let ids =
            encoded().map_err(|error| failed(error, format!("the text {}", excerpt(text))))?;
        self.checked(ids, || format!("the text {}", excerpt(text)))
    }

    /// Returns the tokens of a pair of texts, as one sequence.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn encode_pair(&self, first: &str, second: &str) -> Result<TokenIds> {
        let of_pair = || format!("the pair {}", excerpt_of_pair(first, second));
        let ids = self.try_encode_pair(first, second);
        self.checked(ids.map_err(|error| failed(error, of_pair()))?, of_pair)
    }

    fn try_encode_pair(&self, first: &str, second: &str) -> Result<TokenIds, tokenizers::Error> {
        // The tokenizer's own truncation keeps every cut-off piece of one text joined with every
        // piece of the other: quadratic in memory for two long texts.
        let mut first = self.tokenizer.encode_fast(first, false)?;
        let mut second = self.tokenizer.encode_fast(second, false)?;
        let lengths = (first.len(), second.len());
        let kept = longest_first(lengths, self.room(true));
        let truncated = self.cut(&mut first, kept.0) | self.cut(&mut second, kept.1);
        second.set_type_ids(vec![1; second.len()]);
        let pair = self.tokenizer.post_process(first, Some(second), true)?;
        Ok(self.ids(&pair, truncated))
    }

    /// Returns the tokens of texts, on all threads and in order.
    ///
    /// # Errors
    /// As [`encode`](Self::encode), with the number of the text.
    pub fn encode_all(&self, texts: &[&str]) -> Result<Vec<TokenIds>> {
        numbered(texts, |text| self.encode(text))
    }

    /// Returns the tokens of texts behind a prompt, marked as such where it is to be left out of
    /// the pooling.
    ///
    /// # Errors
    /// As [`encode_all`](Self::encode_all).
    pub fn encode_behind(
        &self,
        prompt: &str,
        is_pooled: bool,
        texts: &[&str],
    ) -> Result<Vec<TokenIds>> {
        if prompt.is_empty() {
            return self.encode_all(texts);
        }
        let left_out = match is_pooled {
            true => 0,
            false => self.prompt_length(prompt)?,
        };
        numbered(texts, |text| {
            let mut ids = self.encode(&format!("{prompt}{text}"))?;
            ids.prompt = left_out.min(ids.len());
            Ok(ids)
        })
    }

    /// Returns the tokens of pairs of texts, on all threads and in order.
    ///
    /// # Errors
    /// As [`encode_all`](Self::encode_all).
    pub fn encode_pairs(&self, pairs: &[(&str, &str)]) -> Result<Vec<TokenIds>> {
        numbered(pairs, |(first, second)| self.encode_pair(first, second))
    }

    /// Counts the tokens of a prompt by itself, without the mark behind it.
    fn prompt_length(&self, prompt: &str) -> Result<usize> {
        let of_prompt = || format!("the prompt {}", excerpt(prompt));
        let encoded = self.tokenizer.encode_fast(prompt, true);
        let encoded = encoded.map_err(|error| failed(error, of_prompt()))?;
        let added = self.tokenizer.get_added_vocabulary();
        let is_special = |id: &u32| {
            let token = added.simple_id_to_token(*id);
            token.is_some_and(|token| added.is_special_token(&token))
        };
        // A mark that the tokenizer puts there is one even where it is no special token by name.
        let is_mark = encoded.get_special_tokens_mask().last() == Some(&1);
        Ok(match encoded.get_ids().last() {
            Some(last) if is_mark || is_special(last) => encoded.len() - 1,
            _ => encoded.len(),
        })
    }

    fn ids(&self, encoding: &Encoding, truncated: bool) -> TokenIds {
        let ids = encoding.get_ids().to_vec();
        let types = match self.has_segments {
            true => encoding.get_type_ids().to_vec(),
            false => vec![0; ids.len()],
        };
        TokenIds {
            ids,
            types,
            prompt: 0,
            truncated,
        }
    }

    fn checked(&self, ids: TokenIds, text: impl FnOnce() -> String) -> Result<TokenIds> {
        match ids.is_empty() {
            false => Ok(ids),
            true => Err(CheckpointError::NoTokens {
                path: self.path.clone(),
                text: text(),
                number: None,
            }),
        }
    }

    /// Cuts to a length; whether there was more.
    fn cut(&self, encoding: &mut Encoding, length: usize) -> bool {
        let is_longer = encoding.len() > length;
        encoding.truncate(length, 0, self.direction);
        encoding.take_overflowing();
        is_longer
    }
}

/// Has special tokens that the settings name found in a text as `tokenizer.json` has its own.
fn add_special_tokens(
    tokenizer: &mut Tokenizer,
    settings: &TokenizerConfig,
) -> Result<(), tokenizers::Error> {
    let known = tokenizer.get_added_tokens_decoder();
    let is_new = |token: &String| {
        let is_known = known.values().any(|one| one.content == *token);
        !is_known && tokenizer.token_to_id(token).is_some()
    };
    let named = settings.special_tokens().into_iter().filter(is_new);
    let named: Vec<AddedToken> = named.map(|token| AddedToken::from(token, true)).collect();
    tokenizer.add_special_tokens(named).map(drop)
}

fn failed(error: tokenizers::Error, text: String) -> CheckpointError {
    CheckpointError::Tokenize {
        detail: error.to_string(),
        text,
    }
}

/// Returns what `encode` makes of each item; an error names the first item that has one.
fn numbered<T: Sync>(
    items: &[T],
    encode: impl Fn(&T) -> Result<TokenIds> + Send + Sync,
) -> Result<Vec<TokenIds>> {
    let encoded: Vec<Result<TokenIds>> = items.par_iter().map(encode).collect();
    let several = items.len() > 1;
    let numbered = (1..).zip(encoded).map(|(n, ids)| match ids {
        Err(CheckpointError::NoTokens { path, text, .. }) => Err(CheckpointError::NoTokens {
            path,
            text,
            number: several.then_some(n),
        }),
        ids => ids,
    });
    numbered.collect()
}

fn has_lowercase(normalizer: Option<&NormalizerWrapper>) -> bool {
    match normalizer {
        Some(NormalizerWrapper::Lowercase(_)) => true,
        Some(NormalizerWrapper::Sequence(steps)) => steps
            .as_ref()
            .iter()
            .any(|step| matches!(step, NormalizerWrapper::Lowercase(_))),
        _ => false,
    }
}

/// Returns how much of each text is kept so that both fit into `room`: the shorter one whole where
/// it fits into a half, as `longest_first` of Hugging Face's tokenizers has it.
fn longest_first((first, second): (usize, usize), room: usize) -> (usize, usize) {
    if first + second <= room {
        return (first, second);
    }
    let half = room / 2;
    match (first.min(second) <= half, first <= second) {
        (true, true) => (first, room - first),
        (true, false) => (room - second, second),
        (false, true) => (half, room - half),
        (false, false) => (room - half, half),
    }
}

#[cfg(test)]
mod tests;
