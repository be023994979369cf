//! The modules of a sentence-transformers folder, as `modules.json` lists them.

use std::path::{Component, Path};

use serde::Deserialize;
use serde_json::Value;
use tch::Tensor;

use crate::files::read_json;
use crate::layers::Linear;
use crate::{Activation, ModelError, Parameters, Pooling, Result};

/// Smallest norm a vector is divided by, as in `torch.nn.functional.normalize`.
const NORM_EPS: f64 = 1e-12;

#[derive(Debug, Deserialize)]
struct Entry {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

/// What `modules.json` says, before any weights are read.
#[derive(Debug, Default)]
pub(crate) struct ModuleList {
    /// Folder of the transformer inside the model folder, mostly empty.
    pub transformer: String,
    pub pooling: Pooling,
    pub heads: Vec<HeadConfig>,
}

/// A module behind the pooling.
#[derive(Debug)]
pub(crate) enum HeadConfig {
    Dense(DenseConfig),
    Normalize,
}

impl ModuleList {
    /// A folder without `modules.json` (a plain transformers checkpoint) gets mean pooling, as in
    /// sentence-transformers.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join("modules.json");
        if !path.is_file() {
            return Ok(Self::default());
        }
        let entries: Vec<Entry> = read_json(&path)?;
        let mut list = Self::default();
        let mut seen = Vec::new();
        for entry in &entries {
            let is_inside = |part| matches!(part, Component::Normal(_));
            if !Path::new(&entry.path).components().all(is_inside) {
                return Err(ModelError::Malformed {
                    path,
                    detail: format!("`{}` is not a folder inside the model folder", entry.path),
                });
            }
            // Module types have moved between packages; the name of the class has stayed.
            let class = entry.kind.rsplit('.').next().unwrap_or_default();
            match (class, seen.as_slice()) {
                ("Transformer", []) => list.transformer.clone_from(&entry.path),
                ("Pooling", ["Transformer"]) => {
                    list.pooling = Pooling::load(&folder.join(&entry.path))?;
                }
                ("Dense", ["Transformer", "Pooling", ..]) => {
                    let config = DenseConfig::load(folder, &entry.path)?;
                    list.heads.push(HeadConfig::Dense(config));
                }
                ("Normalize", ["Transformer", "Pooling", ..]) => {
                    list.heads.push(HeadConfig::Normalize);
                }
                _ => {
                    return Err(ModelError::Unsupported {
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
            return Err(ModelError::Malformed {
                path,
                detail: "names no Pooling module".to_owned(),
            });
        }
        Ok(list)
    }

    /// The `Dense` modules.
    pub fn dense(&self) -> impl Iterator<Item = &DenseConfig> {
        self.heads.iter().filter_map(|head| match head {
            HeadConfig::Dense(config) => Some(config),
            HeadConfig::Normalize => None,
        })
    }

    /// What comes behind the pooling.
    ///
    /// # Errors
    /// If a tensor is absent or has another shape than its config asks for.
    pub fn heads(&self, parameters: &Parameters) -> Result<Vec<Head>> {
        let heads = self.heads.iter();
        heads.map(|head| Head::new(parameters, head)).collect()
    }

    /// Components of an embedding, for token states of `hidden` components.
    ///
    /// # Errors
    /// If a `Dense` module takes vectors of another size than the module before it gives.
    pub fn dimension(&self, folder: &Path, hidden: i64) -> Result<i64> {
        let mut dimension = self.pooling.dimension(hidden);
        for dense in self.dense() {
            if dense.inputs != dimension {
                return Err(ModelError::Malformed {
                    path: folder.join(&dense.path).join("config.json"),
                    detail: format!(
                        "in_features is {}, but what comes in has {dimension} components",
                        dense.inputs
                    ),
                });
            }
            dimension = dense.outputs;
        }
        Ok(dimension)
    }
}

/// A linear layer with an activation behind the pooling.
#[derive(Debug)]
pub(crate) struct DenseConfig {
    /// Its folder inside the model folder, which is also the start of its parameters' names.
    pub path: String,
    inputs: i64,
    pub outputs: i64,
    bias: bool,
    activation: Activation,
}

impl DenseConfig {
    fn load(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(name).join("config.json");
        let value: Value = read_json(&path)?;
        let unsupported = |what: String, supported| ModelError::Unsupported {
            path: path.clone(),
            what,
            supported,
        };
        let size = |key: &str| {
            value[key].as_i64().ok_or_else(|| ModelError::Malformed {
                path: path.clone(),
                detail: format!("`{key}` is not a whole number"),
            })
        };
        for key in ["module_input_name", "module_output_name"] {
            if let Some(name) = value[key].as_str()
                && name != "sentence_embedding"
            {
                let what = format!("a Dense module with {key} `{name}`");
                return Err(unsupported(what, "sentence_embedding"));
            }
        }
        if value["use_residual"].as_bool() == Some(true) {
            let what = "a Dense module with use_residual".to_owned();
            return Err(unsupported(what, "Dense without it"));
        }
        let activation = match value["activation_function"].as_str() {
            None => Activation::Tanh,
            Some(class) => Activation::of_class(class).ok_or_else(|| {
                unsupported(
                    format!("activation_function `{class}`"),
                    Activation::CLASSES,
                )
            })?,
        };
        Ok(Self {
            path: name.to_owned(),
            inputs: size("in_features")?,
            outputs: size("out_features")?,
            bias: value["bias"].as_bool().unwrap_or(true),
            activation,
        })
    }

    /// What the names of its parameters start with.
    pub fn prefix(&self) -> String {
        format!("{}.", self.path)
    }
}

/// A module behind the pooling, over vectors `[sequences, dimension]`.
#[derive(Debug)]
pub(crate) enum Head {
    Dense {
        linear: Linear,
        activation: Activation,
    },
    Normalize,
}

impl Head {
    fn new(parameters: &Parameters, config: &HeadConfig) -> Result<Self> {
        let HeadConfig::Dense(config) = config else {
            return Ok(Self::Normalize);
        };
        let name = format!("{}linear", config.prefix());
        let (inputs, outputs) = (config.inputs, config.outputs);
        Ok(Self::Dense {
            linear: Linear::with_bias(parameters, &name, inputs, outputs, config.bias)?,
            activation: config.activation,
        })
    }

    pub fn forward(&self, vectors: &Tensor) -> Tensor {
        match self {
            Self::Dense { linear, activation } => {
                let outputs = linear.forward(vectors).to_kind(vectors.kind());
                activation.forward(&outputs)
            }
            Self::Normalize => {
                let norm = vectors.norm_scalaropt_dim(2, [1i64], true);
                vectors / norm.clamp_min(NORM_EPS)
            }
        }
    }
}
