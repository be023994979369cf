//! `pairmill-train` driven as a program.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use insta::assert_snapshot;
use pairmill_tests::tables::write;
use pairmill_tests::{TRAIN, model, names, sample_with_tiny_model};

/// A command line without options.
const ENCODER: &str = "encoder --model tiny --train data/pairs_train.parquet --output out \
    --threads 1";

/// All that a run logs which must fail and leave nothing.
fn refused(dir: &Path, line: &str) -> String {
    let before = names(dir);
    let ended = TRAIN.run(dir, line);
    ended.error(1);
    assert_eq!(names(dir), before, "a failed run leaves nothing");
    ended.stderr
}

fn table(path: &Path, columns: &[(&str, ArrayRef)]) {
    write(
        path,
        &RecordBatch::try_from_iter(columns.iter().cloned()).unwrap(),
    );
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[test]
fn the_same_seed_gives_the_same_weights_and_the_loss_falls() {
    let dir = sample_with_tiny_model();
    let train = |output: &str, seed: u32| {
        let line = ENCODER.replace("--output out", &format!("--output {output} --seed {seed}"));
        let options = "--eval data --epochs 3 --learning-rate 1e-3";
        TRAIN.done(dir.path(), &format!("{line} {options}"))
    };
    let report = train("a", 1);
    train("b", 1);
    train("c", 2);
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
fn a_table_that_is_read_in_pieces_keeps_its_order() {
    let dir = sample_with_tiny_model();
    // Over a mebibyte, from where on DataFusion splits a file among threads.
    let row = |n| {
        let answer = format!("answer {n}, which is about as long as answers are");
        serde_json::json!({"anchor": format!("question {n} of its kind"), "positive": answer})
    };
    let rows: String = (0..12_000).map(|n| format!("{}\n", row(n))).collect();
    assert!(rows.len() > 1 << 20);
    fs::write(dir.path().join("many.jsonl"), rows).unwrap();
    let weights = |output: &str| {
        let line = "encoder --model tiny --train many.jsonl --max-steps 2 --learning-rate 1e-3";
        TRAIN.done(dir.path(), &format!("{line} --threads 2 --output {output}"));
        fs::read(dir.path().join(output).join("model.safetensors")).unwrap()
    };
    let first = weights("a");
    assert!((0..4).all(|n| weights(&format!("b{n}")) == first));
}

#[test]
fn an_output_of_the_same_lineage_is_left_alone() {
    let dir = sample_with_tiny_model();
    let of = |line: &str| TRAIN.done(dir.path(), line)["up_to_date"].clone();
    let up_to_date = |options: &str| of(&format!("{ENCODER} {options}"));
    assert_eq!(up_to_date(""), false);
    assert_eq!(up_to_date(""), true);
    assert_eq!(of(&ENCODER.replace("--threads 1", "--threads 2")), true);
    assert_eq!(up_to_date("--learning-rate 1e-4"), false);
    assert_eq!(up_to_date("--learning-rate 1e-4 --force"), false);
}

#[test]
fn the_folder_has_what_sentence_transformers_expects() {
    let dir = sample_with_tiny_model();
    TRAIN.done(dir.path(), ENCODER);
    let out = dir.path().join("out");
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
        assert!(out.join(file).is_file(), "{file}");
    }
    let weights = fs::read(out.join("model.safetensors")).unwrap();
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&weights).unwrap();
    let metadata = metadata.metadata().clone().unwrap();
    assert_eq!(metadata.get("format").map(String::as_str), Some("pt"));
}

#[test]
fn an_export_is_the_model_with_an_onnx_file() {
    let dir = sample_with_tiny_model();
    let report = TRAIN.done(dir.path(), "export --model tiny --output exported");
    let size = |name: &str| fs::metadata(dir.path().join(name)).unwrap().len();
    assert_eq!(report["bytes"], size("exported/onnx/model.onnx"));
    let weights = size("exported/model.safetensors");
    assert!(size("exported/onnx/model.onnx").abs_diff(weights) < weights / 10);
    TRAIN.done(dir.path(), &format!("{ENCODER} --export onnx"));
    assert!(size("out/onnx/model.onnx") > 0);

    let judge = "cross-encoder --model tiny --train data/labeled_train.parquet --max-steps 2";
    TRAIN.done(dir.path(), &format!("{judge} --output judge"));
    let report = TRAIN.done(dir.path(), "export --model judge --output judge2");
    assert_eq!(report["onnx"], "judge2/model.onnx");
    let file = |name: &str| fs::read(dir.path().join(name)).unwrap();
    assert!(file("judge/model.onnx") == file("judge2/model.onnx"));
}

#[test]
fn int8_is_compared_with_float32() {
    let dir = tempfile::tempdir().unwrap();
    let line = format!("export --model {} --int8 --threads 2", model().display());
    let report = TRAIN.done(dir.path(), &format!("{line} --output out"));
    let int8 = &report["int8"];
    let size = |name: &str| fs::metadata(dir.path().join(name)).unwrap().len();
    assert_eq!(int8["bytes"], size("out/onnx/model_quantized.onnx"));
    assert!(size("out/onnx/model_quantized.onnx") * 7 < size("out/onnx/model.onnx") * 2);
    assert_eq!(int8["texts"], 500);
    assert!(int8["mean_agreement"].as_f64().unwrap() >= 0.99, "{int8}");
    let strict = format!("{line} --output strict --min-agreement 0.99999");
    let error = TRAIN.refused(dir.path(), &strict, 1);
    assert!(error.contains("below --min-agreement 0.99999"), "{error}");
}

