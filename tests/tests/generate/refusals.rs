//! What the program refuses, and how it says so.

use std::fs;

use insta::assert_snapshot;
use pairmill_tests::GENERATE;

use crate::harness::{folder_with_inputs, qa_rows, table, tables, write_csv};

#[test]
fn input_that_makes_no_data_set_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let qa = |rows: &[&str]| {
        let rows: Vec<_> = rows.iter().map(|&row| row.to_owned()).collect();
        write_csv(&dir.path().join("qa.csv"), "id,question,answer", &rows);
        GENERATE.refused(dir.path(), "qa --input qa.csv --output out", 1)
    };
    assert_snapshot!(qa(&["1,why?,so", "2,how?,thus", "1,when?,so"]), @r#"error: qa.csv: the id `1` stands for two rows that differ in `question` ("when?" and "why?"); give each row its own id"#);
    assert_snapshot!(qa(&["1,why?,so", "2,how?,thus"]), @"error: qa.csv: no query is left for dev of 2 rows with 2 distinct answers (split 0.8,0.1,0.1); bring more rows or give dev more with --split");
    assert_snapshot!(qa(&["1, ,so", "2,how?, "]), @"error: qa.csv: `question` or `answer` is empty in every row of 2; nothing is left");
    let tickets = |rows: &[&str]| {
        let rows: Vec<_> = rows.iter().map(|&row| row.to_owned()).collect();
        write_csv(&dir.path().join("qa.csv"), "id,text,category", &rows);
        GENERATE.refused(dir.path(), "tickets --input qa.csv --output out", 1)
    };
    assert_snapshot!(tickets(&["1,broken,A", "2,late, A "]), @"error: qa.csv: every ticket has the category `A`; expected at least two categories");
    assert_snapshot!(tickets(&["1,broken,A", "2,late,B", "3,lost,C"]), @"error: qa.csv: no category of 3 has two different texts in train, so there is no positive pair; bring more rows or check the category column");
}

#[test]
fn a_question_with_the_id_of_an_answer_is_refused() {
    let dir = folder_with_inputs();
    GENERATE.done(dir.path(), "qa --input qa.csv --output out");
    let mut rows = qa_rows();
    let corpus = table(&dir.path().join("out"), "corpus");
    rows.push(format!(
        "{},whose id is this?,an answer of its own",
        corpus[3][0]
    ));
    write_csv(&dir.path().join("bad.csv"), "id,question,answer", &rows);
    let error = GENERATE.refused(dir.path(), "qa --input bad.csv --output bad", 1);
    assert!(
        error.contains(&format!("`{}` is also the id of an answer", corpus[3][0])),
        "{error}"
    );
}

#[test]
fn unsound_files_are_refused_and_leave_nothing() {
    let dir = folder_with_inputs();
    let path = dir.path();
    fs::write(path.join("null.jsonl"), "{\"id\":1,\"question\":\"a\",\"answer\":\"b\"}\n{\"id\":2,\"question\":null,\"answer\":\"b\"}\n").unwrap();
    fs::write(
        path.join("type.jsonl"),
        "{\"id\":1,\"question\":\"a\",\"answer\":0.5}\n",
    )
    .unwrap();
    fs::write(path.join("empty.csv"), "id,question,answer\n").unwrap();
    GENERATE.done(path, "qa --input qa.csv --output out");
    let whole = fs::read(path.join("out/corpus.parquet")).unwrap();
    fs::write(path.join("cut.parquet"), &whole[..whole.len() / 2]).unwrap();
    let error = |file: &str| GENERATE.refused(path, &format!("qa --input {file} --output new"), 1);
    assert_snapshot!(error("nowhere.parquet"), @"error: nowhere.parquet: no such file or folder; check the path");
    assert_snapshot!(error("tickets.csv"), @"error: tickets.csv: no column `question` (needed for a qa table); found id, text, category; name another one with --question-column");
    assert_snapshot!(error("type.jsonl"), @"error: type.jsonl: column `answer` is of numbers; expected text");
    assert_snapshot!(error("null.jsonl"), @"error: null.jsonl: column `question` is null in line 2; fill it or remove the row");
    assert_snapshot!(error("empty.csv"), @"error: empty.csv: has no rows; expected a qa table with at least one");
    assert_snapshot!(error("cut.parquet"), @"error: cut.parquet: not a sound Parquet file: it ends without its footer, so its writing was broken off or is not done; write it again");
}

#[test]
fn a_failed_run_leaves_the_earlier_output() {
    let dir = folder_with_inputs();
    GENERATE.done(dir.path(), "qa --input qa.csv --output out");
    let before = tables(&dir.path().join("out"));
    GENERATE.refused(dir.path(), "qa --input tickets.csv --output out", 1);
    assert_eq!(tables(&dir.path().join("out")), before);
}

#[test]
fn wrong_options_are_wrong_usage() {
    let dir = folder_with_inputs();
    let error = |options: &str| {
        GENERATE.refused(
            dir.path(),
            &format!("qa --input qa.csv --output out {options}"),
            2,
        )
    };
    assert_snapshot!(error("--split 0.8,0.3,0.1"), @"
    error: invalid value '0.8,0.3,0.1' for '--split <TRAIN,DEV,TEST>': expected three positive fractions that sum to 1, such as 0.8,0.1,0.1

    For more information, try '--help'.
    ");
    assert!(error("--split 0.9,0.1,0").contains("three positive fractions"));
    assert!(error("--limit 0").contains("--limit"));
    assert!(error("--negatives-per-question -1").contains("-1"));
    let ended = GENERATE.run(dir.path(), "--version");
    assert_eq!(
        (ended.code, ended.stdout.starts_with("pairmill-generate ")),
        (0, true)
    );
}
