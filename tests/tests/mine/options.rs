//! What the options change.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use pairmill_tests::MINE;
use pairmill_tests::tables::rows;
use serde_json::{Value, json};

use crate::harness::help_desk;

const LINE: &str = "--pairs pairs.csv --corpus corpus.csv --qrels qrels.csv --output out.parquet";

/// The values of some columns, joined by blanks, of the rows of a query.
fn table(dir: &Path, file: &str, query: &str, columns: &[&str]) -> Vec<String> {
    let all: Vec<&str> = [query_column(file)]
        .into_iter()
        .chain(columns.iter().copied())
        .collect();
    let rows = rows(&dir.join(file), &all).into_iter();
    rows.filter(|row| row[0] == query)
        .map(|row| row[1..].join(" "))
        .collect()
}

fn query_column(file: &str) -> &'static str {
    match file {
        "audit.parquet" => "query_id",
        "labeled.parquet" => "sentence1_id",
        _ => "anchor_id",
    }
}

#[test]
fn training_rows_are_written_without_a_filter() {
    let dir = help_desk();
    let line = format!("{LINE} --format triplet --num-negatives 1 --audit audit.parquet");
    let report = MINE.done(dir.path(), &line);
    assert_eq!(
        (&report["candidates"], &report["rows"]),
        (&json!(16), &json!(2))
    );
    let columns = ["positive_id", "negative_id", "negative"];
    assert_eq!(
        table(dir.path(), "out.parquet", "q1", &columns),
        ["p1 d3 Device Reset the password."]
    );
    let audit = table(
        dir.path(),
        "audit.parquet",
        "q1",
        &["corpus_id", "decision", "reason"],
    );
    assert!(audit.contains(&"d3 keep negative".to_owned()), "{audit:?}");
    assert!(audit.contains(&"d4 drop surplus".to_owned()), "{audit:?}");
    assert_eq!(audit.len(), 8);
    assert_eq!(MINE.done(dir.path(), &line)["up_to_date"], true);
    fs::remove_file(dir.path().join("audit.parquet")).unwrap();
    assert_eq!(MINE.done(dir.path(), &line)["up_to_date"], false);
}

#[test]
fn n_tuples_hold_the_pairs_that_have_all_their_negatives() {
    let dir = help_desk();
    MINE.done(
        dir.path(),
        &format!("{LINE} --format n-tuple --num-negatives 3"),
    );
    let columns = [
        "positive_id",
        "negative_1_id",
        "negative_2_id",
        "negative_3_id",
    ];
    assert_eq!(table(dir.path(), "out.parquet", "q1", &columns), [""; 0]);
    assert_eq!(
        table(dir.path(), "out.parquet", "q2", &columns),
        ["p2 q1 d3 d4"]
    );
}

#[test]
fn positives_among_the_candidates_are_labelled_as_such() {
    let dir = help_desk();
    let line = LINE.replace("out.parquet", "labeled.parquet");
    MINE.done(
        dir.path(),
        &format!("{line} --format labeled-pair --include-positives --num-negatives 9"),
    );
    let mut labels = table(
        dir.path(),
        "labeled.parquet",
        "q1",
        &["sentence2_id", "score"],
    );
    labels.sort();
    assert_eq!(
        labels,
        ["d1 1.0", "d3 0.0", "d4 0.0", "d5 1.0", "p1 1.0", "p2 1.0"]
    );
}

#[test]
fn near_duplicates_of_a_positive_are_no_negatives() {
    let dir = help_desk();
    let corpus = fs::read_to_string(dir.path().join("corpus.csv")).unwrap();
    let copy = "d8,,\"Hold the button for ten seconds to reset, please.\",copies\n";
    fs::write(dir.path().join("corpus.csv"), corpus + copy).unwrap();
    let reason = |options: &str| {
        MINE.done(
            dir.path(),
            &format!("{LINE} {options} --format triplet --audit audit.parquet"),
        );
        let audit = table(dir.path(), "audit.parquet", "q1", &["corpus_id", "reason"]);
        audit.into_iter().find(|row| row.starts_with("d8")).unwrap()
    };
    assert_eq!(
        reason("--num-negatives 5"),
        "d8 negative",
        "6 of 7 shingles"
    );
    assert_eq!(reason("--near-duplicates 0.8"), "d8 near_duplicate");
}

#[test]
fn the_margin_is_to_the_score_of_the_querys_lowest_positive() {
    let dir = help_desk();
    fs::write(
        dir.path().join("pairs.csv"),
        "anchor_id,anchor,positive_id,positive\n\
         q1,how do I reset the device?,p1,Hold the button for ten seconds to reset.\n\
         q1,how do I reset the device?,d3,Device Reset the password.\n",
    )
    .unwrap();
    MINE.done(dir.path(), &format!("{LINE} --absolute-margin -0.3"));
    fs::rename(
        dir.path().join("out.parquet"),
        dir.path().join("audit.parquet"),
    )
    .unwrap();
    let columns = ["corpus_id", "bm25", "positive_bm25", "reason"];
    let rows = table(dir.path(), "audit.parquet", "q1", &columns);
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.split(' ').collect()).collect();
    let number = |text: &str| text.parse::<f32>().unwrap();
    let lowest = rows
        .iter()
        .map(|row| number(row[2]))
        .fold(f32::MAX, f32::min);
    let judged: Vec<_> = rows
        .iter()
        .filter(|row| ["negative", "absolute_margin"].contains(&row[3]))
        .collect();
    assert!(judged.iter().any(|row| row[3] == "negative"));
    for row in &judged {
        assert_eq!(
            row[3] == "absolute_margin",
            number(row[1]) - 0.3 > lowest,
            "{row:?}"
        );
    }
    // A positive that is among the hits scores there what it scores as a positive.
    let hit = rows.iter().find(|row| row[0] == "p1").unwrap();
    assert!(rows.iter().any(|row| row[2] == hit[1]), "{rows:?}");
}

