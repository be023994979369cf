use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::dense::refuse_other_features;
use crate::files::{malformed, read_json, read_optional, stays_inside, unsupported};
use crate::{DenseConfig, LayerNormConfig, Pooling, Result};

pub(crate) const FILE: &str = "modules.json";
const SUPPORTED: &str =
    "Transformer, Pooling, then any number of Dense, LayerNorm, Normalize and Dropout";

#[derive(Debug, Deserialize)]
struct Entry {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

/// The modules of a sentence-transformers folder, as `modules.json` lists them.
#[derive(Debug, Clone, Default)]
pub struct Modules {
    /// Folder of the transformer inside the model folder, mostly empty.
    pub transformer: String,
    /// How token states become a vector.
    pub pooling: Pooling,
    /// What comes behind the pooling, in order.
    pub heads: Vec<Head>,
    /// The folders of all modules.
    pub(crate) folders: Vec<String>,
}

/// A module behind the pooling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A linear layer with an activation.
    Dense(DenseConfig),
    /// A layer norm.
    LayerNorm(LayerNormConfig),
    /// Scales a vector to length 1.
    Normalize,
}

/// Returns the folders that a folder's `modules.json` names, none where it has no such file.
///
/// # Errors
/// If that file is damaged or names a folder outside.
pub fn module_folders(folder: &Path) -> Result<Vec<String>> {
    Ok(entries(folder)?
        .into_iter()
        .map(|entry| entry.path)
        .collect())
}

fn entries(folder: &Path) -> Result<Vec<Entry>> {
    let path = folder.join(FILE);
    let entries: Vec<Entry> = read_optional(&path)?.unwrap_or_default();
    match entries.iter().find(|entry| !stays_inside(&entry.path)) {
        Some(entry) => {
            let detail = format!("`{}` is not a folder inside the model folder", entry.path);
            Err(malformed(&path, detail))
        }
        None => Ok(entries),
    }
}

impl Modules {
    /// Reads those of a sentence encoder. A folder without `modules.json` (a plain transformers
    /// checkpoint) gets mean pooling, as in sentence-transformers.
    pub(crate) fn load(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let mut modules = Self::default();
        if !path.is_file() {
            return Ok(modules);
        }
        let mut before = None;
        for entry in entries(folder)? {
            let class = class(&path, &entry)?;
            let home = folder.join(&entry.path);
            match (class, before.as_deref()) {
                ("Transformer", None) => modules.transformer.clone_from(&entry.path),
                ("Pooling", Some("Transformer")) => modules.pooling = Pooling::load(&home)?,
                ("Dense" | "LayerNorm" | "Normalize" | "Dropout", before)
                    if !matches!(before, None | Some("Transformer")) =>
                {
                    modules.heads.extend(head(folder, class, &entry.path)?);
                }
                (class, before) => {
                    let what = match before {
                        Some(before) => format!("the module `{class}` after `{before}`"),
                        None => format!("the module `{class}` at the start"),
                    };
                    return Err(unsupported(&path, what, SUPPORTED));
                }
            }
            before = Some(class.to_owned());
            modules.folders.push(entry.path);
        }
        match before.as_deref() {
            None => Err(malformed(&path, "names no module")),
            Some("Transformer") => Err(malformed(&path, "names no Pooling module")),
            Some(_) => Ok(modules),
        }
    }

    /// Returns the folder of the transformer of a cross-encoder, inside its own.
    pub(crate) fn of_cross_encoder(folder: &Path) -> Result<String> {
        let path = folder.join(FILE);
        let entries = entries(folder)?;
        let classes = entries.iter().map(|entry| class(&path, entry));
        match classes.collect::<Result<Vec<_>>>()?[..] {
            ["Transformer"] => Ok(entries[0].path.clone()),
            [first, second, ..] => {
                let what = format!("the module `{second}` after `{first}` in a cross-encoder");
                Err(unsupported(&path, what, "Transformer alone"))
            }
            _ => Err(unsupported(
                &path,
                "a cross-encoder without a Transformer module",
                "Transformer alone",
            )),
        }
    }

    /// Components of an embedding, for token states of `hidden` components.
    ///
    /// # Errors
    /// If a module takes vectors of another size than the one before it gives.
    pub fn dimension(&self, folder: &Path, hidden: usize) -> Result<usize> {
        let mut dimension = self.pooling.dimension(hidden);
        for head in &self.heads {
            let (path, key, inputs, outputs) = match head {
                Head::Dense(dense) => (&dense.path, "in_features", dense.inputs, dense.outputs),
                Head::LayerNorm(norm) => (&norm.path, "dimension", norm.dimension, norm.dimension),
                Head::Normalize => continue,
            };
            if inputs != dimension {
                let detail =
                    format!("{key} is {inputs}, but what comes in has {dimension} components");
                return Err(malformed(&folder.join(path).join("config.json"), detail));
            }
            dimension = outputs;
        }
        Ok(dimension)
    }
}

