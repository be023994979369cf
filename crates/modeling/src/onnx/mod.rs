//! Encoders and classifiers as ONNX files, for ONNX Runtime and everything else that reads them.
//!
//! The graphs are those of a Hugging Face export, in operator set 17, and ONNX Runtime's optimiser
//! fuses their GELU and scaling; but a classifier, which reads only the first token, computes only
//! that one in its last layer (ModernBERT's excepted). Weights are inside the file.

mod bert;
mod builder;
mod distilbert;
mod encoder;
mod graph;
mod int8;
mod modernbert;
mod mpnet;
mod post_norm;
mod proto;
mod roberta;
mod transpose;

pub(crate) use builder::InOnnx;
pub use encoder::{write_cross_encoder, write_encoder};

/// How the weights are stored and multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// In single precision.
    Float32,
    /// Matrices and the word embedding in int8, the input of each product rounded as it comes.
    Int8,
}

/// Where the weights of a model come from.
pub trait Weights {
    /// Returns the tensor with this name: its shape and its values in row-major order.
    fn get(&self, name: &str) -> Option<(Vec<i64>, Vec<f32>)>;
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use prost::Message;
    use serde_json::json;

    use super::proto::{GraphProto, ModelProto};
    use super::*;
    use crate::{Config, ModelError, Result};

    /// Weights counting up from 0, and a note of which were asked for.
    #[derive(Default)]
    struct Counting {
        shapes: BTreeMap<String, Vec<i64>>,
        read: RefCell<BTreeSet<String>>,
    }

    impl Weights for Counting {
        fn get(&self, name: &str) -> Option<(Vec<i64>, Vec<f32>)> {
            let shape = self.shapes.get(name)?.clone();
            self.read.borrow_mut().insert(name.to_owned());
            let values = (0..shape.iter().product()).map(|value: i64| value as f32);
            Some((shape, values.collect()))
        }
    }

    fn config() -> Config {
        let config = json!({
            "model_type": "bert", "vocab_size": 11, "hidden_size": 4, "num_hidden_layers": 2,
            "num_attention_heads": 2, "intermediate_size": 6, "hidden_act": "gelu",
            "max_position_embeddings": 8, "type_vocab_size": 2, "layer_norm_eps": 1e-12
        });
        Config::parse(Path::new("config.json"), &config).unwrap()
    }

    /// Makes every parameter of a Hugging Face `BertForSequenceClassification` with three labels.
    fn classifier() -> Counting {
        let mut weights = Counting::default();
        let mut add = |name: String, shape: &[i64]| {
            weights.shapes.insert(name, shape.to_vec());
        };
        for (table, rows) in [("word", 11), ("position", 8), ("token_type", 2)] {
            add(
                format!("bert.embeddings.{table}_embeddings.weight"),
                &[rows, 4],
            );
        }
        let mut dense = vec![
            ("bert.pooler.dense".to_owned(), 4, 4),
            ("classifier".to_owned(), 3, 4),
        ];
        let mut norms = vec!["bert.embeddings.LayerNorm".to_owned()];
        for layer in ["bert.encoder.layer.0", "bert.encoder.layer.1"] {
            for part in ["self.query", "self.key", "self.value", "output.dense"] {
                dense.push((format!("{layer}.attention.{part}"), 4, 4));
            }
            dense.push((format!("{layer}.intermediate.dense"), 6, 4));
            dense.push((format!("{layer}.output.dense"), 4, 6));
            norms.push(format!("{layer}.attention.output.LayerNorm"));
            norms.push(format!("{layer}.output.LayerNorm"));
        }
        for (name, outputs, inputs) in dense {
            add(format!("{name}.weight"), &[outputs, inputs]);
            add(format!("{name}.bias"), &[outputs]);
        }
        for name in norms {
            add(format!("{name}.weight"), &[4]);
            add(format!("{name}.bias"), &[4]);
        }
        weights
    }

    fn written(weights: &Counting) -> Result<GraphProto> {
        let file = tempfile::NamedTempFile::new().unwrap();
        write_cross_encoder(file.path(), &config(), weights, Precision::Float32)?;
        let model = ModelProto::decode(&std::fs::read(file.path()).unwrap()[..]).unwrap();
        Ok(model.graph.unwrap())
    }

    #[test]
    fn every_weight_of_the_checkpoint_is_in_the_file() {
        let weights = classifier();
        let graph = written(&weights).unwrap();
        assert!(weights.read.borrow().iter().eq(weights.shapes.keys()));
        for name in weights.shapes.keys() {
            let is_it = |tensor: &str| tensor.strip_suffix(".transposed").unwrap_or(tensor) == name;
            assert!(
                graph.initializer.iter().any(|tensor| is_it(&tensor.name)),
                "{name}"
            );
        }
    }

    #[test]
    fn every_value_is_made_before_it_is_read_and_everything_made_is_read() {
        let graph = written(&classifier()).unwrap();
        let inputs = graph.input.iter().map(|input| &input.name);
        let tensors = graph.initializer.iter().map(|tensor| &tensor.name);
        let mut known: BTreeSet<&String> = inputs.chain(tensors).collect();
        let mut read: BTreeSet<&String> = graph.output.iter().map(|output| &output.name).collect();
        for node in &graph.node {
            for input in &node.input {
                assert!(
                    known.contains(input),
                    "{} reads {input} too early",
                    node.name
                );
            }
            read.extend(&node.input);
            known.extend(&node.output);
        }
        assert_eq!(known, read);
    }

    #[test]
    fn matrices_are_transposed() {
        let graph = written(&classifier()).unwrap();
        let name = "bert.encoder.layer.0.intermediate.dense.weight.transposed";
        let tensor = graph
            .initializer
            .iter()
            .find(|tensor| tensor.name == name)
            .unwrap();
        assert_eq!(tensor.dims, [4, 6]);
        let second = f32::from_le_bytes(tensor.raw_data[4..8].try_into().unwrap());
        assert_eq!(second, 4.0, "the first column's second value");
    }

    #[test]
    fn a_missing_weight_is_named() {
        let mut weights = classifier();
        let gone = "bert.encoder.layer.1.attention.self.key.bias";
        weights.shapes.remove(gone);
        let error = written(&weights).unwrap_err();
        assert!(matches!(error, ModelError::MissingWeight { name, .. } if name == gone));
    }

    #[test]
    fn a_weight_of_another_shape_is_named() {
        let mut weights = classifier();
        weights
            .shapes
            .insert("bert.pooler.dense.weight".to_owned(), vec![4, 5]);
        let error = written(&weights).unwrap_err().to_string();
        assert!(
            error.contains("`bert.pooler.dense.weight` has the shape [4, 5]"),
            "{error}"
        );
    }
}
