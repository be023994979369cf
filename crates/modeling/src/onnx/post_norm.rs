//! What the graphs of BERT, RoBERTa, DistilBERT and MPNet share: they differ in little but names.

use pairmill_checkpoint::{PostNormConfig, PostNormNames};

use super::builder::{Builder, Positions};
use super::proto::INT64;
use crate::Result;

/// One of these architectures, as far as they differ.
pub(super) struct PostNorm {
    pub layers: i64,
    pub layer: PostNormConfig,
    pub names: fn(&str, i64) -> PostNormNames,
    /// Rows of the position embedding.
    pub positions: i64,
    /// The position of padding, where tokens are counted from behind it.
    pub padding_idx: Option<i64>,
    /// Rows of the segment embedding, where there is one.
    pub segments: Option<i64>,
    pub distances: Option<DistanceBias>,
}

/// A bias on attention scores by the distance of two tokens.
pub(super) struct DistanceBias {
    /// Rows of the table of biases.
    pub rows: i64,
    /// The rows of the distances `1 − length` to `length − 1`, for a length.
    pub buckets: fn(i64) -> Vec<i64>,
}

impl PostNorm {
    /// Adds everything from the inputs to the last hidden state, `[batch, sequence, hidden]`, or
    /// `[batch, 1, hidden]` if only the first token's is asked for.
    pub fn encoder(
        &self,
        builder: &mut Builder,
        [ids, mask]: [&str; 2],
        positions: Positions,
    ) -> Result<String> {
        let mut hidden = self.embeddings(builder, ids)?;
        let mut bias = builder.padding_bias(mask);
        if let Some(distances) = &self.distances {
            let by_distance = self.position_bias(builder, ids, distances)?;
            let inputs = [bias.as_str(), &by_distance];
            bias = builder.graph.node("position_bias", "Add", &inputs);
        }
        for n in 0..self.layers {
            let mut queries = hidden.clone();
            if positions == Positions::First && n == self.layers - 1 {
                // The other tokens are only attended to, so they need neither queries nor the
                // feed-forward part.
                queries = builder.first_token(&hidden);
                if self.distances.is_some() {
                    let first = (builder.ints("axis_0", &[0]), builder.ints("axis_1", &[1]));
                    let axis = builder.ints("axis_2", &[2]);
                    let inputs = [bias.as_str(), &first.0, &first.1, &axis];
                    bias = builder.graph.node("position_bias", "Slice", &inputs);
                }
            }
            hidden = self.layer(builder, n, &queries, &hidden, &bias)?;
        }
        Ok(hidden)
    }

    fn embeddings(&self, builder: &mut Builder, ids: &str) -> Result<String> {
        let scope = format!("{}embeddings", builder.prefix);
        let table = |name: &str| format!("{scope}.{name}_embeddings.weight");
        let size = self.layer.hidden;
        let shape = [builder.config.vocab_size(), size];
        let mut sum = builder.embedded(&scope, &table("word"), shape, ids)?;
        if let Some(rows) = self.segments {
            let kinds = builder.weight(&table("token_type"), &[rows, size])?;
            let kinds = if rows > 1 {
                let types = builder.input("token_type_ids");
                builder.graph.node(&scope, "Gather", &[&kinds, &types])
            } else {
                kinds
            };
            sum = builder.graph.node(&scope, "Add", &[&sum, &kinds]);
        }
        let places = builder.weight(&table("position"), &[self.positions, size])?;
        let places = match self.padding_idx {
            Some(padding_idx) => {
                let positions = positions_behind(builder, &scope, ids, padding_idx);
                let inputs = [places.as_str(), &positions];
                builder.graph.node(&scope, "Gather", &inputs)
            }
            None => {
                let (zero, length) = (builder.ints("axis_0", &[0]), builder.length(ids));
                let inputs = [places.as_str(), &zero, &length, &zero];
                builder.graph.node(&scope, "Slice", &inputs)
            }
        };
        let sum = builder.graph.node(&scope, "Add", &[&sum, &places]);
        builder.layer_norm(&format!("{scope}.LayerNorm"), &sum, self.layer.eps, true)
    }

