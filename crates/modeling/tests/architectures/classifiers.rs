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
fn of_two_logits_the_one_for_relevant_less_the_other_is_the_logit() {
    let (mut model, _) = model("bert");
    let pairs = [("how do i reset my vpn", "the vpn drops every hour")];
    let head = model["classifier"]["head"].as_object_mut().unwrap();
    let one: (Vec<usize>, Vec<i16>) = take(&head["classifier.weight"]);
    let zeros = vec![0; one.1.len()];
    let beside = [one.1.clone(), zeros].concat();
    head["classifier.weight"] = json!([[2, one.0[1]], beside]);
    head["classifier.bias"] = json!([[2], [3, 1]]);
    let logit = |labels: Value, weight: &Value, bias: &Value| {
        let mut model = model.clone();
        model["classifier"]["head"]["classifier.weight"] = weight.clone();
        model["classifier"]["head"]["classifier.bias"] = bias.clone();
        model["files"]["config.json"]["id2label"] = labels;
        let folder = tempfile::tempdir().unwrap();
        write_classifier(folder.path(), &model);
        let encoder = CrossEncoder::load(folder.path(), Device::Cpu, 1)?;
        let sequences = encoder.tokenize(&pairs)?;
        let sequences: Vec<&TokenIds> = sequences.iter().collect();
        Ok::<f32, pairmill_modeling::ModelError>(values(&encoder.forward(&sequences, None))[0])
    };
    let two = &model["classifier"]["head"];
    let (weight, bias) = (&two["classifier.weight"], &two["classifier.bias"]);
    let first = json!({"0": "entailment", "1": "not_entailment"});
    let difference = json!([one.0, one.1]);
    let expected = logit(json!({"0": "LABEL_0"}), &difference, &json!([[1], [2]])).unwrap();
    assert_close("first", &[logit(first, weight, bias).unwrap()], &[expected]);
    let second = json!({"0": "LABEL_0", "1": "LABEL_1"});
    assert_close(
        "second",
        &[logit(second, weight, bias).unwrap()],
        &[-expected],
    );

    let thrice = one.1.repeat(3);
    let three = json!([[3, one.0[1]], thrice]);
    let labels = json!({"0": "contradiction", "1": "entailment", "2": "neutral"});
    let error = logit(labels, &three, &json!([[3], [0, 0, 0]])).unwrap_err();
    assert!(
        error.to_string().contains("3 logits for each pair"),
        "{error}"
    );
}

#[test]
fn an_export_keeps_the_activation_and_training_sets_the_sigmoid() {
    let (model, folder) = model("bert");
    write_classifier(folder.path(), &model);
    let path = folder.path().join("config.json");
    let mut config = model["files"]["config.json"].clone();
    config["architectures"] = model["classifier"]["class"].clone();
    config["architectures"] = json!([config["architectures"]]);
    config["sbert_ce_default_activation_function"] = json!("torch.nn.modules.linear.Identity");
    write_json(&path, &config);
    let encoder = CrossEncoder::load(folder.path(), Device::Cpu, 1).unwrap();
    let activation = |save: &dyn Fn(&Path)| {
        let saved = tempfile::tempdir().unwrap();
        save(saved.path());
        let text = fs::read_to_string(saved.path().join("config.json")).unwrap();
        let config: Value = serde_json::from_str(&text).unwrap();
        config["sentence_transformers"]["activation_fn"].to_string()
    };
    let exported = activation(&|folder| encoder.save_untrained(folder).unwrap());
    assert!(exported.contains("Identity"), "{exported}");
    let trained = activation(&|folder| encoder.save(folder).unwrap());
    assert!(trained.contains("Sigmoid"), "{trained}");
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
