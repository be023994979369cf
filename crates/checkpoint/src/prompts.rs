use std::path::Path;

use serde_json::{Map, Value};

use crate::files::{malformed, read_json, read_optional, unsupported, write};
use crate::{Result, SimilarityFunction};

/// Prompts, similarity and kind of a sentence-transformers model.
pub(crate) const FILE: &str = "config_sentence_transformers.json";

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
    /// Returns the prompts under the names that `encode_query`, `encode_document` and `encode` of
    /// sentence-transformers look for; the default prompt is for the last alone.
    fn of_settings(path: &Path, settings: &Map<String, Value>) -> Result<Self> {
        let prompts = match settings.get("prompts") {
            None | Some(Value::Null) => &Map::new(),
            Some(Value::Object(prompts)) => prompts,
            Some(other) => {
                return Err(malformed(
                    path,
                    format!("`prompts` is {other}, not an object"),
                ));
            }
        };
        for (name, prompt) in prompts {
            if !prompt.is_string() && !prompt.is_null() {
                let detail = format!("the prompt `{name}` is {prompt}, not a text");
                return Err(malformed(path, detail));
            }
        }
        let prompt = |name: &str| prompts.get(name).and_then(Value::as_str);
        let first = |names: &[&str]| {
            let found = names.iter().find_map(|name| prompt(name));
            found.unwrap_or_default().to_owned()
        };
        let text = match settings.get("default_prompt_name").and_then(Value::as_str) {
            None => String::new(),
            // Those that the library has by itself.
            Some("query" | "document") if prompts.is_empty() => String::new(),
            Some(name) if prompts.contains_key(name) => prompt(name).unwrap_or_default().to_owned(),
            Some(name @ ("query" | "document")) => prompt(name).unwrap_or_default().to_owned(),
            Some(name) => {
                let names: Vec<&str> = prompts.keys().map(String::as_str).collect();
                let names = names.join(", ");
                let detail =
                    format!("default_prompt_name is `{name}`, but the prompts are: {names}");
                return Err(malformed(path, detail));
            }
        };
        Ok(Self {
            query: first(&["query"]),
            document: first(&["document", "passage", "corpus"]),
            text,
        })
    }

    /// Writes them into a model folder beside what its file says already.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        if Settings::load(folder)?.prompts == *self {
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

    /// Returns these prompts with others for queries and documents, where some are given.
    pub fn with(&self, query: Option<&str>, document: Option<&str>) -> Self {
        Self {
            query: query.unwrap_or(&self.query).to_owned(),
            document: document.unwrap_or(&self.document).to_owned(),
            text: self.text.clone(),
        }
    }

    /// Returns the prompt of a side.
    pub fn of(&self, side: Side) -> &str {
        match side {
            Side::Query => &self.query,
            Side::Document => &self.document,
            Side::Text => &self.text,
        }
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What `config_sentence_transformers.json` says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub prompts: Prompts,
    pub similarity: SimilarityFunction,
    /// The library's class of the model, where it says one.
    pub model_type: Option<String>,
    /// The activation behind a cross-encoder.
    pub activation: Option<String>,
}

impl Settings {
    /// Reads those of a folder, or the usual ones where it has no such file.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let Some(settings) = read_optional::<Map<String, Value>>(&path)? else {
            return Ok(Self::default());
        };
        let name = |key: &str| settings.get(key).and_then(Value::as_str);
        let model_type = name("model_type").map(str::to_owned);
        let is_encoder = model_type.as_deref().is_none_or(|kind| kind == ENCODER);
        let similarity = match name("similarity_fn_name") {
            Some(name) if is_encoder => name.parse().map_err(|_| {
                let what = format!("the similarity_fn_name `{name}`");
                unsupported(&path, what, SimilarityFunction::NAMES)
            })?,
            _ => SimilarityFunction::default(),
        };
        Ok(Self {
            prompts: Prompts::of_settings(&path, &settings)?,
            similarity,
            model_type,
            activation: name("activation_fn").map(str::to_owned),
        })
    }

    /// Refuses the folder of another kind of model.
    pub fn expect(&self, folder: &Path, kind: &'static str) -> Result<()> {
        match &self.model_type {
            Some(found) if found != kind => {
                let what = format!("the model_type `{found}` here");
                Err(unsupported(&folder.join(FILE), what, kind))
            }
            _ => Ok(()),
        }
    }
}

