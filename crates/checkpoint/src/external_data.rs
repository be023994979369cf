use std::fs::File;
use std::path::Path;

use memmap2::Mmap;
use prost::Message;

use crate::Result;
use crate::files::{malformed, stays_inside, unreadable};

/// The part of `onnx.proto` that names files beside a model's, with the field numbers of the ONNX
/// specification (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>).
#[derive(Clone, PartialEq, Message)]
struct ModelProto {
    #[prost(message, optional, tag = "7")]
    graph: Option<GraphProto>,
    #[prost(message, repeated, tag = "25")]
    functions: Vec<FunctionProto>,
}

#[derive(Clone, PartialEq, Message)]
struct GraphProto {
    #[prost(message, repeated, tag = "1")]
    node: Vec<NodeProto>,
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<TensorProto>,
    #[prost(message, repeated, tag = "15")]
    sparse_initializer: Vec<SparseTensorProto>,
}

#[derive(Clone, PartialEq, Message)]
struct FunctionProto {
    #[prost(message, repeated, tag = "7")]
    node: Vec<NodeProto>,
}

#[derive(Clone, PartialEq, Message)]
struct NodeProto {
    #[prost(message, repeated, tag = "5")]
    attribute: Vec<AttributeProto>,
}

#[derive(Clone, PartialEq, Message)]
struct AttributeProto {
    #[prost(message, optional, tag = "5")]
    t: Option<TensorProto>,
    #[prost(message, optional, tag = "6")]
    g: Option<GraphProto>,
    #[prost(message, repeated, tag = "10")]
    tensors: Vec<TensorProto>,
    #[prost(message, repeated, tag = "11")]
    graphs: Vec<GraphProto>,
}

#[derive(Clone, PartialEq, Message)]
struct SparseTensorProto {
    #[prost(message, optional, tag = "1")]
    values: Option<TensorProto>,
    #[prost(message, optional, tag = "2")]
    indices: Option<TensorProto>,
}

/// Without its values, which are passed over.
#[derive(Clone, PartialEq, Message)]
struct TensorProto {
    #[prost(message, repeated, tag = "13")]
    external_data: Vec<StringStringEntryProto>,
}

#[derive(Clone, PartialEq, Message)]
struct StringStringEntryProto {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

impl GraphProto {
    fn find(&self, found: &mut Vec<String>) {
        self.initializer
            .iter()
            .for_each(|tensor| tensor.find(found));
        for sparse in &self.sparse_initializer {
            let tensors = sparse.values.iter().chain(&sparse.indices);
            tensors.for_each(|tensor| tensor.find(found));
        }
        self.node.iter().for_each(|node| node.find(found));
    }
}

impl NodeProto {
    fn find(&self, found: &mut Vec<String>) {
        for attribute in &self.attribute {
            let tensors = attribute.t.iter().chain(&attribute.tensors);
            tensors.for_each(|tensor| tensor.find(found));
            let graphs = attribute.g.iter().chain(&attribute.graphs);
            graphs.for_each(|graph| graph.find(found));
        }
    }
}

impl TensorProto {
    fn find(&self, found: &mut Vec<String>) {
        let entries = self.external_data.iter();
        let locations = entries.filter(|entry| entry.key == "location");
        found.extend(locations.map(|entry| entry.value.clone()));
    }
}

/// Refuses an ONNX file that keeps weights in a file outside its folder.
///
/// # Errors
/// If it does, or cannot be read. What is no ONNX file at all is left to the runtime to say.
pub fn refuse_foreign_data(path: &Path) -> Result<()> {
    let file = File::open(path).map_err(|source| unreadable(path, source))?;
    if file.metadata().is_ok_and(|about| about.len() == 0) {
        return Ok(());
    }
    // SAFETY: a map of a file that another process cuts short while we read would end this one; the
    // runtime that loads the model next maps it likewise.
    let bytes = unsafe { Mmap::map(&file) }.map_err(|source| unreadable(path, source))?;
    let Ok(model) = ModelProto::decode(&bytes[..]) else {
        return Ok(());
    };
    let mut found = Vec::new();
    model.graph.iter().for_each(|graph| graph.find(&mut found));
    let nodes = model.functions.iter().flat_map(|function| &function.node);
    nodes.for_each(|node| node.find(&mut found));
    match found.iter().find(|location| !stays_inside(location)) {
        Some(location) => Err(malformed(
            path,
            format!(
                "keeps weights in `{location}`, which is not inside its folder; copy that file there and name it so in the ONNX file"
            ),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(location: &str, as_attribute: bool) -> Result<()> {
        let entry = StringStringEntryProto {
            key: "location".to_owned(),
            value: location.to_owned(),
        };
        let tensor = TensorProto {
            external_data: vec![entry],
        };
        let graph = if as_attribute {
            let attribute = AttributeProto {
                t: Some(tensor),
                ..AttributeProto::default()
            };
            let attribute = vec![attribute];
            GraphProto {
                node: vec![NodeProto { attribute }],
                ..GraphProto::default()
            }
        } else {
            GraphProto {
                initializer: vec![tensor],
                ..GraphProto::default()
            }
        };
        let model = ModelProto {
            graph: Some(graph),
            functions: Vec::new(),
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.onnx");
        std::fs::write(&path, model.encode_to_vec()).unwrap();
        refuse_foreign_data(&path)
    }

    #[test]
    fn weights_elsewhere_are_refused() {
        written("model.onnx_data", false).unwrap();
        written("weights/model.onnx_data", true).unwrap();
        for location in ["../other/model.onnx_data", "/etc/passwd"] {
            for as_attribute in [false, true] {
                let error = written(location, as_attribute).unwrap_err().to_string();
                assert!(
                    error.contains(&format!("keeps weights in `{location}`")),
                    "{error}"
                );
            }
        }
    }
}
