use std::path::Path;

use pairmill_checkpoint::{
    Checkpoint, Dense, Head, LayerNormConfig, Pooling, Residual, Values, normalize,
};

use crate::Result;
use crate::pooling::pool;

/// The modules behind the transformer, with their weights.
#[derive(Debug)]
pub(crate) struct Modules {
    pub pooling: Pooling,
    layers: Vec<Layer>,
}

/// A module behind the pooling.
#[derive(Debug)]
#[expect(
    clippy::enum_variant_names,
    reason = "modules have the names of the ecosystem"
)]
enum Layer {
    Dense(Dense<Linear>),
    LayerNorm { weight: Vec<f32>, bias: Vec<f32> },
    Normalize,
}

impl Modules {
    /// Reads the weights of the modules that a folder names.
    pub fn load(checkpoint: &Checkpoint) -> Result<Self> {
        let modules = checkpoint.modules();
        let folder = checkpoint.folder();
        let layers = modules.heads.iter().map(|head| Layer::load(folder, head));
        Ok(Self {
            pooling: modules.pooling.clone(),
            layers: layers.collect::<Result<_>>()?,
        })
    }

    /// Returns the embedding of a text from the states of its tokens, row-major `[tokens, hidden]`,
    /// of which the first `prompt` take no part.
    pub fn embed(&self, states: &[f32], hidden: usize, prompt: usize) -> Vec<f32> {
        let pooled = pool(&self.pooling, states, hidden, prompt);
        let layers = self.layers.iter();
        layers.fold(pooled, |vector, layer| layer.forward(vector))
    }
}

impl Layer {
    fn load(folder: &Path, head: &Head) -> Result<Self> {
        Ok(match head {
            Head::Normalize => Self::Normalize,
            Head::Dense(config) => {
                let values = Values::load(&folder.join(&config.path))?;
                let sizes = [config.inputs, config.outputs];
                let linear = |name: &str, bias| Linear::new(&values, name, sizes, bias);
                Self::Dense(Dense::new(config, linear)?)
            }
            Head::LayerNorm(config) => {
                let values = Values::load(&folder.join(&config.path))?;
                let shape = [config.dimension];
                Self::LayerNorm {
                    weight: values.get("norm.weight", &shape)?.to_vec(),
                    bias: values.get("norm.bias", &shape)?.to_vec(),
                }
            }
        })
    }

    fn forward(&self, vector: Vec<f32>) -> Vec<f32> {
        match self {
            Self::Dense(dense) => through(dense, &vector),
            Self::LayerNorm { weight, bias } => layer_norm(vector, weight, bias),
            Self::Normalize => normalized(vector),
        }
    }
}

#[derive(Debug)]
struct Linear {
    /// Row-major `[inputs, outputs]`.
    weight: Vec<f32>,
    bias: Vec<f32>,
}

/// Returns what a dense module makes of a vector.
fn through(dense: &Dense<Linear>, vector: &[f32]) -> Vec<f32> {
    let mut outputs = dense.linear.forward(vector);
    outputs
        .iter_mut()
        .for_each(|output| *output = dense.activation.of(*output));
    let residual = match &dense.residual {
        Residual::None => return outputs,
        Residual::Itself => vector.to_vec(),
        Residual::Through(linear) => linear.forward(vector),
    };
    let pairs = outputs.iter_mut().zip(residual);
    pairs.for_each(|(output, residual)| *output += residual);
    outputs
}

impl Linear {
    fn new(values: &Values, name: &str, [inputs, outputs]: [usize; 2], bias: bool) -> Result<Self> {
        let rows = values.get(&format!("{name}.weight"), &[outputs, inputs])?;
        let column = |input: usize| rows[input..].iter().step_by(inputs);
        Ok(Self {
            weight: (0..inputs).flat_map(column).copied().collect(),
            bias: match bias {
                true => values.get(&format!("{name}.bias"), &[outputs])?.to_vec(),
                false => vec![0.0; outputs],
            },
        })
    }

    fn forward(&self, vector: &[f32]) -> Vec<f32> {
        let mut sums = self.bias.clone();
        for (value, weights) in vector.iter().zip(self.weight.chunks_exact(self.bias.len())) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += value * weight;
            }
        }
        sums
    }
}

fn normalized(mut vector: Vec<f32>) -> Vec<f32> {
    normalize(&mut vector);
    vector
}