#[test]
fn random_negatives_depend_on_the_seed_and_not_on_other_queries() {
    let dir = help_desk();
    let negatives = |options: &str| {
        let line = "--format triplet --num-negatives 1 --sampling-strategy random";
        MINE.done(dir.path(), &format!("{LINE} {line} {options}"));
        table(dir.path(), "out.parquet", "q2", &["negative_id"])
    };
    let first = negatives("--seed 1");
    assert_eq!(negatives("--seed 1 --force --threads 1"), first);
    let drawn: std::collections::BTreeSet<_> = (2..12)
        .flat_map(|seed| negatives(&format!("--seed {seed}")))
        .collect();
    assert!(drawn.len() > 1, "{drawn:?}");
    let pairs = fs::read_to_string(dir.path().join("pairs.csv")).unwrap();
    let without_q1: Vec<_> = pairs
        .lines()
        .filter(|line| !line.starts_with("q1"))
        .collect();
    fs::write(dir.path().join("pairs.csv"), without_q1.join("\n")).unwrap();
    let alone = negatives("--seed 1");
    assert_eq!(alone.len(), 1);
}

#[test]
fn the_analysis_and_the_parameters_are_options() {
    let dir = help_desk();
    fs::write(
        dir.path().join("queries.csv"),
        "id,text\nq1,resets of the device\n",
    )
    .unwrap();
    let run = |options: &str| {
        let line = "search --corpus corpus.csv --queries queries.csv --output run.parquet";
        MINE.done(dir.path(), &format!("{line} {options}"));
        rows(&dir.path().join("run.parquet"), &["corpus_id", "score"])
    };
    let plain = run("");
    assert_eq!(
        run("--language none").len(),
        8,
        "`of`, `the` and `device` match, `resets` does not"
    );
    assert!(plain.len() > 5);
    assert_ne!(run("--k1 0.9 --b 0.4"), plain);
    assert_ne!(run("--title-weight 3"), plain);
    assert_eq!(
        run("--max-query-terms 1").len(),
        3,
        "`device` is rarer than `reset`"
    );
}

#[test]
fn the_files_of_beir_are_read_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write(
        "corpus.jsonl",
        "{\"_id\": \"1\", \"title\": \"Device\", \"text\": \"Reset it.\", \"metadata\": {}}\n\
         {\"_id\": \"2\", \"title\": \"\", \"text\": \"Press reset.\", \"metadata\": {}}\n",
    );
    write(
        "queries.jsonl",
        "{\"_id\": \"q\", \"text\": \"reset\", \"metadata\": {}}\n",
    );
    let line = "search --corpus corpus.jsonl --queries queries.jsonl --output run.parquet";
    assert_eq!(MINE.done(dir.path(), line)["hits"], 2);
}

#[test]
fn a_run_and_judgements_are_exchanged_in_trecs_form() {
    let dir = help_desk();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write("queries.csv", "id,text\nq1,reset the device\n");
    write("qrels.trec", "q1 0 d5 1\nq1 0 nowhere 2\nq1 0 d4 0\n");
    let search = "search --corpus corpus.csv --queries queries.csv";
    MINE.done(dir.path(), &format!("{search} --output run.trec"));
    MINE.done(dir.path(), &format!("{search} --output run.parquet"));
    let run = fs::read_to_string(dir.path().join("run.trec")).unwrap();
    let parquet = rows(&dir.path().join("run.parquet"), &["corpus_id", "rank"]);
    let lines: Vec<Vec<&str>> = run.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!(lines.len(), parquet.len());
    for (line, row) in lines.iter().zip(&parquet) {
        assert_eq!(
            (line[0], line[1], line[2], line[3]),
            ("q1", "Q0", &*row[0], &*row[1])
        );
    }
    let report = MINE.done(dir.path(), &LINE.replace("qrels.csv", "qrels.trec"));
    assert_eq!(report["judged_outside_corpus"], 1);
    let line = "--pairs qrels.trec --corpus corpus.csv --output new.parquet";
    assert_snapshot!(MINE.refused(dir.path(), line, 1), @"error: qrels.trec: TREC's form is that of runs and judgements; expected a pairs table");
}

#[test]
fn a_querys_candidates_are_explained() {
    let dir = help_desk();
    MINE.done(dir.path(), LINE);
    let explain = "explain --candidates out.parquet --query-id";
    let shown = MINE.run(dir.path(), &format!("{explain} q1"));
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let lines: Vec<&str> = shown.stdout.lines().collect();
    assert_eq!(lines[0], "query q1: how do I reset the device?");
    assert!(lines[2].starts_with("positive p1 (bm25 "), "{}", lines[2]);
    assert!(lines[4].starts_with("rank    bm25   score  decision  reason"));
    assert_eq!(lines.len(), 5 + 8);
    let found: Value = MINE.done(dir.path(), &format!("{explain} q1"));
    let candidates = found["positives"][0]["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 8);
    assert_eq!(candidates[0]["rank"], 1);
    assert_snapshot!(MINE.refused(dir.path(), &format!("{explain} q7"), 1), @"error: out.parquet: no candidate is of the query `q7`; it has queries such as q1, q2");
}
