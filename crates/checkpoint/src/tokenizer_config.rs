use std::path::Path;

use serde_json::{Map, Value};

use crate::Result;
use crate::files::{malformed, read_optional};
use crate::sentence_config::{SentenceConfig, length};

const FILE: &str = "tokenizer_config.json";
/// Special tokens by their roles.
const SPECIAL: [&str; 7] = [
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
];

/// What stands beside `tokenizer.json` and goes before it.
#[derive(Debug, Clone, Default)]
pub(crate) struct TokenizerConfig {
    settings: Map<String, Value>,
    /// Tokens that are added to the vocabulary, from `added_tokens.json`.
    pub added: Map<String, Value>,
}

impl TokenizerConfig {
    /// Reads `tokenizer_config.json` and, where that does not list the added tokens, the older
    /// `special_tokens_map.json` and `added_tokens.json`, as transformers does; settings of the
    /// transformer module go first.
    pub fn load(folder: &Path, sentence: &SentenceConfig) -> Result<Self> {
        let read = |name: &str| read_optional::<Map<String, Value>>(&folder.join(name));
        let mut settings = read(FILE)?.unwrap_or_default();
        let mut added = Map::new();
        if !settings.contains_key("added_tokens_decoder") {
            settings.extend(read("special_tokens_map.json")?.unwrap_or_default());
            added = read("added_tokens.json")?.unwrap_or_default();
        }
        settings.extend(sentence.tokenizer.clone());
        Ok(Self { settings, added })
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.settings.get(key).filter(|value| !value.is_null())
    }

    /// Returns a setting that is true or false.
    pub fn flag(&self, folder: &Path, key: &str) -> Result<Option<bool>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(malformed(
                &folder.join(FILE),
                format!("`{key}` is {other}, not true or false"),
            )),
        }
    }

    /// Returns a setting that is one of two words.
    pub fn is_left(&self, folder: &Path, key: &str) -> Result<Option<bool>> {
        match self.get(key).map(|value| (value, value.as_str())) {
            None => Ok(None),
            Some((_, Some("left"))) => Ok(Some(true)),
            Some((_, Some("right"))) => Ok(Some(false)),
            Some((other, _)) => Err(malformed(
                &folder.join(FILE),
                format!("`{key}` is {other}, not \"left\" or \"right\""),
            )),
        }
    }

    /// Returns a special token, such as `cls_token`, and what is said of it beside its text.
    pub fn token(&self, key: &str) -> Option<(&str, Option<&Map<String, Value>>)> {
        match self.get(key)? {
            Value::String(token) => Some((token, None)),
            Value::Object(token) => Some((token.get("content")?.as_str()?, Some(token))),
            _ => None,
        }
    }

    /// Returns the special tokens that it names.
    pub fn special_tokens(&self) -> Vec<String> {
        let named = SPECIAL.iter().filter_map(|key| self.token(key));
        let named = named.map(|(token, _)| token.to_owned());
        let more = self.more_special_tokens().into_iter();
        named.chain(more.map(|(token, _)| token)).collect()
    }

    /// Returns special tokens without a role, and what is said of each beside its text.
    pub fn more_special_tokens(&self) -> Vec<(String, Option<&Map<String, Value>>)> {
        let keys = ["additional_special_tokens", "extra_special_tokens"].into_iter();
        let tokens = keys.filter_map(|key| self.get(key)?.as_array()).flatten();
        let tokens = tokens.filter_map(|token| match token {
            Value::String(token) => Some((token.clone(), None)),
            Value::Object(about) => Some((about.get("content")?.as_str()?.to_owned(), Some(about))),
            _ => None,
        });
        tokens.collect()
    }

    /// Returns the longest text in tokens, where it says one.
    pub fn max_length(&self) -> Option<usize> {
        self.get("model_max_length").and_then(length)
    }

    /// Returns whether the model is told which tokens are of the second text; `usual` is what the
    /// class of the tokenizer does by itself.
    pub fn has_segments(&self, usual: bool) -> bool {
        match self.get("model_input_names") {
            Some(Value::Array(names)) => names.iter().any(|name| name == "token_type_ids"),
            _ => usual,
        }
    }
}
