//! The pieces that a small ONNX file is put together from.

use prost::Message;

/// 32-bit floats.
pub const FLOAT: i32 = 1;
/// 64-bit integers.
pub const INT64: i32 = 7;

pub fn node(kind: &str, inputs: &[&str], output: &str) -> Node {
    // Both reductions of this graph reduce one axis; only the last one keeps it.
    let keep = i64::from(output == "shared");
    let attribute = kind
        .starts_with("Reduce")
        .then(|| integer("keepdims", keep));
    Node {
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        op_type: kind.to_owned(),
        attribute: attribute.into_iter().collect(),
    }
}

pub fn of_float(input: &str, output: &str) -> Node {
    cast(input, output, FLOAT)
}

/// A node that gives numbers of another type.
pub fn cast(input: &str, output: &str, kind: i32) -> Node {
    Node {
        attribute: vec![integer("to", i64::from(kind))],
        ..node("Cast", &[input], output)
    }
}

fn integer(name: &str, value: i64) -> Attribute {
    const INT: i32 = 2;
    Attribute {
        name: name.to_owned(),
        i: Some(value),
        kind: INT,
    }
}

pub fn floats(name: &str, dims: &[i64], values: &[f32]) -> Tensor {
    tensor(
        name,
        dims,
        FLOAT,
        values.iter().flat_map(|value| value.to_le_bytes()),
    )
}

pub fn integers(name: &str, dims: &[i64], values: &[i64]) -> Tensor {
    tensor(
        name,
        dims,
        INT64,
        values.iter().flat_map(|value| value.to_le_bytes()),
    )
}

fn tensor(name: &str, dims: &[i64], kind: i32, bytes: impl Iterator<Item = u8>) -> Tensor {
    Tensor {
        dims: dims.to_vec(),
        data_type: kind,
        name: name.to_owned(),
        raw_data: bytes.collect(),
    }
}

pub fn value(name: &str, kind: i32, dims: &[Option<i64>]) -> ValueInfo {
    let dims = dims
        .iter()
        .map(|&dim_value| Dimension { dim_value })
        .collect();
    let tensor = TensorType {
        elem_type: kind,
        shape: Some(Shape { dim: dims }),
    };
    ValueInfo {
        name: name.to_owned(),
        kind: Some(Type {
            tensor_type: Some(tensor),
        }),
    }
}

// What is needed of onnx.proto; tags as there.

#[derive(Message)]
pub struct Model {
    #[prost(int64, tag = "1")]
    pub ir_version: i64,
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<Opset>,
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
}

#[derive(Message)]
pub struct Opset {
    #[prost(int64, tag = "2")]
    pub version: i64,
}

#[derive(Message)]
pub struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<ValueInfo>,
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfo>,
}

#[derive(Message)]
pub struct Node {
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    #[prost(string, tag = "4")]
    pub op_type: String,
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
}

#[derive(Message)]
pub struct Attribute {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(int64, optional, tag = "3")]
    pub i: Option<i64>,
    #[prost(int32, tag = "20")]
    pub kind: i32,
}

#[derive(Message)]
pub struct Tensor {
    #[prost(int64, repeated, tag = "1")]
    pub dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    #[prost(string, tag = "8")]
    pub name: String,
    #[prost(bytes = "vec", tag = "9")]
    pub raw_data: Vec<u8>,
}

#[derive(Message)]
pub struct ValueInfo {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub kind: Option<Type>,
}

#[derive(Message)]
pub struct Type {
    #[prost(message, optional, tag = "1")]
    pub tensor_type: Option<TensorType>,
}

#[derive(Message)]
pub struct TensorType {
    #[prost(int32, tag = "1")]
    pub elem_type: i32,
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
}

#[derive(Message)]
pub struct Shape {
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<Dimension>,
}

#[derive(Message)]
pub struct Dimension {
    #[prost(int64, optional, tag = "1")]
    pub dim_value: Option<i64>,
}
