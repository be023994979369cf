//! `pairmill-evaluate assign`: users dealt out to the arms of an experiment.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::ipc::reader::StreamReader;
use insta::assert_snapshot;
use pairmill_tests::tables::{columns, rows, stream, write};
use pairmill_tests::{EVALUATE, root};
use serde_json::{Value, json};
use tempfile::TempDir;

const USERS: usize = 100_000;

/// A folder with `users.parquet`, whose ids are in falling order.
fn users() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("users.parquet"), &table((0..USERS).rev()));
    dir
}

fn table(numbers: impl Iterator<Item = usize> + Clone) -> RecordBatch {
    let ids = numbers.clone().map(|number| format!("user-{number}"));
    let columns: [(&str, ArrayRef); 2] = [
        ("user_id", Arc::new(StringArray::from_iter_values(ids))),
        (
            "visits",
            Arc::new(Int64Array::from_iter_values(numbers.map(|n| n as i64))),
        ),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

/// User → arm.
fn assigned(dir: &Path, experiment: &str, arms: &str, options: &str) -> BTreeMap<String, String> {
    EVALUATE.done(
        dir,
        &format!(
            "assign --experiment {experiment} --arms {arms} --input users.parquet --output out.parquet {options}"
        ),
    );
    let rows = rows(&dir.join("out.parquet"), &["user_id", "arm"]);
    rows.into_iter()
        .map(|mut row| (row.remove(0), row.remove(0)))
        .collect()
}

/// Counts are within five standard deviations of what chance would give.
#[track_caller]
fn share(found: usize, of: usize, expected: f64) {
    let deviation = (of as f64 * expected * (1.0 - expected)).sqrt();
    let off = (found as f64 - of as f64 * expected).abs();
    assert!(off < 5.0 * deviation, "{found} of {of}, not {expected}");
}

#[test]
fn a_column_is_added_and_all_others_and_the_order_of_the_rows_stay() {
    let dir = users();
    let line = "assign --experiment e --arms a=1,b=1 --input users.parquet --output out.parquet";
    let report = EVALUATE.done(dir.path(), line);
    assert_eq!(report["up_to_date"], false);
    let counted = |arm: &str| report["arms"][arm].as_u64().unwrap() as usize;
    assert_eq!(counted("a") + counted("b"), USERS);
    let output = dir.path().join("out.parquet");
    assert_eq!(columns(&output), ["user_id", "visits", "arm"]);
    let numbers = rows(&output, &["visits"]);
    assert_eq!(
        (&numbers[0][0][..], &numbers[USERS - 1][0][..]),
        ("99999", "0")
    );

    let first = fs::read(&output).unwrap();
    assert_eq!(EVALUATE.done(dir.path(), line)["up_to_date"], true);
    EVALUATE.done(dir.path(), &format!("{line} --force --threads 1"));
    assert!(fs::read(&output).unwrap() == first);
    let other = line.replace("a=1,b=1", "a=1,b=2");
    assert_eq!(EVALUATE.done(dir.path(), &other)["up_to_date"], false);
}

#[test]
fn shares_are_as_the_weights_say_and_a_change_moves_no_more_users_than_it_must() {
    let dir = users();
    let before = assigned(dir.path(), "e", "control=2,b=1,c=1", "");
    let count = |arms: &BTreeMap<String, String>, arm: &str| {
        arms.values().filter(|found| *found == arm).count()
    };
    share(count(&before, "control"), USERS, 0.5);
    share(count(&before, "b"), USERS, 0.25);
    share(count(&before, "c"), USERS, 0.25);

    // From a quarter to two fifths, and a new arm with a fifth.
    for (arms, grown, least, moved) in [
        ("c=2,b=1,control=2", "c", 0.25, 0.4 - 0.25),
        ("control=2,b=1,c=1,d=1", "d", 0.0, 0.2),
    ] {
        let after = assigned(dir.path(), "e", arms, "");
        share(count(&after, grown), USERS, least + moved);
        let changed: Vec<_> = before
            .iter()
            .filter(|(id, arm)| after[*id] != **arm)
            .collect();
        share(changed.len(), USERS, moved);
        assert!(
            changed.iter().all(|(id, _)| after[*id] == grown),
            "users only move to the arm that grew"
        );
    }
}

#[test]
fn experiments_split_independently() {
    let dir = users();
    let one = assigned(dir.path(), "one", "a=1,b=3", "");
    let other = assigned(dir.path(), "other", "a=1,b=3", "");
    let in_a: Vec<_> = one.iter().filter(|(_, arm)| *arm == "a").collect();
    let both = in_a.iter().filter(|(id, _)| other[*id] == "a").count();
    share(both, in_a.len(), 0.25);
}

#[test]
fn another_program_comes_to_the_same_arms() {
    let text = fs::read_to_string(root().join("tests/reference/abtest.json")).unwrap();
    let reference: Value = serde_json::from_str(&text).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut compared = 0;
    for case in reference["assign"].as_array().unwrap() {
        let expected = case["arms"].as_object().unwrap();
        let users: Vec<_> = expected
            .keys()
            .map(|id| json!({"user_id": id}).to_string())
            .collect();
        fs::write(dir.path().join("users.jsonl"), users.join("\n")).unwrap();
        let weights = case["weights"].as_object().unwrap();
        let arms: Vec<_> = weights
            .iter()
            .map(|(arm, w)| format!("{arm}={w}"))
            .collect();
        let line = format!(
            "assign --experiment {} --arms {} --input users.jsonl --output out.parquet",
            case["experiment"].as_str().unwrap(),
            arms.join(",")
        );
        EVALUATE.done(dir.path(), &line);
        for row in rows(&dir.path().join("out.parquet"), &["user_id", "arm"]) {
            assert_eq!(expected[&row[0]], row[1], "{}", row[0]);
            compared += 1;
        }
    }
    assert_eq!(compared, 24);
}

#[test]
fn ids_may_be_numbers_and_are_those_that_are_asked_for_one_by_one() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("users.jsonl"),
        "{\"uid\":7}\n{\"uid\":42}\n{\"uid\":7}\n",
    )
    .unwrap();
    let line = "assign --experiment e --arms a=1,b=1";
    let table = "--input users.jsonl --id-column uid --arm-column variant --output out.parquet";
    EVALUATE.done(dir.path(), &format!("{line} {table}"));
    let rows = rows(&dir.path().join("out.parquet"), &["uid", "variant"]);
    assert_eq!(rows.len(), 3);
    for row in rows {
        let arm = EVALUATE.done(dir.path(), &format!("{line} --id {}", row[0]));
        assert_eq!(arm["arm"], row[1]);
    }
}

