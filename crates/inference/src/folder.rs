use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::tokenize::ModelTokenizer;
use crate::{InferenceError, Result};

/// Names of the model file, in order of preference.
const MODEL_FILES: [&str; 2] = ["model.onnx", "onnx/model.onnx"];
/// The same for int8.
const INT8_FILES: [&str; 2] = ["model_quantized.onnx", "onnx/model_quantized.onnx"];

/// Names that sentence-transformers has given the settings of the transformer module.
const SENTENCE_CONFIGS: [&str; 5] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_xlm-roberta_config.json",
];

/// What a folder is expected to hold, for the message where it does not.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    CrossEncoder,
    SentenceEncoder,
}

impl Kind {
    fn made_by(self) -> &'static str {
        match self {
            Self::CrossEncoder => {
                ", as `pairmill-train cross-encoder` or an ONNX export of a sequence classifier makes it"
            }
            Self::SentenceEncoder => {
                "; `pairmill-train export --model DIR --output DIR` makes one of a sentence-transformers folder"
            }
        }
    }
}

/// A model folder whose files are there.
#[derive(Debug)]
pub(crate) struct ModelFolder {
    pub path: PathBuf,
    pub model: PathBuf,
    tokenizer: PathBuf,
    pub config: ModelConfig,
    /// `model_max_length` of `tokenizer_config.json`, where that file says one.
    pub tokenizer_max_length: Option<usize>,
    /// `max_seq_length` of `sentence_bert_config.json`, where that file says one.
    pub max_seq_length: Option<usize>,
    /// Whether that file wants texts in lower case.
    pub do_lower_case: bool,
}

/// What is needed of `config.json`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ModelConfig {
    #[serde(default)]
    model_type: String,
    pub vocab_size: Option<usize>,
    max_position_embeddings: Option<usize>,
    pub pad_token_id: Option<u32>,
    sentence_transformers: Option<SentenceTransformers>,
    /// Where sentence-transformers before version 4 kept the activation.
    sbert_ce_default_activation_function: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SentenceTransformers {
    activation_fn: Option<String>,
}

/// Settings of the transformer module of sentence-transformers.
#[derive(Debug, Default, Deserialize)]
struct SentenceConfig {
    max_seq_length: Option<f64>,
    #[serde(default)]
    do_lower_case: bool,
}

#[derive(Debug, Deserialize)]
struct TokenizerConfig {
    /// Hugging Face writes 1e30 for "no limit".
    model_max_length: Option<f64>,
}

impl ModelFolder {
    /// Looks for the files and reads the small ones. `transformer` is the folder inside this one
    /// that has them, mostly empty; the model file may lie in either.
    pub fn open(path: &Path, transformer: &str, kind: Kind, int8: bool) -> Result<Self> {
        if !path.is_dir() {
            return Err(InferenceError::NotAFolder {
                path: path.to_owned(),
            });
        }
        let missing = |file| InferenceError::MissingFile {
            folder: path.to_owned(),
            file,
            made_by: kind.made_by(),
        };
        let home = path.join(transformer);
        let existing = |name: &str| Some(home.join(name)).filter(|file| file.is_file());
        let names = if int8 { INT8_FILES } else { MODEL_FILES };
        let mut models = [path, &home]
            .into_iter()
            .flat_map(|folder| names.map(|name| folder.join(name)));
        let model = models
            .find(|file| file.is_file())
            .ok_or_else(|| match int8 {
                true => InferenceError::NoInt8 {
                    folder: path.to_owned(),
                },
                false => missing(names[0]),
            })?;
        let tokenizer = existing("tokenizer.json").ok_or_else(|| missing("tokenizer.json"))?;
        let config = existing("config.json").ok_or_else(|| missing("config.json"))?;
        let tokenizer_max_length = match existing("tokenizer_config.json") {
            Some(file) => length(read_json::<TokenizerConfig>(&file)?.model_max_length),
            None => None,
        };
        let sentence_config: SentenceConfig =
            match SENTENCE_CONFIGS.iter().find_map(|name| existing(name)) {
                Some(file) => read_json(&file)?,
                None => SentenceConfig::default(),
            };
        Ok(Self {
            path: path.to_owned(),
            model,
            tokenizer,
            config: read_json(&config)?,
            tokenizer_max_length,
            max_seq_length: length(sentence_config.max_seq_length),
            do_lower_case: sentence_config.do_lower_case,
        })
    }

