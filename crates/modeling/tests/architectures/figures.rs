//! The figures, and the folders that the Python library wrote.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pairmill_modeling::{SentenceEncoder, Side, TokenIds};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tch::{Device, Tensor};

pub const TOLERANCE: f32 = 1e-5;

pub const ARCHITECTURES: [&str; 6] = [
    "bert",
    "distilbert",
    "modernbert",
    "mpnet",
    "roberta",
    "xlm-roberta",
];

pub fn figures() -> Value {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference/architectures.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

pub fn take<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

/// Shapes and values, in tenths.
pub type Tensors = BTreeMap<String, (Vec<usize>, Vec<i16>)>;

pub fn write_tensors(path: &Path, tensors: &Tensors) {
    let bytes: Vec<(&String, &Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, (shape, values))| {
            let bytes = values
                .iter()
                .flat_map(|&tenths| (f32::from(tenths) / 10.0).to_le_bytes())
                .collect();
            (name, shape, bytes)
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap();
        (name, view)
    });
    safetensors::serialize_to_file(views, None, path).unwrap();
}

pub fn write_json(path: &Path, value: &Value) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, value.to_string()).unwrap();
}

/// The folder that the Python library wrote.
pub fn write_folder(folder: &Path, model: &Value) {
    for (name, content) in model["files"].as_object().unwrap() {
        write_json(&folder.join(name), content);
    }
    for (name, tensors) in model["weights"].as_object().unwrap() {
        write_tensors(&folder.join(name), &take(tensors));
    }
}

/// The model of an architecture, and its folder.
pub fn model(name: &str) -> (Value, tempfile::TempDir) {
    let model = figures()["models"][name].clone();
    let folder = tempfile::tempdir().unwrap();
    write_folder(folder.path(), &model);
    (model, folder)
}

pub fn models() -> impl Iterator<Item = (&'static str, Value, tempfile::TempDir)> {
    ARCHITECTURES.into_iter().map(|name| {
        let (model, folder) = model(name);
        (name, model, folder)
    })
}

/// A BERT with mean pooling, two dense layers and normalisation.
pub fn write_dense_model(folder: &Path) -> Value {
    let figures = figures();
    let mut model = figures["modules"].clone();
    let bert = &figures["models"]["bert"]["weights"]["model.safetensors"];
    model["weights"]["model.safetensors"] = bert.clone();
    write_folder(folder, &model);
    model
}

pub fn load(folder: &Path) -> SentenceEncoder {
    SentenceEncoder::load(folder, Device::Cpu).unwrap()
}

pub fn texts() -> Vec<String> {
    take(&figures()["texts"])
}

pub fn encode(encoder: &SentenceEncoder) -> Vec<f32> {
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    encoder.encode(&texts, Side::Text, 1_000, &|_| {}).unwrap()
}

pub fn tokens(encoder: &SentenceEncoder) -> Vec<TokenIds> {
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    encoder.tokenize(&texts, Side::Text).unwrap()
}

pub fn values(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.detach().flatten(0, -1)).unwrap()
}

/// Checks that two sets of figures are equal and prints how far they are apart.
pub fn assert_close(name: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let apart = |(a, b): (&f32, &f32)| (a - b).abs();
    let difference = found.iter().zip(expected).map(apart).fold(0.0, f32::max);
    println!("{name}: largest difference {difference:.1e}");
    assert!(difference < TOLERANCE, "{name}: {difference}");
}

pub fn flat(rows: &Value) -> Vec<f32> {
    take::<Vec<Vec<f32>>>(rows).concat()
}

pub fn tensor_names(path: &Path) -> Vec<String> {
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut names: Vec<String> = file.names().into_iter().map(ToString::to_string).collect();
    names.sort();
    names
}
