use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::architecture::unused_positions;
use crate::files::read_json;
use crate::prompts::{CROSS_ENCODER, ENCODER, Settings};
use crate::sentence_config::{self, SentenceConfig, Task};
use crate::tokenizer_config::TokenizerConfig;
use crate::{
    CheckpointError, Modules, Prompts, Result, SimilarityFunction, TextTokenizer, companions,
    modules,
};

/// A model folder whose small files are read.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    folder: PathBuf,
    modules: Modules,
    settings: Settings,
    config: Value,
    sentence: SentenceConfig,
    tokenizer: TokenizerConfig,
    task: Task,
}

impl Checkpoint {
    /// Reads the folder of a sentence encoder. A folder without `modules.json` (a plain
    /// transformers checkpoint) gets mean pooling, as in sentence-transformers.
    ///
    /// # Errors
    /// If a file is missing or damaged, or asks for what is not supported.
    pub fn of_encoder(folder: &Path) -> Result<Self> {
        check_folder(folder)?;
        let modules = Modules::load(folder)?;
        let settings = Settings::load(folder)?;
        settings.expect(folder, ENCODER)?;
        Self::read(folder, modules, settings, Task::States)
    }

    /// Reads the folder of a cross-encoder, as Hugging Face's `…ForSequenceClassification` or
    /// sentence-transformers' `CrossEncoder` wrote it; or of an encoder to make one of.
    ///
    /// # Errors
    /// As [`of_encoder`](Self::of_encoder).
    pub fn of_cross_encoder(folder: &Path) -> Result<Self> {
        check_folder(folder)?;
        let settings = Settings::load(folder)?;
        if settings.model_type.as_deref() == Some(CROSS_ENCODER)
            && folder.join(modules::FILE).is_file()
        {
            let modules = Modules {
                transformer: Modules::of_cross_encoder(folder)?,
                ..Modules::default()
            };
            return Self::read(folder, modules, settings, Task::Logits);
        }
        // What a sentence encoder says of its embeddings says nothing of a classifier.
        Self::read(
            folder,
            Modules::default(),
            Settings::default(),
            Task::Logits,
        )
    }

    fn read(folder: &Path, modules: Modules, settings: Settings, task: Task) -> Result<Self> {
        let home = folder.join(&modules.transformer);
        let config = read_json(&home.join("config.json"))?;
        // The folder of an encoder has settings that are none of the cross-encoder made of it.
        let has_settings = match task {
            // Without modules.json the library looks at nothing but what transformers does.
            Task::States => folder.join(modules::FILE).is_file(),
            Task::Logits => settings.model_type.is_some(),
        };
        let sentence = match has_settings {
            true => SentenceConfig::load(&home, task)?,
            false => SentenceConfig::default(),
        };
        let tokenizer = TokenizerConfig::load(&home, &sentence)?;
        Ok(Self {
            folder: folder.to_owned(),
            modules,
            settings,
            config,
            sentence,
            tokenizer,
            task,
        })
    }

    /// Returns the model folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns where a model folder of this form has the transformer's files; mostly the folder
    /// itself.
    pub fn home_in(&self, folder: &Path) -> PathBuf {
        match self.modules.transformer.as_str() {
            "" => folder.to_owned(),
            inside => folder.join(inside),
        }
    }

    /// Returns the folder of the transformer's files.
    pub fn home(&self) -> PathBuf {
        self.home_in(&self.folder)
    }

    /// Returns the modules; of a cross-encoder, the folder of its transformer alone.
    pub fn modules(&self) -> &Modules {
        &self.modules
    }

    /// Returns what the model wants before each text.
    pub fn prompts(&self) -> &Prompts {
        &self.settings.prompts
    }

    /// Returns how the model's embeddings are compared.
    pub fn similarity(&self) -> SimilarityFunction {
        self.settings.similarity
    }

    /// Returns what `config.json` says.
    pub fn config(&self) -> &Value {
        &self.config
    }

