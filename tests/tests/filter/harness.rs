//! The candidates and the model that the tests start from.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, Int32Array, RecordBatch, StringArray};
use pairmill_tables::{Lineage, Table};
use pairmill_tests::tables;
use tempfile::TempDir;

use crate::tiny_model::TinyModel;

/// A command line without options.
pub const LINE: &str = "--candidates candidates.parquet --model model --output out.parquet";

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
    tables::write(
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
    let not_ranked = || -> ArrayRef { Arc::new(Int32Array::new_null(rows.len())) };
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
        unscored(),
        not_ranked(),
        not_ranked(),
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

/// Columns of a Parquet file, row by row, as text with blanks between.
pub fn rows(file: &Path, columns: &[&str]) -> Vec<String> {
    let rows = tables::rows(file, columns);
    rows.iter().map(|row| row.join(" ")).collect()
}

/// Two files of the same rows and the same lineage; only the main output has the figures of its
/// run.
pub fn assert_same_table(one: &Path, other: &Path) {
    let columns = |file: &Path| pairmill_tests::tables::read(file).columns().to_vec();
    assert!(columns(one) == columns(other), "{}", other.display());
    assert_eq!(Lineage::of_parquet(one), Lineage::of_parquet(other));
}
