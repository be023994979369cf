//! The classes of transformers that build a tokenizer anew from the vocabulary of `tokenizer.json`
//! and the settings of `tokenizer_config.json`, whatever else `tokenizer.json` says. To be held
//! against `tokenization_{bert,mpnet,roberta,xlm_roberta,camembert}.py` and
//! `tokenization_utils_tokenizers.py` of transformers 5.

use serde_json::Value;

use crate::tokenizer_config::TokenizerConfig;

/// What becomes of `tokenizer.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// It is taken as it is.
    AsItIs,
    Bert,
    Mpnet,
    Roberta,
    XlmRoberta,
    Camembert,
}

impl Class {
    /// Returns the class with this name; any other takes the file as it is.
    pub fn named(name: &str) -> Self {
        match name.strip_suffix("Fast").unwrap_or(name) {
            "BertTokenizer" | "DistilBertTokenizer" | "ElectraTokenizer" => Self::Bert,
            "MPNetTokenizer" => Self::Mpnet,
            "RobertaTokenizer" => Self::Roberta,
            "XLMRobertaTokenizer" => Self::XlmRoberta,
            "CamembertTokenizer" => Self::Camembert,
            _ => Self::AsItIs,
        }
    }

    /// Returns the kind of vocabulary that it works with.
    pub fn model(self) -> Option<&'static str> {
        match self {
            Self::AsItIs => None,
            Self::Bert | Self::Mpnet => Some("WordPiece"),
            Self::Roberta => Some("BPE"),
            Self::XlmRoberta | Self::Camembert => Some("Unigram"),
        }
    }

    /// Returns whether it tells the model which tokens are of the second text.
    pub fn has_segments(self, settings: &TokenizerConfig) -> bool {
        let is_distilled = || {
            let name = settings.get("tokenizer_class").and_then(Value::as_str);
            name.is_some_and(|name| name.starts_with("DistilBert"))
        };
        settings.has_segments(match self {
            Self::AsItIs => true,
            Self::Bert => !is_distilled(),
            _ => false,
        })
    }

    /// Returns the special tokens that it has by itself.
    pub fn tokens(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::AsItIs => &[],
            Self::Bert => &[
                ("unk_token", "[UNK]"),
                ("sep_token", "[SEP]"),
                ("pad_token", "[PAD]"),
                ("cls_token", "[CLS]"),
                ("mask_token", "[MASK]"),
            ],
            Self::Mpnet => &[
                ("bos_token", "<s>"),
                ("eos_token", "</s>"),
                ("unk_token", "[UNK]"),
                ("sep_token", "</s>"),
                ("pad_token", "<pad>"),
                ("cls_token", "<s>"),
                ("mask_token", "<mask>"),
            ],
            Self::Roberta | Self::XlmRoberta | Self::Camembert => &[
                ("bos_token", "<s>"),
                ("eos_token", "</s>"),
                ("unk_token", "<unk>"),
                ("sep_token", "</s>"),
                ("pad_token", "<pad>"),
                ("cls_token", "<s>"),
                ("mask_token", "<mask>"),
            ],
        }
    }
}
