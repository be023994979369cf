//! Models in int8, behind a comparison with float32.

use std::fs;

use insta::assert_snapshot;
use pairmill_tests::{FILTER, MINE, TRAIN, names, sample_with_tiny_model};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::rows;

/// No margin, or this judge, which has learnt little, would keep nothing.
const LINE: &str =
    "--candidates candidates.parquet --model judge --format candidates --relative-margin 0";

/// A folder with mined candidates and a judge that was trained a little, in float32 and int8.
fn workplace() -> TempDir {
    let dir = sample_with_tiny_model();
    MINE.done(
        dir.path(),
        "--pairs data/pairs_train.parquet --corpus data/corpus.parquet --top-k 5 --output candidates.parquet",
    );
    let line =
        "cross-encoder --model tiny --train data/labeled_train.parquet --max-steps 20 --int8";
    TRAIN.done(dir.path(), &format!("{line} --output judge"));
    dir
}

fn share(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[test]
fn int8_decides_after_it_agreed_with_float32() {
    let dir = workplace();
    let float32 = FILTER.done(dir.path(), &format!("{LINE} --output float32.parquet"));
    assert_eq!(float32["int8"], Value::Null);
    let line = format!("{LINE} --int8 --min-agreement 0.5");
    let report = FILTER.done(dir.path(), &format!("{line} --output int8.parquet"));
    let int8 = &report["int8"];
    assert!(share(&int8["decisions"]) >= 0.5, "{int8}");
    assert!(share(&int8["rank_correlation"]) >= 0.7, "{int8}");
    assert!(int8["pairs"].as_u64().unwrap() > 100, "{int8}");
    assert_eq!(
        report["scored"], float32["scored"],
        "the sample is not counted"
    );

    let scores = |file: &str| rows(&dir.path().join(file), &["corpus_id", "score"]);
    assert_ne!(scores("int8.parquet"), scores("float32.parquet"));
    // No other thread count, budget or batch changes a score.
    let alone = format!("{line} --threads 1 --token-budget 64 --output alone.parquet");
    FILTER.done(dir.path(), &alone);
    assert_eq!(scores("alone.parquet"), scores("int8.parquet"));
}

#[test]
fn a_second_run_scores_nothing_again_not_even_the_sample() {
    let dir = workplace();
    let line = format!("{LINE} --int8 --min-agreement 0.5 --cache scores --output out.parquet");
    let first = FILTER.done(dir.path(), &line);
    assert!(first["scored"].as_u64().unwrap() > 100, "{first}");
    let kept = || -> Vec<(String, u64)> {
        let length = |name: &String| {
            let file = dir.path().join("scores").join(name);
            file.metadata().unwrap().len()
        };
        let names = names(&dir.path().join("scores")).into_iter();
        names.map(|name| (name.clone(), length(&name))).collect()
    };
    let before = kept();
    assert_eq!(before.len(), 2, "int8 and float32: {before:?}");
    let again = FILTER.done(dir.path(), &format!("{line} --num-negatives 1"));
    assert_eq!(
        (&again["scored"], &again["cached"]),
        (&json!(0), &first["scored"])
    );
    assert_eq!(
        again["int8"]["rank_correlation"],
        first["int8"]["rank_correlation"]
    );
    assert_eq!(kept(), before);
}

#[test]
fn int8_that_disagrees_is_refused_and_nothing_is_written() {
    let dir = workplace();
    let line = "cross-encoder --model tiny --train data/labeled_train.parquet --max-steps 1 --int8 --seed 7";
    TRAIN.done(dir.path(), &format!("{line} --output other"));
    let file = |judge: &str| dir.path().join(judge).join("model_quantized.onnx");
    fs::copy(file("other"), file("judge")).unwrap();
    let line = format!("{LINE} --int8 --output out.parquet");
    let error = FILTER.refused(dir.path(), &line, 1);
    assert!(
        error.contains("int8 agrees too little with float32: on a sample of"),
        "{error}"
    );
    assert!(
        error.contains("below --min-agreement 0.95; go on without --int8"),
        "{error}"
    );
    assert!(!dir.path().join("out.parquet").exists());

    let score = "score --pairs data/pairs_train.parquet --model judge --int8 --output out.parquet";
    let error = FILTER.refused(dir.path(), score, 1);
    assert!(error.contains("rank correlation"), "{error}");
}

#[test]
fn a_model_without_int8_and_input_that_is_read_once_are_named() {
    let dir = workplace();
    fs::remove_file(dir.path().join("judge/model_quantized.onnx")).unwrap();
    let line = format!("{LINE} --int8 --output out.parquet");
    assert_snapshot!(FILTER.refused(dir.path(), &line, 1), @"error: judge: has no model_quantized.onnx (or onnx/model_quantized.onnx); `pairmill-train cross-encoder --int8` writes one, and `pairmill-train export --int8` of a model that is there");
    let line = "--candidates - --model judge --int8 --output out.parquet";
    let error = FILTER.refused(dir.path(), line, 2);
    assert!(error.contains("cannot come from standard input"), "{error}");
}
