use std::collections::HashMap;
use std::path::Path;

use pairmill_checkpoint::{Architecture, HiddenActivation};

use super::graph::{Graph, float_attribute, int_attribute, ints_attribute};
use super::proto::{Dim, FLOAT};
use super::transpose::transposed;
use super::{Precision, Weights};
use crate::{ModelError, Result};

/// What is added to the attention score of a token that is not to be seen: enough for a weight of
/// exactly 0 in float32, and unlike minus infinity no NaN where a row is all padding.
const MASKED: f32 = -10_000.0;

/// An architecture that can be written as ONNX.
pub(crate) trait InOnnx: Architecture {
    /// Adds everything from the inputs, token ids and attention mask, to the last hidden state,
    /// `[batch, sequence, hidden]`, or `[batch, 1, hidden]` where the first token's is enough.
    ///
    /// # Errors
    /// If a weight is missing or has another shape than the config says.
    fn graph(
        &self,
        builder: &mut Builder,
        inputs: [&str; 2],
        positions: Positions,
    ) -> Result<String>;
}

/// The tokens whose last hidden state is asked for.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Positions {
    All,
    First,
}

/// A graph while it grows, and the parts that the architectures share.
pub(crate) struct Builder<'a> {
    pub graph: Graph,
    pub config: &'a dyn Architecture,
    /// What the names of the encoder's weights start with.
    pub prefix: &'static str,
    path: &'a Path,
    weights: &'a dyn Weights,
    precision: Precision,
    /// Initialisers that are no weights, by name.
    pub(super) constants: HashMap<&'static str, String>,
    /// Values rounded to int8: number, scale and zero of each.
    pub(super) rounded: HashMap<String, [String; 3]>,
}

impl<'a> Builder<'a> {
    pub fn new(
        path: &'a Path,
        config: &'a dyn Architecture,
        weights: &'a dyn Weights,
        prefix: &'static str,
        precision: Precision,
    ) -> Self {
        Self {
            graph: Graph::new(config.prefix().trim_end_matches('.')),
            config,
            prefix,
            path,
            weights,
            precision,
            constants: HashMap::new(),
            rounded: HashMap::new(),
        }
    }

    pub fn write(self) -> Result<()> {
        self.graph.write(self.path)
    }

    /// Declares an input `[batch, sequence]`.
    pub fn input(&mut self, name: &str) -> String {
        self.graph.input(name, &[param("batch"), param("sequence")])
    }

    pub fn float(&mut self, name: &'static str, value: f32) -> String {
        let graph = &mut self.graph;
        self.constants
            .entry(name)
            .or_insert_with(|| graph.float(name, value))
            .clone()
    }

    pub fn int(&mut self, name: &'static str, value: i64) -> String {
        let graph = &mut self.graph;
        self.constants
            .entry(name)
            .or_insert_with(|| graph.int(name, value))
            .clone()
    }

    pub fn ints(&mut self, name: &'static str, values: &[i64]) -> String {
        let graph = &mut self.graph;
        self.constants
            .entry(name)
            .or_insert_with(|| graph.ints(name, values))
            .clone()
    }

    pub fn cast(&mut self, scope: &str, input: &str, to: i32) -> String {
        let to = vec![int_attribute("to", to.into())];
        self.graph.node_with(scope, "Cast", &[input], to)
    }

    pub fn transpose(&mut self, scope: &str, input: &str, perm: &[i64]) -> String {
        let perm = vec![ints_attribute("perm", perm)];
        self.graph.node_with(scope, "Transpose", &[input], perm)
    }

    pub fn concat(&mut self, scope: &str, inputs: &[&str], axis: i64) -> String {
        let axis = vec![int_attribute("axis", axis)];
        self.graph.node_with(scope, "Concat", inputs, axis)
    }

    /// Returns the number of tokens that rows are padded to, `[1]`.
    pub fn length(&mut self, ids: &str) -> String {
        let attributes = vec![int_attribute("start", 1), int_attribute("end", 2)];
        self.graph.node_with("length", "Shape", &[ids], attributes)
    }

    /// Returns what is added to attention scores, `[batch, 1, 1, sequence]`: 0 for tokens and
    /// [`MASKED`] for padding.
    pub fn padding_bias(&mut self, mask: &str) -> String {
        let scope = "attention_mask";
        let (axis_1, axis_2) = (self.ints("axis_1", &[1]), self.ints("axis_2", &[2]));
        let mask = self.graph.node(scope, "Unsqueeze", &[mask, &axis_1]);
        let mask = self.graph.node(scope, "Unsqueeze", &[&mask, &axis_2]);
        let mask = self.cast(scope, &mask, FLOAT);
        let (one, masked) = (self.float("one", 1.0), self.float("masked", MASKED));
        let mask = self.graph.node(scope, "Sub", &[&one, &mask]);
        self.graph.node(scope, "Mul", &[&mask, &masked])
    }

