//! `pairmill-generate` as its users run it: files in, folders out.

mod augment;
mod check;
mod convert;
mod corpus;
mod documents;
mod harness;
mod intake;
mod judging;
mod labelling;
mod language_model;
mod promises;
mod refusals;
mod spellings;

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use pairmill_tables::Lineage;
use pairmill_tests::{GENERATE, names};

use crate::harness::{
    arrow_stream, folder_with_inputs, qa_rows, table, tables, ticket_rows, write_csv,
};
use crate::promises::{check_qa, check_tickets};

#[test]
fn qa_writes_the_tables_of_the_contract() {
    let dir = folder_with_inputs();
    let summary = GENERATE.done(
        dir.path(),
        "qa --input qa.csv --output out --negatives-per-question 3",
    );
    let out = dir.path().join("out");
    let expected = "corpus.parquet labeled_dev.parquet labeled_test.parquet labeled_train.parquet lineage.json \
                    pairs_train.parquet qrels_dev.parquet qrels_test.parquet qrels_train.parquet \
                    queries_dev.parquet queries_test.parquet summary.json";
    assert_eq!(
        names(&out).into_iter().collect::<Vec<_>>(),
        expected.split_whitespace().collect::<Vec<_>>()
    );
    check_qa(&out, 3);
    assert_eq!(summary["up_to_date"], false);
    assert_eq!(summary["rows"]["read"], 240);
    assert_eq!(summary["answers"], table(&out, "corpus").len());
    assert_eq!(
        summary["splits"]["train"]["positives"],
        table(&out, "pairs_train").len()
    );
    for name in tables(&out).keys() {
        let lineage = Lineage::of_parquet(&out.join(name)).expect(name);
        assert_eq!((lineage.stage.as_str(), lineage.seed), ("generate qa", 42));
    }
}

#[test]
fn tickets_write_the_tables_of_the_contract() {
    let dir = folder_with_inputs();
    let ended = GENERATE.run(
        dir.path(),
        "tickets --input tickets.csv --output out --max-pairs 500 --negatives-per-positive 2",
    );
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("texts stand under more than one category"),
        "{}",
        ended.stderr
    );
    let out = dir.path().join("out");
    let expected = "corpus.parquet labeled_dev.parquet labeled_test.parquet labeled_train.parquet lineage.json \
                    pairs_train.parquet qrels_dev.parquet qrels_test.parquet queries_dev.parquet \
                    queries_test.parquet summary.json tickets_dev.parquet tickets_test.parquet tickets_train.parquet";
    assert_eq!(
        names(&out).into_iter().collect::<Vec<_>>(),
        expected.split_whitespace().collect::<Vec<_>>()
    );
    check_tickets(&out, 500, 2);
    assert_eq!(table(&out, "pairs_train").len(), 500);
}

#[test]
fn neither_the_order_of_rows_nor_the_threads_change_a_byte_of_the_tables() {
    let dir = folder_with_inputs();
    // 7 and the number of rows share no factor, so this visits each row once.
    let shuffled = |rows: Vec<String>| -> Vec<String> {
        (0..rows.len())
            .map(|n| rows[n * 7 % rows.len()].clone())
            .collect()
    };
    write_csv(
        &dir.path().join("qa_shuffled.csv"),
        "id,question,answer",
        &shuffled(qa_rows()),
    );
    write_csv(
        &dir.path().join("tickets_shuffled.csv"),
        "id,text,category",
        &shuffled(ticket_rows()),
    );
    for kind in ["qa", "tickets"] {
        GENERATE.done(
            dir.path(),
            &format!("{kind} --input {kind}.csv --output {kind} --threads 4"),
        );
        GENERATE.done(
            dir.path(),
            &format!("{kind} --input {kind}.csv --output {kind}_one --threads 1"),
        );
        GENERATE.done(
            dir.path(),
            &format!("{kind} --input {kind}_shuffled.csv --output {kind}_shuffled"),
        );
        let [first, one_thread, shuffled] =
            ["", "_one", "_shuffled"].map(|suffix| dir.path().join(format!("{kind}{suffix}")));
        for name in names(&first) {
            let bytes = |folder: &std::path::PathBuf| fs::read(folder.join(&name)).unwrap();
            assert!(bytes(&first) == bytes(&one_thread), "{name}");
        }
        // The footers differ: they hold the hash of the input file.
        assert_eq!(tables(&first), tables(&shuffled));
    }
}

#[test]
fn an_output_that_is_up_to_date_is_left_alone() {
    let dir = folder_with_inputs();
    let line = "qa --input qa.csv --output out";
    let first = GENERATE.done(dir.path(), line);
    let made = fs::metadata(dir.path().join("out"))
        .unwrap()
        .modified()
        .unwrap();
    let mut again = GENERATE.done(dir.path(), line);
    assert_eq!(again["up_to_date"], true);
    again["up_to_date"] = false.into();
    assert_eq!(again, first);
    assert_eq!(
        fs::metadata(dir.path().join("out"))
            .unwrap()
            .modified()
            .unwrap(),
        made
    );
    assert_eq!(
        GENERATE.done(dir.path(), &format!("{line} --force"))["up_to_date"],
        false
    );
    let before = tables(&dir.path().join("out"));
    assert_eq!(
        GENERATE.done(dir.path(), &format!("{line} --seed 7"))["up_to_date"],
        false
    );
    assert_ne!(tables(&dir.path().join("out")), before);
}

