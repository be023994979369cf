use std::path::Path;

use serde_json::{Map, Value};

use crate::Result;
use crate::files::{read_json, write};

const FILE: &str = "config_sentence_transformers.json";

/// What a text is to a search, which decides its prompt and how long it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What is looked for.
    Query,
    /// What is found.
    Document,
    /// Neither: one of two equals.
    Text,
}

/// Texts that a model wants before each text, from `config_sentence_transformers.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompts {
    /// Before each query.
    pub query: String,
    /// Before each document.
    pub document: String,
    /// Before each text that is neither.
    pub text: String,
}

impl Prompts {
    /// The prompts under the names that `encode_query`, `encode_document` and `encode` of
    /// sentence-transformers look for; empty where the model has none.
    ///
    /// # Errors
    /// If the file is there and not sound.
    pub(crate) fn load(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Ok(Self::default());
        }
        let config: Value = read_json(&path)?;
        let prompt = |name: &str| config["prompts"][name].as_str();
        let text = config["default_prompt_name"].as_str().and_then(prompt);
        let first = |names: &[&str]| {
            let found = names.iter().find_map(|name| prompt(name));
            found.or(text).unwrap_or_default().to_owned()
        };
        Ok(Self {
            query: first(&["query"]),
            document: first(&["document", "passage", "corpus"]),
            text: first(&[]),
        })
    }

    /// Writes them into a model folder beside what its file says already.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        if Self::load(folder)? == *self {
            return Ok(());
        }
        let path = folder.join(FILE);
        let mut config: Map<String, Value> = match path.is_file() {
            true => read_json(&path)?,
            false => Map::new(),
        };
        let prompts = config.entry("prompts").or_insert(Value::Null);
        if !prompts.is_object() {
            *prompts = Map::new().into();
        }
        prompts["query"] = self.query.as_str().into();
        prompts["document"] = self.document.as_str().into();
        write(&path, format!("{:#}", Value::from(config)))
    }

    /// These prompts with others for queries and documents, where some are given.
    pub fn with(&self, query: Option<&str>, document: Option<&str>) -> Self {
        Self {
            query: query.unwrap_or(&self.query).to_owned(),
            document: document.unwrap_or(&self.document).to_owned(),
            text: self.text.clone(),
        }
    }

    /// The prompt of a side.
    pub fn of(&self, side: Side) -> &str {
        match side {
            Side::Query => &self.query,
            Side::Document => &self.document,
            Side::Text => &self.text,
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(config: &str) -> Prompts {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), config).unwrap();
        Prompts::load(folder.path()).unwrap()
    }

    #[test]
    fn names_are_looked_for_in_order() {
        let prompts = loaded(r#"{"prompts": {"query": "q: ", "passage": "p: ", "corpus": "c: "}}"#);
        assert_eq!(prompts.of(Side::Query), "q: ");
        assert_eq!(prompts.of(Side::Document), "p: ");
        assert_eq!(prompts.of(Side::Text), "");
    }

    #[test]
    fn the_default_prompt_stands_in() {
        let config = r#"{"prompts": {"query": "q: ", "all": "a: "}, "default_prompt_name": "all"}"#;
        let prompts = loaded(config);
        assert_eq!(prompts.of(Side::Query), "q: ");
        assert_eq!(prompts.of(Side::Document), "a: ");
        assert_eq!(prompts.of(Side::Text), "a: ");
        assert!(loaded(r#"{"prompts": {}, "default_prompt_name": null}"#).is_empty());
    }

    #[test]
    fn saved_prompts_read_back_and_leave_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::fs::write(&path, r#"{"similarity_fn_name": "cosine"}"#).unwrap();
        let prompts = Prompts {
            query: "q: ".to_owned(),
            ..Prompts::default()
        };
        prompts.save(folder.path()).unwrap();
        assert_eq!(Prompts::load(folder.path()).unwrap(), prompts);
        let config: Value = read_json(&path).unwrap();
        assert_eq!(config["similarity_fn_name"], "cosine");
    }
}
