//! Advice before a training, and the sweep over its settings.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use pairmill_tests::{EVALUATE, TRAIN, names, root, sample_with_tiny_model};
use serde_json::Value;

/// A rate at which the tiny model learns something in few steps.
const LINE: &str = "--model tiny --threads 1 --eval data --train data/pairs_train.parquet \
    --batch-size 8 --learning-rate 2e-3";

fn reason<'a>(advice: &'a Value, about: &str) -> &'a Value {
    let reasons = advice["reasons"].as_array().unwrap();
    let found = reasons.iter().find(|reason| reason["about"] == about);
    found.unwrap_or_else(|| panic!("{about}: {reasons:#?}"))
}

#[test]
fn advice_has_a_verdict_a_prediction_and_reasons_with_figures() {
    let dir = sample_with_tiny_model();
    let line = format!(
        "advise {LINE} --output advice --queries-per-day 500 --cost-per-failure 0.4 \
         --cost-per-hour 30"
    );
    let advice = TRAIN.done(dir.path(), &line);
    let prediction = &advice["prediction"];
    let number = |value: &Value| value.as_f64().unwrap();
    assert!(number(&prediction["low"]) < number(&prediction["gain"]));
    assert!(number(&prediction["gain"]) < number(&prediction["high"]));
    assert_eq!(prediction["small_trainings"].as_array().unwrap().len(), 3);
    for about in [
        "predicted gain",
        "rows",
        "nDCG@10 on dev now",
        "dev queries",
        "words in three or more pieces",
        "words of dev that no training text has",
        "noisy training rows",
        "dev queries that stand in the training rows",
    ] {
        let reason = reason(&advice, about);
        assert_ne!(reason["figure"], "", "{about}");
        assert_ne!(reason["threshold"], "", "{about}");
    }
    assert_eq!(advice["losses"][0]["fits"], "mnrl");
    assert!(number(&advice["time"]["step"]) > 0.0);
    assert!(number(&advice["time"]["measured_steps"]) >= 10.0);
    let saved = advice["payback"]["saved_a_day"].as_array().unwrap();
    assert!(number(&saved[0]) <= number(&saved[1]));

    // It is kept, and the page draws what is predicted.
    assert_eq!(TRAIN.done(dir.path(), &line), advice, "the run that was");
    let page = fs::read_to_string(dir.path().join("advice/advice.html")).unwrap();
    assert!(page.contains("<polygon") && page.contains("Should you fine-tune?"));
    let printed = TRAIN.run(dir.path(), &line).stdout;
    let kept = fs::read_to_string(dir.path().join("advice/advice.md")).unwrap();
    assert_eq!(printed, kept);
    let more = TRAIN.done(dir.path(), &format!("{line} --sizes 20,40 --force"));
    let small = more["prediction"]["small_trainings"].as_array().unwrap();
    assert_eq!([&small[0]["rows"], &small[1]["rows"]], [20, 40]);
}

#[test]
fn the_training_that_is_judged_is_the_one_that_is_run() {
    let dir = sample_with_tiny_model();
    let advice = TRAIN.done(dir.path(), &format!("advise {LINE} --epochs 2"));
    let run = TRAIN.done(
        dir.path(),
        &format!("encoder {LINE} --epochs 2 --output out"),
    );
    assert_eq!(advice["time"]["steps"], run["steps"]);
    assert_eq!(advice["prediction"]["rows"], run["rows"]);
    assert_eq!(advice["baseline"]["score"], run["score_before"]);
    // One before training, and one after each epoch.
    assert_eq!(advice["time"]["evaluations"], 3);
}

