//! Scores of a model that `pairmill-train` has trained, beside sentence-transformers' of the same
//! model (tests/reference/cross_encoder.py).

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::Float32Type;
use pairmill_tests::tables::{read, write};
use pairmill_tests::{FILTER, root};
use serde_json::Value;
use tempfile::TempDir;

struct Figures {
    pairs: RecordBatch,
    logits: Vec<f64>,
    scores: Vec<f64>,
}

fn figures() -> Figures {
    let file = root().join("tests/reference/cross_encoder.json");
    let value: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let numbers = |name: &str| -> Vec<f64> {
        let values = value[name].as_array().unwrap().iter();
        values.map(|number| number.as_f64().unwrap()).collect()
    };
    let pairs = value["pairs"].as_array().unwrap();
    let texts = |side: usize| -> ArrayRef {
        let texts = pairs.iter().map(|pair| pair[side].as_str().unwrap());
        Arc::new(StringArray::from_iter_values(texts))
    };
    let columns = [("sentence1", texts(0)), ("sentence2", texts(1))];
    Figures {
        pairs: RecordBatch::try_from_iter(columns).unwrap(),
        logits: numbers("logits"),
        scores: numbers("scores"),
    }
}

/// The scores of these pairs, with these options.
fn scored(dir: &Path, pairs: &RecordBatch, options: &str) -> Vec<f32> {
    write(&dir.join("pairs.parquet"), pairs);
    let model = root().join("tests/reference/cross_encoder");
    let line = format!(
        "score --pairs pairs.parquet --model {} --output out.parquet --force {options}",
        model.display()
    );
    FILTER.done(dir, &line);
    let scores = read(&dir.join("out.parquet"));
    let scores = scores["score"].as_primitive::<Float32Type>();
    assert_eq!(scores.null_count(), 0);
    scores.values().to_vec()
}

#[test]
fn scores_are_those_of_sentence_transformers() {
    let dir = TempDir::new().unwrap();
    let figures = figures();
    for (options, expected) in [
        ("", &figures.scores),
        ("--activation identity", &figures.logits),
    ] {
        let found = scored(dir.path(), &figures.pairs, options);
        assert_eq!(found.len(), expected.len());
        for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
            let difference = (f64::from(*found) - expected).abs();
            assert!(difference < 1e-4, "row {row}: {found} for {expected}");
        }
    }
    let spread = figures
        .scores
        .iter()
        .fold((1.0, 0.0), |(low, high), &score| {
            (f64::min(low, score), f64::max(high, score))
        });
    assert!(spread.1 - spread.0 > 0.8, "too alike to tell: {spread:?}");
}

#[test]
fn no_score_depends_on_threads_batches_or_the_other_pairs() {
    let dir = TempDir::new().unwrap();
    let pairs = figures().pairs;
    let scores = scored(dir.path(), &pairs, "");
    for options in ["--threads 1", "--threads 3", "--token-budget 1"] {
        assert_eq!(scored(dir.path(), &pairs, options), scores, "{options}");
    }
    let backwards = UInt32Array::from_iter_values((0..pairs.num_rows() as u32).rev());
    let mut turned = scored(
        dir.path(),
        &take_record_batch(&pairs, &backwards).unwrap(),
        "",
    );
    turned.reverse();
    assert_eq!(turned, scores);
    for row in [0, 6, 20] {
        let alone = scored(dir.path(), &pairs.slice(row, 1), "");
        assert_eq!(alone, scores[row..=row], "row {row}");
    }
}
