//! Paraphrases mined from a list of sentences.

use std::fs;

use insta::assert_snapshot;
use pairmill_tables::{i32_column, string_column};
use pairmill_tests::EVALUATE;
use pairmill_tests::tables::read;
use serde_json::json;
use tempfile::TempDir;

use crate::harness;

const PARAPHRASES: &str =
    "paraphrases --model model --sentences sentences.csv --duplicates duplicates.tsv";

const SENTENCES: &str = "\
id,text
a,How do I reset my password?
b,I forgot my password. How can I set a new one?
c,Where is my parcel?
d,My parcel has not arrived. Where is it?
e,The soup is cold.
";

fn help_desk() -> TempDir {
    let dir = harness::help_desk();
    fs::write(dir.path().join("sentences.csv"), SENTENCES).unwrap();
    fs::write(
        dir.path().join("duplicates.tsv"),
        "sentence1_id\tsentence2_id\nb\ta\nc\td\na\tb\na\tgone\n",
    )
    .unwrap();
    dir
}

#[test]
fn pairs_are_mined_and_held_against_the_known_ones() {
    let dir = help_desk();
    let ended = EVALUATE.run(dir.path(), &format!("{PARAPHRASES} --output out --json"));
    let found = ended.report();
    assert!(
        ended
            .stderr
            .contains("1 duplicates name sentences that sentences.csv does not hold"),
        "{}",
        ended.stderr
    );
    for metric in ["ap", "f1", "precision", "recall"] {
        assert_eq!(found["model"][metric], 1.0, "{found}");
    }
    let counts = json!({
        "duplicates": 2, "duplicates_of_unknown_sentences": 1, "mined_pairs": 10, "sentences": 5,
    });
    assert_eq!(found["counts"], counts);

    let pairs = read(&dir.path().join("out/pairs.parquet"));
    assert_eq!(pairs.num_rows(), 10);
    assert_eq!(i32_column(&pairs, "label").values()[..3], [1, 1, 0]);
    let first = string_column(&pairs, "sentence1_id");
    let mut found: Vec<_> = first.iter().flatten().take(2).collect();
    found.sort_unstable();
    assert_eq!(found, ["a", "c"]);

    let one = EVALUATE.done(dir.path(), &format!("{PARAPHRASES} --max-pairs 1"));
    assert_eq!(one["model"]["recall"], 0.5);
    assert_eq!(one["model"]["ap"], 0.5);
}

#[test]
fn threads_and_the_order_of_rows_change_nothing() {
    let dir = help_desk();
    let line = format!("{PARAPHRASES} --top-k 2");
    let found = EVALUATE.done(dir.path(), &format!("{line} --threads 1"));
    let (header, rows) = SENTENCES.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().rev().collect();
    let reversed = format!("{header}\n{}\n", rows.join("\n"));
    fs::write(dir.path().join("sentences.csv"), reversed).unwrap();
    assert_eq!(
        EVALUATE.done(dir.path(), &format!("{line} --threads 4")),
        found
    );
}

#[test]
fn duplicates_of_other_sentences_are_refused() {
    let dir = help_desk();
    let error = |duplicates: &str| {
        fs::write(dir.path().join("duplicates.tsv"), duplicates).unwrap();
        EVALUATE.refused(dir.path(), PARAPHRASES, 1)
    };
    assert_snapshot!(error("sentence1_id\tsentence2_id\nx\ty\na\ta\n"), @"error: duplicates.tsv: names no two sentences of sentences.csv as duplicates; check that both use the same ids");
    assert_snapshot!(error("sentence1_id\tsentence2_id\tscore\na\tb\t0\nc\td\tNaN\n"), @"error: duplicates.tsv: column `score` is NaN in row 2 (counted from 1); expected a finite number");
    fs::write(
        dir.path().join("sentences.csv"),
        "id,text\na,One.\na,Two.\n",
    )
    .unwrap();
    assert_snapshot!(error("sentence1_id\tsentence2_id\na\tb\n"), @"error: sentences.csv: the id `a` occurs more than once; give every row an id of its own");
}

#[test]
fn mined_pairs_have_no_items_to_compare() {
    let dir = help_desk();
    EVALUATE.done(dir.path(), &format!("{PARAPHRASES} --output a"));
    EVALUATE.done(dir.path(), &format!("{PARAPHRASES} --output b"));
    assert_snapshot!(EVALUATE.refused(dir.path(), "compare a b", 1), @"error: a: results of `paraphrases` have no items that could be paired; evaluate both models in one run, with --baseline");
}