/// Returns the name of a module's class. Classes have moved between the packages of the library;
/// their names have stayed. A class of another package is code that we cannot run.
fn class<'e>(path: &Path, entry: &'e Entry) -> Result<&'e str> {
    if !entry.kind.starts_with("sentence_transformers.") {
        let what = format!("the module type `{}`, code of its own,", entry.kind);
        return Err(unsupported(path, what, SUPPORTED));
    }
    Ok(entry.kind.rsplit('.').next().unwrap_or_default())
}

fn head(folder: &Path, class: &str, path: &str) -> Result<Option<Head>> {
    Ok(match class {
        "Dense" => Some(Head::Dense(DenseConfig::load(folder, path)?)),
        "LayerNorm" => Some(Head::LayerNorm(LayerNormConfig::load(folder, path)?)),
        "Normalize" => {
            let file = folder.join(path).join("config.json");
            if !path.is_empty() && file.is_file() {
                refuse_other_features(&file, &read_json::<Value>(&file)?)?;
            }
            Some(Head::Normalize)
        }
        // It does nothing to an embedding but in training.
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const CONFIG: &str = r#"{"in_features": 4, "out_features": 2, "dimension": 2}"#;

    /// Makes a folder whose modules are these, each in the folder `N_Class`.
    fn load(types: &[&str]) -> Result<Modules> {
        let folder = tempfile::tempdir().unwrap();
        let entries = types.iter().enumerate().map(|(n, kind)| {
            let home = format!("{n}_{}", kind.rsplit('.').next().unwrap());
            fs::create_dir(folder.path().join(&home)).unwrap();
            fs::write(folder.path().join(&home).join("config.json"), CONFIG).unwrap();
            format!(r#"{{"idx": {n}, "name": "{n}", "path": "{home}", "type": "{kind}"}}"#)
        });
        let list = entries.collect::<Vec<_>>().join(", ");
        fs::write(folder.path().join(FILE), format!("[{list}]")).unwrap();
        Modules::load(folder.path())
    }

    fn of(package: &str, classes: &[&str]) -> Result<Modules> {
        let types: Vec<String> = classes
            .iter()
            .map(|class| format!("{package}.{class}"))
            .collect();
        load(&types.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[test]
    fn classes_of_old_and_new_packages_are_the_same() {
        for package in [
            "sentence_transformers.models",
            "sentence_transformers.sentence_transformer.modules.some",
        ] {
            let classes = [
                "Transformer",
                "Pooling",
                "Dropout",
                "Dense",
                "LayerNorm",
                "Normalize",
            ];
            let modules = of(package, &classes).unwrap();
            assert_eq!(modules.transformer, "0_Transformer");
            assert_eq!(modules.heads.len(), 3);
            assert_eq!(modules.heads[2], Head::Normalize);
            assert_eq!(modules.dimension(Path::new("m"), 4).unwrap(), 2);
            let error = modules.dimension(Path::new("m"), 5).unwrap_err();
            assert_eq!(
                error.to_string(),
                "m/3_Dense/config.json: in_features is 4, but what comes in has 5 components"
            );
        }
    }

    #[test]
    fn a_folder_without_a_list_has_the_mean_and_no_normalisation() {
        let folder = tempfile::tempdir().unwrap();
        let modules = Modules::load(folder.path()).unwrap();
        assert_eq!(modules.pooling, Pooling::default());
        assert!(modules.heads.is_empty());
    }

    #[test]
    fn an_unknown_module_is_named() {
        for (classes, expected) in [
            (
                &["Transformer", "Pooling", "CNN"][..],
                "the module `CNN` after `Pooling` is not",
            ),
            (
                &["StaticEmbedding"],
                "the module `StaticEmbedding` at the start is not",
            ),
            (
                &["Transformer", "Normalize"],
                "the module `Normalize` after `Transformer` is not",
            ),
            (&["Transformer"], "names no Pooling module"),
            (&[], "names no module"),
        ] {
            let error = of("sentence_transformers.models", classes).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        let error = of("my_code", &["Transformer"]).unwrap_err().to_string();
        assert!(
            error.contains("`my_code.Transformer`, code of its own, is not"),
            "{error}"
        );
    }

    #[test]
    fn a_module_lies_inside_the_model_folder() {
        let folder = tempfile::tempdir().unwrap();
        let list = r#"[{"path": "../other", "type": "sentence_transformers.models.Transformer"}]"#;
        fs::write(folder.path().join(FILE), list).unwrap();
        let error = Modules::load(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("`../other` is not a folder inside"),
            "{error}"
        );
    }
}