    /// Adds [`MASKED`] where `condition` holds, else 0.
    pub fn masked_where(&mut self, scope: &str, condition: &str) -> String {
        let condition = self.cast(scope, condition, FLOAT);
        let masked = self.float("masked", MASKED);
        self.graph.node(scope, "Mul", &[&condition, &masked])
    }

    /// Returns how far the key is behind the query for each pair of tokens, `[sequence, sequence]`.
    pub fn distances(&mut self, ids: &str) -> String {
        let scope = "distances";
        let length = self.length(ids);
        let (axis_0, axis_1) = (self.ints("axis_0", &[0]), self.ints("axis_1", &[1]));
        let length = self.graph.node(scope, "Squeeze", &[&length, &axis_0]);
        let (start, step) = (self.int("zero", 0), self.int("step", 1));
        let inputs = [start.as_str(), &length, &step];
        let position = self.graph.node(scope, "Range", &inputs);
        let keys = self.graph.node(scope, "Unsqueeze", &[&position, &axis_0]);
        let queries = self.graph.node(scope, "Unsqueeze", &[&position, &axis_1]);
        self.graph.node(scope, "Sub", &[&keys, &queries])
    }

    /// Returns the first token of each row, `[batch, 1, hidden]`.
    pub fn first_token(&mut self, hidden: &str) -> String {
        let (start, end) = (self.ints("axis_0", &[0]), self.ints("axis_1", &[1]));
        self.graph
            .node("first_token", "Slice", &[hidden, &start, &end, &end])
    }

    /// Moves the heads of `[batch, sequence, hidden]` to where `perm` says.
    pub fn heads(&mut self, scope: &str, input: &str, perm: &[i64]) -> String {
        let heads = self.config.heads();
        let width = self.config.hidden_size() / heads;
        let shape = self.ints("heads_shape", &[0, 0, heads, width]);
        let heads = self.graph.node(scope, "Reshape", &[input, &shape]);
        self.transpose(scope, &heads, perm)
    }

    /// Adds the attention from `[batch, heads, queries, width]`, `[batch, heads, width, sequence]`
    /// and `[batch, heads, sequence, width]` to `[batch, queries, hidden]`.
    pub fn attention(&mut self, scope: &str, [query, key, value]: [&str; 3], bias: &str) -> String {
        let width = self.config.hidden_size() / self.config.heads();
        let root = self.float("root_of_head_size", (width as f32).sqrt());
        let shape = self.ints("hidden_shape", &[0, 0, self.config.hidden_size()]);
        let scores = self.graph.node(scope, "MatMul", &[query, key]);
        let scores = self.graph.node(scope, "Div", &[&scores, &root]);
        let scores = self.graph.node(scope, "Add", &[&scores, bias]);
        let axis = vec![int_attribute("axis", 3)];
        let weights = self.graph.node_with(scope, "Softmax", &[&scores], axis);
        let context = self.graph.node(scope, "MatMul", &[&weights, value]);
        let context = self.transpose(scope, &context, &[0, 2, 1, 3]);
        self.graph.node(scope, "Reshape", &[&context, &shape])
    }

    pub fn activation(&mut self, scope: &str, activation: HiddenActivation, x: &str) -> String {
        match activation {
            HiddenActivation::Identity => x.to_owned(),
            HiddenActivation::Gelu => self.gelu(scope, x),
            HiddenActivation::GeluTanh => self.gelu_tanh(scope, x),
            HiddenActivation::Relu => self.graph.node(scope, "Relu", &[x]),
            HiddenActivation::Silu => {
                let share = self.graph.node(scope, "Sigmoid", &[x]);
                self.graph.node(scope, "Mul", &[x, &share])
            }
            HiddenActivation::Tanh => self.graph.node(scope, "Tanh", &[x]),
            HiddenActivation::Sigmoid => self.graph.node(scope, "Sigmoid", &[x]),
        }
    }

    /// Returns the exact GELU, `x / 2 · (1 + erf(x / √2))`.
    fn gelu(&mut self, scope: &str, x: &str) -> String {
        let root_of_two = self.float("root_of_two", std::f32::consts::SQRT_2);
        let erf = self.graph.node(scope, "Div", &[x, &root_of_two]);
        let erf = self.graph.node(scope, "Erf", &[&erf]);
        self.gelu_from(scope, x, &erf)
    }