pub(crate) const ENCODER: &str = "SentenceTransformer";
pub(crate) const CROSS_ENCODER: &str = "CrossEncoder";

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(config: &str) -> Result<Settings> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), config).unwrap();
        Settings::load(folder.path())
    }

    fn loaded(config: &str) -> [String; 3] {
        let prompts = settings(config).unwrap().prompts;
        [Side::Query, Side::Document, Side::Text].map(|side| prompts.of(side).to_owned())
    }

    #[test]
    fn names_are_looked_for_in_order() {
        let config = r#"{"prompts": {"query": "q: ", "passage": "p: ", "corpus": "c: "}}"#;
        assert_eq!(loaded(config), ["q: ", "p: ", ""]);
        let config = r#"{"prompts": {"query": "q: ", "passage": "p: ", "document": ""}}"#;
        assert_eq!(loaded(config), ["q: ", "", ""]);
    }

    #[test]
    fn the_default_prompt_is_for_texts_that_are_neither() {
        let config = r#"{"prompts": {"query": "q: ", "all": "a: "}, "default_prompt_name": "all"}"#;
        assert_eq!(loaded(config), ["q: ", "", "a: "]);
        let config = r#"{"prompts": {"query": "q: "}, "default_prompt_name": "query"}"#;
        assert_eq!(loaded(config), ["q: ", "", "q: "]);
        let none = r#"{"prompts": {}, "default_prompt_name": null}"#;
        assert_eq!(loaded(none), ["", "", ""]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (config, expected) in [
            (
                r#"{"prompts": {"a": "a: "}, "default_prompt_name": "b"}"#,
                "default_prompt_name is `b`, but the prompts are: a",
            ),
            (r#"{"prompts": {"query": 7}}"#, "the prompt `query` is 7"),
            (r#"{"prompts": "query: "}"#, "`prompts` is \"query: \""),
            (
                r#"{"similarity_fn_name": "angular"}"#,
                "similarity_fn_name `angular` is not",
            ),
        ] {
            let error = settings(config).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_similarity_is_the_cosine_unless_the_model_says_otherwise() {
        for (config, expected) in [
            ("{}", SimilarityFunction::Cosine),
            (
                r#"{"similarity_fn_name": null}"#,
                SimilarityFunction::Cosine,
            ),
            (r#"{"similarity_fn_name": "dot"}"#, SimilarityFunction::Dot),
            (
                r#"{"similarity_fn_name": "euclidean"}"#,
                SimilarityFunction::Euclidean,
            ),
        ] {
            assert_eq!(settings(config).unwrap().similarity, expected);
        }
    }

    #[test]
    fn another_kind_of_model_is_refused() {
        let sparse = settings(r#"{"model_type": "SparseEncoder", "similarity_fn_name": "x"}"#);
        let error = sparse.unwrap().expect(Path::new("m"), ENCODER).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("the model_type `SparseEncoder` here is not")
        );
    }

    #[test]
    fn saved_prompts_read_back_and_leave_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::fs::write(&path, r#"{"similarity_fn_name": "dot"}"#).unwrap();
        let prompts = Prompts {
            query: "q: ".to_owned(),
            ..Prompts::default()
        };
        prompts.save(folder.path()).unwrap();
        let settings = Settings::load(folder.path()).unwrap();
        assert_eq!(
            (settings.prompts, settings.similarity),
            (prompts, SimilarityFunction::Dot)
        );
    }
}