    /// Returns the activation that `config_sentence_transformers.json` names, by its class in
    /// PyTorch.
    pub(crate) fn activation(&self) -> Option<&str> {
        self.settings.activation.as_deref()
    }

    /// Returns how many tokens the model has positions for, where `config.json` says so.
    pub fn positions(&self) -> Option<usize> {
        let config = &self.config;
        let positions = config["max_position_embeddings"].as_u64()? as usize;
        let unused = unused_positions(config);
        (positions > unused).then(|| positions - unused)
    }

    /// Returns the longest text or pair in tokens, marks counted: `max_seq_length` of
    /// `sentence_bert_config.json`, else `model_max_length` of `tokenizer_config.json`, and never
    /// more than there are positions for; 512 where nothing says anything.
    pub fn max_length(&self) -> usize {
        let said = match self.sentence.tokenizer.contains_key("model_max_length") {
            true => self.tokenizer.max_length(),
            false => self.sentence.max_length.or(self.tokenizer.max_length()),
        };
        let lengths = [said, self.positions()].into_iter().flatten();
        lengths.min().unwrap_or(512)
    }

    /// Reads the tokenizer as transformers would load it, and checks that the model knows its
    /// tokens. Texts are cut at [`max_length`](Self::max_length).
    ///
    /// # Errors
    /// If a file is missing or damaged, or has tokens that the model does not know.
    pub fn tokenizer(&self) -> Result<TextTokenizer> {
        let home = self.home();
        let lowercase = self.sentence.do_lower_case;
        let mut tokenizer = TextTokenizer::load(&home, &self.tokenizer, &self.config, lowercase)?;
        tokenizer.set_max_length(self.max_length());
        Ok(tokenizer)
    }

    /// Returns the id of the token that fills up a batch.
    pub fn pad_id(&self, tokenizer: &TextTokenizer) -> u32 {
        let said = self.config["pad_token_id"].as_u64();
        let token = || {
            let own = self.tokenizer.token("pad_token").map(|(token, _)| token);
            let names = own.into_iter().chain(["[PAD]", "<pad>"]);
            names
                .into_iter()
                .find_map(|name| tokenizer.token_to_id(name))
        };
        said.map(|id| id as u32).or_else(token).unwrap_or(0)
    }

    /// Copies what belongs to every copy of the model but its weights into another folder, which is
    /// there. A plain checkpoint becomes a folder of sentence-transformers, and a cross-encoder
    /// gets the plain form, with all files in one folder.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn copy_companions(&self, to: &Path) -> Result<()> {
        match self.task {
            Task::States if self.folder.join(modules::FILE).is_file() => {
                companions::of_encoder(&self.folder, to, &self.modules)
            }
            Task::States => companions::of_plain(&self.folder, to, &self.config),
            Task::Logits => companions::of_cross_encoder(&self.home(), to),
        }
    }

    /// Writes the longest text into a copy of the model, unless it says so already.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn save_max_length(&self, copy: &Path, max_length: usize) -> Result<()> {
        if self.max_length() == max_length {
            return Ok(());
        }
        match self.task {
            Task::States => sentence_config::save_max_length(&self.home_in(copy), max_length),
            Task::Logits => companions::save_tokenizer_length(copy, max_length),
        }
    }
}