#[test]
fn rows_stream_from_standard_input_to_standard_output() {
    let dir = tempfile::tempdir().unwrap();
    let batches = [table(0..6_000), table(6_000..6_500)];
    let line = "assign --experiment e --arms a=1,b=1 --input - --output -";
    let mut child = EVALUATE
        .command(dir.path(), line)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let bytes = stream(&batches);
    let sender = std::thread::spawn(move || stdin.write_all(&bytes));
    let ended = child.wait_with_output().unwrap();
    sender.join().unwrap().unwrap();
    assert!(ended.status.success());
    let received: Vec<RecordBatch> = StreamReader::try_new(ended.stdout.as_slice(), None)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        received.iter().map(RecordBatch::num_rows).sum::<usize>(),
        6_500
    );
    let ids = received[0].column(0).as_string::<i32>();
    let arms = received[0].column(2).as_string::<i32>();
    let asked = line.replace("--input - --output -", &format!("--id {}", ids.value(5)));
    assert_eq!(EVALUATE.done(dir.path(), &asked)["arm"], arms.value(5));
}

#[test]
fn unsound_arms_and_users_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    let table = |name: &str, text: &str| fs::write(path.join(name), text).unwrap();
    table("users.csv", "user_id\n1\n");
    table("empty.csv", "user_id,visits\n1,1\n,2\n");
    table("null.jsonl", "{\"user_id\":\"1\"}\n{\"user_id\":null}\n");
    table("float.jsonl", "{\"user_id\":1.5}\n");
    table("other.csv", "id,visits\n1,1\n");
    table("assigned.csv", "user_id,arm\n1,a\n");
    let refused = |arms: &str, input: &str, code: i32| {
        let line =
            format!("assign --experiment e --arms {arms} --input {input} --output out.parquet");
        EVALUATE.refused(path, &line, code)
    };
    assert_snapshot!(refused("a=1,b=1", "empty.csv", 1), @"error: empty.csv: column `user_id` is null in row 2 (counted from 1, header not counted); expected an id");
    assert_snapshot!(refused("a=1,b=1", "null.jsonl", 1), @"error: null.jsonl: column `user_id` is null in row 2 (counted from 1, header not counted); expected an id");
    assert_snapshot!(refused("a=1,b=1", "float.jsonl", 1), @"error: float.jsonl: column `user_id` is Float64; expected text or an integer");
    assert_snapshot!(refused("a=1,b=1", "other.csv", 1), @"error: other.csv: no column `user_id`; found id, visits; name another one with --id-column");
    assert_snapshot!(refused("a=1,b=1", "assigned.csv", 1), @"error: assigned.csv: has a column `arm` already; name the new one with --arm-column");
    let first = |arms: &str| {
        let error = refused(arms, "users.csv", 2);
        error.lines().next().unwrap().to_owned()
    };
    assert_snapshot!(first("a=1"), @"error: invalid value 'a=1' for '--arms <NAME=WEIGHT,…>': `a` is the only arm; an experiment compares at least two");
    assert_snapshot!(first("a=1,b=0"), @"error: invalid value 'a=1,b=0' for '--arms <NAME=WEIGHT,…>': the weight `0` of the arm `b` is not a number above 0; leave an arm without users out");
    assert_snapshot!(first("a=1,b=-2"), @"error: invalid value 'a=1,b=-2' for '--arms <NAME=WEIGHT,…>': the weight `-2` of the arm `b` is not a number above 0; leave an arm without users out");
    assert_snapshot!(first("a=1,a=2"), @"error: invalid value 'a=1,a=2' for '--arms <NAME=WEIGHT,…>': the arm `a` is named twice");
    assert_snapshot!(first("a,b"), @"error: invalid value 'a,b' for '--arms <NAME=WEIGHT,…>': `a` is no arm; expected NAME=WEIGHT, such as control=0.5");
    let line = "assign --experiment e --arms a=1,b=1 --json --input users.csv --output -";
    assert_snapshot!(EVALUATE.refused(path, line, 2), @"error: --json and --output - both want standard output; give a file");
    let error = EVALUATE.refused(path, "assign --experiment e --arms a=1,b=1", 2);
    assert!(error.contains("--id"), "{error}");
}
