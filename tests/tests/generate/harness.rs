//! Runs the program and reads what it wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::ipc::writer::StreamWriter;
use arrow::util::display::array_value_to_string;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

/// How the program ended.
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs the program in `dir`; paths in `line` are relative to it and hold no blanks.
pub fn generate(dir: &Path, line: &str) -> Ended {
    generate_from(dir, line, &[])
}

/// Runs the program with these bytes on standard input.
pub fn generate_from(dir: &Path, line: &str, stdin: &[u8]) -> Ended {
    let mut child = Command::new(pairmill_tests::bin("pairmill-generate"))
        .args(line.split_whitespace())
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its input may close the pipe early.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

pub fn done(dir: &Path, line: &str) -> serde_json::Value {
    let ended = generate(dir, &format!("{line} --json"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// A run that must fail with this code, print nothing and leave nothing but its input.
pub fn refused(dir: &Path, line: &str, code: i32) -> String {
    let before = names(dir);
    let ended = generate(dir, line);
    assert_eq!(ended.code, code, "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
    assert_eq!(names(dir), before, "a failed run leaves nothing");
    let error = ended.stderr.find("error:").expect("an error is named");
    ended.stderr[error..].trim_end().to_owned()
}

pub fn names(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Question/answer pairs as an Arrow IPC stream of two batches.
pub fn arrow_stream(columns: &[Vec<Option<&str>>; 3]) -> Vec<u8> {
    let arrays = columns
        .each_ref()
        .map(|texts| -> ArrayRef { Arc::new(StringArray::from(texts.clone())) });
    let fields = ["id", "question", "answer"].into_iter().zip(arrays);
    let batch = RecordBatch::try_from_iter(fields).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    let half = batch.num_rows() / 2;
    writer.write(&batch.slice(0, half)).unwrap();
    writer
        .write(&batch.slice(half, batch.num_rows() - half))
        .unwrap();
    writer.into_inner().unwrap()
}

/// A Parquet file's rows as text.
pub fn table(dir: &Path, name: &str) -> Vec<Vec<String>> {
    let file = File::open(dir.join(name).with_extension("parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .build()
        .unwrap();
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        for at in 0..batch.num_rows() {
            let cell = |column: &ArrayRef| array_value_to_string(column, at).unwrap();
            rows.push(batch.columns().iter().map(cell).collect());
        }
    }
    rows
}

pub fn tables(dir: &Path) -> BTreeMap<String, Vec<Vec<String>>> {
    names(dir)
        .into_iter()
        .filter(|name| name.ends_with(".parquet"))
        .map(|name| (name.clone(), table(dir, &name)))
        .collect()
}

/// 240 questions on 120 answers; some questions come twice, in other white space.
pub fn qa_rows() -> Vec<String> {
    (0..240)
        .map(|n| match n % 20 {
            7 => format!(
                "q{n:03},how do I reset device {}?,Hold the button for {} seconds.",
                n - 1,
                n % 120
            ),
            8 => format!(
                "q{n:03}, how  do I reset device {}? ,Hold  the button for {} seconds. ",
                n - 2,
                n % 120
            ),
            _ => format!(
                "q{n:03},how do I reset device {n}?,Hold the button for {} seconds.",
                n % 120
            ),
        })
        .collect()
}

/// 300 tickets in 5 categories; text 7 and its like stand under two.
pub fn ticket_rows() -> Vec<String> {
    (0..300)
        .map(|n| match n % 60 {
            7 => format!("t{n:03},the screen shows code {},category {}", n - 1, n % 5),
            _ => format!("t{n:03},the screen shows code {n},category {}", n % 5),
        })
        .collect()
}

pub fn write_csv(path: &Path, header: &str, rows: &[String]) {
    fs::write(path, format!("{header}\n{}\n", rows.join("\n"))).unwrap();
}

pub fn folder_with_inputs() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write_csv(&dir.path().join("qa.csv"), "id,question,answer", &qa_rows());
    write_csv(
        &dir.path().join("tickets.csv"),
        "id,text,category",
        &ticket_rows(),
    );
    dir
}
