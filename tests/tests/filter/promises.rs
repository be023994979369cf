//! What the program promises about its output.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field, Schema};
use pairmill_tables::Lineage;
use pairmill_tests::tables::{columns, stream, write};
use pairmill_tests::{FILTER, names};
use serde_json::json;

use crate::harness::{CANDIDATES, LINE, assert_same_table, candidates, rows, workplace};
use crate::tiny_model::TinyModel;

const DECISIONS: [&str; 4] = ["query_id", "corpus_id", "decision", "reason"];

fn out(dir: &Path, wanted: &[&str]) -> Vec<String> {
    rows(&dir.join("out.parquet"), wanted)
}

#[test]
fn the_best_survivors_become_triplets() {
    let dir = workplace();
    let report = FILTER.done(dir.path(), &format!("{LINE} --num-negatives 2"));
    let ids = ["anchor_id", "positive_id", "negative_id"];
    assert_eq!(out(dir.path(), &ids), ["q1 p1 d2", "q1 p1 d3", "q2 p2 d3"]);
    let texts = ["anchor", "positive", "negative"];
    assert_eq!(
        out(dir.path(), &texts)[2],
        "invoice late paid invoice red cable"
    );
    assert_eq!(
        report,
        json!({
            "up_to_date": false, "output": "out.parquet", "candidates": 8, "pairs": 3,
            "positives_dropped": 0, "promoted": 0,
            "pairs_without_negatives": 1, "pairs_left_out": 1,
            "reasons": {
                "relative_margin": 3, "negative": 3, "positive_id": 1, "surplus": 1
            },
            "scored": 10, "cached": 0, "truncated": 0, "rows": 3, "also": {}, "compared": 7, "below_positive": 4
        })
    );
}

#[test]
fn the_audit_gives_every_candidate_its_scores_and_its_reason() {
    let dir = workplace();
    FILTER.done(
        dir.path(),
        &format!("{LINE} --num-negatives 2 --audit audit.parquet"),
    );
    let audit = dir.path().join("audit.parquet");
    assert_eq!(
        rows(&audit, &DECISIONS),
        [
            "q1 d1 drop relative_margin",
            "q1 d2 keep negative",
            "q1 d5 drop positive_id",
            "q1 d3 keep negative",
            "q1 d4 drop surplus",
            "q2 d6 drop relative_margin",
            "q2 d3 keep negative",
            "q3 d7 drop relative_margin",
        ]
    );
    let sigmoid = |logit: f32| 1.0 / (1.0 + (-logit).exp());
    let shared = |words: f32| sigmoid(2.0 * words - 3.0);
    let expected = [
        (Some(3.0), 3.0),
        (Some(2.0), 3.0),
        (None, 3.0),
        (Some(0.0), 3.0),
        (Some(1.0), 3.0),
        (Some(2.0), 1.0),
        (Some(0.0), 1.0),
        (Some(1.0), 1.0),
    ];
    let scores = rows(&audit, &["score", "positive_score"]);
    for (row, (score, positive)) in scores.iter().zip(expected) {
        let (found, found_positive) = row.split_once(' ').unwrap();
        let near = |text: &str, wanted: f32| (text.parse::<f32>().unwrap() - wanted).abs() < 1e-5;
        match score {
            Some(words) => assert!(near(found, shared(words)), "{row}"),
            None => assert_eq!(found, "-", "what the miner dropped is not scored"),
        }
        assert!(near(found_positive, shared(positive)), "{row}");
    }
}

#[test]
fn the_candidates_format_is_the_audit() {
    let dir = workplace();
    FILTER.done(dir.path(), &format!("{LINE} --audit audit.parquet"));
    FILTER.done(dir.path(), &format!("{LINE} --format candidates"));
    let [output, audit] = ["out.parquet", "audit.parquet"].map(|name| dir.path().join(name));
    assert_same_table(&output, &audit);
}

#[test]
fn n_tuples_need_all_their_negatives() {
    let dir = workplace();
    let report = FILTER.done(
        dir.path(),
        &format!("{LINE} --format n-tuple --num-negatives 2"),
    );
    let ids = [
        "anchor_id",
        "positive_id",
        "negative_1_id",
        "negative_2_id",
        "negative_2",
    ];
    assert_eq!(out(dir.path(), &ids), ["q1 p1 d2 d3 red cable"]);
    assert_eq!(
        (&report["rows"], &report["pairs_left_out"]),
        (&json!(1), &json!(2))
    );
}

#[test]
fn labeled_pairs_hold_positives_and_negatives() {
    let dir = workplace();
    FILTER.done(
        dir.path(),
        &format!("{LINE} --format labeled-pair --num-negatives 1"),
    );
    let names = ["sentence1_id", "sentence2_id", "sentence2", "score"];
    assert_eq!(
        out(dir.path(), &names),
        [
            "q1 p1 reset the router late 1.0",
            "q1 d2 reset the password 0.0",
            "q2 p2 paid invoice 1.0",
            "q2 d3 red cable 0.0",
            "q3 p3 device 1.0",
        ]
    );
}

