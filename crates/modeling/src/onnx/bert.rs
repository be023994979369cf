use std::path::Path;

use super::Weights;
use super::graph::{Graph, float_attribute, int_attribute, ints_attribute};
use super::proto::{Dim, FLOAT};
use crate::{BertConfig, ModelError, Result};

/// What is added to the attention score of a padding token: enough for a weight of exactly 0 in
/// float32, and unlike minus infinity no NaN where a row is all padding.
const MASKED: f32 = -10_000.0;

/// Writes a BERT sequence-pair classifier: `input_ids`, `attention_mask` and `token_type_ids`
/// (int64, `[batch, sequence]`) to `logits` (float, `[batch, labels]`).
///
/// Weights have the names of Hugging Face's `BertForSequenceClassification`
/// (`bert.embeddings.word_embeddings.weight` … `classifier.bias`); the number of labels is that
/// of `classifier.weight`.
///
/// # Errors
/// If a weight is missing or has another shape than `config` says, if the activation is not `gelu`,
/// if the file would be over 2 GiB, or if it cannot be written.
pub fn write_cross_encoder(path: &Path, config: &BertConfig, weights: &dyn Weights) -> Result<()> {
    let mut bert = Bert::new(path, config, weights, "bert.")?;
    let hidden = bert.encoder(Positions::First)?;
    let first = bert.graph.int("first", 0);
    let axis = vec![int_attribute("axis", 1)];
    let first = bert
        .graph
        .node_with("bert.pooler", "Gather", &[&hidden, &first], axis);
    let size = config.hidden_size;
    let pooled = bert.linear("bert.pooler.dense", &first, size, size)?;
    let pooled = bert.graph.node("bert.pooler", "Tanh", &[&pooled]);
    let (shape, _) = bert.tensor("classifier.weight")?;
    let labels = shape.first().copied().unwrap_or(1);
    let logits = bert.linear("classifier", &pooled, size, labels)?;
    bert.graph
        .output("logits", &logits, &[param("batch"), Dim::Value(labels)]);
    bert.graph.write(path)
}

/// Writes a BERT encoder: `input_ids`, `attention_mask` and `token_type_ids` (int64,
/// `[batch, sequence]`) to `last_hidden_state` (float, `[batch, sequence, hidden]`).
///
/// Weights have the names of Hugging Face's `BertModel` (`embeddings.word_embeddings.weight` …),
/// as in sentence-transformers' checkpoints.
///
/// # Errors
/// As [`write_cross_encoder`].
pub fn write_encoder(path: &Path, config: &BertConfig, weights: &dyn Weights) -> Result<()> {
    let mut bert = Bert::new(path, config, weights, "")?;
    let hidden = bert.encoder(Positions::All)?;
    let shape = [
        param("batch"),
        param("sequence"),
        Dim::Value(config.hidden_size),
    ];
    bert.graph.output("last_hidden_state", &hidden, &shape);
    bert.graph.write(path)
}

/// The tokens whose last hidden state is asked for.
#[derive(Clone, Copy, PartialEq)]
enum Positions {
    All,
    First,
}

/// Initialisers that every layer reads.
struct Constants {
    mask: String,
    heads_shape: String,
    hidden_shape: String,
    root_of_head_size: String,
    one: String,
    half: String,
    root_of_two: String,
}

struct Bert<'a> {
    graph: Graph,
    path: &'a Path,
    config: &'a BertConfig,
    weights: &'a dyn Weights,
    prefix: &'static str,
}

impl<'a> Bert<'a> {
    fn new(
        path: &'a Path,
        config: &'a BertConfig,
        weights: &'a dyn Weights,
        prefix: &'static str,
    ) -> Result<Self> {
        let bert = Self {
            graph: Graph::new("bert"),
            path,
            config,
            weights,
            prefix,
        };
        if config.hidden_act != "gelu" {
            return Err(bert.error(format!(
                "the activation `{}` is not supported; supported: gelu",
                config.hidden_act
            )));
        }
        Ok(bert)
    }

    /// Adds everything from the inputs to the last hidden state, `[batch, sequence, hidden]`, or
    /// `[batch, 1, hidden]` if only the first token's is asked for.
    fn encoder(&mut self, positions: Positions) -> Result<String> {
        let shape = [param("batch"), param("sequence")];
        let ids = self.graph.input("input_ids", &shape);
        let mask = self.graph.input("attention_mask", &shape);
        let types = self.graph.input("token_type_ids", &shape);
        let mut hidden = self.embeddings(&ids, &types)?;
        let constants = self.constants(&mask);
        let layers = self.config.num_hidden_layers;
        for layer in 0..layers {
            let queries = if positions == Positions::First && layer == layers - 1 {
                self.first_token(&hidden)
            } else {
                hidden.clone()
            };
            hidden = self.layer(layer, &queries, &hidden, &constants)?;
        }
        Ok(hidden)
    }