fn layer_norm(mut vector: Vec<f32>, weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let count = vector.len() as f32;
    let mean = vector.iter().sum::<f32>() / count;
    let squares: f32 = vector.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (squares / count + LayerNormConfig::EPS as f32).sqrt();
    for ((value, weight), bias) in vector.iter_mut().zip(weight).zip(bias) {
        *value = (*value - mean) / deviation * weight + bias;
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::Dtype;
    use safetensors::tensor::TensorView;
    use std::fs;

    type Tensors<'a> = &'a [(&'a str, &'a [usize], &'a [f32])];

    /// Returns the modules Transformer, Pooling and one more, with this config and these tensors.
    fn load(class: &str, config: &str, tensors: Tensors<'_>) -> Result<Modules> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let classes = [("", "Transformer"), ("p", "Pooling"), ("m", class)];
        let entries = classes.map(|(path, class)| {
            format!(r#"{{"path": "{path}", "type": "sentence_transformers.models.{class}"}}"#)
        });
        fs::write(
            path.join("modules.json"),
            format!("[{}]", entries.join(", ")),
        )
        .unwrap();
        for (name, text) in [
            ("config.json", "{}"),
            ("p/config.json", "{}"),
            ("m/config.json", config),
        ] {
            fs::create_dir_all(path.join(name).parent().unwrap()).unwrap();
            fs::write(path.join(name), text).unwrap();
        }
        let bytes: Vec<Vec<u8>> = tensors
            .iter()
            .map(|(.., values)| {
                values
                    .iter()
                    .flat_map(|value| value.to_le_bytes())
                    .collect()
            })
            .collect();
        let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
            let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap();
            (*name, view)
        });
        safetensors::serialize_to_file(views, None, &path.join("m/model.safetensors")).unwrap();
        Modules::load(&Checkpoint::of_encoder(path)?)
    }

    /// Returns what becomes of a vector.
    fn of(class: &str, config: &str, tensors: Tensors<'_>, vector: &[f32]) -> Vec<f32> {
        let modules = load(class, config, tensors).unwrap();
        modules.embed(vector, vector.len(), 0)
    }

    const WEIGHT: (&str, &[usize], &[f32]) =
        ("linear.weight", &[2, 3], &[1.0, 0.0, 2.0, 0.0, 1.0, 2.0]);
    const BIAS: (&str, &[usize], &[f32]) = ("linear.bias", &[2], &[-1.0, 1.0]);

    fn dense(more: &str) -> String {
        format!(r#"{{"in_features": 3, "out_features": 2{more}}}"#)
    }

    #[test]
    fn a_linear_layer_and_its_activation() {
        let vector = [0.5, 0.25, 0.125];
        let of = |more: &str| of("Dense", &dense(more), &[WEIGHT, BIAS], &vector);
        let identity = r#", "activation_function": "torch.nn.modules.linear.Identity""#;
        assert_eq!(of(identity), [-0.25, 1.5]);
        assert_eq!(of(&format!(r#"{identity}, "bias": false"#)), [0.75, 0.5]);
        assert_eq!(of(""), [(-0.25f32).tanh(), 1.5f32.tanh()]);
        let relu = r#", "activation_function": "torch.nn.modules.activation.ReLU""#;
        assert_eq!(of(relu), [0.0, 1.5]);
    }

    #[test]
    fn a_residual_is_added_behind_the_activation() {
        let relu = r#", "use_residual": true, "activation_function": "torch.nn.ReLU""#;
        let residual = (
            "residual.weight",
            &[2, 3][..],
            &[0.0, 0.0, 8.0, 4.0, 0.0, 0.0][..],
        );
        let tensors = [WEIGHT, BIAS, residual];
        assert_eq!(
            of("Dense", &dense(relu), &tensors, &[0.5, 0.25, 0.125]),
            [1.0, 3.5]
        );
        let square = r#"{"in_features": 2, "out_features": 2, "bias": false, "use_residual": true, "activation_function": "torch.nn.Identity"}"#;
        let weight = ("linear.weight", &[2, 2][..], &[0.0, 1.0, 1.0, 0.0][..]);
        assert_eq!(of("Dense", square, &[weight], &[1.0, 10.0]), [11.0, 11.0]);
    }

    #[test]
    fn norms() {
        assert_eq!(of("Normalize", "{}", &[], &[3.0, 4.0]), [0.6, 0.8]);
        assert_eq!(of("Normalize", "{}", &[], &[0.0, 0.0]), [0.0, 0.0]);
        let tensors = [
            ("norm.weight", &[2][..], &[2.0, 1.0][..]),
            ("norm.bias", &[2][..], &[0.0, 5.0][..]),
        ];
        let found = of("LayerNorm", r#"{"dimension": 2}"#, &tensors, &[1.0, 3.0]);
        assert!(
            (found[0] + 2.0).abs() < 1e-4 && (found[1] - 6.0).abs() < 1e-4,
            "{found:?}"
        );
    }

    #[test]
    fn weights_that_do_not_fit_are_refused() {
        let error = load(
            "Dense",
            r#"{"in_features": 4, "out_features": 2}"#,
            &[WEIGHT, BIAS],
        );
        assert!(
            error
                .unwrap_err()
                .to_string()
                .contains("`linear.weight` has shape [2, 3], config.json asks for [2, 4]"),
        );
    }
}
