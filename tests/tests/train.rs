//! `pairmill-train` driven as a program.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;

use pairmill_tests::{fail, root, succeed, write_tiny_model};

fn write_table(path: &Path, columns: &[(&str, ArrayRef)]) {
    let batch = RecordBatch::try_from_iter(columns.iter().map(|(n, c)| (*n, c.clone()))).unwrap();
    let file = fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// A folder with the sample's splits and a tiny model.
fn sample() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write_tiny_model(&dir.path().join("tiny"));
    let input = root().join("data/qa.jsonl").display().to_string();
    let data = dir.path().join("data").display().to_string();
    succeed(
        "pairmill-generate",
        ["qa", "--input", &input, "--output", &data],
    );
    dir
}

fn encoder<'a>(model: &'a str, train: &'a str, output: &'a str) -> Vec<&'a str> {
    vec![
        "encoder", "--model", model, "--train", train, "--output", output,
    ]
}

#[test]
fn the_same_seed_gives_the_same_weights_and_the_loss_falls() {
    let dir = sample();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let (tiny, pairs, data) = (at("tiny"), at("data/pairs_train.parquet"), at("data"));
    let train = |output: &str, seed: &str| {
        let mut arguments = encoder(&tiny, &pairs, output);
        arguments.extend(["--eval", &data, "--epochs", "3", "--learning-rate", "1e-3"]);
        arguments.extend(["--json", "--seed", seed]);
        let report = succeed("pairmill-train", arguments);
        serde_json::from_str::<serde_json::Value>(&report).unwrap()
    };
    let report = train(&at("a"), "1");
    train(&at("b"), "1");
    train(&at("c"), "2");
    let weights = |name: &str| fs::read(dir.path().join(name).join("model.safetensors")).unwrap();
    assert!(weights("a") == weights("b"), "one seed, two models");
    assert!(weights("a") != weights("c"), "two seeds, one model");
    let log = fs::read_to_string(dir.path().join("a/training_log.jsonl")).unwrap();
    let losses: Vec<f64> = log
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|line| line["event"] == "step")
        .map(|line| line["loss"].as_f64().unwrap())
        .collect();
    assert_eq!(losses.len() as u64, report["steps"].as_u64().unwrap());
    assert!(losses.last() < losses.first(), "{losses:?}");
    assert!(
        report["best_score"].as_f64() >= report["score_before"].as_f64(),
        "{report}"
    );
}

#[test]
fn an_output_of_the_same_lineage_is_left_alone() {
    let dir = sample();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let (tiny, pairs, output) = (at("tiny"), at("data/pairs_train.parquet"), at("model"));
    let train = |extra: &[&str]| {
        let mut arguments = encoder(&tiny, &pairs, &output);
        arguments.push("--json");
        arguments.extend(extra);
        let report = succeed("pairmill-train", arguments);
        serde_json::from_str::<serde_json::Value>(&report).unwrap()["up_to_date"].clone()
    };
    assert_eq!(train(&[]), false);
    assert_eq!(train(&[]), true);
    assert_eq!(train(&["--threads", "1"]), true);
    assert_eq!(train(&["--learning-rate", "1e-4"]), false);
    assert_eq!(train(&["--learning-rate", "1e-4", "--force"]), false);
}

#[test]
fn the_folder_has_what_sentence_transformers_expects() {
    let dir = sample();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let (tiny, pairs, output) = (at("tiny"), at("data/pairs_train.parquet"), at("model"));
    succeed("pairmill-train", encoder(&tiny, &pairs, &output));
    for file in [
        "1_Pooling/config.json",
        "README.md",
        "config.json",
        "lineage.json",
        "model.safetensors",
        "modules.json",
        "sentence_bert_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "training_log.jsonl",
    ] {
        assert!(dir.path().join("model").join(file).is_file(), "{file}");
    }
    let weights = fs::read(dir.path().join("model/model.safetensors")).unwrap();
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&weights).unwrap();
    let metadata = metadata.metadata().clone().unwrap();
    assert_eq!(metadata.get("format").map(String::as_str), Some("pt"));
}

