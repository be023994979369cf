//! `pairmill-generate pairs`: labelled pairs, pairs and triplets as other tools' guides have them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use pairmill_tests::{GENERATE, tables};
use serde_json::Value;

/// Rows of a table that must be there.
fn rows(dir: &Path, file: &str, columns: &[&str]) -> BTreeSet<Vec<String>> {
    tables::rows(&dir.join(file), columns).into_iter().collect()
}

fn generate(dir: &Path, options: &str) -> Value {
    GENERATE.done(dir, &format!("pairs {options} --output data --force"))
}

#[test]
fn n_tuples_give_all_their_negatives_and_true_and_false_are_labels() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut tuples = "query,positive,negative_2,negative_1,negative_1_id\n".to_owned();
    let mut labels = "sentence1,sentence2,label\n".to_owned();
    for n in 0..60 {
        let [first, second] = [(n + 7) % 60, (n + 11) % 60];
        let question = format!("how do I reset device {n}");
        let answer = |n: i32| format!("hold the key of device {n}");
        let [right, first, second] = [n, first, second].map(answer);
        writeln!(tuples, "{question},{right},{second},{first},x{n}").unwrap();
        writeln!(labels, "{question},{right},True\n{question},{first},False").unwrap();
    }
    fs::write(dir.join("tuples.csv"), &tuples).unwrap();
    fs::write(dir.join("labels.csv"), &labels).unwrap();
    let called = |input: &str| {
        let report = generate(dir, &format!("--input {input}"));
        report["hard_negatives"]
            .as_u64()
            .unwrap_or_else(|| panic!("{report}"))
    };
    // Those of another split than their anchor's are no negatives of it.
    let (of_tuples, of_labels) = (called("tuples.csv"), called("labels.csv"));
    assert!(of_labels > 30, "{of_labels}");
    assert!(of_tuples > of_labels + 30, "{of_tuples}");
}

#[test]
fn a_label_of_0_is_never_a_positive() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut table = "Sentence1,sentence2,label\n".to_owned();
    for n in 0..60 {
        let other = (n + 7) % 60;
        writeln!(
            table,
            "how do I reset device {n},hold the key of device {n},1"
        )
        .unwrap();
        writeln!(
            table,
            "how do I reset device {n},hold the key of device {other},0.0"
        )
        .unwrap();
    }
    writeln!(table, "who knows,nobody does,0").unwrap();
    fs::write(dir.join("labeled.csv"), &table).unwrap();
    let report = generate(dir, "--input labeled.csv");
    assert_eq!(report["anchors"], 60);
    assert_eq!(report["without_positive"], 1);

    let number = |text: &str| text.rsplit(' ').next().unwrap().to_owned();
    for pair in rows(dir, "data/pairs_train.parquet", &["anchor", "positive"]) {
        assert_eq!(number(&pair[0]), number(&pair[1]));
    }
    let texts = ["sentence1", "sentence2", "score"];
    let mut given = 0;
    for split in ["train", "dev", "test"] {
        for row in rows(dir, &format!("data/labeled_{split}.parquet"), &texts) {
            let [question, answer] = [number(&row[0]), number(&row[1])];
            assert_eq!(row[2] == "1.0", question == answer, "{row:?}");
            let other = (question.parse::<u32>().unwrap() + 7) % 60;
            given += u32::from(answer == other.to_string());
        }
    }
    // Not one that is a positive in another split.
    assert!(given > 30, "{given} of the given negatives are used");
    let triplets = rows(
        dir,
        "data/triplets_train.parquet",
        &["anchor", "positive", "negative"],
    );
    assert!(triplets.len() > 30);
    for row in triplets {
        let other = (number(&row[0]).parse::<u32>().unwrap() + 7) % 60;
        assert_eq!(
            (number(&row[1]), number(&row[2])),
            (number(&row[0]), other.to_string())
        );
    }

    fs::write(dir.join("graded.csv"), table.replace(",0.0\n", ",3\n")).unwrap();
    let error = GENERATE.refused(dir, "pairs --input graded.csv --output other", 1);
    assert!(error.contains("`label` is \"3\" in row 2"), "{error}");
}

#[test]
fn triplets_and_columns_of_any_name_are_taken() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut lines = String::new();
    for n in 0..60 {
        let (a, p, h) = (
            format!("query {n}"),
            format!("text {n}"),
            format!("decoy {n}"),
        );
        writeln!(
            lines,
            "{}",
            serde_json::json!({"Frage": a, "Antwort": p, "falsch": h, "x": [n]})
        )
        .unwrap();
    }
    fs::write(dir.join("triplets.jsonl"), lines).unwrap();
    let error = GENERATE.refused(dir, "pairs --input triplets.jsonl --output data", 1);
    assert!(error.contains("--anchor-column"), "{error}");
    let named = "--anchor-column frage --positive-column antwort --negative-column falsch";
    let report = generate(dir, &format!("--input triplets.jsonl {named}"));
    assert_eq!(
        (&report["anchors"], &report["hard_negatives"]),
        (&60.into(), &60.into())
    );
    let train = rows(dir, "data/pairs_train.parquet", &["anchor"]).len();
    let triplets = rows(dir, "data/triplets_train.parquet", &["anchor", "negative"]);
    assert_eq!(triplets.len(), train);
    assert!(
        triplets
            .iter()
            .all(|row| row[1] == row[0].replace("query", "decoy"))
    );
}
