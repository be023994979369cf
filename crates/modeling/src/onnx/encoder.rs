use std::path::Path;

use pairmill_checkpoint::PoolingMode;

use super::builder::{Builder, Positions, param};
use super::graph::int_attribute;
use super::proto::{Dim, FLOAT};
use super::{Precision, Weights};
use crate::{Config, ModelError, Result};

/// Writes a sequence-pair classifier: `input_ids`, `attention_mask` and, where the model knows
/// segments, `token_type_ids` (int64, `[batch, sequence]`) to `logits` (float, `[batch, labels]`).
///
/// Weights have the names of Hugging Face's `…ForSequenceClassification`
/// (`bert.embeddings.word_embeddings.weight` … `classifier.bias`); the number of labels is that
/// of the last layer's bias.
///
/// # Errors
/// If a weight is missing or has another shape than `config` says, if the file would be over 2 GiB,
/// or if it cannot be written.
pub fn write_cross_encoder(
    path: &Path,
    config: &Config,
    weights: &dyn Weights,
    precision: Precision,
) -> Result<()> {
    let architecture = config.architecture();
    let head = architecture.classifier();
    let mut builder = Builder::new(
        path,
        architecture,
        weights,
        architecture.prefix(),
        precision,
    );
    let pooled = match head.pooling {
        PoolingMode::Mean => {
            let (hidden, mask) = encoder(&mut builder, config, Positions::All)?;
            mean(&mut builder, &hidden, &mask)
        }
        PoolingMode::Cls => {
            let (hidden, _) = encoder(&mut builder, config, Positions::First)?;
            let first = builder.int("first", 0);
            let axis = vec![int_attribute("axis", 1)];
            let inputs = [hidden.as_str(), &first];
            builder
                .graph
                .node_with("first_token", "Gather", &inputs, axis)
        }
        mode => {
            return Err(ModelError::Export {
                path: path.to_owned(),
                detail: format!("a classifier over {mode:?} is not supported"),
            });
        }
    };
    let size = head.hidden;
    let dense = builder.linear(head.dense, &pooled, [size, size], head.dense_bias)?;
    let mut dense = builder.activation(head.dense, head.activation, &dense);
    if let Some(norm) = &head.norm {
        dense = builder.layer_norm(norm.name, &dense, norm.eps, norm.bias)?;
    }
    let (shape, _) = builder.tensor(&format!("{}.bias", head.output))?;
    let labels = shape.first().copied().unwrap_or(1);
    let logits = builder.linear(head.output, &dense, [size, labels], true)?;
    let shape = [param("batch"), Dim::Value(labels)];
    builder.graph.output("logits", &logits, &shape);
    builder.write()
}

/// Writes an encoder: `input_ids`, `attention_mask` and, where the model knows segments,
/// `token_type_ids` (int64, `[batch, sequence]`) to `last_hidden_state` (float,
/// `[batch, sequence, hidden]`).
///
/// Weights have the names of Hugging Face's models without a head
/// (`embeddings.word_embeddings.weight` …), as in sentence-transformers' checkpoints.
///
/// # Errors
/// As [`write_cross_encoder`].
pub fn write_encoder(
    path: &Path,
    config: &Config,
    weights: &dyn Weights,
    precision: Precision,
) -> Result<()> {
    let mut builder = Builder::new(path, config.architecture(), weights, "", precision);
    let (hidden, _) = encoder(&mut builder, config, Positions::All)?;
    let shape = [
        param("batch"),
        param("sequence"),
        Dim::Value(config.architecture().hidden_size()),
    ];
    builder.graph.output("last_hidden_state", &hidden, &shape);
    builder.write()
}

/// Adds the inputs and the encoder; returns the last hidden state, of at least the tokens asked
/// for, and the attention mask.
fn encoder(
    builder: &mut Builder,
    config: &Config,
    positions: Positions,
) -> Result<(String, String)> {
    let ids = builder.input("input_ids");
    let mask = builder.input("attention_mask");
    let hidden = config.model().graph(builder, [&ids, &mask], positions)?;
    Ok((hidden, mask))
}

/// Returns the mean over tokens that are no padding: `[batch, sequence, hidden]` to `[batch,
/// hidden]`.
fn mean(builder: &mut Builder, hidden: &str, mask: &str) -> String {
    let scope = "mean";
    let (axis_1, axis_2) = (builder.ints("axis_1", &[1]), builder.ints("axis_2", &[2]));
    let mask = builder.cast(scope, mask, FLOAT);
    let mask = builder.graph.node(scope, "Unsqueeze", &[&mask, &axis_2]);
    let states = builder.graph.node(scope, "Mul", &[hidden, &mask]);
    let keepdims = || vec![int_attribute("keepdims", 0)];
    let graph = &mut builder.graph;
    let sum = graph.node_with(scope, "ReduceSum", &[&states, &axis_1], keepdims());
    let count = graph.node_with(scope, "ReduceSum", &[&mask, &axis_1], keepdims());
    graph.node(scope, "Div", &[&sum, &count])
}