#[test]
fn labeled_lists_hold_a_pair_and_its_negatives() {
    let dir = workplace();
    FILTER.done(dir.path(), &format!("{LINE} --format labeled-list"));
    assert_eq!(
        out(dir.path(), &["anchor_id", "document_ids", "labels"]),
        [
            "q1 [p1, d2, d3, d4] [1.0, 0.0, 0.0, 0.0]",
            "q2 [p2, d3] [1.0, 0.0]"
        ]
    );
}

#[test]
fn without_ids_only_texts_and_scores_are_left() {
    let dir = workplace();
    let left = |format: &str| {
        FILTER.done(
            dir.path(),
            &format!("{LINE} --drop-ids --num-negatives 2 --format {format}"),
        );
        columns(&dir.path().join("out.parquet")).join(" ")
    };
    assert_eq!(left("triplet"), "anchor positive negative");
    assert_eq!(left("n-tuple"), "anchor positive negative_1 negative_2");
    assert_eq!(left("labeled-pair"), "sentence1 sentence2 score");
    assert_eq!(left("labeled-list"), "anchor documents labels");
}

#[test]
fn a_wider_margin_drops_more() {
    let dir = workplace();
    let negatives = |margin: &str| {
        let report = FILTER.done(dir.path(), &format!("{LINE} --relative-margin {margin}"));
        report["reasons"]["negative"].clone()
    };
    assert_eq!(negatives("0"), 5, "as good as the positive is not better");
    assert_eq!(negatives("0.05"), 4);
    assert_eq!(negatives("0.5"), 3);
}

#[test]
fn a_positive_that_the_model_does_not_believe_in_is_left_out() {
    let dir = workplace();
    let line = format!("{LINE} --format labeled-pair --min-positive-score 0.5 --audit a.parquet");
    FILTER.done(dir.path(), &line);
    assert!(
        out(dir.path(), &["sentence1_id"])
            .iter()
            .all(|id| id == "q1")
    );
    let audit = rows(&dir.path().join("a.parquet"), &DECISIONS);
    assert_eq!(audit[6], "q2 d3 drop low_positive_score");
}

#[test]
fn the_bytes_depend_neither_on_threads_nor_on_batches_nor_on_the_order_of_rows() {
    let dir = workplace();
    let bytes = |options: &str| {
        let promoting = "--promote-above 0.5 --promote-below-positive --max-promoted 1";
        let outputs = "--audit audit.parquet --also pairs=pairs.parquet --force";
        FILTER.done(
            dir.path(),
            &format!("{LINE} {outputs} {promoting} {options}"),
        );
        ["out.parquet", "audit.parquet", "pairs.parquet"]
            .map(|name| fs::read(dir.path().join(name)).unwrap())
    };
    let first = bytes("--threads 1");
    assert!(bytes("--threads 3") == first);
    assert!(bytes("--token-budget 1") == first);

    let columns = ["query_id", "corpus_id", "score", "positive_score", "reason"];
    let before = rows(&dir.path().join("audit.parquet"), &columns);
    let shuffled = UInt32Array::from(vec![6, 3, 0, 7, 4, 1, 5, 2]);
    let batch = take_record_batch(&candidates(&CANDIDATES), &shuffled).unwrap();
    write(&dir.path().join("candidates.parquet"), &batch);
    bytes("");
    assert_eq!(rows(&dir.path().join("audit.parquet"), &columns), before);
}