    fn embeddings(&mut self, ids: &str, types: &str) -> Result<String> {
        let scope = format!("{}embeddings", self.prefix);
        let table = |name: &str| format!("{scope}.{name}_embeddings.weight");
        let size = self.config.hidden_size;
        let words = self.weight(&table("word"), &[self.config.vocab_size, size])?;
        let places = self.weight(
            &table("position"),
            &[self.config.max_position_embeddings, size],
        )?;
        let kinds = self.weight(&table("token_type"), &[self.config.type_vocab_size, size])?;

        let graph = &mut self.graph;
        let words = graph.node(&scope, "Gather", &[&words, ids]);
        let kinds = graph.node(&scope, "Gather", &[&kinds, types]);
        let (start, end) = (int_attribute("start", 1), int_attribute("end", 2));
        let length = graph.node_with(&scope, "Shape", &[ids], vec![start, end]);
        let zero = graph.ints("zero", &[0]);
        let places = graph.node(&scope, "Slice", &[&places, &zero, &length, &zero]);
        let sum = graph.node(&scope, "Add", &[&words, &kinds]);
        let sum = graph.node(&scope, "Add", &[&sum, &places]);
        self.layer_norm(&format!("{scope}.LayerNorm"), &sum)
    }

    /// Adds the additive mask, `[batch, 1, 1, sequence]`, and the constants of the layers.
    fn constants(&mut self, mask: &str) -> Constants {
        let (size, heads) = (self.config.hidden_size, self.config.num_attention_heads);
        let head_size = size / heads;
        let graph = &mut self.graph;
        let scope = "attention_mask";
        let one = graph.float("one", 1.0);
        let masked = graph.float("masked", MASKED);
        let (axis_1, axis_2) = (graph.ints("axis_1", &[1]), graph.ints("axis_2", &[2]));
        let mask = graph.node(scope, "Unsqueeze", &[mask, &axis_1]);
        let mask = graph.node(scope, "Unsqueeze", &[&mask, &axis_2]);
        let to = int_attribute("to", FLOAT.into());
        let mask = graph.node_with(scope, "Cast", &[&mask], vec![to]);
        let mask = graph.node(scope, "Sub", &[&one, &mask]);
        let mask = graph.node(scope, "Mul", &[&mask, &masked]);
        Constants {
            mask,
            heads_shape: graph.ints("heads_shape", &[0, 0, heads, head_size]),
            hidden_shape: graph.ints("hidden_shape", &[0, 0, size]),
            root_of_head_size: graph.float("root_of_head_size", (head_size as f32).sqrt()),
            one,
            half: graph.float("half", 0.5),
            root_of_two: graph.float("root_of_two", std::f32::consts::SQRT_2),
        }
    }

    /// In the last layer the other tokens are only attended to, so they need neither queries nor
    /// the feed-forward part.
    fn first_token(&mut self, hidden: &str) -> String {
        let graph = &mut self.graph;
        let (start, end) = (
            graph.ints("first_start", &[0]),
            graph.ints("first_end", &[1]),
        );
        graph.node("first_token", "Slice", &[hidden, &start, &end, &end])
    }

    /// Adds one transformer layer: `queries` attend to `hidden` and are carried on.
    fn layer(
        &mut self,
        layer: i64,
        queries: &str,
        hidden: &str,
        constants: &Constants,
    ) -> Result<String> {
        let scope = format!("{}encoder.layer.{layer}", self.prefix);
        let (size, inner) = (self.config.hidden_size, self.config.intermediate_size);
        let attention = format!("{scope}.attention");
        let context = self.attention(&format!("{attention}.self"), queries, hidden, constants)?;
        let context = self.linear(&format!("{attention}.output.dense"), &context, size, size)?;
        let sum = self
            .graph
            .node(&format!("{attention}.output"), "Add", &[&context, queries]);
        let attended = self.layer_norm(&format!("{attention}.output.LayerNorm"), &sum)?;
        let dense = format!("{scope}.intermediate.dense");
        let wide = self.linear(&dense, &attended, size, inner)?;
        let wide = self.gelu(&format!("{scope}.intermediate"), &wide, constants);
        let narrow = self.linear(&format!("{scope}.output.dense"), &wide, inner, size)?;
        let sum = self
            .graph
            .node(&format!("{scope}.output"), "Add", &[&narrow, &attended]);
        self.layer_norm(&format!("{scope}.output.LayerNorm"), &sum)
    }

