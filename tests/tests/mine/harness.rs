//! Runs the program and reads what it wrote.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

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
pub fn mine(dir: &Path, line: &str) -> Ended {
    let output = Command::new(pairmill_tests::bin("pairmill-mine"))
        .args(line.split_whitespace())
        .current_dir(dir)
        .output()
        .unwrap();
    Ended {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

pub fn done(dir: &Path, line: &str) -> serde_json::Value {
    let ended = mine(dir, &format!("{line} --json"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// A run that must fail with this code, print nothing and leave nothing but its input.
pub fn refused(dir: &Path, line: &str, code: i32) -> String {
    let before = names(dir);
    let ended = mine(dir, line);
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

/// Columns of a Parquet file, row by row, as text; nulls are empty.
pub fn rows(file: &Path, columns: &[&str]) -> Vec<Vec<String>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(file).unwrap()).unwrap();
    let mut rows = Vec::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let columns: Vec<_> = columns
            .iter()
            .map(|name| batch.column_by_name(name).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let cell = |column: &&_| array_value_to_string(column, row).unwrap();
            rows.push(columns.iter().map(cell).collect());
        }
    }
    rows
}

/// A help desk's pairs, corpus and judgements.
pub fn help_desk() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write(
        "pairs.csv",
        "anchor_id,anchor,positive_id,positive\n\
         q1,how do I reset the device?,p1,Hold the button for ten seconds to reset.\n\
         q2,How  do I reset the device? ,p2,Pull the plug and reset it.\n\
         q3,zebra?,p3,Stripes are black.\n",
    );
    write(
        "corpus.csv",
        "id,title,text,topic\n\
         p1,,Hold the button for ten seconds to reset.,device\n\
         p2,,Pull the plug and reset it.,device\n\
         p3,,Stripes are black.,animals\n\
         d1,,hold the  BUTTON for ten seconds to reset.,copies\n\
         q1,,Reset everything else.,others\n\
         d2,How do,i reset the DEVICE?,questions\n\
         d3,Device,Reset the password.,device\n\
         d4,,Reset the router.,network\n\
         d5,,Judged: reset by remote control.,network\n\
         d6,,Nothing of the kind.,network\n",
    );
    write(
        "qrels.csv",
        "query_id,corpus_id,score\nq1,d5,1\nq1,nowhere,2\nq1,d4,0\nstranger,d3,1\n",
    );
    dir
}
