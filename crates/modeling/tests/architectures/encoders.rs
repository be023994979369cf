//! What the encoders compute.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use pairmill_inference::HiddenStates;
use pairmill_modeling::onnx::Precision;
use pairmill_modeling::{
    Config, Dropout, ModelError, PackedBatch, Parameters, SentenceEncoder, Side, TokenIds,
    Transformer,
};
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};

use crate::figures::*;

#[test]
fn hidden_states_equal_those_of_transformers() {
    for (name, model, folder) in models() {
        let config = Config::load(folder.path()).unwrap();
        let rename = |name: &str| Some(name.to_owned());
        let parameters =
            Parameters::load_folders(&[(folder.path(), &rename)], Device::Cpu).unwrap();
        let transformer = Transformer::new(&parameters, "", &config).unwrap();
        let sequences: Vec<TokenIds> = take::<Vec<Vec<u32>>>(&model["token_ids"])
            .into_iter()
            .map(|ids| TokenIds {
                types: vec![0; ids.len()],
                ids,
                ..TokenIds::default()
            })
            .collect();
        let batch = PackedBatch::new(&sequences.iter().collect::<Vec<_>>(), Device::Cpu);
        let found = transformer.forward(&batch, None);

        let mut packed: Vec<Vec<Vec<f32>>> = take(&model["last_hidden_state"]);
        packed.sort_by_key(Vec::len);
        assert_close(name, &values(&found), &packed.concat().concat());
    }
}

