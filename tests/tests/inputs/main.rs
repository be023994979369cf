//! Tables as people write them: each is read as it is meant, or refused with the place and the
//! remedy.

mod kept_columns;
mod text_files;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Decimal128Array, DictionaryArray, Float64Array, ListArray, RecordBatch,
    StringArray,
};
use arrow::datatypes::Int32Type;
use arrow::ipc::writer::StreamWriter;
use insta::assert_snapshot;
use pairmill_tests::{EVALUATE, GENERATE, MINE, tables};

/// A help desk's answers, `n` of them: the question, and the answer that begins with `Take`.
fn faq(n: usize) -> Vec<[String; 3]> {
    let parts = ["pump", "hose", "valve", "lamp", "brake", "mirror"];
    let row = |at: usize| {
        let part = parts[at % parts.len()];
        [
            format!("F-{at:03}"),
            format!("Why does the {part} of lorry {at} rattle?"),
            format!(
                "Take lorry {at} to bay {} and have its {part} tightened.",
                at % 7
            ),
        ]
    };
    (0..n).map(row).collect()
}

/// The rows as separated values, in this order of columns.
fn separated(rows: &[[String; 3]], delimiter: &str, order: [usize; 3]) -> String {
    let names = ["id", "question", "answer"];
    let line = |cells: [&str; 3]| cells.join(delimiter);
    let mut text = line(order.map(|at| names[at]));
    for row in rows {
        text.push('\n');
        text.push_str(&line(order.map(|at| row[at].as_str())));
    }
    text + "\n"
}

/// Makes a data set and returns what was counted, and checks that answers are answers.
fn read(dir: &Path, input: &str) -> u64 {
    let report = GENERATE.done(dir, &format!("qa --input {input} --output out --force"));
    for row in tables::rows(&dir.join("out/corpus.parquet"), &["text"]) {
        assert!(row[0].starts_with("Take"), "{row:?} is no answer");
    }
    report["rows"]["used"].as_u64().unwrap()
}

fn log(dir: &Path, line: &str) -> String {
    let ended = GENERATE.run(dir, line);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.stderr
}

fn texts(values: impl IntoIterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

#[test]
fn parquet_columns_of_near_types_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let rows = faq(60);
    let column = |at: usize| rows.iter().map(move |row| row[at].clone());
    let numbers = 0..rows.len();
    let floats: ArrayRef = Arc::new(Float64Array::from_iter_values(
        numbers.clone().map(|n| n as f64),
    ));
    let decimals = Decimal128Array::from_iter_values(numbers.clone().map(|n| n as i128 * 100));
    let decimals: ArrayRef = Arc::new(decimals.with_precision_and_scale(12, 2).unwrap());
    let bytes = column(1).map(String::into_bytes).collect::<Vec<_>>();
    let bytes: ArrayRef = Arc::new(BinaryArray::from_iter_values(bytes));
    let dictionary: DictionaryArray<Int32Type> = column(2)
        .map(Some)
        .collect::<Vec<_>>()
        .iter()
        .map(Option::as_deref)
        .collect();
    let nested = ListArray::from_iter_primitive::<Int32Type, _, _>(
        numbers.map(|n| Some(vec![Some(n as i32)])),
    );
    for ids in [floats, decimals] {
        let batch = RecordBatch::try_from_iter([
            ("nested", Arc::new(nested.clone()) as ArrayRef),
            ("answer", Arc::new(dictionary.clone()) as ArrayRef),
            ("id", ids),
            ("question", bytes.clone()),
        ]);
        tables::write(&dir.path().join("faq.parquet"), &batch.unwrap());
        assert_eq!(read(dir.path(), "faq.parquet"), 60);
        let ids = tables::rows(&dir.path().join("out/pairs_train.parquet"), &["anchor_id"]);
        assert!(ids.iter().all(|id| id[0].parse::<u32>().is_ok()), "{ids:?}");
    }
    let halves: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.5]));
    let two = |at: usize| texts(column(at).take(2));
    let batch =
        RecordBatch::try_from_iter([("id", halves), ("question", two(1)), ("answer", two(2))]);
    tables::write(&dir.path().join("bad.parquet"), &batch.unwrap());
    let error = GENERATE.refused(dir.path(), "qa --input bad.parquet --output bad", 1);
    assert_snapshot!(error, @"error: bad.parquet: column `id` holds `2.5` in row 2 (counted from 1, header not counted); expected text or a whole number");
}

