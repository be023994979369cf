//! Candidates that become positives, and the tables that the same decisions make.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Float32Array, RecordBatch};
use pairmill_tests::FILTER;
use pairmill_tests::tables::{read, write};
use serde_json::json;

use crate::harness::{Candidate, LINE, assert_same_table, candidates, rows, workplace};
use crate::tiny_model::TinyModel;

const PAIR: [&str; 2] = ["anchor_id", "positive_id"];

fn out(dir: &Path, wanted: &[&str]) -> Vec<String> {
    rows(&dir.join("out.parquet"), wanted)
}

#[test]
fn a_candidate_above_the_threshold_and_its_positive_is_promoted() {
    let dir = workplace();
    let report = FILTER.done(
        dir.path(),
        &format!("{LINE} --format pairs --promote-above 0.5 --audit audit.parquet"),
    );
    assert_eq!(out(dir.path(), &PAIR), ["q1 p1", "q2 d6", "q2 p2", "q3 p3"]);
    let texts = out(dir.path(), &["anchor", "positive"]);
    assert_eq!(texts[1], "invoice late late invoice paid");
    let wanted = ["corpus_id", "decision", "reason"];
    let audit = rows(&dir.path().join("audit.parquet"), &wanted);
    assert_eq!(audit[5], "d6 promote promoted");
    assert_eq!(
        (
            &report["promoted"],
            &report["reasons"]["promoted"],
            &report["rows"]
        ),
        (&json!(1), &json!(1), &json!(4))
    );
}

#[test]
fn the_threshold_alone_promotes_what_a_positive_outscores() {
    let dir = workplace();
    let line = format!("{LINE} --format pairs --promote-above 0.5 --promote-below-positive");
    FILTER.done(dir.path(), &line);
    let both = ["q1 d1", "q1 d2", "q1 p1", "q2 d6", "q2 p2", "q3 p3"];
    assert_eq!(out(dir.path(), &PAIR), both);
    FILTER.done(dir.path(), &format!("{line} --max-promoted 1"));
    assert_eq!(
        out(dir.path(), &PAIR),
        ["q1 d1", "q1 p1", "q2 d6", "q2 p2", "q3 p3"]
    );
}

#[test]
fn a_promoted_candidate_is_a_positive_in_every_format() {
    let dir = workplace();
    let made = |format: &str, wanted: &[&str]| {
        let line = format!("{LINE} --promote-above 0.5 --num-negatives 1 --format {format}");
        FILTER.done(dir.path(), &line);
        let rows = out(dir.path(), wanted);
        rows.into_iter()
            .filter(|row| row.starts_with("q2"))
            .collect::<Vec<_>>()
    };
    let triplet = ["anchor_id", "positive_id", "negative_id"];
    assert_eq!(made("triplet", &triplet), ["q2 d6 d3", "q2 p2 d3"]);
    let tuple = ["anchor_id", "positive_id", "negative_1_id"];
    assert_eq!(made("n-tuple", &tuple), ["q2 d6 d3", "q2 p2 d3"]);
    let pair = ["sentence1_id", "sentence2_id", "score"];
    let labeled = ["q2 d6 1.0", "q2 p2 1.0", "q2 d3 0.0"];
    assert_eq!(made("labeled-pair", &pair), labeled);
    let list = ["anchor_id", "document_ids", "labels"];
    let lists = ["q2 [d6, d3] [1.0, 0.0]", "q2 [p2, d3] [1.0, 0.0]"];
    assert_eq!(made("labeled-list", &list), lists);
}

/// A query with two positives, one of them far from it; the miner has seen that `d5` is of the
/// first one's document, and that `d4` is a positive.
const TWO_POSITIVES: [Candidate; 10] = [
    ("q1", "d3", "d1", 1, "keep", "negative"),
    ("q1", "d3", "d2", 2, "keep", "negative"),
    ("q1", "d3", "d5", 3, "drop", "same_group"),
    ("q1", "d3", "d4", 4, "drop", "positive_id"),
    ("q1", "d3", "d7", 5, "keep", "negative"),
    ("q1", "p1", "d1", 1, "keep", "negative"),
    ("q1", "p1", "d2", 2, "keep", "negative"),
    ("q1", "p1", "d5", 3, "keep", "negative"),
    ("q1", "p1", "d4", 4, "drop", "positive_id"),
    ("q1", "p1", "d7", 5, "keep", "negative"),
];

