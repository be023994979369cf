//! What is read from folders, written to them, and refused.

use std::fs;
use std::path::{Path, PathBuf};

use pairmill_modeling::SentenceEncoder;
use pairmill_modeling::onnx::Precision;
use serde_json::{Value, json};
use tch::Device;

use crate::figures::*;

#[test]
fn a_dense_layer_of_another_size_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_dense_model(folder.path());
    let pooling = json!({"embedding_dimension": 16, "pooling_mode": ["mean", "max"]});
    write_json(&folder.path().join("1_Pooling/config.json"), &pooling);
    assert_eq!(
        refusal(folder.path()),
        "[DIR]/2_Dense/config.json: in_features is 16, but what comes in has 32 components"
    );
}

#[test]
fn a_saved_model_has_the_same_tensors_and_embeddings() {
    for (name, model, folder) in models() {
        let saved = tempfile::tempdir().unwrap();
        let encoder = load(folder.path());
        encoder.save(saved.path()).unwrap();
        assert_eq!(encode(&load(saved.path())), encode(&encoder), "{name}");
        let weights: Tensors = take(&model["weights"]["model.safetensors"]);
        let expected: Vec<String> = weights.into_keys().collect();
        let found = tensor_names(&saved.path().join("model.safetensors"));
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn shards_and_the_prefix_of_a_checkpoint_with_a_head_are_read() {
    for (name, model, folder) in models() {
        let expected = encode(&load(folder.path()));
        let whole = folder.path().join("model.safetensors");
        fs::remove_file(&whole).unwrap();
        let prefix = model["classifier"]["prefix"].as_str().unwrap();
        let weights: Tensors = take(&model["weights"]["model.safetensors"]);
        let mut shards = [Tensors::new(), Tensors::new()];
        let mut map = serde_json::Map::new();
        for (n, (name, tensor)) in weights.into_iter().enumerate() {
            let name = format!("{prefix}{name}");
            map.insert(name.clone(), json!(format!("shard-{}.safetensors", n % 2)));
            shards[n % 2].insert(name, tensor);
        }
        for (n, shard) in shards.iter().enumerate() {
            write_tensors(&folder.path().join(format!("shard-{n}.safetensors")), shard);
        }
        let index = json!({"metadata": {}, "weight_map": map});
        write_json(&folder.path().join("model.safetensors.index.json"), &index);
        assert_eq!(encode(&load(folder.path())), expected, "{name}");
    }
}

#[test]
fn half_precision_in_the_config_becomes_single_when_saved() {
    let (model, folder) = model("bert");
    let saved = tempfile::tempdir().unwrap();
    let mut config = model["files"]["config.json"].clone();
    config["dtype"] = json!("bfloat16");
    write_json(&folder.path().join("config.json"), &config);
    load(folder.path()).save(saved.path()).unwrap();
    let text = fs::read_to_string(saved.path().join("config.json")).unwrap();
    let config: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(config["dtype"], "float32");
}

#[test]
fn an_old_folder_with_the_transformer_in_a_folder_of_its_own_is_read_and_written() {
    let [folder, saved] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (mut model, plain) = model("bert");
    let names: Vec<String> = ["files", "weights"]
        .iter()
        .flat_map(|kind| model[kind].as_object().unwrap().keys().cloned())
        .collect();
    for name in names {
        let stays = name == "modules.json" || name.contains('/');
        let to = match stays {
            true => folder.path().join(&name),
            false => folder.path().join("0_Transformer").join(&name),
        };
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(plain.path().join(&name), to).unwrap();
    }
    let modules = &mut model["files"]["modules.json"];
    modules[0]["path"] = json!("0_Transformer");
    write_json(&folder.path().join("modules.json"), modules);
    let encoder = load(folder.path());
    assert_eq!(encode(&encoder), encode(&load(plain.path())));
    encoder.save(saved.path()).unwrap();
    assert_eq!(encode(&encoder), encode(&load(saved.path())));
}

/// The message with which a folder is refused.
fn refusal(folder: &Path) -> String {
    let error = SentenceEncoder::load(folder, Device::Cpu).unwrap_err();
    let message = error.to_string();
    message.replace(&folder.display().to_string(), "[DIR]")
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    let (model, folder) = model("bert");
    let config = |key: &str, value: &str| {
        let mut config = model["files"]["config.json"].clone();
        config[key] = json!(value);
        write_json(&folder.path().join("config.json"), &config);
        refusal(folder.path())
    };
    assert_eq!(
        config("model_type", "t5"),
        "[DIR]/config.json: the architecture `t5` is not supported; supported: bert (MiniLM, BGE, \
         E5, GTE and other BERT checkpoints), distilbert, roberta, xlm-roberta, camembert, mpnet, \
         modernbert"
    );
    assert_eq!(
        config("hidden_act", "mish"),
        "[DIR]/config.json: hidden_act `mish` is not supported; supported: gelu, gelu_new, \
         gelu_pytorch_tanh, relu, silu, tanh, sigmoid, linear"
    );
    write_folder(folder.path(), &model);
    let pooling = json!({"pooling_mode": "median"});
    write_json(&folder.path().join("1_Pooling/config.json"), &pooling);
    assert_eq!(
        refusal(folder.path()),
        "[DIR]/1_Pooling/config.json: pooling by `median` is not supported; supported: cls, max, \
         mean, mean_sqrt_len_tokens, weightedmean, lasttoken"
    );
    write_folder(folder.path(), &model);
    let weights = folder.path().join("model.safetensors");
    fs::rename(weights, folder.path().join("pytorch_model.bin")).unwrap();
    assert_eq!(
        refusal(folder.path()),
        "[DIR]/pytorch_model.bin: a PyTorch pickle of weights is not supported; supported: \
         model.safetensors, which SentenceTransformer(FOLDER).save_pretrained(NEW_FOLDER) writes \
         in Python"
    );
}

/// Folders for `tests/reference/architectures.py --check`.
#[test]
fn every_encoder_is_written_for_other_programs_to_read() {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("architectures");
    let write = |name: &str, folder: &Path| {
        let saved = root.join(name);
        fs::create_dir_all(&saved).unwrap();
        let encoder = load(folder);
        encoder.save(&saved).unwrap();
        encoder
            .save_onnx(&saved.join("model.onnx"), Precision::Float32)
            .unwrap();
    };
    for (name, _, folder) in models() {
        write(name, folder.path());
    }
    let folder = tempfile::tempdir().unwrap();
    write_dense_model(folder.path());
    write("dense", folder.path());
}
