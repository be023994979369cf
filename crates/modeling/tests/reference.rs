//! The base model against the figures of the Python library, and libtorch against ONNX Runtime.

#![allow(clippy::unwrap_used, reason = "helpers of tests do")]

use std::cell::Cell;
use std::path::{Path, PathBuf};

use pairmill_modeling::{CrossEncoder, SentenceEncoder, Side};
use tch::Device;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn base_model() -> PathBuf {
    match std::env::var_os("PAIRMILL_MODEL") {
        Some(folder) => PathBuf::from(folder),
        None => workspace().join(".deps/models/all-MiniLM-L6-v2"),
    }
}

struct Figures {
    texts: Vec<String>,
    token_ids: Vec<Vec<u32>>,
    embeddings: Vec<Vec<f32>>,
}

/// Made by tests/reference/embeddings.py.
fn figures() -> Figures {
    let path = workspace().join("tests/reference/embeddings.json");
    let value: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let take = |key: &str| value[key].clone();
    Figures {
        texts: serde_json::from_value(take("texts")).unwrap(),
        token_ids: serde_json::from_value(take("token_ids")).unwrap(),
        embeddings: serde_json::from_value(take("embeddings")).unwrap(),
    }
}

fn largest_difference(vectors: &[f32], expected: &[Vec<f32>]) -> f32 {
    assert_eq!(vectors.len(), expected.iter().map(Vec::len).sum::<usize>());
    vectors
        .iter()
        .zip(expected.iter().flatten())
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

#[test]
fn embeddings_equal_those_of_sentence_transformers() {
    let encoder = SentenceEncoder::load(&base_model(), Device::Cpu).unwrap();
    assert_eq!((encoder.max_length(), encoder.dimension()), (256, 384));
    let figures = figures();
    let texts: Vec<&str> = figures.texts.iter().map(String::as_str).collect();
    let tokens = encoder.tokenize(&texts, Side::Text).unwrap();
    for (found, expected) in tokens.iter().zip(&figures.token_ids) {
        assert_eq!(&found.ids, expected);
    }
    for batch_tokens in [1, 100, 100_000] {
        let vectors = encoder
            .encode(&texts, Side::Text, batch_tokens, &|_| {})
            .unwrap();
        let difference = largest_difference(&vectors, &figures.embeddings);
        assert!(
            difference < 1e-5,
            "{difference} with {batch_tokens} tokens a batch"
        );
    }
}

#[test]
fn threads_do_not_change_embeddings_and_every_text_is_told() {
    let encoder = SentenceEncoder::load(&base_model(), Device::Cpu).unwrap();
    let texts: Vec<String> = (1..200).map(|n| "the red router ".repeat(n % 23)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let encode = |threads: i32| {
        tch::set_num_threads(threads);
        let told = Cell::new(0);
        let count = |texts| told.set(told.get() + texts);
        let vectors = encoder.encode(&texts, Side::Text, 300, &count).unwrap();
        assert_eq!((told.get(), tch::get_num_threads()), (199, threads));
        vectors.into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    let one = encode(1);
    assert!(one == encode(2) && one == encode(5));
}

#[test]
fn a_saved_model_gives_the_same_embeddings() {
    let dir = tempfile::tempdir().unwrap();
    let encoder = SentenceEncoder::load(&base_model(), Device::Cpu).unwrap();
    encoder.save(dir.path()).unwrap();
    let again = SentenceEncoder::load(dir.path(), Device::Cpu).unwrap();
    let texts = ["the scanner is frozen", ""];
    let encode =
        |encoder: &SentenceEncoder| encoder.encode(&texts, Side::Text, 1_000, &|_| {}).unwrap();
    assert_eq!(encode(&encoder), encode(&again));
}

#[test]
fn onnx_runtime_scores_a_cross_encoder_as_libtorch_does() {
    let dir = tempfile::tempdir().unwrap();
    let encoder = CrossEncoder::load(&base_model(), Device::Cpu, 7).unwrap();
    encoder.save(dir.path()).unwrap();
    let figures = figures();
    let pairs: Vec<(&str, &str)> = figures
        .texts
        .iter()
        .zip(figures.texts.iter().rev())
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let expected = encoder.scores(&pairs, 2_000).unwrap();
    let onnx = pairmill_inference::CrossEncoder::load(dir.path(), &Default::default()).unwrap();
    let found = onnx.scores(&pairs).unwrap();
    for ((found, expected), pair) in found.iter().zip(&expected).zip(&pairs) {
        assert!(
            (found - expected).abs() < 1e-4,
            "{found} for {expected}: {pair:?}"
        );
    }
    let spread = expected
        .iter()
        .fold((1f32, 0f32), |(low, high), &s| (low.min(s), high.max(s)));
    assert!(
        spread.1 - spread.0 > 1e-3,
        "the scores are all alike: {spread:?}"
    );
}