fn ticket(at: usize) -> [String; 2] {
    [
        format!("T-{at:03}"),
        format!("My parcel {at} never came, where is number {at}?"),
    ]
}

#[test]
fn folders_are_read_as_others_write_them() {
    let dir = tempfile::tempdir().unwrap();
    let part = |folder: &str, range: std::ops::Range<usize>, category: Option<&str>| {
        let rows: Vec<_> = range.clone().map(ticket).collect();
        let column = |at: usize| texts(rows.iter().map(|row| row[at].clone()));
        let mut columns = vec![("id", column(0)), ("text", column(1))];
        if let Some(category) = category {
            columns.push(("category", texts(range.map(|_| category.to_owned()))));
        }
        let folder = dir.path().join(folder);
        fs::create_dir_all(&folder).unwrap();
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        tables::write(&folder.join("part-0.snappy.parquet"), &batch);
        fs::write(folder.join(".part-0.snappy.parquet.crc"), "x").unwrap();
    };
    let used = |input: &str| {
        let report = GENERATE.done(
            dir.path(),
            &format!("tickets --input {input} --output out --force"),
        );
        report["rows"]["used"].as_u64().unwrap()
    };
    part("hive/category=lost%20parcel", 0..30, None);
    part("hive/category=late", 30..60, None);
    fs::write(dir.path().join("hive/_SUCCESS"), "").unwrap();
    assert_eq!(used("hive"), 60);
    let categories = tables::rows(&dir.path().join("out/tickets_train.parquet"), &["category"]);
    assert!(categories.iter().any(|row| row[0] == "lost parcel"));

    part("grown", 0..30, Some("lost"));
    part("grown/2024", 30..60, Some("late"));
    fs::write(dir.path().join("grown/old.csv.bak"), "id\n").unwrap();
    assert_eq!(used("grown"), 60);
    let said = log(dir.path(), "tickets --input grown --output out --force");
    assert!(
        said.contains("grown: read with its sub-folders (files: 2, 1 of them below)"),
        "{said}"
    );
    assert!(said.contains("passed over `old.csv.bak`"), "{said}");

    fs::write(dir.path().join("grown/dataset_dict.json"), "{}").unwrap();
    let error = GENERATE.refused(dir.path(), "tickets --input grown --output bad", 1);
    assert_snapshot!(error, @"error: grown: is a saved DatasetDict, which is not read; name the folder of one of its splits");
    fs::create_dir(dir.path().join("hive/_delta_log")).unwrap();
    let error = GENERATE.refused(dir.path(), "tickets --input hive --output bad", 1);
    assert_snapshot!(error, @"error: hive: is a Delta Lake table, which is not read; export it as plain Parquet");
}

#[test]
fn a_saved_data_set_is_a_folder_of_arrow_streams() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("saved");
    fs::create_dir(&folder).unwrap();
    let rows = faq(60);
    for (number, rows) in rows.chunks(30).enumerate() {
        let column = |at: usize| texts(rows.iter().map(|row| row[at].clone()));
        let batch = RecordBatch::try_from_iter([
            ("id", column(0)),
            ("question", column(1)),
            ("answer", column(2)),
        ])
        .unwrap();
        let file =
            fs::File::create(folder.join(format!("data-{number:05}-of-00002.arrow"))).unwrap();
        let mut writer = StreamWriter::try_new(file, &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
    }
    fs::write(folder.join("state.json"), "{\"_data_files\": []}").unwrap();
    fs::write(folder.join("dataset_info.json"), "{\"features\": {}}").unwrap();
    assert_eq!(read(dir.path(), "saved"), 60);
}

