use std::path::Path;

use serde_json::Value;

use crate::Result;
use crate::folder::read_json;

pub(crate) const FILE: &str = "config_sentence_transformers.json";

/// Texts that a model wants before each text, from `config_sentence_transformers.json`; empty where
/// it wants none.
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
    /// sentence-transformers look for.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(config: &str) -> [String; 3] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), config).unwrap();
        let prompts = Prompts::load(folder.path()).unwrap();
        [prompts.query, prompts.document, prompts.text]
    }

    #[test]
    fn names_are_looked_for_in_order() {
        let config = r#"{"prompts": {"query": "q: ", "passage": "p: ", "corpus": "c: "}}"#;
        assert_eq!(loaded(config), ["q: ", "p: ", ""]);
    }

    #[test]
    fn the_default_prompt_stands_in() {
        let config = r#"{"prompts": {"query": "q: ", "all": "a: "}, "default_prompt_name": "all"}"#;
        assert_eq!(loaded(config), ["q: ", "a: ", "a: "]);
        let none = r#"{"prompts": {}, "default_prompt_name": null}"#;
        assert_eq!(loaded(none), ["", "", ""]);
    }
}
