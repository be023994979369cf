use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use prost::Message;

use super::proto::{
    AttributeProto, AttributeType, Dim, DimensionProto, FLOAT, GraphProto, INT8, INT64, ModelProto,
    NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto,
    ValueInfoProto,
};
use crate::{ModelError, Result};

/// The first opset with LayerNormalization, and the IR version that came with it.
const OPSET: i64 = 17;
const IR_VERSION: i64 = 8;
/// A protobuf message cannot be longer, and so neither can an ONNX file that holds its weights.
const MAX_BYTES: usize = i32::MAX as usize;

/// An ONNX graph while it grows. Values (inputs, initialisers, outputs of nodes) are known by
/// name; nodes must be added after the nodes whose outputs they read.
#[derive(Default)]
pub(crate) struct Graph {
    graph: GraphProto,
    names: HashSet<String>,
}

impl Graph {
    pub(super) fn new(name: &str) -> Self {
        let mut graph = Self::default();
        graph.graph.name = name.to_owned();
        graph
    }

    /// Declares an int64 input of the graph.
    pub(super) fn input(&mut self, name: &str, shape: &[Dim]) -> String {
        let name = self.unique(name);
        self.graph.input.push(value_info(&name, INT64, shape));
        name
    }

    /// Makes `value` a float output of the graph, under the name `name`.
    pub(super) fn output(&mut self, name: &str, value: &str, shape: &[Dim]) {
        let name = self.unique(name);
        for node in &mut self.graph.node {
            for used in node.input.iter_mut().chain(&mut node.output) {
                if used == value {
                    used.clone_from(&name);
                }
            }
        }
        self.graph.output.push(value_info(&name, FLOAT, shape));
    }

    /// Adds a float tensor. `values` are in row-major order.
    pub(super) fn floats(&mut self, name: &str, shape: &[i64], values: &[f32]) -> String {
        let raw_data = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.initializer(name, FLOAT, shape, raw_data)
    }

    /// Adds an int8 tensor. `values` are in row-major order.
    pub(super) fn int8s(&mut self, name: &str, shape: &[i64], values: &[i8]) -> String {
        let raw_data = values.iter().map(|&value| value as u8).collect();
        self.initializer(name, INT8, shape, raw_data)
    }

    /// Adds a float tensor of no dimensions.
    pub(super) fn float(&mut self, name: &str, value: f32) -> String {
        self.floats(name, &[], &[value])
    }

    /// Adds an int64 tensor of one dimension.
    pub(super) fn ints(&mut self, name: &str, values: &[i64]) -> String {
        let raw_data = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.initializer(name, INT64, &[values.len() as i64], raw_data)
    }

    /// Adds an int64 tensor of no dimensions.
    pub(super) fn int(&mut self, name: &str, value: i64) -> String {
        self.initializer(name, INT64, &[], value.to_le_bytes().to_vec())
    }

    /// Adds a node `scope/operator` and returns the name of its one output.
    pub(super) fn node(&mut self, scope: &str, operator: &str, inputs: &[&str]) -> String {
        self.node_with(scope, operator, inputs, vec![])
    }

    /// Adds a node with attributes.
    pub(super) fn node_with(
        &mut self,
        scope: &str,
        operator: &str,
        inputs: &[&str],
        attribute: Vec<AttributeProto>,
    ) -> String {
        let name = self.unique(&format!("{scope}/{operator}"));
        self.add(&name, operator, inputs, vec![name.clone()], attribute);
        name
    }

    /// Adds a node with three outputs and returns their names.
    pub(super) fn node_of_three(
        &mut self,
        scope: &str,
        operator: &str,
        inputs: &[&str],
    ) -> [String; 3] {
        let outputs = [(); 3].map(|()| self.unique(&format!("{scope}/{operator}")));
        self.add(&outputs[0], operator, inputs, outputs.to_vec(), vec![]);
        outputs
    }

