use std::fs;
use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{ModelError, Result};

/// What stands beside the weights in a model folder and belongs to every copy of the model.
/// Weights in other formats are not copied: they would be those of the model before training.
const COMPANIONS: [&str; 12] = [
    "config.json",
    "config_sentence_transformers.json",
    "merges.txt",
    "modules.json",
    "sentencepiece.bpe.model",
    "spiece.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
];

/// Names that sentence-transformers has given the settings of the transformer module.
pub(crate) const SENTENCE_CONFIGS: [&str; 5] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_xlm-roberta_config.json",
];

/// Endings of files that hold weights, of the model before training.
const WEIGHTS: [&str; 7] = [
    ".bin",
    ".h5",
    ".msgpack",
    ".onnx",
    ".pt",
    ".safetensors",
    ".safetensors.index.json",
];

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).map_err(|source| unreadable(path, source))?;
    serde_json::from_str(&text).map_err(|error| ModelError::Malformed {
        path: path.to_owned(),
        detail: format!("not sound JSON: {error}"),
    })
}

pub(crate) fn unreadable(path: &Path, source: io::Error) -> ModelError {
    match path.parent() {
        Some(folder) if !folder.is_dir() => ModelError::NoFolder {
            path: folder.to_owned(),
        },
        _ => ModelError::Unreadable {
            path: path.to_owned(),
            needs: "config.json, tokenizer.json and model.safetensors",
            source,
        },
    }
}

pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    fs::write(path, content).map_err(|source| ModelError::Unwritable {
        path: path.to_owned(),
        source,
    })
}

/// Sets the precision that a `config.json` names to single, in which we write weights: loaders go by
/// it. Returns whether it named another.
pub(crate) fn declare_single_precision(config: &mut Value) -> bool {
    let mut changed = false;
    for key in ["dtype", "torch_dtype"] {
        if let Some(dtype) = config.get_mut(key)
            && dtype.is_string()
            && dtype != "float32"
        {
            *dtype = "float32".into();
            changed = true;
        }
    }
    changed
}

/// Copies tokenizer and configuration files from one model folder into another; with
/// `sentence_modules` also the module folders such as `1_Pooling`.
///
/// # Errors
/// If a file that is there cannot be read or written.
pub fn copy_companions(from: &Path, to: &Path, sentence_modules: bool) -> Result<()> {
    for name in COMPANIONS.into_iter().chain(SENTENCE_CONFIGS) {
        let sentence_file = name == "modules.json" || name.contains("sentence_");
        if sentence_file && !sentence_modules {
            continue;
        }
        copy_if_there(&from.join(name), &to.join(name))?;
    }
    if sentence_modules {
        let entries = fs::read_dir(from).map_err(|source| unreadable(from, source))?;
        for entry in entries.flatten() {
            let name = entry.file_name();
            let is_module = name
                .to_string_lossy()
                .split_once('_')
                .is_some_and(|(index, _)| index.parse::<u32>().is_ok());
            if is_module && entry.path().is_dir() {
                copy_folder(&entry.path(), &to.join(name))?;
            }
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(|source| ModelError::Unwritable {
        path: to.to_owned(),
        source,
    })?;
    let entries = fs::read_dir(from).map_err(|source| unreadable(from, source))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_weights = WEIGHTS.iter().any(|ending| name.ends_with(ending));
        if entry.path().is_file() && !is_weights {
            copy_if_there(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn copy_if_there(from: &Path, to: &Path) -> Result<()> {
    match fs::read(from) {
        Ok(content) => write(to, content),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(unreadable(from, source)),
    }
}

/// What a model's README says: how it was made and how well it does.
#[derive(Debug, Clone, Default)]
pub struct ModelCard {
    /// Title of the card.
    pub title: String,
    /// `pipeline_tag` of the Hugging Face Hub, such as `sentence-similarity`.
    pub pipeline_tag: &'static str,
    /// The model it was made from, if that has an id on the Hub.
    pub base_model: Option<String>,
    /// Paragraphs and tables in Markdown.
    pub body: String,
}

impl ModelCard {
    /// Writes `README.md` into a model folder.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let base = self.base_model.iter();
        let base: String = base.map(|id| format!("base_model: {id}\n")).collect();
        let text = format!(
            "---\nlibrary_name: sentence-transformers\npipeline_tag: {}\n{base}tags:\n- sentence-transformers\n- pairmill\n---\n\n# {}\n\n{}",
            self.pipeline_tag, self.title, self.body
        );
        write(&folder.join("README.md"), text)
    }
}