fn check_folder(folder: &Path) -> Result<()> {
    match folder.is_dir() {
        true => Ok(()),
        false => Err(CheckpointError::NoFolder {
            path: folder.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    const MODULES: (&str, &str) = (
        "modules.json",
        r#"[{"path": "", "type": "sentence_transformers.models.Transformer"}, {"path": "p", "type": "sentence_transformers.models.Pooling"}]"#,
    );

    fn length(files: &[(&str, &str)]) -> usize {
        let folder = folder(&[files, &[MODULES, ("p/config.json", "{}")]].concat());
        Checkpoint::of_encoder(folder.path()).unwrap().max_length()
    }

    const CONFIG: (&str, &str) = (
        "config.json",
        r#"{"model_type": "bert", "max_position_embeddings": 300}"#,
    );

    #[test]
    fn the_longest_text_is_said_in_this_order() {
        let sentence = ("sentence_bert_config.json", r#"{"max_seq_length": 200}"#);
        let tokenizer = ("tokenizer_config.json", r#"{"model_max_length": 100}"#);
        assert_eq!(length(&[CONFIG, sentence, tokenizer]), 200);
        assert_eq!(length(&[CONFIG, tokenizer]), 100);
        assert_eq!(length(&[CONFIG]), 300);
        assert_eq!(length(&[("config.json", "{}")]), 512);
        let unlimited = ("tokenizer_config.json", r#"{"model_max_length": 1e30}"#);
        assert_eq!(length(&[CONFIG, unlimited]), 300);
        let long = ("sentence_bert_config.json", r#"{"max_seq_length": 500}"#);
        assert_eq!(length(&[CONFIG, long, tokenizer]), 300);
        let first = (
            "sentence_bert_config.json",
            r#"{"max_seq_length": 200, "tokenizer_args": {"model_max_length": 50}}"#,
        );
        assert_eq!(length(&[CONFIG, first, tokenizer]), 50);
    }

    #[test]
    fn roberta_has_fewer_positions_than_its_table() {
        let positions = |config: &str| {
            let folder = folder(&[("config.json", config)]);
            Checkpoint::of_encoder(folder.path()).unwrap().positions()
        };
        let of = |kind: &str, more: &str| {
            positions(&format!(
                r#"{{"model_type": "{kind}", "max_position_embeddings": 514{more}}}"#
            ))
        };
        assert_eq!(of("bert", ""), Some(514));
        assert_eq!(of("xlm-roberta", ""), Some(512));
        assert_eq!(of("roberta", r#", "pad_token_id": 0"#), Some(513));
        assert_eq!(of("mpnet", r#", "pad_token_id": 0"#), Some(512));
        assert_eq!(positions(r#"{"model_type": "bert"}"#), None);
    }

    #[test]
    fn a_cross_encoder_does_not_go_by_the_settings_of_embeddings() {
        let folder = folder(&[
            CONFIG,
            ("modules.json", "[]"),
            ("sentence_bert_config.json", r#"{"max_seq_length": 20}"#),
            ("tokenizer_config.json", r#"{"model_max_length": 250}"#),
        ]);
        let checkpoint = Checkpoint::of_cross_encoder(folder.path()).unwrap();
        assert_eq!(checkpoint.max_length(), 250);
    }

    #[test]
    fn the_newest_form_of_a_cross_encoder_is_read() {
        let entry = |path: &str, class: &str| {
            format!(r#"[{{"path": "{path}", "type": "sentence_transformers.base.{class}"}}]"#)
        };
        let settings = (
            "config_sentence_transformers.json",
            r#"{"model_type": "CrossEncoder", "activation_fn": "torch.nn.Identity"}"#,
        );
        let (good, bad) = (entry("0_T", "Transformer"), entry("", "Router"));
        let ours = folder(&[settings, ("modules.json", &good), ("0_T/config.json", "{}")]);
        let checkpoint = Checkpoint::of_cross_encoder(ours.path()).unwrap();
        assert_eq!(checkpoint.home(), ours.path().join("0_T"));
        assert_eq!(checkpoint.activation(), Some("torch.nn.Identity"));
        let error = Checkpoint::of_encoder(ours.path()).unwrap_err().to_string();
        assert!(error.contains("names no Pooling module"), "{error}");
        let other = folder(&[settings, ("modules.json", &bad), ("config.json", "{}")]);
        let error = Checkpoint::of_cross_encoder(other.path()).unwrap_err();
        assert!(
            error.to_string().contains("without a Transformer"),
            "{error}"
        );
    }
}