    /// Reads the tokenizer and checks that the model knows its tokens.
    pub fn tokenizer(&self, lowercase: bool) -> Result<ModelTokenizer> {
        let tokenizer = ModelTokenizer::from_file(&self.tokenizer, lowercase)?;
        match self.config.vocab_size {
            Some(vocab_size) if tokenizer.vocab_size() > vocab_size => {
                Err(InferenceError::TokenizerMismatch {
                    folder: self.path.clone(),
                    tokens: tokenizer.vocab_size(),
                    vocab_size,
                })
            }
            _ => Ok(tokenizer),
        }
    }

    /// The maximum length: the one wanted, else the default, cut to what the model has positions
    /// for, else the number of these or 512; checked to be `least` or more and to fit the model.
    pub fn max_length(
        &self,
        wanted: Option<usize>,
        default: Option<usize>,
        least: usize,
    ) -> Result<usize> {
        let positions = self.config.positions();
        let most = positions.unwrap_or(usize::MAX);
        let max_length = wanted.unwrap_or_else(|| {
            let default = default.or(positions);
            default.unwrap_or(512).min(most)
        });
        if (least..=most).contains(&max_length) {
            return Ok(max_length);
        }
        Err(InferenceError::MaxLength {
            folder: self.path.clone(),
            max_length,
            least,
            most: match positions {
                None => "as many as memory holds".to_owned(),
                Some(most) => most.to_string(),
            },
        })
    }
}

impl ModelConfig {
    /// How many tokens the model has positions for, where the config says so.
    pub fn positions(&self) -> Option<usize> {
        // RoBERTa and its kin count positions from the one behind the padding token's.
        let unused = match self.model_type.as_str() {
            "roberta" | "xlm-roberta" | "camembert" | "mpnet" => 2,
            _ => 0,
        };
        let positions = self
            .max_position_embeddings
            .filter(|&positions| positions > unused);
        positions.map(|positions| positions - unused)
    }

    /// The path of the activation class that sentence-transformers wrote, such as
    /// `torch.nn.modules.activation.Sigmoid`.
    pub fn activation_class(&self) -> Option<&str> {
        self.sentence_transformers
            .as_ref()
            .and_then(|section| section.activation_fn.as_deref())
            .or(self.sbert_ce_default_activation_function.as_deref())
    }
}

/// A length that a file says; some say 1e30 for "no limit".
fn length(said: Option<f64>) -> Option<usize> {
    said.filter(|length| (1.0..1e6).contains(length))
        .map(|length| length as usize)
}

pub(crate) fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T> {
    let bad = |detail: String| InferenceError::BadFile {
        path: path.to_owned(),
        detail,
    };
    let text = fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| bad(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &Path) -> Result<ModelFolder> {
        ModelFolder::open(folder, "", Kind::CrossEncoder, false)
    }

    fn config(json: &str) -> ModelConfig {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn roberta_has_two_positions_fewer_than_its_table() {
        let bert = config(r#"{"model_type": "bert", "max_position_embeddings": 512}"#);
        let roberta = config(r#"{"model_type": "xlm-roberta", "max_position_embeddings": 514}"#);
        assert_eq!(
            (bert.positions(), roberta.positions()),
            (Some(512), Some(512))
        );
    }

    #[test]
    fn the_activation_is_read_from_both_generations() {
        let now = config(r#"{"sentence_transformers": {"activation_fn": "a.Sigmoid"}}"#);
        let before = config(r#"{"sbert_ce_default_activation_function": "a.Identity"}"#);
        assert_eq!(now.activation_class(), Some("a.Sigmoid"));
        assert_eq!(before.activation_class(), Some("a.Identity"));
        assert_eq!(config("{}").activation_class(), None);
    }

    #[test]
    fn an_unlimited_tokenizer_sets_no_limit() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("model.onnx", ""),
            ("tokenizer.json", "{}"),
            ("config.json", "{}"),
            (
                "tokenizer_config.json",
                r#"{"model_max_length": 1000000000000000019884624838656}"#,
            ),
        ] {
            fs::write(dir.path().join(name), text).unwrap();
        }
        assert_eq!(open(dir.path()).unwrap().tokenizer_max_length, None);
    }

    #[test]
    fn the_first_missing_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let missing = || open(dir.path()).unwrap_err().to_string();
        assert!(missing().contains("has no model.onnx;"));
        fs::create_dir(dir.path().join("onnx")).unwrap();
        fs::write(dir.path().join("onnx/model.onnx"), "").unwrap();
        assert!(missing().contains("has no tokenizer.json;"));
        fs::write(dir.path().join("tokenizer.json"), "{}").unwrap();
        assert!(missing().contains("has no config.json;"));
    }
}