#[test]
fn leaks_are_named_and_come_first() {
    let dir = sample_with_tiny_model();
    let train = pairmill_tests::tables::read(&dir.path().join("data/pairs_train.parquet"));
    let line = format!("advise {LINE} --sizes 40,80");
    let before = TRAIN.done(dir.path(), &line);
    let leak = "dev queries that stand in the training rows";
    assert_eq!(reason(&before, leak)["speaks"], "neither");
    // The dev queries are texts of the training rows.
    let dev = dir.path().join("data/queries_dev.parquet");
    let queries = pairmill_tests::tables::read(&dev);
    let rows = queries.num_rows();
    let anchors = train.column_by_name("anchor").unwrap().slice(0, rows);
    let columns = vec![queries.column_by_name("id").unwrap().clone(), anchors];
    let leaked = arrow::array::RecordBatch::try_new(queries.schema(), columns).unwrap();
    pairmill_tests::tables::write(&dev, &leaked);
    let after = TRAIN.done(dir.path(), &line);
    let reason = reason(&after, leak);
    assert_eq!(reason["speaks"], "caution");
    assert!(
        reason["figure"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{rows} of {rows}"))
    );
    let first = after["first"][0].as_str().unwrap();
    assert!(first.starts_with("Keep each query in one split"), "{first}");
}

#[test]
fn advice_against_a_training_may_end_with_a_code() {
    let dir = sample_with_tiny_model();
    // Steps of this size change nothing.
    let line = LINE.replace("2e-3", "1e-12");
    let ended = TRAIN.run(dir.path(), &format!("advise {line} --sizes 40,80 --json"));
    assert_eq!(ended.report()["verdict"], "keep");
    let line = format!("advise {line} --sizes 40,80 --fail-if-not-worth-it");
    let ended = TRAIN.run(dir.path(), &line);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(
        ended.stdout.contains("**Do not fine-tune.**"),
        "{}",
        ended.stdout
    );
}

#[test]
fn what_advice_cannot_be_given_on_is_refused() {
    let dir = sample_with_tiny_model();
    let error = |line: &str| TRAIN.refused(dir.path(), &format!("advise {line}"), 2);
    assert_snapshot!(error("--model tiny --train data/pairs_train.parquet"), @"error: --eval DIR is needed: without a dev split there is nothing to compare");
    fs::copy(
        root().join("data/tickets.jsonl"),
        dir.path().join("tickets.jsonl"),
    )
    .unwrap();
    assert_snapshot!(error("--model tiny --eval data --train tickets.jsonl"), @"error: tickets.jsonl: has texts with a category, which --loss mnrl does not read; make pairs of it with `pairmill-generate tickets`, or give --loss batch-all-triplet");
    assert_snapshot!(error(&format!("{LINE} --shuffle-buffer 50")), @"error: --shuffle-buffer has no meaning for advise, which draws rows from the whole data");
}

const SWEEP: &str = "--learning-rates 1e-3,4e-3 --batch-sizes 8,16 --output sweep";

/// The figures of a sweep without what differs from run to run.
fn without_times(mut found: Value) -> Value {
    for trial in found["trials"].as_array_mut().unwrap() {
        trial.as_object_mut().unwrap().remove("seconds");
    }
    found
}

#[test]
fn a_sweep_keeps_every_trial_and_measures_the_winner() {
    let dir = sample_with_tiny_model();
    let line = format!("sweep {LINE} --max-steps 8 {SWEEP}");
    let found = TRAIN.done(dir.path(), &line);
    let trials = found["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 4);
    let scores: Vec<f64> = trials
        .iter()
        .map(|trial| trial["trained_score"].as_f64().unwrap())
        .collect();
    assert!(scores.is_sorted_by(|one, other| one >= other), "{scores:?}");
    let output = dir.path().join("sweep");
    let lines = fs::read_to_string(output.join("trials.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 4);
    assert!(!names(dir.path()).contains("sweep.trials"));
    assert!(
        fs::read_to_string(output.join("sweep.html"))
            .unwrap()
            .contains("<svg")
    );

    // The model is the winner's, and scores on test as the evaluation has it.
    let of_test = EVALUATE.done(
        dir.path(),
        "retrieval --model sweep/model --corpus data/corpus.parquet --threads 1 \
         --queries data/queries_test.parquet --qrels data/qrels_test.parquet",
    );
    let expected = of_test["model"]["ndcg@10"].as_f64().unwrap();
    let reached = found["test"]["after"].as_f64().unwrap();
    assert!((expected - reached).abs() < 1e-6, "{expected} {reached}");
    assert_eq!(TRAIN.done(dir.path(), &line), found, "the run that was");
}

#[test]
fn a_killed_sweep_goes_on_with_the_trials_that_are_left() {
    let dir = sample_with_tiny_model();
    let line = format!("sweep {LINE} --max-steps 16 {SWEEP}");
    let whole = TRAIN.done(dir.path(), &line);
    fs::remove_dir_all(dir.path().join("sweep")).unwrap();
    let mut child = TRAIN
        .command(dir.path(), &line)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let is_kept = |folder: &Path| {
        let first = folder.join("sweep.trials/mnrl_rate-1e-3_epochs-1_batch-8");
        first.join("lineage.json").is_file()
    };
    let started = Instant::now();
    while !is_kept(dir.path()) {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "no trial was kept"
        );
        sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let ended = TRAIN.run(dir.path(), &format!("{line} --json"));
    assert!(
        ended
            .stderr
            .contains("1 of 4 trainings: mnrl_rate-1e-3_epochs-1_batch-8 is done"),
        "{}",
        ended.stderr
    );
    assert_eq!(without_times(ended.report()), without_times(whole));
}
