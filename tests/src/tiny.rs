use std::fs;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tempfile::TempDir;

const HIDDEN: usize = 32;
const WIDE: usize = 64;
const LAYERS: usize = 2;
const VOCABULARY: usize = 30_522;
const POSITIONS: usize = 128;

/// Returns a folder with the splits of `data/qa.jsonl` in `data` and a tiny model in `tiny`.
///
/// # Panics
/// As [`write_tiny_model`].
pub fn sample_with_tiny_model() -> TempDir {
    let dir = tempfile::tempdir().expect("there is a temporary folder");
    write_tiny_model(&dir.path().join("tiny"));
    let sample = crate::root().join("data/qa.jsonl");
    fs::copy(sample, dir.path().join("qa.jsonl")).expect("the sample is there");
    crate::GENERATE.done(dir.path(), "qa --input qa.jsonl --output data");
    dir
}

/// Writes a sentence-transformers folder with a random two-layer BERT of width 32 and the base
/// model's tokenizer: the real network and format, small enough for a test to train in a second.
///
/// # Panics
/// If the base model is not there or the folder cannot be written.
pub fn write_tiny_model(folder: &Path) {
    let base = crate::model();
    fs::create_dir_all(folder.join("1_Pooling")).expect("a temporary folder is writable");
    for name in ["tokenizer.json", "tokenizer_config.json", "modules.json"] {
        fs::copy(base.join(name), folder.join(name)).expect("the base model has it");
    }
    let pooling = serde_json::json!({
        "word_embedding_dimension": HIDDEN, "pooling_mode_mean_tokens": true,
    });
    let config = serde_json::json!({
        "model_type": "bert", "architectures": ["BertModel"], "vocab_size": VOCABULARY,
        "hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": 4,
        "intermediate_size": WIDE, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1, "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2, "layer_norm_eps": 1e-12,
    });
    let write = |name: &str, value: serde_json::Value| {
        fs::write(folder.join(name), value.to_string()).expect("a temporary folder is writable");
    };
    write("config.json", config);
    write("1_Pooling/config.json", pooling);
    write(
        "sentence_bert_config.json",
        serde_json::json!({"max_seq_length": POSITIONS, "do_lower_case": false}),
    );

    let mut state = 1u64;
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = shapes()
        .into_iter()
        .map(|(name, shape)| {
            let norm = name.ends_with("LayerNorm.weight");
            let bytes = (0..shape.iter().product::<usize>())
                .flat_map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    let uniform = (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5;
                    (if norm { 1.0 } else { uniform * 0.2 }).to_le_bytes()
                })
                .collect();
            (name, shape, bytes)
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).expect("sizes agree");
        (name, view)
    });
    safetensors::serialize_to_file(views, None, &folder.join("model.safetensors"))
        .expect("a temporary folder is writable");
}

fn shapes() -> Vec<(String, Vec<usize>)> {
    let mut shapes = vec![
        (
            "embeddings.word_embeddings.weight".to_owned(),
            vec![VOCABULARY, HIDDEN],
        ),
        (
            "embeddings.position_embeddings.weight".to_owned(),
            vec![POSITIONS, HIDDEN],
        ),
        (
            "embeddings.token_type_embeddings.weight".to_owned(),
            vec![2, HIDDEN],
        ),
    ];
    let norm = |name: &str| {
        [
            (format!("{name}.LayerNorm.weight"), vec![HIDDEN]),
            (format!("{name}.LayerNorm.bias"), vec![HIDDEN]),
        ]
    };
    let linear = |name: String, inputs: usize, outputs: usize| {
        [
            (format!("{name}.weight"), vec![outputs, inputs]),
            (format!("{name}.bias"), vec![outputs]),
        ]
    };
    shapes.extend(norm("embeddings"));
    for n in 0..LAYERS {
        let layer = format!("encoder.layer.{n}");
        for part in ["query", "key", "value"] {
            shapes.extend(linear(
                format!("{layer}.attention.self.{part}"),
                HIDDEN,
                HIDDEN,
            ));
        }
        shapes.extend(linear(
            format!("{layer}.attention.output.dense"),
            HIDDEN,
            HIDDEN,
        ));
        shapes.extend(norm(&format!("{layer}.attention.output")));
        shapes.extend(linear(format!("{layer}.intermediate.dense"), HIDDEN, WIDE));
        shapes.extend(linear(format!("{layer}.output.dense"), WIDE, HIDDEN));
        shapes.extend(norm(&format!("{layer}.output")));
    }
    shapes
}
