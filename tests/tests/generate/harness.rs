//! The tables that the tests read from, and how they read what was made of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use pairmill_tests::names;
use pairmill_tests::tables::{columns, rows, stream};
use tempfile::TempDir;

/// Question/answer pairs as an Arrow IPC stream of two batches.
pub fn arrow_stream(columns: &[Vec<Option<&str>>; 3]) -> Vec<u8> {
    let arrays = columns
        .each_ref()
        .map(|texts| -> ArrayRef { Arc::new(StringArray::from(texts.clone())) });
    let fields = ["id", "question", "answer"].into_iter().zip(arrays);
    let batch = RecordBatch::try_from_iter(fields).unwrap();
    let half = batch.num_rows() / 2;
    stream(&[
        batch.slice(0, half),
        batch.slice(half, batch.num_rows() - half),
    ])
}

/// A Parquet file's rows as text.
pub fn table(dir: &Path, name: &str) -> Vec<Vec<String>> {
    let file = dir.join(name).with_extension("parquet");
    rows(&file, &columns(&file))
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

/// Writes a file of `dir`, with the folders of its name.
pub(crate) fn write(dir: &Path, name: &str, content: impl AsRef<[u8]>) {
    let file = dir.join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, content).unwrap();
}