#[test]
fn what_is_promoted_is_no_negative_beside_any_positive() {
    let dir = workplace();
    let path = dir.path();
    write(
        &path.join("candidates.parquet"),
        &candidates(&TWO_POSITIVES),
    );
    let rules = [
        "",
        "--promote-below-positive",
        "--promote-below-positive --max-promoted 2",
        "--promote-below-positive --min-positive-score 0.5 --relative-margin 0",
        "--promote-below-positive --max-score 0.3 --top-share 0.2 --absolute-margin 0.1",
    ];
    for rules in rules {
        let line = format!("{LINE} --allow-empty --promote-above 0.5 {rules}");
        let also = ["triplet", "labeled-pair", "pairs"]
            .map(|format| format!("--also {format}={format}.parquet"));
        FILTER.done(
            path,
            &format!(
                "{line} --format n-tuple --num-negatives 1 --audit audit.parquet {}",
                also.join(" ")
            ),
        );
        let of =
            |name: &str, columns: &[&str]| rows(&path.join(format!("{name}.parquet")), columns);
        let promoted: HashSet<String> = of("audit", &["corpus_id", "decision"])
            .into_iter()
            .filter_map(|row| row.strip_suffix(" promote").map(str::to_owned))
            .collect();
        assert!(promoted.contains("d1"), "{rules}: {promoted:?}");
        let mut negatives = of("triplet", &["negative_id"]);
        negatives.extend(of("out", &["negative_1_id"]));
        let labeled = of("labeled-pair", &["sentence2_id", "score"]);
        negatives.extend(
            labeled
                .iter()
                .filter_map(|row| row.strip_suffix(" 0.0").map(str::to_owned)),
        );
        assert!(
            negatives
                .iter()
                .all(|negative| !promoted.contains(negative)),
            "{rules}: {promoted:?} {negatives:?}"
        );
        let positives: Vec<String> = of("pairs", &["positive_id"]);
        assert!(promoted.iter().all(|id| positives.contains(id)), "{rules}");
        let distinct: HashSet<&String> = positives.iter().collect();
        assert_eq!(
            distinct.len(),
            positives.len(),
            "{rules}: each once for its query"
        );
        assert!(
            !promoted.contains("d4"),
            "{rules}: a known positive stays what it is"
        );
    }
}

#[test]
fn what_the_miner_dropped_is_scored_only_to_be_promoted() {
    let dir = workplace();
    let path = dir.path();
    write(
        &path.join("candidates.parquet"),
        &candidates(&TWO_POSITIVES[..5]),
    );
    let of_rows = |options: &str| {
        FILTER.done(path, &format!("{LINE} --format candidates {options}"));
        let rows = out(path, &["corpus_id", "score", "decision", "reason"]);
        let unscored = rows.iter().filter(|row| row.contains(" - "));
        (unscored.count(), rows[2].clone())
    };
    let (unscored, row) = of_rows("");
    assert_eq!((unscored, &*row), (2, "d5 - drop same_group"));
    let (unscored, row) = of_rows("--promote-above 0.5");
    assert!(unscored == 1 && row.ends_with("promote promoted"), "{row}");
    let (unscored, row) = of_rows("--promote-above 0.9");
    assert!(unscored == 1 && row.ends_with("drop same_group"), "{row}");
}

#[test]
fn one_run_writes_what_several_would() {
    let dir = workplace();
    let path = dir.path();
    let rules = format!("{LINE} --promote-above 0.5 --num-negatives 1");
    let also = "--audit audit.parquet --also pairs=pairs.parquet --also teacher-list=lists.parquet";
    let report = FILTER.done(path, &format!("{rules} {also}"));
    assert_eq!(
        report["also"],
        json!({"audit.parquet": 8, "pairs.parquet": 4, "lists.parquet": 3})
    );
    assert_eq!(
        FILTER.done(path, &format!("{rules} {also}"))["up_to_date"],
        true
    );
    let of_one_run = [
        ("triplet", "out.parquet"),
        ("candidates", "audit.parquet"),
        ("pairs", "pairs.parquet"),
        ("teacher-list", "lists.parquet"),
    ]
    .map(|(format, file)| {
        let kept = format!("{format}-{file}");
        fs::copy(path.join(file), path.join(&kept)).unwrap();
        (format, path.join(kept))
    });
    for (format, expected) in of_one_run {
        FILTER.done(path, &format!("{rules} --force --format {format}"));
        assert_same_table(&expected, &path.join("out.parquet"));
    }
    fs::remove_file(path.join("pairs.parquet")).unwrap();
    assert_eq!(
        FILTER.done(path, &format!("{rules} {also}"))["up_to_date"],
        false
    );
}