/// The candidates of [`CANDIDATES`] for many queries of the same texts, in disorder.
fn many(copies: usize) -> RecordBatch {
    let few = candidates(&CANDIDATES);
    let rows = copies * few.num_rows();
    // A step without a common divisor visits every row once.
    let visited: Vec<usize> = (0..rows).map(|n| n * 7_919 % rows).collect();
    let indices = visited.iter().map(|n| (n % few.num_rows()) as u32);
    let batch = take_record_batch(&few, &UInt32Array::from_iter_values(indices)).unwrap();
    let ids = visited.iter().map(|n| {
        format!(
            "{}-{:05}",
            CANDIDATES[n % few.num_rows()].0,
            n / few.num_rows()
        )
    });
    let mut columns = batch.columns().to_vec();
    columns[0] = Arc::new(StringArray::from_iter_values(ids));
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

#[test]
fn the_order_holds_over_many_batches() {
    const COPIES: usize = 4_000;
    let dir = workplace();
    write(&dir.path().join("candidates.parquet"), &many(COPIES));
    let report = FILTER.done(
        dir.path(),
        &format!("{LINE} --threads 3 --audit audit.parquet"),
    );
    assert_eq!(report["pairs"], 3 * COPIES);
    assert_eq!(report["rows"], 4 * COPIES);
    let keys = rows(
        &dir.path().join("audit.parquet"),
        &["query_id", "positive_id", "rank"],
    );
    assert!(keys.is_sorted() && keys.len() == CANDIDATES.len() * COPIES);
}

#[test]
fn work_is_done_again_only_when_something_changed() {
    let dir = workplace();
    let up_to_date = |line: &str| FILTER.done(dir.path(), line)["up_to_date"] == true;
    assert!(!up_to_date(LINE));
    assert!(up_to_date(LINE));
    assert!(up_to_date(&format!("{LINE} --threads 1 --token-budget 64")));
    assert!(!up_to_date(&format!("{LINE} --num-negatives 1")));
    assert!(!up_to_date(&format!("{LINE} --num-negatives 1 --force")));
    assert!(!up_to_date(&format!(
        "{LINE} --num-negatives 1 --audit audit.parquet"
    )));
    assert!(up_to_date(&format!(
        "{LINE} --num-negatives 1 --audit audit.parquet"
    )));
    let other = TinyModel {
        bias: -2.0,
        ..Default::default()
    };
    other.write(&dir.path().join("model"));
    assert!(!up_to_date(&format!("{LINE} --num-negatives 1")));

    let lineage = Lineage::of_parquet(&dir.path().join("out.parquet")).unwrap();
    assert_eq!(
        (&*lineage.stage, &lineage.options["num_negatives"]),
        ("filter", &json!(1))
    );
    assert_eq!(
        lineage.inputs.keys().collect::<Vec<_>>(),
        ["candidates", "model"]
    );
    let left = names(dir.path());
    assert_eq!(
        left.len(),
        4,
        "nothing but the files asked for is left: {left:?}"
    );
}

#[test]
fn candidates_may_come_from_another_program() {
    let dir = workplace();
    let line = "--candidates - --model model --output out.parquet --json";
    let rows = |batch: RecordBatch| {
        let ended = FILTER.run_with_stdin(dir.path(), line, &stream(&[batch]));
        ended.report()["rows"].clone()
    };
    assert_eq!(rows(candidates(&CANDIDATES)), 4);
    let again = rows(candidates(&CANDIDATES[..3]));
    assert_eq!(again, 1, "a stream is never up to date");
}

#[test]
fn candidates_may_come_as_json_lines() {
    let dir = workplace();
    let line = json!({
        "query_id": "q1", "query": "reset the router", "positive_id": "p1",
        "positive": "reset the router late", "corpus_id": "d3", "text": "red cable",
        "rank": 1, "bm25": 9.5, "score": null, "positive_score": null,
        "decision": "keep", "reason": "negative"
    });
    fs::write(dir.path().join("candidates.jsonl"), line.to_string()).unwrap();
    FILTER.done(
        dir.path(),
        &LINE.replace("candidates.parquet", "candidates.jsonl"),
    );
    assert_eq!(out(dir.path(), &["anchor_id", "negative_id"]), ["q1 d3"]);
}

#[test]
fn a_model_of_two_logits_judges_too() {
    let dir = workplace();
    let two = TinyModel {
        logits: 2,
        ..Default::default()
    };
    two.write(&dir.path().join("model"));
    FILTER.done(dir.path(), &format!("{LINE} --audit audit.parquet"));
    let scores = rows(&dir.path().join("audit.parquet"), &["corpus_id", "score"]);
    assert_eq!(scores[3], "d3 0.5", "no word shared: both logits are equal");
}

#[test]
fn what_was_cut_and_what_found_no_negative_is_said() {
    let dir = workplace();
    let ended = FILTER.run(dir.path(), &format!("{LINE} --max-length 6"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("were longer than the model reads"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("1 of 3 pairs kept no negative"),
        "{}",
        ended.stderr
    );
}

#[test]
fn columns_that_are_named_go_along() {
    let dir = workplace();
    let batch = candidates(&CANDIDATES);
    let tickets = (0..8).map(|row| format!("T-{row}"));
    let tickets = Arc::new(StringArray::from_iter_values(tickets));
    let mut fields = batch.schema().fields().to_vec();
    fields.push(Arc::new(Field::new("ticket", DataType::Utf8, false)));
    let mut all = batch.columns().to_vec();
    all.push(tickets);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), all).unwrap();
    write(&dir.path().join("candidates.parquet"), &batch);
    let line =
        format!("{LINE} --num-negatives 2 --audit audit.parquet --also labeled-pair=l.parquet");
    FILTER.done(
        dir.path(),
        &format!("{line} --keep-columns ticket --drop-ids"),
    );
    assert_eq!(
        columns(&dir.path().join("out.parquet")),
        ["anchor", "positive", "negative", "ticket"]
    );
    // What goes along is of the rows of the pair.
    let kept = out(dir.path(), &["negative", "ticket"]);
    assert_eq!(kept.len(), 3);
    assert!(kept.iter().all(|row| row.contains("T-")), "{kept:?}");
    let audit = rows(&dir.path().join("audit.parquet"), &["ticket"]);
    let mut expected: Vec<String> = (0..8).map(|row| format!("T-{row}")).collect();
    expected.sort();
    let mut audit = audit;
    audit.sort();
    assert_eq!(audit, expected);
    assert!(columns(&dir.path().join("l.parquet")).contains(&"ticket".to_owned()));
    FILTER.done(dir.path(), &format!("{LINE} --keep-columns all --force"));
    assert!(columns(&dir.path().join("out.parquet")).contains(&"ticket".to_owned()));
}