    fn attention(
        &mut self,
        scope: &str,
        queries: &str,
        hidden: &str,
        constants: &Constants,
    ) -> Result<String> {
        let query = self.heads(&format!("{scope}.query"), queries, &[0, 2, 1, 3], constants)?;
        let key = self.heads(&format!("{scope}.key"), hidden, &[0, 2, 3, 1], constants)?;
        let value = self.heads(&format!("{scope}.value"), hidden, &[0, 2, 1, 3], constants)?;
        let graph = &mut self.graph;
        let scores = graph.node(scope, "MatMul", &[&query, &key]);
        let scores = graph.node(scope, "Div", &[&scores, &constants.root_of_head_size]);
        let scores = graph.node(scope, "Add", &[&scores, &constants.mask]);
        let axis = vec![int_attribute("axis", 3)];
        let weights = graph.node_with(scope, "Softmax", &[&scores], axis);
        let context = graph.node(scope, "MatMul", &[&weights, &value]);
        let perm = vec![ints_attribute("perm", &[0, 2, 1, 3])];
        let context = graph.node_with(scope, "Transpose", &[&context], perm);
        Ok(graph.node(scope, "Reshape", &[&context, &constants.hidden_shape]))
    }

    /// Projects `[batch, sequence, hidden]` and moves the heads to where `perm` says.
    fn heads(
        &mut self,
        scope: &str,
        input: &str,
        perm: &[i64],
        constants: &Constants,
    ) -> Result<String> {
        let size = self.config.hidden_size;
        let heads = self.linear(scope, input, size, size)?;
        let heads = self
            .graph
            .node(scope, "Reshape", &[&heads, &constants.heads_shape]);
        let perm = vec![ints_attribute("perm", perm)];
        Ok(self.graph.node_with(scope, "Transpose", &[&heads], perm))
    }

    /// The exact GELU, `x / 2 · (1 + erf(x / √2))`.
    fn gelu(&mut self, scope: &str, x: &str, constants: &Constants) -> String {
        let graph = &mut self.graph;
        let erf = graph.node(scope, "Div", &[x, &constants.root_of_two]);
        let erf = graph.node(scope, "Erf", &[&erf]);
        let share = graph.node(scope, "Add", &[&erf, &constants.one]);
        let twice = graph.node(scope, "Mul", &[x, &share]);
        graph.node(scope, "Mul", &[&twice, &constants.half])
    }

    fn layer_norm(&mut self, scope: &str, input: &str) -> Result<String> {
        let size = self.config.hidden_size;
        let scale = self.weight(&format!("{scope}.weight"), &[size])?;
        let bias = self.weight(&format!("{scope}.bias"), &[size])?;
        let epsilon = float_attribute("epsilon", self.config.layer_norm_eps as f32);
        let attributes = vec![int_attribute("axis", -1), epsilon];
        let inputs = [input, &scale, &bias];
        Ok(self
            .graph
            .node_with(scope, "LayerNormalization", &inputs, attributes))
    }

    /// Adds `input · weightᵀ + bias`; the checkpoint has the weight as `[outputs, inputs]`.
    fn linear(&mut self, scope: &str, input: &str, inputs: i64, outputs: i64) -> Result<String> {
        let name = format!("{scope}.weight");
        let rows_of_outputs = self.checked(&name, &[outputs, inputs])?;
        let columns = transposed(&rows_of_outputs, inputs as usize);
        let weight = self
            .graph
            .floats(&format!("{name}.transposed"), &[inputs, outputs], &columns);
        let bias = self.weight(&format!("{scope}.bias"), &[outputs])?;
        let product = self.graph.node(scope, "MatMul", &[input, &weight]);
        Ok(self.graph.node(scope, "Add", &[&product, &bias]))
    }

    fn weight(&mut self, name: &str, shape: &[i64]) -> Result<String> {
        let values = self.checked(name, shape)?;
        Ok(self.graph.floats(name, shape, &values))
    }

    fn checked(&self, name: &str, expected: &[i64]) -> Result<Vec<f32>> {
        let (shape, values) = self.tensor(name)?;
        if shape != expected {
            return Err(self.error(format!(
                "the weight `{name}` has the shape {shape:?}; by config.json it is {expected:?}"
            )));
        }
        Ok(values)
    }

    fn tensor(&self, name: &str) -> Result<(Vec<i64>, Vec<f32>)> {
        let missing = || ModelError::MissingWeight {
            path: self.path.display().to_string(),
            name: name.to_owned(),
        };
        self.weights.get(name).ok_or_else(missing)
    }

    fn error(&self, detail: String) -> ModelError {
        ModelError::Export {
            path: self.path.to_owned(),
            detail,
        }
    }
}

fn param(name: &str) -> Dim {
    Dim::Param(name.to_owned())
}

/// Turns row-major `[rows, columns]` into row-major `[columns, rows]`.
fn transposed(values: &[f32], columns: usize) -> Vec<f32> {
    (0..columns)
        .flat_map(|column| values.iter().skip(column).step_by(columns).copied())
        .collect()
}
