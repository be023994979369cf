//! Dynamic int8: weights are stored as whole numbers with a scale, and what is multiplied with them
//! is rounded to whole numbers while the graph runs. ONNX Runtime fuses the products it knows.

use super::builder::Builder;
use super::proto::{FLOAT, INT8};
use super::transpose::transposed;

/// The largest absolute value of a weight. One bit of eight is left unused, because processors
/// without VNNI add two products of eight bits in sixteen and would overflow.
const LARGEST: f32 = 63.0;

/// A matrix of whole numbers whose rows have a scale each.
struct Quantized {
    values: Vec<i8>,
    scales: Vec<f32>,
}

/// Rounds each row of a row-major matrix so that its largest absolute value becomes `largest`.
fn quantized(values: &[f32], columns: usize, largest: f32) -> Quantized {
    let rows = values.chunks_exact(columns);
    let scales: Vec<f32> = rows
        .clone()
        .map(|row| row.iter().fold(0f32, |most, value| most.max(value.abs())) / largest)
        // A row of zeros needs a scale too.
        .map(|scale| if scale > 0.0 { scale } else { 1.0 })
        .collect();
    let values = rows
        .zip(&scales)
        .flat_map(|(row, scale)| row.iter().map(move |value| (value / scale).round() as i8))
        .collect();
    Quantized { values, scales }
}

impl Builder<'_> {
    /// Adds `input · weightᵀ` for a weight `[outputs, inputs]`, row-major, each output of which has
    /// a scale of its own; the input has one scale for all.
    pub(super) fn int8_product(
        &mut self,
        scope: &str,
        name: &str,
        input: &str,
        weight: &[f32],
        [inputs, outputs]: [i64; 2],
    ) -> String {
        let Quantized { values, scales } = quantized(weight, inputs as usize, LARGEST);
        let columns = transposed(&values, inputs as usize);
        let graph = &mut self.graph;
        let weight = graph.int8s(&format!("{name}.quantized"), &[inputs, outputs], &columns);
        let weight_scale = graph.floats(&format!("{name}.scale"), &[outputs], &scales);
        let zero = self.int8_zero();
        let [rounded, scale, offset] = self.rounded(input);
        let graph = &mut self.graph;
        let parts = [rounded.as_str(), &weight, &offset, &zero];
        let product = graph.node(scope, "MatMulInteger", &parts);
        let product = self.cast(scope, &product, FLOAT);
        let graph = &mut self.graph;
        let scale = graph.node(scope, "Mul", &[&scale, &weight_scale]);
        graph.node(scope, "Mul", &[&product, &scale])
    }

    /// Adds the rows `ids` of a table `[rows, columns]`, row-major, each of which has a scale.
    pub(super) fn int8_rows(
        &mut self,
        scope: &str,
        name: &str,
        table: &[f32],
        [rows, columns]: [i64; 2],
        ids: &str,
    ) -> String {
        let Quantized { values, scales } = quantized(table, columns as usize, 127.0);
        let graph = &mut self.graph;
        let table = graph.int8s(&format!("{name}.quantized"), &[rows, columns], &values);
        let scales = graph.floats(&format!("{name}.scale"), &[rows, 1], &scales);
        let picked = graph.node(scope, "Gather", &[&table, ids]);
        let picked = self.cast(scope, &picked, FLOAT);
        let graph = &mut self.graph;
        let scales = graph.node(scope, "Gather", &[&scales, ids]);
        graph.node(scope, "Mul", &[&picked, &scales])
    }

    fn int8_zero(&mut self) -> String {
        let graph = &mut self.graph;
        self.constants
            .entry("int8_zero")
            .or_insert_with(|| graph.initializer("int8_zero", INT8, &[], vec![0]))
            .clone()
    }

    /// Returns an input as whole numbers, with their scale and what stands for zero; once for all
    /// products it goes into.
    fn rounded(&mut self, input: &str) -> [String; 3] {
        let graph = &mut self.graph;
        self.rounded
            .entry(input.to_owned())
            .or_insert_with(|| graph.node_of_three(input, "DynamicQuantizeLinear", &[input]))
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_rounded_to_their_own_scale() {
        let Quantized { values, scales } = quantized(&[0.5, -1.0, 0.0, 0.0, 6.0, 12.0], 2, 127.0);
        assert_eq!(values, [64, -127, 0, 0, 64, 127]);
        assert_eq!(scales, [1.0 / 127.0, 1.0, 12.0 / 127.0]);
    }
}
