//! Choosing which passages of which queries to judge, filling it in, and reading it back.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use pairmill_tests::tables::rows;
use pairmill_tests::{GENERATE, TRAIN, write_tiny_model};
use serde_json::json;
use tempfile::TempDir;

use crate::harness::write_csv;

const SELECT: &str = "select-pairs --pool queries.csv --corpus corpus.csv --model onnx --cache cache \
                      --output sheet.csv";
const COLLECT: &str = "collect-pairs --pool queries.csv --corpus corpus.csv --sheet sheet.csv \
                       --output judged.parquet";

/// 40 queries, 10 passages, one that is a query itself, and a tiny model.
fn workplace() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    let things = [
        "lamp", "door", "pump", "hinge", "motor", "valve", "cable", "phone", "plug", "fan",
    ];
    let queries = (0..40).map(|n| format!("q{n:02},how do I mend {} {n}", things[n % 10]));
    write_csv(
        &path.join("queries.csv"),
        "id,text",
        &queries.collect::<Vec<_>>(),
    );
    let passages = things
        .iter()
        .enumerate()
        .map(|(n, thing)| format!("p{n},=the {thing} is mended by hand"))
        .chain(["p10,How do I mend lamp 0?".to_owned()]);
    write_csv(
        &path.join("corpus.csv"),
        "id,text",
        &passages.collect::<Vec<_>>(),
    );
    write_tiny_model(&path.join("tiny"));
    TRAIN.done(path, "export --model tiny --output onnx");
    dir
}

/// Fills in a sheet: a passage is relevant where its number is the last digit of the query's.
fn fill(dir: &Path, sheet: &str, yes_and_no: [&str; 2], is_filled: impl Fn(usize) -> bool) {
    let text = fs::read_to_string(dir.join(sheet)).unwrap();
    let mut lines = text.lines();
    let mut filled = vec![lines.next().unwrap().to_owned()];
    for (number, line) in lines.enumerate() {
        let mut cells: Vec<&str> = line.split(',').collect();
        if is_filled(number) {
            let is_relevant = cells[0][2..] == cells[1][1..];
            cells[4] = yes_and_no[usize::from(!is_relevant)];
        }
        filled.push(cells.join(","));
    }
    // A spreadsheet may have sorted them.
    filled[1..].reverse();
    fs::write(dir.join(sheet), filled.join("\n")).unwrap();
}

#[test]
fn passages_go_out_to_be_judged_and_come_back_as_labelled_pairs() {
    let dir = workplace();
    let path = dir.path();
    let first = GENERATE.done(path, &format!("{SELECT} --number 60 --per-query 3"));
    assert_eq!(
        [&first["chosen"], &first["queries"], &first["round"]],
        [&json!(60), &json!(20), &json!(1)]
    );
    let sheet = fs::read_to_string(path.join("sheet.csv")).unwrap();
    let mut lines = sheet.lines();
    assert_eq!(
        lines.next(),
        Some("query_id,corpus_id,query,passage,relevant,similarity,round")
    );
    // No spreadsheet takes a passage for a formula, and no query answers itself.
    assert!(
        lines.all(|line| line.contains(",'=the ") || line.contains(",p10,")),
        "{sheet}"
    );
    assert!(!sheet.contains("q00,p10,"), "{sheet}");
    fill(path, "sheet.csv", ["Yes", "0"], |row| row % 4 != 3);

    let collected = GENERATE.done(path, COLLECT);
    assert_eq!(
        [&collected["filled"], &collected["blank"]],
        [&json!(45), &json!(15)]
    );
    let columns = [
        "sentence1_id",
        "sentence1",
        "sentence2_id",
        "sentence2",
        "score",
        "round",
    ];
    let judged = rows(&path.join("judged.parquet"), &columns);
    assert_eq!(judged.len(), 45);
    for row in &judged {
        let is_passage = row[3].starts_with("=the ") || row[2] == "p10";
        assert!(row[1].starts_with("how do I mend") && is_passage, "{row:?}");
        let expected = if row[0][2..] == row[2][1..] { "1" } else { "0" };
        assert_eq!(
            (row[4].trim_end_matches(".0"), row[5].as_str()),
            (expected, "1"),
            "{row:?}"
        );
    }

    // Neither what is judged nor queries with an answer come again.
    let line = SELECT.replace("sheet.csv", "second.csv");
    let second = GENERATE.done(
        path,
        &format!("{line} --judged judged.parquet --number 200 --per-query 2"),
    );
    let answered = judged.iter().filter(|row| row[4].starts_with('1')).count();
    assert!(answered > 0);
    assert_eq!(
        [&second["answered"], &second["round"], &second["queries"]],
        [&json!(answered), &json!(2), &json!(40 - answered)]
    );
    let sheet = fs::read_to_string(path.join("second.csv")).unwrap();
    for row in &judged {
        let again = format!("{},{},", row[0], row[2]);
        assert!(!sheet.contains(&again), "{again}");
        let is_answered = row[4].starts_with('1');
        assert!(
            !is_answered || !sheet.contains(&format!("\n{},", row[0])),
            "{row:?}"
        );
    }
    fill(path, "second.csv", ["x", "no"], |_| true);
    let line = COLLECT
        .replace("sheet.csv", "second.csv")
        .replace("judged.p", "both.p");
    let both = GENERATE.done(path, &format!("{line} --judged judged.parquet"));
    let all = both["relevant"].as_u64().unwrap() + both["irrelevant"].as_u64().unwrap();
    assert_eq!(all, 45 + second["chosen"].as_u64().unwrap());

    // What came back is what pairs are made of.
    let pairs = GENERATE.done(
        path,
        "pairs --input both.parquet --output pairs --split 0.4,0.3,0.3",
    );
    assert_eq!(pairs["rows"]["read"], json!(all));
}

