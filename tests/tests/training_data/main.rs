//! What `pairmill-train` makes of tables as people have them: labels, contradictions, ids, and data
//! from which nothing can be learnt.

mod dev;
mod labels;

use std::fs;
use std::path::Path;

use pairmill_tests::{EVALUATE, Ended, TRAIN, names, write_tiny_model};
use serde_json::{Value, json};
use tempfile::TempDir;

const THINGS: [&str; 12] = [
    "kettle",
    "lift",
    "projector",
    "turnstile",
    "bicycle",
    "freezer",
    "scanner",
    "radio",
    "drill",
    "lantern",
    "compass",
    "barrow",
];

fn question(n: usize) -> String {
    format!(
        "why does the {} in room {n} not start",
        THINGS[n % THINGS.len()]
    )
}

fn answer(n: usize) -> String {
    format!(
        "change the fuse of the {} behind panel {n}",
        THINGS[n % THINGS.len()]
    )
}

fn workplace() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write_tiny_model(&dir.path().join("tiny"));
    dir
}

/// Writes a table as JSON Lines.
fn table(dir: &Path, name: &str, rows: impl IntoIterator<Item = Value>) {
    let lines: String = rows.into_iter().map(|row| format!("{row}\n")).collect();
    fs::write(dir.join(name), lines).unwrap();
}

fn line(train: &str, options: &str) -> String {
    let mut line = format!(
        "encoder --model tiny --train {train} --output out --threads 1 --save-steps 0 --force {options}"
    );
    for (option, value) in [("--batch-size", "8"), ("--learning-rate", "1e-3")] {
        if !options.contains(option) {
            line.push_str(&format!(" {option} {value}"));
        }
    }
    line
}

/// A run that must succeed.
fn trained(dir: &Path, train: &str, options: &str) -> Ended {
    let ended = TRAIN.run(dir, &line(train, options));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended
}

/// The error of a run that must fail before its first step and leave nothing.
fn refused(dir: &Path, train: &str, options: &str) -> String {
    let before = names(dir);
    let error = TRAIN.run(dir, &line(train, options)).error(1);
    assert_eq!(names(dir), before, "a failed run leaves nothing");
    error
}

fn says(ended: &Ended, words: &str) {
    assert!(
        ended.stderr.contains(words),
        "no `{words}` in {}",
        ended.stderr
    );
}

fn warns(ended: &Ended, words: &str) {
    let mut lines = ended.stderr.lines();
    let found = lines.any(|line| line.contains("WARN") && line.contains(words));
    assert!(found, "no warning `{words}` in {}", ended.stderr);
}

fn weights(dir: &Path) -> Vec<u8> {
    fs::read(dir.join("out/model.safetensors")).unwrap()
}

fn pairs(number: usize) -> impl Iterator<Item = Value> {
    (0..number).map(|n| json!({"anchor": question(n), "positive": answer(n)}))
}

#[test]
fn one_answer_for_all_is_refused_before_the_first_step() {
    let dir = workplace();
    let rows = (0..30).map(|n| json!({"anchor": question(n), "positive": "ring the desk"}));
    table(dir.path(), "one.jsonl", rows);
    for sampler in ["", "--batch-sampler no-duplicates"] {
        let error = refused(dir.path(), "one.jsonl", sampler);
        assert!(
            error.contains("all 30 rows of the first epoch have no negative"),
            "{error}"
        );
        assert!(error.contains("--batch-size"), "{error}");
    }
}

#[test]
fn batches_of_one_pair_are_refused() {
    let dir = workplace();
    table(dir.path(), "pairs.jsonl", pairs(30));
    let error = refused(dir.path(), "pairs.jsonl", "--batch-size 1").to_string();
    assert!(error.contains("have no negative"), "{error}");
    // Its hard negative is one.
    let rows = (0..30)
        .map(|n| json!({"anchor": question(n), "positive": answer(n), "negative": answer(n + 1)}));
    table(dir.path(), "triplets.jsonl", rows);
    trained(dir.path(), "triplets.jsonl", "--batch-size 1 --max-steps 2");
}

#[test]
fn rows_without_a_negative_are_counted() {
    let dir = workplace();
    let rows = (0..40).map(|n| {
        let answer = if n < 36 {
            "ring the desk".to_owned()
        } else {
            answer(n)
        };
        json!({"anchor": question(n), "positive": answer})
    });
    table(dir.path(), "most.jsonl", rows);
    let ended = trained(dir.path(), "most.jsonl", "--max-steps 2");
    warns(&ended, "of 40 rows of the first epoch have no negative");
}