    /// Adds `x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))`.
    fn gelu_tanh(&mut self, scope: &str, x: &str) -> String {
        let root = self.float("root_of_two_by_pi", std::f32::consts::FRAC_2_PI.sqrt());
        let share = self.float("share_of_cube", 0.044_715);
        let graph = &mut self.graph;
        let square = graph.node(scope, "Mul", &[x, x]);
        let cube = graph.node(scope, "Mul", &[&square, x]);
        let cube = graph.node(scope, "Mul", &[&cube, &share]);
        let sum = graph.node(scope, "Add", &[x, &cube]);
        let sum = graph.node(scope, "Mul", &[&sum, &root]);
        let tanh = graph.node(scope, "Tanh", &[&sum]);
        self.gelu_from(scope, x, &tanh)
    }

    /// Adds `x / 2 · (1 + sigmoidal)`.
    fn gelu_from(&mut self, scope: &str, x: &str, sigmoidal: &str) -> String {
        let (one, half) = (self.float("one", 1.0), self.float("half", 0.5));
        let share = self.graph.node(scope, "Add", &[sigmoidal, &one]);
        let twice = self.graph.node(scope, "Mul", &[x, &share]);
        self.graph.node(scope, "Mul", &[&twice, &half])
    }

    pub fn layer_norm(&mut self, scope: &str, input: &str, eps: f64, bias: bool) -> Result<String> {
        let size = self.config.hidden_size();
        let scale = self.weight(&format!("{scope}.weight"), &[size])?;
        let bias = match bias {
            true => Some(self.weight(&format!("{scope}.bias"), &[size])?),
            false => None,
        };
        let epsilon = float_attribute("epsilon", eps as f32);
        let attributes = vec![int_attribute("axis", -1), epsilon];
        let mut inputs = vec![input, &scale];
        inputs.extend(bias.as_deref());
        Ok(self
            .graph
            .node_with(scope, "LayerNormalization", &inputs, attributes))
    }

    /// Adds `input · weightᵀ + bias`; the checkpoint has the weight as `[outputs, inputs]`.
    pub fn linear(
        &mut self,
        scope: &str,
        input: &str,
        [inputs, outputs]: [i64; 2],
        bias: bool,
    ) -> Result<String> {
        let name = format!("{scope}.weight");
        let weight = self.checked(&name, &[outputs, inputs])?;
        let product = match self.precision {
            Precision::Float32 => {
                let columns = transposed(&weight, inputs as usize);
                let name = format!("{name}.transposed");
                let weight = self.graph.floats(&name, &[inputs, outputs], &columns);
                self.graph.node(scope, "MatMul", &[input, &weight])
            }
            Precision::Int8 => self.int8_product(scope, &name, input, &weight, [inputs, outputs]),
        };
        if !bias {
            return Ok(product);
        }
        let bias = self.weight(&format!("{scope}.bias"), &[outputs])?;
        Ok(self.graph.node(scope, "Add", &[&product, &bias]))
    }

    /// Adds the rows `ids` of an embedding table.
    pub fn embedded(
        &mut self,
        scope: &str,
        name: &str,
        [rows, columns]: [i64; 2],
        ids: &str,
    ) -> Result<String> {
        let table = self.checked(name, &[rows, columns])?;
        Ok(match self.precision {
            Precision::Float32 => {
                let table = self.graph.floats(name, &[rows, columns], &table);
                self.graph.node(scope, "Gather", &[&table, ids])
            }
            Precision::Int8 => self.int8_rows(scope, name, &table, [rows, columns], ids),
        })
    }

    pub fn weight(&mut self, name: &str, shape: &[i64]) -> Result<String> {
        let values = self.checked(name, shape)?;
        Ok(self.graph.floats(name, shape, &values))
    }

    fn checked(&self, name: &str, expected: &[i64]) -> Result<Vec<f32>> {
        let (shape, values) = self.tensor(name)?;
        if shape != expected {
            return Err(ModelError::Export {
                path: self.path.to_owned(),
                detail: format!(
                    "the weight `{name}` has the shape {shape:?}; by config.json it is {expected:?}"
                ),
            });
        }
        Ok(values)
    }

    pub fn tensor(&self, name: &str) -> Result<(Vec<i64>, Vec<f32>)> {
        let missing = || ModelError::MissingWeight {
            path: self.path.display().to_string(),
            name: name.to_owned(),
        };
        self.weights.get(name).ok_or_else(missing)
    }
}

pub(super) fn param(name: &str) -> Dim {
    Dim::Param(name.to_owned())
}