#[test]
fn bad_input_is_named_and_leaves_no_output() {
    let dir = sample();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let path = |name: &str| dir.path().join(name);
    let four = ["anchor_id", "anchor", "positive_id", "positive"];
    let table = |name: &str, rows: [&[Option<&str>]; 4]| {
        let columns: Vec<_> = four.iter().copied().zip(rows.map(texts)).collect();
        write_table(&path(name), &columns);
    };
    table(
        "null.parquet",
        [&[Some("1")], &[Some("a")], &[Some("2")], &[None]],
    );
    table("empty.parquet", [&[], &[], &[], &[]]);
    write_table(&path("absent.parquet"), &[("anchor", texts(&[Some("a")]))]);
    let number: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    write_table(
        &path("type.parquet"),
        &[("anchor", texts(&[Some("a")])), ("positive", number)],
    );
    let whole = fs::read(path("data/pairs_train.parquet")).unwrap();
    fs::write(path("cut.parquet"), &whole[..whole.len() / 2]).unwrap();

    let message = |train: &str| {
        let (tiny, train, output) = (at("tiny"), at(train), at("out"));
        let text = fail(
            "pairmill-train",
            encoder(&tiny, &train, &output),
            1,
            dir.path(),
        );
        assert!(!path("out").exists() && !path(".out.partial").exists());
        text
    };
    insta::assert_snapshot!(message("no.parquet"), @"error: [DIR]/no.parquet: no such file or folder; check the path");
    insta::assert_snapshot!(message("absent.parquet"), @"error: [DIR]/absent.parquet: no column `positive` (needed for a pairs table); found anchor");
    insta::assert_snapshot!(message("type.parquet"), @"error: [DIR]/type.parquet: column `positive` is Int32; expected text");
    insta::assert_snapshot!(message("empty.parquet"), @"error: [DIR]/empty.parquet: has no rows; expected a pairs table with at least one");
    insta::assert_snapshot!(message("null.parquet"), @"error: [DIR]/null.parquet: column `positive` is null in row 1 (counted from 1, header not counted); fill it or remove the row");
    let cut = message("cut.parquet");
    assert!(
        cut.contains("[DIR]/cut.parquet: not a sound Parquet file"),
        "{cut}"
    );
}

#[test]
fn a_broken_model_folder_is_named_and_leaves_no_output() {
    let dir = sample();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let tiny = dir.path().join("tiny");
    let message = |model: &str| {
        let (model, train, output) = (at(model), at("data/pairs_train.parquet"), at("out"));
        let text = fail(
            "pairmill-train",
            encoder(&model, &train, &output),
            1,
            dir.path(),
        );
        assert!(!dir.path().join("out").exists());
        text
    };
    insta::assert_snapshot!(message("nowhere"), @"error: [DIR]/nowhere: no such file or folder; check the path");

    let config = fs::read_to_string(tiny.join("config.json")).unwrap();
    let replace = |from: &str, to: &str| {
        assert!(config.contains(from));
        fs::write(tiny.join("config.json"), config.replace(from, to)).unwrap();
    };
    replace("\"model_type\":\"bert\"", "\"model_type\":\"t5\"");
    insta::assert_snapshot!(message("tiny"), @"error: [DIR]/tiny/config.json: the architecture `t5` is not supported; supported: bert (MiniLM, BGE, E5, GTE and other BERT checkpoints)");
    replace("\"hidden_size\":32", "\"hidden_size\":64");
    insta::assert_snapshot!(message("tiny"), @"error: [DIR]/tiny/model.safetensors: tensor `embeddings.word_embeddings.weight` has shape [30522, 32], config.json asks for [30522, 64]");
    replace("\"vocab_size\":30522", "\"vocab_size\":100");
    insta::assert_snapshot!(message("tiny"), @"error: [DIR]/tiny/tokenizer.json: has token 30521, but config.json says vocab_size 100; the tokenizer is not this model's");
    fs::write(tiny.join("config.json"), &config).unwrap();

    let weights = fs::read(tiny.join("model.safetensors")).unwrap();
    fs::write(tiny.join("model.safetensors"), &weights[..1000]).unwrap();
    let cut = message("tiny");
    assert!(
        cut.contains("[DIR]/tiny/model.safetensors: not a sound safetensors file"),
        "{cut}"
    );
    fs::remove_file(tiny.join("model.safetensors")).unwrap();
    let absent = message("tiny");
    assert!(
        absent.contains("[DIR]/tiny/model.safetensors: cannot be read"),
        "{absent}"
    );
}

#[test]
fn a_diverging_loss_ends_in_an_error_without_output() {
    let dir = sample();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let (tiny, pairs, output) = (at("tiny"), at("data/pairs_train.parquet"), at("out"));
    let mut arguments = encoder(&tiny, &pairs, &output);
    arguments.extend(["--learning-rate", "1e38", "--epochs", "3"]);
    let error = fail("pairmill-train", arguments, 1, dir.path());
    assert!(error.contains("try a lower --learning-rate"), "{error}");
    assert!(!dir.path().join("out").exists());
}

#[test]
fn a_cross_encoder_needs_both_labels() {
    let dir = sample();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let score: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let text = || texts(&[Some("a")]);
    write_table(
        &dir.path().join("positive.parquet"),
        &[
            ("sentence1", text()),
            ("sentence2", text()),
            ("score", score),
        ],
    );
    let (tiny, train, output) = (at("tiny"), at("positive.parquet"), at("out"));
    let arguments = [
        "cross-encoder",
        "--model",
        &tiny,
        "--train",
        &train,
        "--output",
        &output,
    ];
    insta::assert_snapshot!(
        fail("pairmill-train", arguments, 1, dir.path()),
        @"error: the training pairs have 1 positives among 1 rows; a cross-encoder needs both positive and negative pairs"
    );
}

#[test]
fn a_wrong_option_is_wrong_usage() {
    let dir = tempfile::tempdir().unwrap();
    let mut arguments = encoder("m", "t", "o");
    arguments.push("--learning-rate=-1");
    let error = fail("pairmill-train", arguments, 2, dir.path());
    assert!(error.contains("--learning-rate"), "{error}");
}