#[test]
fn titles_may_be_null_or_absent_in_every_stage() {
    let dir = tempfile::tempdir().unwrap();
    let rows = faq(12);
    for (kind, title) in [
        ("empty", "\"title\":\"\","),
        ("null", "\"title\":null,"),
        ("absent", ""),
    ] {
        let lines = rows
            .iter()
            .map(|[id, _, answer]| format!("{{\"_id\":\"{id}\",{title}\"text\":{answer:?}}}\n"));
        fs::write(
            dir.path().join(format!("{kind}.jsonl")),
            lines.collect::<String>(),
        )
        .unwrap();
    }
    let queries = rows
        .iter()
        .map(|[id, question, _]| format!("{{\"_id\":\"{id}\",\"text\":{question:?}}}\n"));
    fs::write(
        dir.path().join("queries.jsonl"),
        queries.collect::<String>(),
    )
    .unwrap();
    let search = |kind: &str| {
        MINE.done(
            dir.path(),
            &format!("search --corpus {kind}.jsonl --queries queries.jsonl --output {kind}.trec"),
        );
        fs::read_to_string(dir.path().join(format!("{kind}.trec"))).unwrap()
    };
    assert_eq!(search("null"), search("empty"));
    assert_eq!(search("absent"), search("empty"));
}

#[test]
fn grades_are_whole_numbers_however_they_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write(
        "run.csv",
        "query_id,corpus_id,rank,score\nq1,a,1,2.5\nq1,b,2,1.5\n",
    );
    write("qrels.csv", "query_id,corpus_id,score\nq1,b,1.0\n");
    write("half.csv", "query_id,corpus_id,score\nq1,a,1\nq1,b,0.5\n");
    let report = EVALUATE.done(
        dir.path(),
        "run --run run.csv --qrels qrels.csv --metrics mrr@10",
    );
    assert_eq!(report["model"]["mrr@10"], 0.5);
    let error = EVALUATE.refused(dir.path(), "run --run run.csv --qrels half.csv", 1);
    assert_snapshot!(error, @"error: half.csv: column `score` holds `0.5` in line 3; expected a whole number");
}

#[test]
fn names_differ_in_case_where_that_is_unique() {
    let dir = tempfile::tempdir().unwrap();
    let text = separated(&faq(60), ",", [0, 1, 2]);
    let capital = text.replacen("id,question,answer", "ID, Question ,ANSWER", 1);
    fs::write(dir.path().join("faq.csv"), capital).unwrap();
    assert_eq!(read(dir.path(), "faq.csv"), 60);
    let twice = text.replacen("id,question,answer", "Answer,question,ANSWER", 1);
    fs::write(dir.path().join("twice.csv"), twice).unwrap();
    let error = GENERATE.refused(dir.path(), "qa --input twice.csv --output bad", 1);
    assert_snapshot!(error, @"error: twice.csv: there are several columns `answer`, in the same or another case; leave one of them");
}

#[test]
fn a_pipe_is_read_once_and_used_as_often_as_needed() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("faq.csv"),
        separated(&faq(60), ",", [0, 1, 2]),
    )
    .unwrap();
    GENERATE.done(dir.path(), "qa --input faq.csv --output data");
    let pipe = dir.path().join("pairs.parquet");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let source = dir.path().join("data/pairs_train.parquet");
    let target = pipe.clone();
    let writer = std::thread::spawn(move || fs::write(target, fs::read(source).unwrap()).unwrap());
    let line = "--corpus data/corpus.parquet --top-k 3";
    let piped = MINE.done(
        dir.path(),
        &format!("--pairs pairs.parquet {line} --output piped.parquet"),
    );
    writer.join().unwrap();
    let plain = MINE.done(
        dir.path(),
        &format!("--pairs data/pairs_train.parquet {line} --output plain.parquet"),
    );
    assert_eq!(piped["pairs"], plain["pairs"]);
    let rows = |name: &str| tables::read(&dir.path().join(name)).columns().to_vec();
    assert!(rows("piped.parquet") == rows("plain.parquet"));
}