#[test]
fn embeddings_equal_those_of_sentence_transformers() {
    for (name, model, folder) in models() {
        let encoder = load(folder.path());
        assert_eq!((encoder.max_length(), encoder.dimension()), (32, 16));
        let ids: Vec<Vec<u32>> = tokens(&encoder).into_iter().map(|t| t.ids).collect();
        assert_eq!(ids, take::<Vec<Vec<u32>>>(&model["token_ids"]), "{name}");
        assert_close(name, &encode(&encoder), &flat(&model["embeddings"]));
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn onnx_runtime_gives_the_same_embeddings_and_in_int8_about_the_same() {
    for (name, _, folder) in models() {
        let encoder = load(folder.path());
        for (precision, least) in [(Precision::Float32, 0.999_99), (Precision::Int8, 0.98)] {
            let path = folder.path().join("model.onnx");
            encoder.save_onnx(&path, precision).unwrap();
            let onnx = HiddenStates::open(&path, 1).unwrap();
            for sequence in tokens(&encoder) {
                let states = onnx.of(&sequence.ids, &sequence.types).unwrap();
                let found = encoder.embed_states(&sequence, &states).unwrap();
                let expected = encoder.embed(&[sequence], 1_000, &|_| {}).unwrap();
                let cosine = cosine(&found, &expected);
                assert!(cosine > least, "{name} {precision:?}: {cosine}");
            }
        }
    }
}

#[test]
fn embeddings_in_bf16_are_near_those_in_single_precision() {
    for (name, _, folder) in models() {
        let exact = encode(&load(folder.path()));
        let encoder = load(folder.path());
        let encoder = encoder
            .with_parameters(|parameters| Ok::<_, ModelError>(parameters.in_bf16()))
            .unwrap();
        let rough = encode(&encoder);
        assert_ne!(rough, exact, "{name}");
        for (rough, exact) in rough.chunks(16).zip(exact.chunks(16)) {
            assert!(cosine(rough, exact) > 0.999, "{name}");
        }
        // Gradients arrive at single-precision weights.
        let sequences = tokens(&encoder);
        let sequences: Vec<&TokenIds> = sequences.iter().collect();
        let dropout = Dropout::new(1);
        let loss = encoder
            .forward(&sequences, Some(&dropout))
            .square()
            .sum(Kind::Float);
        let weights: Vec<&Tensor> = encoder.parameters().trained().map(|(_, t)| t).collect();
        let gradients = Tensor::run_backward(&[loss], &weights, false, false);
        let defined = gradients.iter().filter(|gradient| gradient.defined());
        assert!(defined.clone().count() > 10, "{name}");
        assert!(
            defined
                .clone()
                .all(|gradient| gradient.kind() == Kind::Float)
        );
    }
}

#[test]
fn every_pooling_mode_equals_that_of_sentence_transformers() {
    let figures = figures();
    let folder = tempfile::tempdir().unwrap();
    write_folder(folder.path(), &figures["models"]["bert"]);
    for pooling in figures["poolings"].as_array().unwrap() {
        let config = &pooling["config"];
        write_json(&folder.path().join("1_Pooling/config.json"), config);
        let name = config["pooling_mode"].to_string();
        let found = encode(&load(folder.path()));
        assert_close(&name, &found, &flat(&pooling["embeddings"]));

        // Older versions of sentence-transformers write a flag for each mode.
        let Some(mode) = config["pooling_mode"].as_str() else {
            continue;
        };
        let flag = match mode {
            "cls" => "pooling_mode_cls_token".to_owned(),
            "max" | "mean" | "weightedmean" => format!("pooling_mode_{mode}_tokens"),
            _ => format!("pooling_mode_{mode}"),
        };
        let config = json!({"word_embedding_dimension": 16, "pooling_mode_x": false, flag: true});
        write_json(&folder.path().join("1_Pooling/config.json"), &config);
        assert_eq!(encode(&load(folder.path())), found, "{name}");
    }
}

/// The gradient that the Python script takes, as a norm for each parameter.
fn assert_gradients(name: &str, encoder: &SentenceEncoder, expected: &Value) {
    let sequences = tokens(encoder);
    let padding = |sequence: &&TokenIds| !sequence.ids.contains(&1);
    let sequences: Vec<&TokenIds> = sequences.iter().filter(padding).collect();
    let embeddings = encoder.forward(&sequences, None);
    let components = encoder.dimension() as i64;
    let direction = Tensor::arange(components, (Kind::Float, Device::Cpu)).remainder(7) - 3;
    (embeddings * direction).sum(Kind::Float).backward();
    let expected: HashMap<String, f64> = take(expected);
    let mut found = 0;
    for (parameter, tensor) in encoder.parameters().iter() {
        let gradient = tensor.grad();
        let norm = match gradient.defined() {
            true => gradient.norm().double_value(&[]),
            false => 0.0,
        };
        let expected = expected.get(parameter).copied().unwrap_or(0.0);
        found += usize::from(norm > 0.0);
        assert!(
            (norm - expected).abs() < 1e-4 * expected.max(0.1),
            "{name}, {parameter}: {norm} for {expected}"
        );
    }
    assert!(found >= expected.len() - 1, "{name}: {found} gradients");
}

#[test]
fn gradients_equal_those_of_torch() {
    for (name, model, folder) in models() {
        assert_gradients(name, &load(folder.path()), &model["gradients"]);
    }
}

#[test]
fn dropout_is_active_and_repeats_with_the_step() {
    for (name, _, folder) in models() {
        let encoder = load(folder.path());
        let sequences = tokens(&encoder);
        let sequences: Vec<&TokenIds> = sequences.iter().collect();
        let dropout = Dropout::new(5);
        let at_step = |step| {
            dropout.set_step(step);
            values(&encoder.forward(&sequences, Some(&dropout)))
        };
        assert_eq!(at_step(1), at_step(1), "{name}");
        assert_ne!(at_step(1), at_step(2), "{name}");
        let without = values(&encoder.forward(&sequences, None));
        assert_ne!(at_step(1), without, "{name}");
    }
}

#[test]
fn dense_layers_come_in_the_order_of_modules_json_and_are_trained_and_saved() {
    let [folder, saved] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let model = write_dense_model(folder.path());
    let encoder = load(folder.path());
    assert_eq!(encoder.dimension(), 8);
    assert_close("dense", &encode(&encoder), &flat(&model["embeddings"]));
    assert_gradients("dense", &encoder, &model["gradients"]);

    // Module classes under the names that older versions write, and weights as after training.
    let path = folder.path().join("modules.json");
    let mut modules: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    for module in modules.as_array_mut().unwrap() {
        let class = module["type"].as_str().unwrap().rsplit('.').next().unwrap();
        module["type"] = json!(format!("sentence_transformers.models.{class}"));
    }
    write_json(&path, &modules);
    let encoder = load(folder.path());
    tch::no_grad(|| {
        let mut all = encoder.parameters().flat().shallow_clone();
        let _ = all.g_mul_scalar_(1.01);
    });
    encoder.save(saved.path()).unwrap();
    assert_eq!(encode(&load(saved.path())), encode(&encoder));
    assert_ne!(encode(&encoder), encode(&load(folder.path())));
    assert_eq!(
        tensor_names(&saved.path().join("3_Dense/model.safetensors")),
        ["linear.weight"]
    );
}

#[test]
fn an_older_modernbert_config_means_the_same() {
    let (model, folder) = model("modernbert");
    let mut config = model["files"]["config.json"].clone();
    let fields = config.as_object_mut().unwrap();
    for key in ["layer_types", "rope_parameters"] {
        assert!(fields.remove(key).is_some(), "{key}");
    }
    for (key, value) in [
        ("global_attn_every_n_layers", 3),
        ("global_rope_theta", 160_000),
        ("local_rope_theta", 10_000),
    ] {
        fields.insert(key.to_owned(), value.into());
    }
    write_json(&folder.path().join("config.json"), &config);
    let found = encode(&load(folder.path()));
    assert_close("modernbert", &found, &flat(&model["embeddings"]));
}

#[test]
fn texts_are_set_to_lower_case_where_the_folder_asks_for_it() {
    let (_, folder) = model("bert");
    let ids = |folder: &Path| {
        load(folder)
            .tokenize(&["PRINTER Offline"], Side::Text)
            .unwrap()[0]
            .ids
            .clone()
    };
    let unknown = ids(folder.path());
    let config = json!({"max_seq_length": 32, "do_lower_case": true});
    write_json(&folder.path().join("sentence_bert_config.json"), &config);
    let lower = load(folder.path())
        .tokenize(&["printer offline"], Side::Text)
        .unwrap();
    assert_eq!(ids(folder.path()), lower[0].ids);
    assert_ne!(unknown, lower[0].ids);
}