#[test]
fn equal_inputs_give_an_equal_sheet_whatever_the_number_of_threads() {
    let dir = workplace();
    let mut sheets = Vec::new();
    for strategy in ["diverse", "margin", "random"] {
        for threads in [1, 3] {
            let line =
                format!("{SELECT} --number 9 --strategy {strategy} --threads {threads} --force");
            GENERATE.done(dir.path(), &line);
            sheets.push(fs::read_to_string(dir.path().join("sheet.csv")).unwrap());
        }
    }
    for of_strategy in sheets.chunks(2) {
        assert_eq!(of_strategy[0], of_strategy[1]);
    }
}

#[test]
fn sheets_that_cannot_be_read_are_refused_with_row_and_remedy() {
    let dir = workplace();
    let path = dir.path();
    let refused = |line: &str| GENERATE.refused(path, line, 1);
    GENERATE.done(path, &format!("{SELECT} --number 4"));
    assert_snapshot!(refused(COLLECT), @"error: sheet.csv: none of the 4 rows is judged; fill in the column `relevant` first");
    let sheet = |rows: &[&str]| {
        let rows: Vec<String> = rows.iter().map(|&row| row.to_owned()).collect();
        write_csv(
            &path.join("sheet.csv"),
            "query_id,corpus_id,relevant",
            &rows,
        );
    };
    sheet(&["q01,p1,maybe"]);
    assert_snapshot!(refused(COLLECT), @"error: sheet.csv: `maybe` in the column `relevant`, for the query `q01` and the passage `p1`; write 1 (or yes) where the passage answers the query and 0 (or no) where it does not, and leave what is undecided blank");
    sheet(&["q01,p1,1", "q01,p1,0"]);
    assert_snapshot!(refused(COLLECT), @"error: sheet.csv: the passage `p1` is judged relevant to the query `q01` in one row and not relevant in another; keep one");
    sheet(&["q01,p77,1"]);
    assert_snapshot!(refused(COLLECT), @"error: sheet.csv: the id `p77` is not in corpus.csv; give the pool that the sheet was made of, or correct the id");
    let all: Vec<String> = (0..40).map(|n| format!("q{n:02},p1,yes")).collect();
    write_csv(&path.join("sheet.csv"), "query_id,corpus_id,relevant", &all);
    GENERATE.done(path, COLLECT);
    let line = SELECT.replace("sheet.csv", "other.csv");
    assert_snapshot!(refused(&format!("{line} --judged judged.parquet")), @"error: queries.csv: no query is left to judge passages of (40 queries, of which 40 have a relevant passage already; 11 passages in corpus.csv)");
}