#[test]
fn a_teachers_scores_become_margins_lists_and_labels() {
    let dir = workplace();
    let made = |format: &str, wanted: &[&str]| {
        let line = format!("{LINE} --num-negatives 2 --format {format}");
        FILTER.done(dir.path(), &line);
        out(dir.path(), wanted)
    };
    let near = |text: &str, expected: f32| {
        let found: f32 = text.parse().unwrap();
        assert!((found - expected).abs() < 1e-4, "{text}, not {expected}");
    };
    let margins = made(
        "teacher-margin",
        &["anchor_id", "positive_id", "negative_id", "score"],
    );
    let expected = [
        ("q1 p1 d1", 0.0),
        ("q1 p1 d2", 0.2215),
        ("q2 p2 d6", -0.4621),
        ("q2 p2 d3", 0.2215),
        ("q3 p3 d7", 0.0),
    ];
    assert_eq!(margins.len(), expected.len());
    for (row, (ids, margin)) in margins.iter().zip(expected) {
        let (found, score) = row.rsplit_once(' ').unwrap();
        assert_eq!(found, ids);
        near(score, margin);
    }
    let lists = made("teacher-list", &["anchor_id", "negative_2_id", "scores"]);
    let scores = lists[0]
        .strip_prefix("q1 d2 [")
        .unwrap()
        .trim_end_matches(']');
    for (score, expected) in scores.split(", ").zip([0.9526, 0.9526, 0.7311]) {
        near(score, expected);
    }
    let labels = ["sentence1_id", "sentence2_id", "score"];
    let positive = |labels: Vec<String>| {
        let positive = labels
            .into_iter()
            .filter_map(|row| row.strip_suffix(" 1.0").map(str::to_owned));
        positive.collect::<Vec<_>>()
    };
    assert_eq!(positive(made("teacher-pair", &labels)), ["q1 p1", "q1 d1"]);
    assert_eq!(
        positive(made("teacher-pair --label-threshold 0.5", &labels)),
        ["q1 p1", "q1 d1", "q1 d2", "q2 d6"]
    );
}

#[test]
fn an_empty_table_beside_others_is_an_error_too() {
    let dir = workplace();
    let path = dir.path();
    let line = format!("{LINE} --min-positive-score 0.99 --also pairs=pairs.parquet");
    let error = FILTER.run(path, &line).error(1);
    assert!(error.contains("low_positive_score"), "{error}");
    for table in ["out.parquet", "pairs.parquet"] {
        assert!(!path.join(table).exists(), "{table}");
    }
    let report = FILTER.done(path, &format!("{line} --allow-empty"));
    assert_eq!(
        (
            &report["positives_dropped"],
            &report["also"]["pairs.parquet"]
        ),
        (&json!(3), &json!(0))
    );
}

#[test]
fn the_similarity_of_the_retriever_has_a_say_where_it_is_asked() {
    let dir = workplace();
    let path = dir.path().join("candidates.parquet");
    let unscored = read(&path);
    let promoted = |dense: f32| {
        let mut columns = unscored.columns().to_vec();
        for (name, value) in [("dense", dense), ("positive_dense", 0.5)] {
            let place = unscored.schema().index_of(name).unwrap();
            columns[place] = Arc::new(Float32Array::from(vec![value; unscored.num_rows()]));
        }
        write(
            &path,
            &RecordBatch::try_new(unscored.schema(), columns).unwrap(),
        );
        let line = format!("{LINE} --format pairs --promote-above 0.5 --promote-dense-margin 0.2");
        FILTER.done(dir.path(), &line)["promoted"].clone()
    };
    assert_eq!(promoted(0.6), json!(0));
    assert_eq!(promoted(0.8), json!(1));
}

#[test]
fn thresholds_from_0_to_1_mean_the_same_to_a_model_that_gives_logits() {
    let dir = workplace();
    let identity = r#""max_position_embeddings": 32, "sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"}"#;
    let model = TinyModel {
        config: identity,
        ..TinyModel::default()
    };
    model.write(&dir.path().join("logits"));
    let line =
        format!("{LINE} --format teacher-pair --promote-above 0.5 --audit audit.parquet --force");
    let wanted = ["corpus_id", "score", "decision", "reason"];
    let audit = |options: &str| {
        let ended = FILTER.run(
            dir.path(),
            &format!(
                "{} {options}",
                line.replace("--model model", "--model logits")
            ),
        );
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        (
            rows(&dir.path().join("audit.parquet"), &wanted),
            ended.stderr,
        )
    };
    FILTER.done(dir.path(), &line);
    let expected = rows(&dir.path().join("audit.parquet"), &wanted);
    let (found, said) = audit("");
    assert_eq!(found, expected);
    assert!(
        said.contains("its scores are logits, and --promote-above 0.5, --label-threshold 0.8 is on a scale from 0 to 1"),
        "{said}"
    );
    let (logits, said) = audit("--activation identity");
    assert_ne!(logits, expected);
    assert!(!said.contains("scale"), "{said}");
    let (_, said) = audit("--label-threshold 3");
    assert!(said.contains("is on their scale"), "{said}");
    let ended = FILTER.run(dir.path(), &format!("{LINE} --max-score 4 --force"));
    assert!(
        ended.stderr.contains("--max-score 4 lies outside"),
        "{}",
        ended.stderr
    );
}
