use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::Result;
use crate::files::{malformed, read_json, unsupported, write};

/// Names that sentence-transformers has given the settings of the transformer module.
pub(crate) const FILES: [&str; 7] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
];

/// What a transformer gives to the module behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Token states, for a sentence encoder.
    States,
    /// Logits, for a cross-encoder.
    Logits,
}

impl Task {
    fn names(self) -> [&'static str; 3] {
        match self {
            Self::States => [
                "feature-extraction",
                "last_hidden_state",
                "token_embeddings",
            ],
            Self::Logits => ["sequence-classification", "logits", "scores"],
        }
    }
}

/// Settings of the transformer module: `sentence_bert_config.json`.
#[derive(Debug, Clone, Default)]
pub(crate) struct SentenceConfig {
    /// `max_seq_length`, where it says one.
    pub max_length: Option<usize>,
    /// Whether texts are turned to lower case first.
    pub do_lower_case: bool,
    /// What goes before the settings of `tokenizer_config.json`.
    pub tokenizer: Map<String, Value>,
}

impl SentenceConfig {
    /// Reads those of a folder, under the first name that it has; the usual ones where it has none.
    pub fn load(folder: &Path, task: Task) -> Result<Self> {
        let Some(path) = file(folder) else {
            return Ok(Self::default());
        };
        let config: Map<String, Value> = read_json(&path)?;
        let value = |key: &str| config.get(key).filter(|value| !is_empty(value));
        for key in [
            "query_length",
            "document_length",
            "query_expansion",
            "processing_kwargs",
        ] {
            if let Some(found) = value(key) {
                return Err(unsupported(
                    &path,
                    format!("{key} {found}"),
                    "no such setting",
                ));
            }
        }
        if let Some(found) = value("tokenizer_name_or_path") {
            let what = format!("the tokenizer of another model, tokenizer_name_or_path {found},");
            return Err(unsupported(&path, what, "the one in the folder"));
        }
        check_task(&path, &config, task)?;
        for key in ["config_args", "config_kwargs"] {
            if let Some(found) = value(key) {
                let what = format!("{key} {found}");
                return Err(unsupported(
                    &path,
                    what,
                    "the settings in config.json itself",
                ));
            }
        }
        let tokenizer = ["tokenizer_args", "processor_kwargs"]
            .into_iter()
            .filter_map(value);
        Ok(Self {
            max_length: value("max_seq_length").and_then(length),
            do_lower_case: value("do_lower_case").is_some_and(|value| value == true),
            tokenizer: tokenizer
                .filter_map(Value::as_object)
                .flatten()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        })
    }
}

/// Returns whether a setting says nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.keys().all(|key| key == "trust_remote_code"),
        _ => false,
    }
}

fn check_task(path: &Path, config: &Map<String, Value>, task: Task) -> Result<()> {
    let [name, method_output, output] = task.names();
    for (key, wanted) in [("transformer_task", name), ("module_output_name", output)] {
        if let Some(found) = config.get(key).and_then(Value::as_str)
            && found != wanted
        {
            return Err(unsupported(path, format!("{key} `{found}` here"), wanted));
        }
    }
    let Some(Value::Object(modalities)) = config.get("modality_config") else {
        return Ok(());
    };
    let is_usual =
        |text: &Value| text["method"] == "forward" && text["method_output_name"] == method_output;
    match modalities.get("text") {
        Some(text) if is_usual(text) && !modalities.contains_key("message") => Ok(()),
        _ => {
            let what = format!("modality_config {}", config["modality_config"]);
            Err(unsupported(
                path,
                what,
                "text through the model's `forward`",
            ))
        }
    }
}

/// Returns a length that a file says; some say 1e30 for "no limit".
pub(crate) fn length(value: &Value) -> Option<usize> {
    let said = value.as_f64().filter(|length| (1.0..1e6).contains(length));
    said.map(|length| length as usize)
}

/// Returns the file that has these settings.
fn file(folder: &Path) -> Option<PathBuf> {
    let mut paths = FILES.iter().map(|name| folder.join(name));
    paths.find(|path| path.is_file())
}

/// Writes the longest text into a model folder.
pub(crate) fn save_max_length(folder: &Path, max_length: usize) -> Result<()> {
    let (path, mut config) = match file(folder) {
        Some(path) => (path.clone(), read_json::<Map<String, Value>>(&path)?),
        None => (folder.join(FILES[0]), Map::new()),
    };
    for key in ["tokenizer_args", "processor_kwargs"] {
        if let Some(Value::Object(settings)) = config.get_mut(key) {
            settings.remove("model_max_length");
        }
    }
    // A folder that the newest release of the library wrote has it with the tokenizer alone.
    config.insert("max_seq_length".to_owned(), max_length.into());
    if max_length == 0 {
        return Err(malformed(&path, "a longest text of 0 tokens"));
    }
    write(&path, format!("{:#}", Value::from(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(config: &str, task: Task) -> Result<SentenceConfig> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILES[0]), config).unwrap();
        SentenceConfig::load(folder.path(), task)
    }

    #[test]
    fn what_the_newest_release_writes_is_the_usual() {
        let config = |task, output, module| {
            format!(
                r#"{{"transformer_task": "{task}", "module_output_name": "{module}", "modality_config":
                   {{"text": {{"method": "forward", "method_output_name": "{output}"}}}}}}"#
            )
        };
        let states = config(
            "feature-extraction",
            "last_hidden_state",
            "token_embeddings",
        );
        let logits = config("sequence-classification", "logits", "scores");
        load(&states, Task::States).unwrap();
        load(&logits, Task::Logits).unwrap();
        let error = load(&logits, Task::States).unwrap_err().to_string();
        assert!(
            error.contains("transformer_task `sequence-classification` here is not"),
            "{error}"
        );
    }

    #[test]
    fn lengths_that_mean_no_limit_are_none() {
        let length = |config: &str| load(config, Task::States).unwrap().max_length;
        assert_eq!(
            length(r#"{"max_seq_length": 128, "do_lower_case": false}"#),
            Some(128)
        );
        assert_eq!(length(r#"{"max_seq_length": 1e30}"#), None);
        assert_eq!(length(r#"{"max_seq_length": null}"#), None);
    }

    #[test]
    fn settings_of_the_tokenizer_are_kept_and_others_refused() {
        let config = r#"{"tokenizer_args": {"model_max_length": 7}, "config_args": {"trust_remote_code": true}}"#;
        let loaded = load(config, Task::States).unwrap();
        assert_eq!(loaded.tokenizer["model_max_length"], 7);
        for (config, expected) in [
            (r#"{"query_length": 32}"#, "query_length 32 is not"),
            (
                r#"{"config_kwargs": {"is_decoder": true}}"#,
                "config_kwargs {",
            ),
            (
                r#"{"tokenizer_name_or_path": "x"}"#,
                "tokenizer_name_or_path \"x\"",
            ),
            (r#"{"modality_config": {"image": {}}}"#, "modality_config {"),
            (
                r#"{"processing_kwargs": {"text": {"max_length": 3}}}"#,
                "processing_kwargs {",
            ),
        ] {
            let error = load(config, Task::States).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
