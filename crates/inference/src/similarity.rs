use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::folder::read_json;
use crate::prompts::FILE;
use crate::{InferenceError, Result};

/// How alike two embeddings are: `similarity_fn_name` of `config_sentence_transformers.json`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Similarity {
    /// The cosine of their angle, where the model says nothing.
    #[default]
    Cosine,
    /// Their dot product.
    Dot,
    /// Their distance, the less the more alike.
    Euclidean,
    /// The sum of the distances of their components, the less the more alike.
    Manhattan,
}

impl Similarity {
    pub(crate) fn load(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Ok(Self::default());
        }
        let config: Value = read_json(&path)?;
        match config["similarity_fn_name"].as_str() {
            None | Some("cosine") => Ok(Self::Cosine),
            Some("dot") => Ok(Self::Dot),
            Some("euclidean") => Ok(Self::Euclidean),
            Some("manhattan") => Ok(Self::Manhattan),
            Some(other) => Err(InferenceError::Unsupported {
                what: format!("the similarity_fn_name `{other}`"),
                path,
                supported: "cosine, dot, euclidean, manhattan",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(config: &str) -> Result<Similarity> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), config).unwrap();
        Similarity::load(folder.path())
    }

    #[test]
    fn cosine_unless_the_model_says_otherwise() {
        let config = |name: &str| format!(r#"{{"similarity_fn_name": {name}}}"#);
        for (name, expected) in [
            ("null", Similarity::Cosine),
            (r#""cosine""#, Similarity::Cosine),
            (r#""dot""#, Similarity::Dot),
        ] {
            assert_eq!(loaded(&config(name)).unwrap(), expected);
        }
        assert_eq!(loaded("{}").unwrap(), Similarity::Cosine);
        let error = loaded(&config(r#""angular""#)).unwrap_err().to_string();
        assert!(error.contains("`angular` is not supported"), "{error}");
    }
}
