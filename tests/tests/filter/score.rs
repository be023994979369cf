//! `pairmill-filter score`: a column of scores for any table with two columns of text.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, Float32Array, Int64Array,
    LargeStringArray, RecordBatch, StringArray, StringViewArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{Float32Type, Int32Type};
use arrow::ipc::reader::StreamReader;
use insta::assert_snapshot;
use pairmill_tables::Lineage;
use pairmill_tests::tables::{columns, read, stream, write};
use pairmill_tests::{Ended, FILTER, Hub};
use serde_json::json;
use tempfile::TempDir;

use crate::harness::{rows, workplace};
use crate::tiny_model::TinyModel;

const LINE: &str = "score --pairs pairs.parquet --model model --output out.parquet";

/// Pairs of which the n-th shares n % 3 words, with columns of other kinds around the texts.
fn pairs(count: usize) -> RecordBatch {
    let firsts = (0..count).map(|n| format!("{n} reset the"));
    let seconds = (0..count).map(|n| ["router", "the router", "reset the"][n % 3]);
    let numbers = (0..count).rev().map(|n| n as i64);
    let flags: Vec<bool> = (0..count).map(|n| n % 5 == 0).collect();
    let columns: [(&str, ArrayRef); 4] = [
        ("number", Arc::new(Int64Array::from_iter_values(numbers))),
        ("sentence1", Arc::new(StringArray::from_iter_values(firsts))),
        ("is_odd", Arc::new(BooleanArray::from(flags))),
        (
            "sentence2",
            Arc::new(StringArray::from_iter_values(seconds)),
        ),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

/// A folder with `pairs.parquet` and `model`.
fn folder(batch: &RecordBatch) -> TempDir {
    let dir = workplace();
    write(&dir.path().join("pairs.parquet"), batch);
    dir
}

fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

fn assert_scored(scored: &RecordBatch, pairs: &RecordBatch) {
    let width = pairs.num_columns();
    assert_eq!(&scored.columns()[..width], pairs.columns());
    let scores: &Float32Array = scored.column(width).as_primitive::<Float32Type>();
    assert_eq!(scored.schema().field(width).name(), "score");
    for (row, score) in scores.values().iter().enumerate() {
        let expected = sigmoid(2.0 * (row % 3) as f32 - 3.0);
        assert!((score - expected).abs() < 1e-6, "row {row}: {score}");
    }
}

#[test]
fn a_column_is_added_and_all_others_and_the_order_of_the_rows_stay() {
    let pairs = pairs(10_000);
    let dir = folder(&pairs);
    let report = FILTER.done(dir.path(), LINE);
    assert_eq!(
        report,
        json!({
            "up_to_date": false, "output": "out.parquet", "rows": 10_000, "rows_without_text": 0,
            "scored": 10_000, "cached": 0, "truncated": 0
        })
    );
    let output = dir.path().join("out.parquet");
    assert_scored(&read(&output), &pairs);

    assert_eq!(FILTER.done(dir.path(), LINE)["up_to_date"], true);
    let lineage = Lineage::of_parquet(&output).unwrap();
    assert_eq!(lineage.stage, "score");
    assert_eq!(
        lineage.inputs.keys().collect::<Vec<_>>(),
        ["model", "pairs"]
    );
    let first = fs::read(&output).unwrap();
    FILTER.done(
        dir.path(),
        &format!("{LINE} --force --threads 1 --token-budget 100"),
    );
    assert!(fs::read(&output).unwrap() == first);
}

/// Runs the scorer between two pipes.
fn piped(dir: &Path, options: &str, stdin: &[u8]) -> Output {
    let line = format!("score --pairs - --model model --output - {options}");
    let mut child = FILTER
        .command(dir, &line)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let stdin = stdin.to_vec();
    let sender = std::thread::spawn(move || input.write_all(&stdin));
    let output = child.wait_with_output().unwrap();
    let _ = sender.join().unwrap();
    output
}

fn received(output: &Output) -> Vec<RecordBatch> {
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{log}");
    let reader = StreamReader::try_new(output.stdout.as_slice(), None).unwrap();
    reader.map(Result::unwrap).collect()
}

#[test]
fn it_stands_between_two_pipes() {
    let dir = workplace();
    let pairs = pairs(9_000);
    let batches = [pairs.slice(0, 10), pairs.slice(10, 8_990)];
    let output = piped(dir.path(), "", &stream(&batches));
    let scored = received(&output);
    let sizes: Vec<_> = scored.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(sizes, [10, 4_096, 4_096, 798], "large batches are cut");
    assert_scored(
        &concat_batches(&scored[0].schema(), &scored).unwrap(),
        &pairs,
    );

    let empty = received(&piped(dir.path(), "", &stream(&[pairs.slice(0, 0)])));
    assert_eq!(empty.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let dir = workplace();
    let mut child = FILTER
        .command(
            dir.path(),
            "score --pairs - --model model --output - --token-budget 64",
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let batches: Vec<_> = (0..60).map(|_| pairs(2_000)).collect();
    let sender = std::thread::spawn(move || input.write_all(&stream(&batches)));
    let mut output = child.stdout.take().unwrap();
    output.read_exact(&mut [0; 100]).unwrap();
    drop(output);
    let ended = child.wait_with_output().unwrap();
    let log = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(0), "{log}");
    assert!(!log.contains("error") && !log.contains("panicked"), "{log}");
    let _ = sender.join().unwrap();
}

#[test]
fn text_of_every_arrow_type_is_read_and_kept() {
    let dir = workplace();
    let texts = ["router", "reset the router", "router"];
    let kinds: [ArrayRef; 4] = [
        Arc::new(StringArray::from(texts.to_vec())),
        Arc::new(LargeStringArray::from(texts.to_vec())),
        Arc::new(StringViewArray::from(texts.to_vec())),
        Arc::new(texts.into_iter().collect::<DictionaryArray<Int32Type>>()),
    ];
    for kind in kinds {
        let query: ArrayRef = Arc::new(StringArray::from(vec!["the router"; 3]));
        let batch = RecordBatch::try_from_iter([("query", query), ("text", kind.clone())]).unwrap();
        let scored = received(&piped(dir.path(), "", &stream(&[batch])));
        assert_eq!(scored[0].column(1), &kind);
        let scores: &Float32Array = scored[0].column(2).as_primitive::<Float32Type>();
        assert!((scores.value(1) - sigmoid(1.0)).abs() < 1e-6, "{kind:?}");
        assert_eq!(scores.value(0), scores.value(2));
    }
}

#[test]
fn columns_of_text_are_known_by_their_names_or_named() {
    let dir = workplace();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    let scored = |options: &str| {
        let line = format!("score --model model --output out.parquet --force {options}");
        FILTER.done(dir.path(), &line);
        let output = dir.path().join("out.parquet");
        let columns = columns(&output);
        let last = columns.last().unwrap();
        let score: f32 = rows(&output, &[last])[0].parse().unwrap();
        // The number of shared words.
        let shared = ((score / (1.0 - score)).ln() + 3.0) / 2.0;
        (columns.join(" "), shared.round() as u32)
    };
    write(
        "a.csv",
        "anchor,positive,id\nreset the router,the router,7\n",
    );
    assert_eq!(
        scored("--pairs a.csv"),
        ("anchor positive id score".to_owned(), 2)
    );
    write(
        "b.jsonl",
        "{\"text\": \"red\", \"query\": \"red light\", \"tags\": [1, 2]}\n",
    );
    assert_eq!(
        scored("--pairs b.jsonl"),
        ("query tags text score".to_owned(), 1)
    );
    write(
        "c.csv",
        "sentence1,sentence2,anchor,positive,Score\nred,red,a,b,0.5\n",
    );
    let both = "sentence1 sentence2 anchor positive Score".to_owned();
    assert_eq!(scored("--pairs c.csv"), (format!("{both} score"), 1));
    assert_eq!(
        scored("--pairs c.csv --columns positive,Score --score-column again"),
        (format!("{both} again"), 0)
    );
}

#[test]
fn a_null_text_has_a_null_score_and_is_counted() {
    let columns: [(&str, ArrayRef); 2] = [
        (
            "anchor",
            Arc::new(StringArray::from(vec![Some("red"), None, Some("red")])),
        ),
        (
            "positive",
            Arc::new(StringArray::from(vec![Some("red"), Some("red"), None])),
        ),
    ];
    let dir = folder(&RecordBatch::try_from_iter(columns).unwrap());
    let ended = FILTER.run(dir.path(), &format!("{LINE} --json"));
    assert_eq!(ended.report()["rows_without_text"], 2);
    assert!(
        ended.stderr.contains("2 of 3 rows have a null for a text"),
        "{}",
        ended.stderr
    );
    let out = read(&dir.path().join("out.parquet"));
    assert_eq!(out.column(2).null_count(), 2);
    assert!(out.column(2).is_valid(0));
}

#[test]
fn a_table_without_rows_stays_one() {
    let dir = folder(&pairs(3).slice(0, 0));
    let ended = FILTER.run(dir.path(), &format!("{LINE} --json"));
    assert_eq!(ended.report()["rows"], 0);
    assert!(
        ended.stderr.contains("pairs.parquet has no rows"),
        "{}",
        ended.stderr
    );
    let names = columns(&dir.path().join("out.parquet"));
    assert_eq!(names.last().unwrap(), "score");
}

#[test]
fn models_come_from_the_hub_and_in_every_layout() {
    let dir = folder(&pairs(3));
    let dir = dir.path();
    let judge = TinyModel {
        file: "onnx/model.onnx",
        segments: false,
        logits: 2,
        ..Default::default()
    };
    judge.write(&dir.join("judge"));
    let hub = Hub::serve("acme/judge", &dir.join("judge"));
    let run = |line: &str| -> Ended {
        let mut command = FILTER.command(dir, line);
        hub.is_used_by(dir, &mut command).output().unwrap().into()
    };
    let line = LINE.replace("--model model", "--model acme/judge@main");
    assert_eq!(run(&format!("{line} --json")).report()["scored"], 3);
    let requests = hub.requests();
    let fetched = |name: &str| requests.iter().any(|path| path.ends_with(name));
    assert!(
        fetched("onnx/model.onnx") && fetched("tokenizer.json"),
        "{requests:?}"
    );
    assert!(!fetched(".bin") && !fetched("README.md"), "{requests:?}");
    let by_id = read(&dir.join("out.parquet"));
    FILTER.done(dir, &LINE.replace("--model model", "--model judge"));
    assert_eq!(by_id.columns(), read(&dir.join("out.parquet")).columns());

    // The filter itself takes an id too, and what was fetched is known.
    let line = "--candidates candidates.parquet --output t.parquet --model acme/judge@main --json";
    let ended = run(line);
    assert!(
        ended.code == 0 || ended.stderr.contains("gives no triplets"),
        "{}",
        ended.stderr
    );
    assert_eq!(hub.requests(), ["/api/models/acme/judge/revision/main"]);

    fs::remove_file(dir.join("judge/onnx/model.onnx")).unwrap();
    let other = Hub::serve("acme/judge", &dir.join("judge"));
    let mut command = FILTER.command(dir, &line.replace("t.parquet", "u.parquet"));
    other.is_used_by(&dir.join("elsewhere"), &mut command);
    let ended: Ended = command.output().unwrap().into();
    let error = ended.error(1);
    assert!(
        error.contains(
            "has no model.onnx or onnx/model.onnx; make them with `pairmill-train export`"
        ),
        "{error}"
    );
}

#[test]
fn what_cannot_be_scored_is_refused() {
    let dir = folder(&pairs(3));
    let path = dir.path();
    fs::write(path.join("other.csv"), "a,b\nx,y\n").unwrap();
    fs::write(path.join("scored.csv"), "query,text,score\nx,y,1\n").unwrap();
    fs::write(path.join("type.jsonl"), "{\"query\": \"x\", \"text\": 7}\n").unwrap();
    let error = |options: &str, code: i32| {
        FILTER.refused(
            path,
            &format!("score --model model --output new.parquet {options}"),
            code,
        )
    };
    assert_snapshot!(error("--pairs nowhere.parquet", 1), @"error: nowhere.parquet: no such file or folder; check the path");
    assert_snapshot!(error("--pairs other.csv", 1), @"error: other.csv: has neither sentence1 and sentence2, nor anchor and positive, nor query and text; found a, b; name two columns with --columns A,B");
    assert_snapshot!(error("--pairs other.csv --columns a,c", 1), @"error: other.csv: no column `c`; found a, b");
    assert_snapshot!(error("--pairs scored.csv", 1), @"error: scored.csv: has a column `score` already; name the one to add with --score-column");
    assert_snapshot!(error("--pairs type.jsonl", 1), @"error: type.jsonl: column `text` is Int64; expected text");
    assert_snapshot!(error("--pairs other.csv --columns a", 2), @r"
    error: invalid value 'a' for '--columns <A,B>': expected two names with a comma between

    For more information, try '--help'.
    ");
    let line = "score --pairs ./pairs.parquet --model model --output pairs.parquet";
    assert_snapshot!(FILTER.refused(path, line, 1), @"error: pairs.parquet: writing it would replace the input ./pairs.parquet or a part of it; write elsewhere");
    let line = "score --pairs pairs.parquet --model model --output - --json";
    assert_snapshot!(FILTER.refused(path, line, 2), @"error: --json and --output - both want standard output; give a file");
    let ended = FILTER.run_with_stdin(
        path,
        "score --pairs - --model model --output -",
        b"no arrow",
    );
    assert!(ended.error(1).contains("not a sound Arrow IPC stream file"));
    let broken = TinyModel {
        bias: f32::NAN,
        ..Default::default()
    };
    broken.write(&path.join("model"));
    assert_snapshot!(error("--pairs pairs.parquet", 1), @r#"error: model/model.onnx: the score is not a number for the pair ("0 reset the", "router"); the model's weights are broken (a diverged training?), use another model"#);
}
