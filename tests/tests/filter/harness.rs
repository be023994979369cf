//! Writes the inputs, runs the program and reads what it wrote.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int32Array, RecordBatch, StringArray};
use arrow::ipc::writer::StreamWriter;
use arrow::util::display::array_value_to_string;
use pairmill_tables::Table;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

use crate::tiny_model::TinyModel;

/// A command line without options.
pub const FILTER: &str = "--candidates candidates.parquet --model model --output out.parquet";

/// A candidate: query, positive, candidate, rank, decision, reason.
pub type Candidate = (
    &'static str,
    &'static str,
    &'static str,
    i32,
    &'static str,
    &'static str,
);

/// The texts behind the ids of [`CANDIDATES`].
const TEXTS: [(&str, &str); 13] = [
    ("q1", "reset the router"),
    ("p1", "reset the router late"),
    ("d1", "the router blinks: reset"),
    ("d2", "reset the password"),
    ("d3", "red cable"),
    ("d4", "router"),
    ("d5", "the router"),
    ("q2", "invoice late"),
    ("p2", "paid invoice"),
    ("d6", "late invoice paid"),
    ("q3", "device"),
    ("p3", "device"),
    ("d7", "the device"),
];

/// What the miner made. By the words they share with `q1`, `p1` and `d1` have 3, `d2` and `d5` 2,
/// `d4` 1, `d3` none; `d6` shares more with `q2` than `p2` does; `d7` shares as much with `q3` as
/// `p3` does.
pub const CANDIDATES: [Candidate; 8] = [
    ("q1", "p1", "d1", 1, "keep", "negative"),
    ("q1", "p1", "d2", 2, "keep", "negative"),
    ("q1", "p1", "d5", 3, "drop", "positive_id"),
    ("q1", "p1", "d3", 4, "keep", "negative"),
    ("q1", "p1", "d4", 5, "keep", "negative"),
    ("q2", "p2", "d6", 1, "keep", "negative"),
    ("q2", "p2", "d3", 2, "keep", "negative"),
    ("q3", "p3", "d7", 1, "keep", "negative"),
];

/// A folder with `candidates.parquet` and `model`.
pub fn workplace() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(
        &dir.path().join("candidates.parquet"),
        &candidates(&CANDIDATES),
    );
    TinyModel::default().write(&dir.path().join("model"));
    dir
}

/// A candidates table that is not scored yet.
pub fn candidates(rows: &[Candidate]) -> RecordBatch {
    let column = |value: fn(&Candidate) -> &'static str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(value)))
    };
    let unscored = || -> ArrayRef { Arc::new(Float32Array::new_null(rows.len())) };
    let ranks = rows.iter().map(|row| row.3);
    let bm25 = ranks.clone().map(|rank| 10.0 - rank as f32);
    let columns: Vec<ArrayRef> = vec![
        column(|row| row.0),
        column(|row| text(row.0)),
        column(|row| row.1),
        column(|row| text(row.1)),
        column(|row| row.2),
        column(|row| text(row.2)),
        Arc::new(Int32Array::from_iter_values(ranks)),
        Arc::new(Float32Array::from_iter_values(bm25)),
        unscored(),
        unscored(),
        column(|row| row.4),
        column(|row| row.5),
    ];
    RecordBatch::try_new(Table::Candidates.schema(), columns).unwrap()
}

fn text(id: &str) -> &'static str {
    let (_, text) = TEXTS.iter().find(|(known, _)| *known == id).unwrap();
    text
}

pub fn write(path: &Path, batch: &RecordBatch) {
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

/// How the program ended.
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs the program in `dir`; paths in `line` are relative to it and hold no blanks.
pub fn filter(dir: &Path, line: &str) -> Ended {
    run(command(dir, line), None)
}

/// The same with an Arrow IPC stream on standard input.
pub fn filter_stream(dir: &Path, line: &str, batch: &RecordBatch) -> Ended {
    run(command(dir, line), Some(batch))
}

/// The same with another ONNX Runtime library.
pub fn filter_with_library(dir: &Path, line: &str, library: &str) -> Ended {
    let mut command = command(dir, line);
    command.env("ORT_DYLIB_PATH", library);
    run(command, None)
}

fn command(dir: &Path, line: &str) -> Command {
    let mut command = Command::new(pairmill_tests::bin("pairmill-filter"));
    command.args(line.split_whitespace()).current_dir(dir);
    command
}

fn run(mut command: Command, input: Option<&RecordBatch>) -> Ended {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    if let Some(batch) = input {
        let mut stream = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
        stream.write(batch).unwrap();
        stdin.write_all(&stream.into_inner().unwrap()).unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A run that must succeed; its report.
pub fn done(dir: &Path, line: &str) -> serde_json::Value {
    let ended = filter(dir, &format!("{line} --json"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// A run that must fail with this code, print nothing and leave nothing but its input.
pub fn refused(dir: &Path, line: &str, code: i32) -> String {
    let before = names(dir);
    let error = error_of(filter(dir, line), code);
    assert_eq!(names(dir), before, "a failed run leaves nothing");
    error
}

/// The error of a run that must have failed with this code and printed nothing.
pub fn error_of(ended: Ended, code: i32) -> String {
    assert_eq!(ended.code, code, "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
    let error = ended.stderr.find("error:").expect("an error is named");
    ended.stderr[error..].trim_end().to_owned()
}

pub fn names(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Columns of a Parquet file, row by row, as text with blanks between; a null is a dash.
pub fn rows(file: &Path, columns: &[&str]) -> Vec<String> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap()).unwrap();
    let mut rows = Vec::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        for row in 0..batch.num_rows() {
            let cell = |name: &&str| {
                let column = batch.column_by_name(name).unwrap();
                match column.is_null(row) {
                    true => "-".to_owned(),
                    false => array_value_to_string(column, row).unwrap(),
                }
            };
            rows.push(columns.iter().map(cell).collect::<Vec<_>>().join(" "));
        }
    }
    rows
}

/// The columns of a Parquet file.
pub fn columns(file: &Path) -> Vec<String> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap()).unwrap();
    let fields = reader.schema().fields().iter();
    fields.map(|field| field.name().clone()).collect()
}
