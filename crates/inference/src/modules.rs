use std::path::{Component, Path};

use serde::Deserialize;

use crate::dense::Dense;
use crate::folder::read_json;
use crate::pooling::Pooling;
use crate::{InferenceError, Result};

/// Smallest norm a vector is divided by, as in `torch.nn.functional.normalize`.
const NORM_EPS: f32 = 1e-12;

#[derive(Debug, Deserialize)]
struct Entry {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

/// The modules of a sentence-transformers folder, as `modules.json` lists them.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    /// Folder of the transformer inside the model folder, mostly empty.
    pub transformer: String,
    pub pooling: Pooling,
    layers: Vec<Layer>,
}

/// A module behind the pooling.
#[derive(Debug)]
enum Layer {
    Dense(Dense),
    Normalize,
}

impl Modules {
    /// A folder without `modules.json` (a plain transformers checkpoint) gets mean pooling, as in
    /// sentence-transformers.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join("modules.json");
        if !path.is_file() {
            return Ok(Self::default());
        }
        let bad = |detail: String| InferenceError::BadFile {
            path: path.clone(),
            detail,
        };
        let entries: Vec<Entry> = read_json(&path)?;
        let mut modules = Self::default();
        let mut seen = Vec::new();
        for entry in &entries {
            let is_inside = |part| matches!(part, Component::Normal(_));
            if !Path::new(&entry.path).components().all(is_inside) {
                let detail = format!("`{}` is not a folder inside the model folder", entry.path);
                return Err(bad(detail));
            }
            let home = folder.join(&entry.path);
            // Module types have moved between packages; the name of the class has stayed.
            let class = entry.kind.rsplit('.').next().unwrap_or_default();
            match (class, seen.as_slice()) {
                ("Transformer", []) => modules.transformer.clone_from(&entry.path),
                ("Pooling", ["Transformer"]) => modules.pooling = Pooling::load(&home)?,
                ("Dense", ["Transformer", "Pooling", ..]) => {
                    modules.layers.push(Layer::Dense(Dense::load(&home)?));
                }
                ("Normalize", ["Transformer", "Pooling", ..]) => {
                    modules.layers.push(Layer::Normalize);
                }
                _ => {
                    return Err(InferenceError::Unsupported {
                        path,
                        what: match seen.last() {
                            Some(before) => format!("the module `{class}` after `{before}`"),
                            None => format!("the module `{class}` at the start"),
                        },
                        supported: "Transformer, Pooling, then any number of Dense and Normalize",
                    });
                }
            }
            seen.push(class);
        }
        if seen.len() < 2 {
            return Err(bad("names no Pooling module".to_owned()));
        }
        Ok(modules)
    }

    /// Components of an embedding, for token states of `hidden` components. It is an error if a
    /// `Dense` module takes vectors of another size than the module before it gives.
    pub fn dimension(&self, hidden: usize, folder: &Path) -> Result<usize> {
        let mut dimension = self.pooling.dimension(hidden);
        for layer in &self.layers {
            if let Layer::Dense(dense) = layer {
                if dense.inputs != dimension {
                    return Err(InferenceError::BadFile {
                        path: folder.join("modules.json"),
                        detail: format!(
                            "its Dense module has in_features {}, but what comes in has {dimension} components",
                            dense.inputs
                        ),
                    });
                }
                dimension = dense.outputs;
            }
        }
        Ok(dimension)
    }

    /// The embedding of a text from the states of its tokens, row-major `[tokens, hidden]`, padding
    /// left out.
    pub fn embed(&self, states: &[f32], hidden: usize) -> Vec<f32> {
        let pooled = self.pooling.pool(states, hidden);
        self.layers
            .iter()
            .fold(pooled, |vector, layer| match layer {
                Layer::Dense(dense) => dense.forward(&vector),
                Layer::Normalize => normalized(vector),
            })
    }
}

fn normalized(mut vector: Vec<f32>) -> Vec<f32> {
    let squares: f32 = vector.iter().map(|value| value * value).sum();
    let norm = squares.sqrt().max(NORM_EPS);
    vector.iter_mut().for_each(|value| *value /= norm);
    vector
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A folder whose modules are these, each in the folder `N_Class`.
    fn load(types: &[&str]) -> Result<Modules> {
        let folder = tempfile::tempdir().unwrap();
        let entries = types.iter().enumerate().map(|(n, kind)| {
            let home = format!("{n}_{}", kind.rsplit('.').next().unwrap());
            fs::create_dir(folder.path().join(&home)).unwrap();
            fs::write(folder.path().join(&home).join("config.json"), "{}").unwrap();
            format!(r#"{{"idx": {n}, "name": "{n}", "path": "{home}", "type": "{kind}"}}"#)
        });
        let list = entries.collect::<Vec<_>>().join(", ");
        fs::write(folder.path().join("modules.json"), format!("[{list}]")).unwrap();
        Modules::load(folder.path())
    }

    #[test]
    fn classes_of_old_and_new_packages_are_the_same() {
        for package in [
            "sentence_transformers.models",
            "sentence_transformers.sentence_transformer.modules.some",
        ] {
            let of = |class: &str| format!("{package}.{class}");
            let types = ["Transformer", "Pooling", "Normalize"].map(of);
            let modules = load(&types.each_ref().map(String::as_str)).unwrap();
            assert_eq!(modules.transformer, "0_Transformer");
            assert_eq!(modules.embed(&[3.0, 8.0, 3.0, 0.0], 2), [0.6, 0.8]);
        }
    }

    #[test]
    fn a_folder_without_a_list_has_the_mean_and_no_normalisation() {
        let folder = tempfile::tempdir().unwrap();
        let modules = Modules::load(folder.path()).unwrap();
        assert_eq!(modules.embed(&[3.0, 8.0, 3.0, 0.0], 2), [3.0, 4.0]);
        assert_eq!(modules.dimension(2, folder.path()).unwrap(), 2);
    }

    #[test]
    fn an_unknown_module_is_named() {
        for (types, expected) in [
            (
                &["a.Transformer", "a.Pooling", "a.LayerNorm"][..],
                "the module `LayerNorm` after `Pooling` is not",
            ),
            (
                &["a.StaticEmbedding"],
                "the module `StaticEmbedding` at the start is not",
            ),
            (
                &["a.Transformer", "a.Normalize"],
                "the module `Normalize` after `Transformer` is not",
            ),
            (&["a.Transformer"], "names no Pooling module"),
        ] {
            let error = load(types).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_module_lies_inside_the_model_folder() {
        let folder = tempfile::tempdir().unwrap();
        let list = r#"[{"path": "../other", "type": "a.Transformer"}]"#;
        fs::write(folder.path().join("modules.json"), list).unwrap();
        let error = Modules::load(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("`../other` is not a folder inside"),
            "{error}"
        );
    }

    #[test]
    fn the_zero_vector_stays_zero() {
        assert_eq!(normalized(vec![0.0, 0.0]), [0.0, 0.0]);
    }
}
