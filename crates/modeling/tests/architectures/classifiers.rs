//! Cross-encoders of every architecture.

use std::fs;
use std::path::Path;

use pairmill_modeling::{CrossEncoder, TokenIds};
use serde_json::{Value, json};
use tch::Device;

use crate::figures::*;

/// A classifier's folder: the encoder under its prefix, and the head.
fn write_classifier(folder: &Path, model: &Value) {
    write_folder(folder, model);
    let head = &model["classifier"];
    let prefix = head["prefix"].as_str().unwrap();
    let encoder: Tensors = take(&model["weights"]["model.safetensors"]);
    let mut weights: Tensors = encoder
        .into_iter()
        .map(|(name, tensor)| (format!("{prefix}{name}"), tensor))
        .filter(|(name, _)| head["names"].as_array().unwrap().contains(&json!(name)))
        .collect();
    weights.extend(take::<Tensors>(&head["head"]));
    write_tensors(&folder.join("model.safetensors"), &weights);
}

#[test]
fn classifiers_equal_those_of_transformers_and_of_onnx_runtime() {
    let pairs: Vec<(String, String)> = take(&figures()["pairs"]);
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(a, b)| (&a[..], &b[..])).collect();
    for (name, model, folder) in models() {
        let saved = tempfile::tempdir().unwrap();
        write_classifier(folder.path(), &model);
        let encoder = CrossEncoder::load(folder.path(), Device::Cpu, 1).unwrap();
        let sequences = encoder.tokenize(&pairs).unwrap();
        let sequences: Vec<&TokenIds> = sequences.iter().collect();
        let logits = values(&encoder.forward(&sequences, None));
        let expected: Vec<f32> = take(&model["classifier"]["logits"]);
        assert_close(name, &logits, &expected);

        encoder.save(saved.path()).unwrap();
        let names: Vec<String> = take(&model["classifier"]["names"]);
        let found = tensor_names(&saved.path().join("model.safetensors"));
        assert_eq!(found, names, "{name}");
        let text = fs::read_to_string(saved.path().join("config.json")).unwrap();
        let config: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(config["architectures"][0], model["classifier"]["class"]);

        let onnx = pairmill_inference::CrossEncoder::load(saved.path(), &Default::default());
        let scores = onnx.unwrap().scores(&pairs).unwrap();
        let expected = encoder.scores(&pairs, 1_000).unwrap();
        assert_close(&format!("{name} in ONNX"), &scores, &expected);
    }
}

#[test]
fn an_encoder_gets_a_fresh_head_of_its_seed() {
    for (name, _, folder) in models() {
        let scores = |seed| {
            let encoder = CrossEncoder::load(folder.path(), Device::Cpu, seed).unwrap();
            encoder.scores(&[("help", "printer")], 100).unwrap()
        };
        assert_eq!(scores(1), scores(1), "{name}");
        assert_ne!(scores(1), scores(2), "{name}");
    }
}