    fn add(
        &mut self,
        name: &str,
        operator: &str,
        inputs: &[&str],
        output: Vec<String>,
        attribute: Vec<AttributeProto>,
    ) {
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output,
            name: name.to_owned(),
            op_type: operator.to_owned(),
            attribute,
        });
    }

    /// Writes the model file and syncs it.
    pub(super) fn write(self, path: &Path) -> Result<()> {
        let model = self.into_model();
        check_length(model.encoded_len(), path)?;
        write_synced(path, &model.encode_to_vec()).map_err(|error| ModelError::Export {
            path: path.to_owned(),
            detail: error.to_string(),
        })
    }

    pub(super) fn into_model(self) -> ModelProto {
        ModelProto {
            ir_version: IR_VERSION,
            producer_name: "pairmill".to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            graph: Some(self.graph),
            opset_import: vec![OperatorSetIdProto {
                domain: String::new(),
                version: OPSET,
            }],
        }
    }

    pub(super) fn initializer(
        &mut self,
        name: &str,
        data_type: i32,
        shape: &[i64],
        raw: Vec<u8>,
    ) -> String {
        let name = self.unique(name);
        self.graph.initializer.push(TensorProto {
            dims: shape.to_vec(),
            data_type,
            name: name.clone(),
            raw_data: raw,
        });
        name
    }

    fn unique(&mut self, name: &str) -> String {
        let mut candidate = name.to_owned();
        let mut count = 1;
        while !self.names.insert(candidate.clone()) {
            candidate = format!("{name}_{count}");
            count += 1;
        }
        candidate
    }
}

/// Returns an attribute that holds one integer.
pub(super) fn int_attribute(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        i: Some(value),
        r#type: AttributeType::Int.into(),
        ..Default::default()
    }
}

/// Returns an attribute that holds a list of integers.
pub(super) fn ints_attribute(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        ints: values.to_vec(),
        r#type: AttributeType::Ints.into(),
        ..Default::default()
    }
}

/// Returns an attribute that holds one float.
pub(super) fn float_attribute(name: &str, value: f32) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        f: Some(value),
        r#type: AttributeType::Float.into(),
        ..Default::default()
    }
}

fn value_info(name: &str, elem_type: i32, shape: &[Dim]) -> ValueInfoProto {
    let dim = shape
        .iter()
        .map(|dim| DimensionProto {
            value: Some(dim.clone()),
        })
        .collect();
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(TensorTypeProto {
                elem_type,
                shape: Some(TensorShapeProto { dim }),
            }),
        }),
    }
}

fn check_length(bytes: usize, path: &Path) -> Result<()> {
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    Err(ModelError::Export {
        path: path.to_owned(),
        detail: format!(
            "the model takes {bytes} bytes and an ONNX file holds at most {MAX_BYTES} (2 GiB); choose a smaller model"
        ),
    })
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_reads_back_as_it_was_written() {
        let mut graph = Graph::new("sum");
        let shape = [Dim::Param("batch".to_owned()), Dim::Value(2)];
        let x = graph.input("x", &shape);
        let axes = graph.ints("axes", &[0, -1]);
        let half = graph.float("half", 0.5);
        let x = graph.node_with("head", "Cast", &[&x], vec![int_attribute("to", 0)]);
        let y = graph.node("head", "Mul", &[&x, &half]);
        let z = graph.node("head", "ReduceSum", &[&y, &axes]);
        graph.output("z", &z, &[]);

        let file = tempfile::NamedTempFile::new().unwrap();
        let model = graph.graph.clone();
        graph.write(file.path()).unwrap();
        let read = ModelProto::decode(&std::fs::read(file.path()).unwrap()[..]).unwrap();
        assert_eq!(read.producer_name, "pairmill");
        assert_eq!((read.ir_version, read.opset_import[0].version), (8, 17));
        let read = read.graph.unwrap();
        assert_eq!(read, model);
        assert_eq!(read.initializer[1].raw_data, [0, 0, 0, 0x3f]);
        assert_eq!(read.node[0].attribute[0].i, Some(0));
        assert_eq!(read.node[2].input, ["head/Mul", "axes"]);
        assert_eq!(read.node[2].output, ["z"]);
    }

    #[test]
    fn names_are_made_unique() {
        let mut graph = Graph::new("twice");
        let x = graph.input("x", &[]);
        assert_eq!(graph.node("a", "Erf", &[&x]), "a/Erf");
        assert_eq!(graph.node("a", "Erf", &[&x]), "a/Erf_1");
        assert_eq!(graph.node("a", "Erf", &[&x]), "a/Erf_2");
    }

    #[test]
    fn a_model_over_two_gibibytes_is_refused() {
        let path = Path::new("model.onnx");
        assert!(check_length(MAX_BYTES, path).is_ok());
        let Err(ModelError::Export { detail, .. }) = check_length(MAX_BYTES + 1, path) else {
            panic!("2 GiB was accepted");
        };
        assert!(detail.contains("2147483648 bytes"), "{detail}");
    }

    #[test]
    fn a_path_that_cannot_be_written_is_an_error() {
        let error = Graph::new("g").write(Path::new("/no/such/folder/model.onnx"));
        assert!(matches!(error, Err(ModelError::Export { .. })));
    }
}