#[test]
fn a_limit_takes_whole_rows_and_a_smaller_one_takes_fewer_of_the_same() {
    let dir = folder_with_inputs();
    let mut pairs = Vec::new();
    for limit in [80, 160] {
        let out = format!("out{limit}");
        let summary = GENERATE.done(
            dir.path(),
            &format!("qa --input qa.csv --output {out} --limit {limit}"),
        );
        assert_eq!(summary["rows"]["used"], limit);
        let rows: BTreeSet<_> = table(&dir.path().join(out), "corpus").into_iter().collect();
        pairs.push(rows);
    }
    let ids = |rows: &BTreeSet<Vec<String>>| {
        rows.iter()
            .map(|row| row[0].clone())
            .collect::<BTreeSet<_>>()
    };
    assert!(ids(&pairs[0]).is_subset(&ids(&pairs[1])));
}

#[test]
fn columns_have_other_names_and_ids_may_be_absent() {
    let dir = folder_with_inputs();
    let strip = |row: &String| row.split_once(',').unwrap().1.to_owned();
    let rows: Vec<_> = qa_rows().iter().map(strip).collect();
    write_csv(&dir.path().join("faq.csv"), "prompt,reply", &rows);
    GENERATE.done(
        dir.path(),
        "qa --input faq.csv --output out --question-column prompt --answer-column reply",
    );
    check_qa(&dir.path().join("out"), 1);
    let queries = table(&dir.path().join("out"), "queries_dev");
    assert!(
        queries
            .iter()
            .all(|row| row[0].starts_with("r-") && row[0].len() == 18)
    );
    let error = GENERATE.refused(
        dir.path(),
        "qa --input faq.csv --output o --question-column prompt --answer-column reply --id-column key",
        1,
    );
    assert_snapshot!(error, @"error: faq.csv: no column `key` (needed for a qa table); found prompt, reply; name another one with --id-column");
}

#[test]
fn standard_input_is_an_arrow_stream_and_is_checked_while_it_is_read() {
    let dir = folder_with_inputs();
    let rows = qa_rows();
    let columns: [Vec<Option<&str>>; 3] =
        std::array::from_fn(|at| rows.iter().map(|row| row.split(',').nth(at)).collect());
    let from_file = GENERATE.done(dir.path(), "qa --input qa.csv --output file");
    let ended = GENERATE.run_with_stdin(
        dir.path(),
        "qa --input - --output piped --json",
        &arrow_stream(&columns),
    );
    assert_eq!(ended.report()["splits"], from_file["splits"]);
    assert_eq!(
        tables(&dir.path().join("piped")),
        tables(&dir.path().join("file"))
    );

    let mut with_null = columns;
    with_null[2][4] = None;
    let ended = GENERATE.run_with_stdin(
        dir.path(),
        "qa --input - --output bad",
        &arrow_stream(&with_null),
    );
    assert_eq!(ended.code, 1);
    assert!(
        ended.stderr.contains("column `answer` is null in row 5"),
        "{}",
        ended.stderr
    );
    assert!(!dir.path().join("bad").exists());
}

#[test]
fn identical_rows_are_folded_and_empty_ones_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let mut rows = qa_rows();
    rows.push(rows[5].clone());
    rows.push("q900,what is this?, ".to_owned());
    write_csv(&dir.path().join("qa.csv"), "id,question,answer", &rows);
    let summary = GENERATE.done(dir.path(), "qa --input qa.csv --output out");
    let expected = serde_json::json!({"read": 242, "folded": 1, "dropped": 1, "used": 240});
    assert_eq!(summary["rows"], expected);
}

#[test]
fn real_data_keeps_the_promises_in_seconds() {
    let Some(data) = pairmill_tests::data() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    for (kind, file) in [
        ("qa", "medquad/qa.parquet"),
        ("qa", "nl2bash/qa.parquet"),
        ("tickets", "banking77/tickets_train.parquet"),
    ] {
        let input = fs::canonicalize(data.join(file)).unwrap();
        let start = Instant::now();
        let summary = GENERATE.done(
            dir.path(),
            // The checks compare texts as they are.
            &format!(
                "{kind} --input {} --output {kind} --same-text identical",
                input.display()
            ),
        );
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{file}: {:?}",
            start.elapsed()
        );
        eprintln!("{file}: {:?}, {summary}", start.elapsed());
        match kind {
            "qa" => check_qa(&dir.path().join(kind), 1),
            _ => check_tickets(&dir.path().join(kind), 10_000, 1),
        }
    }
}