    /// Adds the bias of each head on the score of each pair of tokens, `[1, heads, sequence,
    /// sequence]`.
    fn position_bias(
        &self,
        builder: &mut Builder,
        ids: &str,
        DistanceBias { rows, buckets }: &DistanceBias,
    ) -> Result<String> {
        let scope = format!("{}encoder.relative_attention_bias", builder.prefix);
        let longest = builder.config.max_length();
        let table = builder.weight(&format!("{scope}.weight"), &[*rows, self.layer.heads])?;
        let buckets = builder.ints("buckets", &buckets(longest));
        let distances = builder.distances(ids);
        let offset = builder.int("longest_distance", longest - 1);
        let axis_0 = builder.ints("axis_0", &[0]);
        let graph = &mut builder.graph;
        let index = graph.node(&scope, "Add", &[&distances, &offset]);
        let index = graph.node(&scope, "Gather", &[&buckets, &index]);
        let bias = graph.node(&scope, "Gather", &[&table, &index]);
        let bias = builder.transpose(&scope, &bias, &[2, 0, 1]);
        Ok(builder.graph.node(&scope, "Unsqueeze", &[&bias, &axis_0]))
    }

    /// Adds one transformer layer: `queries` attend to `hidden` and are carried on.
    fn layer(
        &self,
        builder: &mut Builder,
        n: i64,
        queries: &str,
        hidden: &str,
        bias: &str,
    ) -> Result<String> {
        let names = (self.names)(builder.prefix, n);
        let PostNormConfig {
            hidden: size,
            wide: inner,
            eps,
            ..
        } = self.layer;
        let square = [size, size];
        let query = builder.linear(&names.query, queries, square, true)?;
        let query = builder.heads(&names.query, &query, &[0, 2, 1, 3]);
        let key = builder.linear(&names.key, hidden, square, true)?;
        let key = builder.heads(&names.key, &key, &[0, 2, 3, 1]);
        let value = builder.linear(&names.value, hidden, square, true)?;
        let value = builder.heads(&names.value, &value, &[0, 2, 1, 3]);
        let scope = names.query.rsplit_once('.').map_or("", |(scope, _)| scope);
        let context = builder.attention(scope, [&query, &key, &value], bias);
        let context = builder.linear(&names.attention_output, &context, square, true)?;
        let inputs = [context.as_str(), queries];
        let sum = builder.graph.node(&names.attention_norm, "Add", &inputs);
        let attended = builder.layer_norm(&names.attention_norm, &sum, eps, true)?;
        let wide = builder.linear(&names.intermediate, &attended, [size, inner], true)?;
        let wide = builder.activation(&names.intermediate, self.layer.activation, &wide);
        let narrow = builder.linear(&names.output, &wide, [inner, size], true)?;
        let inputs = [narrow.as_str(), &attended];
        let sum = builder.graph.node(&names.output_norm, "Add", &inputs);
        builder.layer_norm(&names.output_norm, &sum, eps, true)
    }
}

/// Adds the positions of `PackedBatch::positions_behind` for padded rows: `[batch, sequence]`.
fn positions_behind(builder: &mut Builder, scope: &str, ids: &str, padding_idx: i64) -> String {
    let padding = builder.int("padding_idx", padding_idx);
    let axis = builder.int("step", 1);
    let is_padding = builder.graph.node(scope, "Equal", &[ids, &padding]);
    let counted = builder.graph.node(scope, "Not", &[&is_padding]);
    let counted = builder.cast(scope, &counted, INT64);
    let graph = &mut builder.graph;
    let count = graph.node(scope, "CumSum", &[&counted, &axis]);
    let count = graph.node(scope, "Mul", &[&count, &counted]);
    graph.node(scope, "Add", &[&count, &padding])
}
