use std::path::Path;

use serde_json::Value;

use crate::files::{malformed, read_json, unsupported};
use crate::{Activation, Result};

/// A `Dense` module: a linear layer with an activation behind the pooling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenseConfig {
    /// Its folder inside the model folder.
    pub path: String,
    /// Components of what comes in.
    pub inputs: usize,
    /// Components of what goes out.
    pub outputs: usize,
    /// Whether there is something added to the products (`linear.bias`).
    pub bias: bool,
    /// The function behind the linear layer.
    pub activation: Activation,
    /// Whether what comes in is added to what goes out: as it is, or where the sizes differ by a
    /// linear layer of its own (`residual.weight`).
    pub residual: bool,
}

impl DenseConfig {
    pub(crate) fn load(folder: &Path, path: &str) -> Result<Self> {
        let file = folder.join(path).join("config.json");
        let config: Value = read_json(&file)?;
        refuse_other_features(&file, &config)?;
        let flag = |key: &str, default: bool| match &config[key] {
            Value::Null => Ok(default),
            Value::Bool(flag) => Ok(*flag),
            other => Err(malformed(
                &file,
                format!("`{key}` is {other}, not true or false"),
            )),
        };
        let activation = match config.get("activation_function") {
            None => Activation::Tanh,
            Some(class) => {
                let name = class.as_str().unwrap_or_default();
                Activation::of_class(name).ok_or_else(|| {
                    let class = match class {
                        Value::String(name) => name.clone(),
                        other => other.to_string(),
                    };
                    let what = format!("activation_function `{class}`");
                    unsupported(&file, what, Activation::CLASSES)
                })?
            }
        };
        Ok(Self {
            path: path.to_owned(),
            inputs: size(&file, &config, "in_features")?,
            outputs: size(&file, &config, "out_features")?,
            bias: flag("bias", true)?,
            activation,
            residual: flag("use_residual", false)?,
        })
    }

    /// Returns whether the residual goes through a linear layer.
    pub fn has_residual_layer(&self) -> bool {
        self.residual && self.inputs != self.outputs
    }
}

/// A `Dense` module over the linear layers of a runtime.
#[derive(Debug)]
pub struct Dense<L> {
    /// The linear layer.
    pub linear: L,
    /// The function behind it.
    pub activation: Activation,
    /// What of the incoming vector is added to the outgoing one.
    pub residual: Residual<L>,
}

/// What of the incoming vector of a [`Dense`] module is added to the outgoing one.
#[derive(Debug)]
pub enum Residual<L> {
    /// Nothing.
    None,
    /// The vector itself.
    Itself,
    /// What a linear layer makes of it.
    Through(L),
}

impl<L> Dense<L> {
    /// Assembles a module of its layers: `linear` loads the one of this name, with a bias or not.
    ///
    /// # Errors
    /// Those of `linear`.
    pub fn new<E>(
        config: &DenseConfig,
        linear: impl Fn(&str, bool) -> Result<L, E>,
    ) -> Result<Self, E> {
        Ok(Self {
            linear: linear("linear", config.bias)?,
            activation: config.activation,
            residual: match (config.residual, config.has_residual_layer()) {
                (_, true) => Residual::Through(linear("residual", false)?),
                (true, false) => Residual::Itself,
                (false, false) => Residual::None,
            },
        })
    }
}

/// A `LayerNorm` module behind the pooling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerNormConfig {
    /// Its folder inside the model folder.
    pub path: String,
    /// Components of what comes in and goes out.
    pub dimension: usize,
}

impl LayerNormConfig {
    /// Added to the variance: the default of `torch.nn.LayerNorm`, and no setting.
    pub const EPS: f64 = 1e-5;

    pub(crate) fn load(folder: &Path, path: &str) -> Result<Self> {
        let file = folder.join(path).join("config.json");
        let config: Value = read_json(&file)?;
        Ok(Self {
            path: path.to_owned(),
            dimension: size(&file, &config, "dimension")?,
        })
    }
}

fn size(file: &Path, config: &Value, key: &str) -> Result<usize> {
    match config[key].as_u64() {
        Some(size @ 1..) => Ok(size as usize),
        _ => {
            let detail = format!("`{key}` is not a whole number above 0");
            Err(malformed(file, detail))
        }
    }
}

/// Refuses a module that reads or writes something else than the embedding.
pub(crate) fn refuse_other_features(file: &Path, config: &Value) -> Result<()> {
    for key in ["module_input_name", "module_output_name"] {
        if let Some(name) = config[key].as_str()
            && name != "sentence_embedding"
        {
            let what = format!("{key} `{name}`");
            return Err(unsupported(file, what, "sentence_embedding"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(more: &str) -> Result<DenseConfig> {
        let folder = tempfile::tempdir().unwrap();
        let config = format!(r#"{{"in_features": 3, "out_features": 2{more}}}"#);
        std::fs::create_dir(folder.path().join("d")).unwrap();
        std::fs::write(folder.path().join("d/config.json"), config).unwrap();
        DenseConfig::load(folder.path(), "d")
    }

    #[test]
    fn what_is_not_said_is_as_in_the_python_class() {
        let dense = load("").unwrap();
        assert_eq!((dense.bias, dense.activation), (true, Activation::Tanh));
        assert!(!dense.has_residual_layer());
        let more = r#", "bias": false, "use_residual": true, "activation_function": "torch.nn.modules.linear.Identity""#;
        let dense = load(more).unwrap();
        assert_eq!(
            (dense.bias, dense.activation),
            (false, Activation::Identity)
        );
        assert!(dense.has_residual_layer());
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for (more, expected) in [
            (
                r#", "activation_function": "torch.nn.modules.activation.Softmax""#,
                "activation.Softmax` is not",
            ),
            (
                r#", "activation_function": null"#,
                "activation_function `null` is not",
            ),
            (r#", "activation_function": "my.Tanh""#, "`my.Tanh` is not"),
            (
                r#", "module_input_name": "token_embeddings""#,
                "module_input_name `token_embeddings` is not",
            ),
            (r#", "bias": "yes""#, "`bias` is \"yes\""),
            (r#", "in_features": 0"#, "`in_features` is not"),
        ] {
            let error = load(more).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