#[test]
fn bad_input_is_named_and_leaves_no_output() {
    let dir = sample_with_tiny_model();
    let path = |name: &str| dir.path().join(name);
    let pairs = |name: &str, rows: [&[Option<&str>]; 4]| {
        let names = ["anchor_id", "anchor", "positive_id", "positive"];
        let columns: Vec<_> = names.into_iter().zip(rows.map(texts)).collect();
        table(&path(name), &columns);
    };
    pairs(
        "null.parquet",
        [&[Some("1")], &[Some("a")], &[Some("2")], &[None]],
    );
    pairs("empty.parquet", [&[], &[], &[], &[]]);
    table(&path("absent.parquet"), &[("anchor", texts(&[Some("a")]))]);
    let number: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    table(
        &path("type.parquet"),
        &[("anchor", texts(&[Some("a")])), ("positive", number)],
    );
    let whole = fs::read(path("data/pairs_train.parquet")).unwrap();
    fs::write(path("cut.parquet"), &whole[..whole.len() / 2]).unwrap();

    let message = |train: &str| {
        refused(
            dir.path(),
            &ENCODER.replace("data/pairs_train.parquet", train),
        )
    };
    assert_snapshot!(message("no.parquet"), @"error: no.parquet: no such file or folder; check the path");
    assert_snapshot!(message("absent.parquet"), @"error: absent.parquet: no column `positive` (needed for a pairs table); found anchor; name another one with --positive-column");
    assert_snapshot!(message("type.parquet"), @"error: type.parquet: column `positive` is Int32; expected text");
    assert_snapshot!(message("empty.parquet"), @"error: empty.parquet: has no rows; expected a pairs table with at least one");
    assert_snapshot!(message("null.parquet"), @"error: null.parquet: column `positive` is null in row 1 (counted from 1, header not counted); fill it or remove the row");
    let cut = message("cut.parquet");
    assert!(
        cut.contains("error: cut.parquet: not a sound Parquet file"),
        "{cut}"
    );
}

#[test]
fn an_empty_table_of_hard_negatives_adds_nothing_to_the_pairs() {
    let dir = sample_with_tiny_model();
    let names = ["anchor", "positive", "negative"];
    let columns = names.map(|name| (name, texts(&[])));
    table(&dir.path().join("none.parquet"), &columns);
    let ended = TRAIN.run(dir.path(), &format!("{ENCODER} --train none.parquet"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("none.parquet has no rows and adds nothing")
    );
}

#[test]
fn a_broken_model_folder_is_named_and_leaves_no_output() {
    let dir = sample_with_tiny_model();
    let tiny = dir.path().join("tiny");
    let message = |model: &str| {
        let line = ENCODER.replace("--model tiny", &format!("--model {model}"));
        refused(dir.path(), &line)
    };
    assert_snapshot!(message("nowhere"), @"error: nowhere: no such folder, and HF_HUB_OFFLINE is set but nowhere/hub does not hold this model; fetch it once without HF_HUB_OFFLINE, or give a folder");

    let config = fs::read_to_string(tiny.join("config.json")).unwrap();
    let replace = |from: &str, to: &str| {
        assert!(config.contains(from));
        fs::write(tiny.join("config.json"), config.replace(from, to)).unwrap();
    };
    replace("\"model_type\":\"bert\"", "\"model_type\":\"t5\"");
    assert_snapshot!(message("tiny"), @"error: tiny/config.json: the architecture `t5` is not supported; supported: bert (MiniLM, BGE, E5, GTE and other BERT checkpoints), distilbert, roberta, xlm-roberta, camembert, mpnet, modernbert");
    replace("\"hidden_size\":32", "\"hidden_size\":64");
    assert_snapshot!(message("tiny"), @"error: tiny/model.safetensors: tensor `embeddings.word_embeddings.weight` has shape [30522, 32], config.json asks for [30522, 64]");
    replace("\"vocab_size\":30522", "\"vocab_size\":100");
    assert_snapshot!(message("tiny"), @"error: tiny/tokenizer.json: has token 30521, but config.json says vocab_size 100: the tokenizer does not fit the model; put the tokenizer.json there that the model was trained with");
    fs::write(tiny.join("config.json"), &config).unwrap();

    let weights = fs::read(tiny.join("model.safetensors")).unwrap();
    fs::write(tiny.join("model.safetensors"), &weights[..1000]).unwrap();
    let cut = message("tiny");
    assert!(
        cut.contains("error: tiny/model.safetensors: not a sound safetensors file"),
        "{cut}"
    );
    fs::remove_file(tiny.join("model.safetensors")).unwrap();
    let absent = message("tiny");
    assert!(
        absent.contains("error: tiny/model.safetensors: cannot be read"),
        "{absent}"
    );
}

#[test]
fn a_diverging_loss_ends_in_an_error_without_output() {
    let dir = sample_with_tiny_model();
    let line = format!("{ENCODER} --learning-rate 1e38 --epochs 3");
    let error = TRAIN.refused(dir.path(), &line, 1);
    assert!(error.contains("try a lower --learning-rate"), "{error}");
}

#[test]
fn a_cross_encoder_needs_both_labels() {
    let dir = sample_with_tiny_model();
    let score: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let text = || texts(&[Some("a")]);
    table(
        &dir.path().join("positive.parquet"),
        &[
            ("sentence1", text()),
            ("sentence2", text()),
            ("score", score),
        ],
    );
    let line = "cross-encoder --model tiny --train positive.parquet --output out";
    assert_snapshot!(
        refused(dir.path(), line),
        @"error: positives among the training pairs: 1 of 1; a cross-encoder needs both positive and negative pairs"
    );
}

#[test]
fn a_wrong_option_is_wrong_usage() {
    let dir = tempfile::tempdir().unwrap();
    let error = TRAIN.refused(dir.path(), &format!("{ENCODER} --learning-rate=-1"), 2);
    assert!(error.contains("--learning-rate"), "{error}");
}
