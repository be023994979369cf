//! Text tables are read as Python's csv and json read them (`tests/reference/text_tables.py`).

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests do"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use pairmill_tables::{ColumnNames, Table, TableError, open, session, string_column};
use serde::Deserialize;

/// A file and the rows that Python reads from it.
#[derive(Deserialize)]
struct Case {
    name: String,
    /// How the file was made.
    made: String,
    /// Its bytes in hexadecimal.
    content: String,
    rows: Vec<[String; 3]>,
}

/// How many files were read alike, and which were refused.
#[derive(Default)]
struct Tally {
    read: usize,
    refused: Vec<String>,
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits = hexadecimal.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

async fn rows(path: &Path) -> Result<Vec<[String; 3]>, TableError> {
    let session = session(1)?;
    let path = path.to_str().unwrap();
    let frame = open(&session, path, Table::Qa, &ColumnNames::default(), &[]).await?;
    let mut rows = Vec::new();
    for batch in frame.collect().await? {
        let columns = ["id", "question", "answer"].map(|name| string_column(&batch, name).clone());
        for row in 0..batch.num_rows() {
            rows.push(
                columns
                    .each_ref()
                    .map(|column| column.value(row).to_owned()),
            );
        }
    }
    Ok(rows)
}

/// Reads every case; one whose rows differ is a failure, and a refusal names a line.
fn compare(cases: &str) -> Tally {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut tally = Tally::default();
    for (number, line) in cases.lines().enumerate() {
        let case: Case = serde_json::from_str(line).unwrap();
        // Each in a folder of its own, as what is known of a file is kept.
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(&case.name);
        fs::write(&path, bytes(&case.content)).unwrap();
        match runtime.block_on(rows(&path)) {
            Ok(rows) => {
                assert_eq!(rows, case.rows, "case {number} ({})", case.made);
                tally.read += 1;
            }
            Err(error) => {
                let error = error.to_string();
                assert!(error.contains("line "), "case {number}: {error}");
                tally
                    .refused
                    .push(format!("{number} ({}): {error}", case.made));
            }
        }
    }
    tally
}

#[test]
fn rows_are_those_of_pythons_csv_and_json() {
    let cases = include_str!("../../../tests/reference/text_tables.jsonl");
    let tally = compare(cases);
    assert_eq!(tally.read + tally.refused.len(), 100);
    assert!(tally.read >= 95, "{:#?}", tally.refused);
}

#[test]
#[ignore = "makes 3,000 files with Python; `make bench` runs it"]
fn rows_of_three_thousand_files_are_those_of_pythons_csv_and_json() {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/reference/text_tables.py"
    );
    let made = Command::new("python3")
        .args([script, "--csv", "2000", "--json", "1000", "--seed", "2"])
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let tally = compare(&String::from_utf8(made.stdout).unwrap());
    println!("{} read alike, {} refused", tally.read, tally.refused.len());
    assert_eq!(tally.read + tally.refused.len(), 3_000);
    assert!(tally.read >= 2_850, "{:#?}", tally.refused);
}
