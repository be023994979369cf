use std::path::Path;

use tokenizers::normalizers::{self, Lowercase, NormalizerWrapper};
use tokenizers::utils::truncation::TruncationDirection;
use tokenizers::{Encoding, PostProcessor, Tokenizer};

use crate::error::{excerpt, excerpt_of_pair};
use crate::{InferenceError, Result};

/// A text, or the texts of a pair joined, as one sequence of token ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub ids: Vec<u32>,
    pub type_ids: Vec<u32>,
    /// Whether the text or pair was longer than the maximum.
    pub truncated: bool,
}

impl Tokens {
    fn new(encoding: &Encoding, truncated: bool) -> Self {
        Self {
            ids: encoding.get_ids().to_vec(),
            type_ids: encoding.get_type_ids().to_vec(),
            truncated,
        }
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }
}

/// Turns texts and pairs of texts into token ids; of a pair, the longer text is cut first.
#[derive(Debug)]
pub(crate) struct ModelTokenizer {
    tokenizer: Tokenizer,
    vocab_size: usize,
    max_length: usize,
}

impl ModelTokenizer {
    /// Reads `tokenizer.json`; what it says about truncation and padding is left aside. Texts are
    /// turned to lower case first where `lowercase` says so.
    pub fn from_file(path: &Path, lowercase: bool) -> Result<Self> {
        let bad = |error: tokenizers::Error| InferenceError::BadFile {
            path: path.to_owned(),
            detail: error.to_string(),
        };
        let mut tokenizer = Tokenizer::from_file(path).map_err(bad)?;
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(bad)?;
        if lowercase {
            let mut steps = vec![NormalizerWrapper::Lowercase(Lowercase)];
            steps.extend(tokenizer.get_normalizer().cloned());
            let steps = normalizers::Sequence::new(steps);
            tokenizer.with_normalizer(Some(steps)).map_err(bad)?;
        }
        let largest = tokenizer.get_vocab(true).into_values().max();
        Ok(Self {
            tokenizer,
            vocab_size: largest.map_or(0, |id| id as usize + 1),
            max_length: 0,
        })
    }

    /// One more than the largest id that the tokenizer can make.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// Tokens added to mark the ends of a text, or of the two of a pair.
    pub fn marks(&self, is_pair: bool) -> usize {
        self.tokenizer
            .get_post_processor()
            .map_or(0, |processor| processor.added_tokens(is_pair))
    }

    /// The id of the padding token, where the tokenizer names it.
    pub fn pad_id(&self) -> Option<u32> {
        ["[PAD]", "<pad>"]
            .iter()
            .find_map(|token| self.tokenizer.token_to_id(token))
    }

    /// Sets the length of a text or pair, marks counted.
    pub fn set_max_length(&mut self, max_length: usize) {
        self.max_length = max_length;
    }

    /// Tokens that the model takes, less those that mark the ends.
    fn room(&self, is_pair: bool) -> usize {
        self.max_length.saturating_sub(self.marks(is_pair))
    }

    /// The ids of a text, of at most the maximum length.
    pub fn encode(&self, text: &str) -> Result<Tokens> {
        self.try_encode(text)
            .map_err(|error| InferenceError::Tokenize {
                detail: error.to_string(),
                text: format!("the text {}", excerpt(text)),
            })
    }

    /// The ids of a pair, of at most the maximum length.
    pub fn encode_pair(&self, query: &str, text: &str) -> Result<Tokens> {
        self.try_encode_pair(query, text)
            .map_err(|error| InferenceError::Tokenize {
                detail: error.to_string(),
                text: format!("the pair {}", excerpt_of_pair(query, text)),
            })
    }

    fn try_encode(&self, text: &str) -> Result<Tokens, tokenizers::Error> {
        let mut text = self.tokenizer.encode_fast(text, false)?;
        let truncated = cut(&mut text, self.room(false));
        let text = self.tokenizer.post_process(text, None, true)?;
        Ok(Tokens::new(&text, truncated))
    }

    fn try_encode_pair(&self, query: &str, text: &str) -> Result<Tokens, tokenizers::Error> {
        // The tokenizer's own truncation keeps every cut-off piece of one text joined with every
        // piece of the other: quadratic in memory for two long texts.
        let mut first = self.tokenizer.encode_fast(query, false)?;
        let mut second = self.tokenizer.encode_fast(text, false)?;
        let lengths = (first.len(), second.len());
        let kept = longest_first(lengths, self.room(true));
        let truncated = cut(&mut first, kept.0) | cut(&mut second, kept.1);
        second.set_type_ids(vec![1; second.len()]);
        let pair = self.tokenizer.post_process(first, Some(second), true)?;
        Ok(Tokens::new(&pair, truncated))
    }
}

/// Cuts to a length; whether there was more.
fn cut(encoding: &mut Encoding, length: usize) -> bool {
    let is_longer = encoding.len() > length;
    encoding.truncate(length, 0, TruncationDirection::Right);
    encoding.take_overflowing();
    is_longer
}

/// How much of each text is kept so that both fit into `room`: the shorter one whole where it fits
/// into a half, as `longest_first` of Hugging Face's tokenizers has it.
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
mod tests {
    use super::*;
    use tokenizers::utils::truncation::{TruncationParams, TruncationStrategy, truncate_encodings};

    fn encoding(length: usize) -> Encoding {
        let ids = vec![7; length];
        let tokens = vec![String::new(); length];
        Encoding::new(
            ids.clone(),
            ids.clone(),
            tokens,
            vec![None; length],
            vec![(0, 0); length],
            ids.clone(),
            ids,
            vec![],
            Default::default(),
        )
    }

    #[test]
    fn texts_are_cut_as_hugging_face_cuts_them() {
        for first in 0..14 {
            for second in 0..14 {
                for room in 1..14 {
                    let params = TruncationParams {
                        max_length: room,
                        strategy: TruncationStrategy::LongestFirst,
                        ..Default::default()
                    };
                    let (a, b) =
                        truncate_encodings(encoding(first), Some(encoding(second)), &params)
                            .unwrap();
                    assert_eq!(
                        longest_first((first, second), room),
                        (a.len(), b.unwrap().len()),
                        "{first} and {second} tokens in {room}"
                    );
                }
            }
        }
    }
}
