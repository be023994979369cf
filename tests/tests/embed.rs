//! The sentence encoder of ONNX Runtime on what `pairmill-train export` writes, against the figures
//! of sentence-transformers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pairmill_inference::{SentenceEncoder, SentenceEncoderOptions};
use pairmill_tests::{TRAIN, checkpoint, model, root};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

const TOLERANCE: f32 = 1e-5;

/// Shapes and values, in tenths.
type Tensors = BTreeMap<String, (Vec<usize>, Vec<i16>)>;

fn reference(name: &str) -> Value {
    let path = root().join("tests/reference").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The folder that the Python library wrote, whose weights are given in tenths.
fn write_folder(folder: &Path, files: &Value, weights: &[(&str, &Value)]) {
    for (name, content) in files.as_object().unwrap() {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content.to_string()).unwrap();
    }
    for (name, tensors) in weights {
        let tensors: Tensors = serde_json::from_value((*tensors).clone()).unwrap();
        let bytes = |tenths: &[i16]| -> Vec<u8> {
            let values = tenths.iter().map(|&tenths| f32::from(tenths) / 10.0);
            values.flat_map(f32::to_le_bytes).collect()
        };
        let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
            .into_iter()
            .map(|(name, (shape, tenths))| (name, shape, bytes(&tenths)))
            .collect();
        let views = tensors.iter().map(|(name, shape, bytes)| {
            (
                name,
                TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap(),
            )
        });
        safetensors::serialize_to_file(views, None, &folder.join(name)).unwrap();
    }
}

fn export(dir: &Path, model: &Path) {
    let line = format!(
        "export --model {} --output exported --force",
        model.display()
    );
    TRAIN.done(dir, &line);
}

fn load(dir: &Path, threads: usize, token_budget: usize) -> SentenceEncoder {
    let options = SentenceEncoderOptions {
        threads,
        token_budget,
        ..SentenceEncoderOptions::default()
    };
    SentenceEncoder::load(&dir.join("exported"), &options).unwrap()
}

fn embed(encoder: &SentenceEncoder, texts: &Value) -> Vec<f32> {
    let texts: Vec<&str> = texts
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    encoder.embed(&texts, &encoder.prompts().text).unwrap()
}

/// Checks that embeddings are as in the reference and prints how far they are apart.
fn assert_close(name: &str, found: &[f32], expected: &Value) {
    let expected: Vec<Vec<f32>> = serde_json::from_value(expected.clone()).unwrap();
    let expected = expected.concat();
    assert_eq!(found.len(), expected.len(), "{name}");
    let apart = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
    let difference = apart.fold(0.0, f32::max);
    println!("{name}: largest difference {difference:.1e}");
    assert!(difference < TOLERANCE, "{name}: {difference}");
}

#[test]
fn embeddings_of_the_base_model_equal_those_of_sentence_transformers() {
    let dir = tempfile::tempdir().unwrap();
    export(dir.path(), &model());
    let figures = reference("embeddings.json");
    let mut first = None;
    for (threads, token_budget) in [(1, 16_384), (1, 1), (2, 16_384), (2, 300), (3, 1_000)] {
        let encoder = load(dir.path(), threads, token_budget);
        assert_eq!((encoder.max_length(), encoder.dimension()), (256, 384));
        let found = embed(&encoder, &figures["texts"]);
        assert_close("all-MiniLM-L6-v2", &found, &figures["embeddings"]);
        let tally = encoder.tally();
        assert_eq!((tally.texts, tally.truncated), (12, 1));
        assert!(
            found == *first.get_or_insert(found.clone()),
            "{threads} threads, {token_budget} tokens"
        );
    }
}

#[test]
fn embeddings_of_every_architecture_equal_those_of_sentence_transformers() {
    let figures = reference("architectures.json");
    for (name, model) in figures["models"].as_object().unwrap() {
        let dir = tempfile::tempdir().unwrap();
        let weights = [("model.safetensors", &model["weights"]["model.safetensors"])];
        write_folder(&dir.path().join("tiny"), &model["files"], &weights);
        export(dir.path(), Path::new("tiny"));
        let encoder = load(dir.path(), 1, 1_000);
        assert_eq!((encoder.max_length(), encoder.dimension()), (32, 16));
        assert_close(
            name,
            &embed(&encoder, &figures["texts"]),
            &model["embeddings"],
        );
    }
}

#[test]
fn every_pooling_mode_equals_that_of_sentence_transformers() {
    let figures = reference("architectures.json");
    let model = &figures["models"]["bert"];
    let dir = tempfile::tempdir().unwrap();
    let weights = [("model.safetensors", &model["weights"]["model.safetensors"])];
    write_folder(&dir.path().join("tiny"), &model["files"], &weights);
    export(dir.path(), Path::new("tiny"));
    for pooling in figures["poolings"].as_array().unwrap() {
        let config = pooling["config"].to_string();
        fs::write(dir.path().join("exported/1_Pooling/config.json"), config).unwrap();
        let name = pooling["config"]["pooling_mode"].to_string();
        let found = embed(&load(dir.path(), 1, 1_000), &figures["texts"]);
        assert_close(&name, &found, &pooling["embeddings"]);
    }
}

#[test]
fn dense_layers_come_in_the_order_of_modules_json() {
    let figures = reference("architectures.json");
    let model = &figures["modules"];
    let bert = &figures["models"]["bert"];
    let mut weights = vec![("model.safetensors", &bert["weights"]["model.safetensors"])];
    let dense_weights = model["weights"].as_object().unwrap();
    weights.extend(
        dense_weights
            .iter()
            .map(|(name, tensors)| (name.as_str(), tensors)),
    );
    let dir = tempfile::tempdir().unwrap();
    write_folder(&dir.path().join("tiny"), &model["files"], &weights);
    export(dir.path(), Path::new("tiny"));
    let encoder = load(dir.path(), 1, 1_000);
    assert_eq!(encoder.dimension(), 8);
    let found = embed(&encoder, &figures["texts"]);
    assert_close("dense", &found, &model["embeddings"]);
}

#[test]
#[ignore = "needs models that `make bench` brings"]
fn onnx_files_of_others_give_the_embeddings_of_onnxruntime() {
    let figures = reference("foreign_onnx.json");
    for name in ["paraphrase-minilm-l3-onnx", "minilm-l6-int8-onnx"] {
        let file = checkpoint(name).join("model.onnx");
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("exported");
        for part in [
            "config.json",
            "modules.json",
            "sentence_bert_config.json",
            "tokenizer.json",
            "1_Pooling/config.json",
        ] {
            let to = folder.join(part);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(model().join(part), to).unwrap();
        }
        fs::create_dir(folder.join("onnx")).unwrap();
        fs::copy(file, folder.join("onnx/model.onnx")).unwrap();
        let encoder = load(dir.path(), 1, 16_384);
        // Each text alone, as in the reference: in the int8 file a batch shares its scale.
        let texts = figures["texts"].as_array().unwrap();
        let found: Vec<f32> = texts
            .iter()
            .flat_map(|text| embed(&encoder, &json!([text])))
            .collect();
        assert_close(name, &found, &figures[name]);
    }
}
