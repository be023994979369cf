//! What a `config.json` says of its network: one file for each architecture, and one line here.

mod activation;
mod bert;
mod classifier;
mod distilbert;
mod modernbert;
mod mpnet;
mod post_norm;
mod roberta;

use std::fmt::Debug;

use serde_json::Value;

use crate::tokenizer_class::Class;
use crate::tokenizer_config::TokenizerConfig;

pub use activation::HiddenActivation;
pub use bert::BertConfig;
pub use classifier::{ClassifierConfig, NormConfig};
pub use distilbert::DistilBertConfig;
pub use modernbert::{LayerType, ModernBertConfig, Rope, RopeParameters};
pub use mpnet::MpnetConfig;
pub use post_norm::{PostNormConfig, PostNormNames};
pub use roberta::RobertaConfig;

/// What is known of the architectures by their names.
const FACTS: [&[Facts]; 5] = [
    bert::FACTS,
    distilbert::FACTS,
    roberta::FACTS,
    mpnet::FACTS,
    modernbert::FACTS,
];

/// What every runtime has to know of an architecture, also one that runs without our network.
struct Facts {
    /// `model_type` in `config.json`.
    name: &'static str,
    /// The class of its tokenizer where the files of a folder name none.
    tokenizer: Class,
    /// Whether a class that the files of a folder name is the right one.
    names_its_tokenizer: bool,
    /// Rows of the position embedding before that of the first token.
    unused_positions: fn(&Value) -> usize,
}

impl Facts {
    const fn new(name: &'static str, tokenizer: Class) -> Self {
        Self {
            name,
            tokenizer,
            names_its_tokenizer: true,
            unused_positions: |_| 0,
        }
    }

    fn of(config: &Value) -> Option<&'static Self> {
        let name = config["model_type"].as_str()?;
        let mut all = FACTS.into_iter().flatten();
        all.find(|facts| facts.name == name)
    }
}

/// Returns how many rows of the position embedding come before that of the first token.
pub(crate) fn unused_positions(config: &Value) -> usize {
    Facts::of(config).map_or(0, |facts| (facts.unused_positions)(config))
}

/// Returns the tokenizer class that the files of a folder name: `tokenizer_config.json` before
/// `config.json`, and that of the architecture where neither does.
pub(crate) fn tokenizer_class(settings: &TokenizerConfig, config: &Value) -> Class {
    let facts = Facts::of(config);
    let named = settings.get("tokenizer_class").and_then(Value::as_str);
    match named.or(config["tokenizer_class"].as_str()) {
        Some(name) if facts.is_none_or(|facts| facts.names_its_tokenizer) => Class::named(name),
        _ => facts.map_or(Class::AsItIs, |facts| facts.tokenizer),
    }
}

/// An architecture with the settings of one checkpoint.
pub trait Architecture: Debug + Send + Sync {
    /// Returns the width of the hidden states.
    fn hidden_size(&self) -> i64;

    /// Returns the number of attention heads.
    fn heads(&self) -> i64;

    /// Returns the number of rows of the word embedding.
    fn vocab_size(&self) -> i64;

    /// Returns the longest sequence that there are positions for.
    fn max_length(&self) -> i64;

    /// Returns what the encoder's tensors start with in a checkpoint that has a head.
    fn prefix(&self) -> &'static str;

    /// Returns what the encoder's tensors start with behind that prefix.
    fn encoder_parts(&self) -> &'static [&'static str] {
        &["embeddings.", "encoder.", "pooler."]
    }

    /// Returns the transformers class of a cross-encoder.
    fn classifier_class(&self) -> &'static str;

    /// Returns the head of a cross-encoder.
    fn classifier(&self) -> ClassifierConfig;

    /// Finds settings that contradict each other or are not supported.
    ///
    /// # Errors
    /// Says which.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Returns the dropout of BERT and its kin, where a config is silent.
pub(super) fn default_dropout() -> f64 {
    0.1
}

/// Returns the standard deviation of fresh weights, where a config is silent.
pub(super) fn default_initializer_range() -> f64 {
    0.02
}

/// Returns the epsilon of the layer norms of BERT and its kin, where a config is silent.
pub(super) fn default_norm_eps() -> f64 {
    1e-12
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn class(settings: &str, config: &str) -> Class {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tokenizer_config.json"), settings).unwrap();
        let settings = TokenizerConfig::load(folder.path(), &Default::default()).unwrap();
        tokenizer_class(&settings, &serde_json::from_str(config).unwrap())
    }

    #[test]
    fn the_class_is_the_one_that_transformers_takes() {
        let bert = r#"{"model_type": "bert"}"#;
        assert_eq!(class("{}", bert), Class::Bert);
        assert_eq!(
            class(r#"{"tokenizer_class": "BertTokenizerFast"}"#, "{}"),
            Class::Bert
        );
        let other = r#"{"tokenizer_class": "MPNetTokenizer"}"#;
        assert_eq!(class(other, bert), Class::Mpnet);
        for own in [
            "PreTrainedTokenizerFast",
            "TokenizersBackend",
            "AlbertTokenizer",
        ] {
            let own = format!(r#"{{"tokenizer_class": "{own}"}}"#);
            assert_eq!(class(&own, bert), Class::AsItIs);
        }
        let modern = r#"{"model_type": "modernbert"}"#;
        assert_eq!(
            class(r#"{"tokenizer_class": "BertTokenizer"}"#, modern),
            Class::AsItIs
        );
        let of_config = r#"{"model_type": "bert", "tokenizer_class": "RobertaTokenizer"}"#;
        assert_eq!(class("{}", of_config), Class::Roberta);
    }
}
