use std::fs;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use crate::folder::read_json;
use crate::{InferenceError, Result};

const WEIGHTS: &str = "model.safetensors";
const PICKLE: &str = "pytorch_model.bin";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activation {
    Identity,
    Tanh,
}

/// A `Dense` module: a linear layer with an activation.
#[derive(Debug)]
pub(crate) struct Dense {
    pub inputs: usize,
    pub outputs: usize,
    /// Row-major `[inputs, outputs]`.
    weight: Vec<f32>,
    bias: Vec<f32>,
    activation: Activation,
}

impl Dense {
    /// Reads `config.json` and `model.safetensors` of the module's folder.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let config: Value = read_json(&path)?;
        let size = |key: &str| match config[key].as_u64() {
            Some(size @ 1..) => Ok(size as usize),
            _ => Err(bad(&path, format!("`{key}` is not a whole number above 0"))),
        };
        let (inputs, outputs) = (size("in_features")?, size("out_features")?);
        let activation = activation(&config, &path)?;
        let has_bias = config["bias"].as_bool().unwrap_or(true);

        let path = weights_file(folder)?;
        let bytes = fs::read(&path).map_err(|error| bad(&path, error.to_string()))?;
        let tensors = SafeTensors::deserialize(&bytes)
            .map_err(|error| bad(&path, format!("not a sound safetensors file: {error}")))?;
        let rows = values(&tensors, "linear.weight", &[outputs, inputs], &path)?;
        let column = |input: usize| rows[input..].iter().step_by(inputs);
        let bias = match has_bias {
            true => values(&tensors, "linear.bias", &[outputs], &path)?,
            false => vec![0.0; outputs],
        };
        Ok(Self {
            inputs,
            outputs,
            weight: (0..inputs).flat_map(column).copied().collect(),
            bias,
            activation,
        })
    }

    /// What becomes of a vector of `inputs` components.
    pub fn forward(&self, vector: &[f32]) -> Vec<f32> {
        let mut sums = self.bias.clone();
        for (value, weights) in vector.iter().zip(self.weight.chunks_exact(self.outputs)) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += value * weight;
            }
        }
        if self.activation == Activation::Tanh {
            sums.iter_mut().for_each(|sum| *sum = sum.tanh());
        }
        sums
    }
}

fn bad(path: &Path, detail: String) -> InferenceError {
    InferenceError::BadFile {
        path: path.to_owned(),
        detail,
    }
}

/// The activation of a module whose other settings are checked to be the usual ones.
fn activation(config: &Value, path: &Path) -> Result<Activation> {
    let unsupported = |what: String, supported| InferenceError::Unsupported {
        path: path.to_owned(),
        what,
        supported,
    };
    for key in ["module_input_name", "module_output_name"] {
        if let Some(name) = config[key].as_str()
            && name != "sentence_embedding"
        {
            let what = format!("a Dense module with {key} `{name}`");
            return Err(unsupported(what, "sentence_embedding"));
        }
    }
    if config["use_residual"].as_bool() == Some(true) {
        let what = "a Dense module with use_residual".to_owned();
        return Err(unsupported(what, "Dense without it"));
    }
    match config["activation_function"].as_str() {
        None | Some("torch.nn.modules.activation.Tanh") => Ok(Activation::Tanh),
        Some("torch.nn.modules.linear.Identity") => Ok(Activation::Identity),
        Some(class) => Err(unsupported(
            format!("activation_function `{class}`"),
            "torch.nn.modules.activation.Tanh, torch.nn.modules.linear.Identity",
        )),
    }
}

fn weights_file(folder: &Path) -> Result<PathBuf> {
    let (weights, pickle) = (folder.join(WEIGHTS), folder.join(PICKLE));
    if !weights.is_file() && pickle.is_file() {
        return Err(InferenceError::Unsupported {
            path: pickle,
            what: "a PyTorch pickle of weights".to_owned(),
            supported: "model.safetensors, which SentenceTransformer(FOLDER).save_pretrained(NEW_FOLDER) writes in Python",
        });
    }
    Ok(weights)
}

fn values(tensors: &SafeTensors, name: &str, shape: &[usize], path: &Path) -> Result<Vec<f32>> {
    let tensor = tensors
        .tensor(name)
        .map_err(|_| bad(path, format!("has no tensor `{name}`")))?;
    if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
        let (dtype, found) = (tensor.dtype(), tensor.shape());
        return Err(bad(
            path,
            format!("`{name}` is {dtype:?} {found:?}, but config.json asks for F32 {shape:?}"),
        ));
    }
    let (bytes, _) = tensor.data().as_chunks();
    Ok(bytes.iter().copied().map(f32::from_le_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::tensor::TensorView;

    const IDENTITY: &str = "torch.nn.modules.linear.Identity";

    /// Three components to two: the first two and twice the last, less 1 and plus 1.
    fn load(config: &str) -> Result<Dense> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), config).unwrap();
        let bytes = |values: &[f32]| -> Vec<u8> {
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        };
        let weight = bytes(&[1.0, 0.0, 2.0, 0.0, 1.0, 2.0]);
        let bias = bytes(&[-1.0, 1.0]);
        let view =
            |shape: &[usize], data| TensorView::new(Dtype::F32, shape.to_vec(), data).unwrap();
        let tensors = [
            ("linear.weight", view(&[2, 3], &weight)),
            ("linear.bias", view(&[2], &bias)),
        ];
        safetensors::serialize_to_file(tensors, None, &folder.path().join(WEIGHTS)).unwrap();
        Dense::load(folder.path())
    }

    fn config(more: &str) -> String {
        format!(r#"{{"in_features": 3, "out_features": 2{more}}}"#)
    }

    #[test]
    fn a_linear_layer_and_its_activation() {
        let vector = [0.5, 0.25, 0.125];
        let of = |more: String| load(&config(&more)).unwrap().forward(&vector);
        let identity = format!(r#", "activation_function": "{IDENTITY}""#);
        assert_eq!(of(identity.clone()), [-0.25, 1.5]);
        assert_eq!(of(identity + r#", "bias": false"#), [0.75, 0.5]);
        assert_eq!(of(String::new()), [(-0.25f32).tanh(), 1.5f32.tanh()]);
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for (more, expected) in [
            (
                r#", "activation_function": "torch.nn.modules.activation.ReLU""#,
                "activation.ReLU` is not",
            ),
            (r#", "use_residual": true"#, "use_residual is not"),
            (
                r#", "module_input_name": "token_embeddings""#,
                "`token_embeddings` is not",
            ),
        ] {
            let error = load(&config(more)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn weights_that_do_not_fit_are_refused() {
        let error = load(r#"{"in_features": 4, "out_features": 2}"#).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("`linear.weight` is F32 [2, 3], but config.json asks for F32 [2, 4]"),
            "{error}"
        );
        let error = load(r#"{"in_features": 0, "out_features": 2}"#).unwrap_err();
        assert!(
            error.to_string().contains("`in_features` is not"),
            "{error}"
        );
    }
}