#[test]
fn batches_are_full_and_their_sizes_are_told() {
    let dir = workplace();
    let rows = (0..60).map(|n| json!({"anchor": question(n), "positive": answer(n % 3)}));
    table(dir.path(), "few.jsonl", rows);
    let ended = trained(dir.path(), "few.jsonl", "");
    says(&ended, "7 batches of 8 rows and one of 4 an epoch");
    let log = fs::read_to_string(dir.path().join("out/training_log.jsonl")).unwrap();
    let first: Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!(first["rows"], 8);
    let ended = trained(dir.path(), "few.jsonl", "--batch-sampler no-duplicates");
    warns(&ended, "on average where --batch-size is 8");
    let report = fs::read_to_string(dir.path().join("out/lineage.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert!(
        report["figures"]["batch_rows"].as_f64().unwrap() <= 3.0,
        "{report}"
    );
}

#[test]
fn a_negative_that_is_the_positive_or_the_anchor_is_left_out() {
    let dir = workplace();
    let rows = |negative: fn(usize) -> String| {
        (0..20).map(
            move |n| json!({"anchor": question(n), "positive": answer(n), "negative": negative(n)}),
        )
    };
    table(
        dir.path(),
        "positive.jsonl",
        rows(|n| format!(" {}", answer(n))),
    );
    table(dir.path(), "anchor.jsonl", rows(question));
    for (train, what) in [("positive.jsonl", "positive"), ("anchor.jsonl", "anchor")] {
        let error = refused(dir.path(), train, "--loss triplet");
        assert!(
            error.contains("no training row has a hard negative"),
            "{error}"
        );
        let ended = trained(dir.path(), train, "--max-steps 2");
        warns(
            &ended,
            &format!("20 negatives are the {what} of the same row"),
        );
        warns(&ended, &format!("{train} rows 1, 2, 3 and 17 more"));
    }
    // One that another row has for right.
    let mut rows: Vec<Value> = rows(|n| answer(n + 1)).collect();
    rows.push(
        json!({"anchor": question(0).to_uppercase(), "positive": answer(1), "negative": answer(7)}),
    );
    table(dir.path(), "known.jsonl", rows);
    let ended = trained(dir.path(), "known.jsonl", "--loss triplet --max-steps 2");
    warns(
        &ended,
        "1 negative is a positive of the same anchor in another row",
    );
}

#[test]
fn columns_of_any_name_are_read() {
    let dir = workplace();
    table(dir.path(), "pairs.jsonl", pairs(20));
    trained(dir.path(), "pairs.jsonl", "--max-steps 2");
    let expected = weights(dir.path());
    let rows = (0..20).map(|n| json!({"Frage": question(n), "Antwort": answer(n), "anchor": n}));
    table(dir.path(), "german.jsonl", rows);
    let named = "--anchor-column frage --positive-column Antwort --max-steps 2";
    trained(dir.path(), "german.jsonl", named);
    assert!(weights(dir.path()) == expected);
    let error = refused(dir.path(), "german.jsonl", "--anchor-column question");
    assert!(
        error.contains("german.jsonl: no column `question`; found"),
        "{error}"
    );
}

#[test]
fn an_id_that_stands_for_two_texts_is_named_with_both() {
    let dir = workplace();
    let rows = (0..20).map(|n| {
        json!({
            "anchor_id": format!("q{n}"), "anchor": question(n),
            "positive_id": format!("a{}", n % 10), "positive": answer(n)
        })
    });
    table(dir.path(), "ids.jsonl", rows);
    let ended = trained(dir.path(), "ids.jsonl", "--max-steps 2");
    warns(&ended, "10 ids stand for two documents each");
    warns(
        &ended,
        &format!("`a0`: \"{}\" and, in row 11, \"{}\"", answer(0), answer(10)),
    );
    // A question and an answer of one number are two things.
    let rows = (0..20).map(|n| {
        json!({
            "anchor_id": n, "anchor": question(n), "positive_id": n, "positive": answer(n)
        })
    });
    table(dir.path(), "numbers.jsonl", rows);
    let ended = trained(dir.path(), "numbers.jsonl", "--max-steps 2");
    assert!(!ended.stderr.contains("stand for two"), "{}", ended.stderr);
}

#[test]
fn a_single_step_trains() {
    let dir = workplace();
    table(dir.path(), "pairs.jsonl", pairs(20));
    let ended = TRAIN.done(
        dir.path(),
        "encoder --model tiny --train pairs.jsonl --output out",
    );
    assert_eq!(ended["steps"], 1);
    assert_eq!(ended["weights_moved"], true);
    assert_ne!(
        weights(dir.path()),
        fs::read(dir.path().join("tiny/model.safetensors")).unwrap()
    );
}

#[test]
fn a_run_whose_weights_stand_still_says_so() {
    let dir = workplace();
    table(dir.path(), "pairs.jsonl", pairs(20));
    let ended = trained(dir.path(), "pairs.jsonl", "--learning-rate 1e-30");
    warns(&ended, "no weight has changed in 3 steps");
    let card = fs::read_to_string(dir.path().join("out/README.md")).unwrap();
    assert!(card.contains("no weight has changed"), "{card}");
}

#[test]
fn texts_that_are_cut_are_counted() {
    let dir = workplace();
    let rows = (0..20).map(|n| {
        let long = format!("{} {}", answer(n), "and then the next one ".repeat(n));
        json!({"anchor": question(n), "positive": long})
    });
    table(dir.path(), "long.jsonl", rows);
    let ended = trained(dir.path(), "long.jsonl", "--max-length 24 --max-steps 2");
    warns(
        &ended,
        "of 20 documents are longer than the 24 tokens that the model reads and are cut; the model it starts from reads 128",
    );
    let ended = trained(
        dir.path(),
        "long.jsonl",
        "--document-max-length 128 --max-steps 2",
    );
    assert!(!ended.stderr.contains("are cut"), "{}", ended.stderr);
    let notice = "please read this notice before anything else and keep it ".repeat(3);
    let rows = (0..20)
        .map(|n| json!({"anchor": question(n), "positive": format!("{notice}{}", answer(n))}));
    table(dir.path(), "notice.jsonl", rows);
    let ended = trained(dir.path(), "notice.jsonl", "--max-length 24 --max-steps 2");
    warns(
        &ended,
        "20 of them are the same as another once they are cut",
    );
    let rows =
        (0..20).map(|n| json!({"sentence1": question(n), "sentence2": answer(n), "label": n % 2}));
    table(dir.path(), "labeled.jsonl", rows);
    let judge = "cross-encoder --model tiny --train labeled.jsonl --max-length 16 --max-steps 1 --output judge";
    let ended = TRAIN.run(dir.path(), judge);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    warns(
        &ended,
        "20 of 20 pairs of texts are longer than the 16 tokens",
    );
}
