//! Paraphrases mined from a list of sentences.

use std::fs;

use arrow::array::Array;
use insta::assert_snapshot;
use pairmill_tables::{f64_column, i32_column, string_column};
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
            .contains("1 duplicate is left out for a sentence that sentences.csv does not hold"),
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
    assert_snapshot!(error("sentence1_id\tsentence2_id\na\tb\n"), @"error: sentences.csv: the id `a` stands for two texts, `One.` and `Two.`; give each text an id of its own");
}

#[test]
fn each_pair_that_a_model_mines_or_should_have_mined_is_an_item() {
    let dir = help_desk();
    let path = dir.path();
    harness::damaged(&path.join("model"), &path.join("worse"), 0.5, 0);
    // One mines both duplicates and the other does not, so that they have mined other pairs.
    let line = PARAPHRASES.replace("--model model", "--model worse --baseline model");
    let found = EVALUATE.done(path, &format!("{line} --max-pairs 2 --output out"));
    assert_eq!(found["baseline"]["recall"], 1.0);
    assert!(found["model"]["recall"].as_f64().unwrap() < 1.0, "{found}");
    let interval = &found["evidence"]["metrics"][0]["difference"]["interval"];
    let [low, high] = ["low", "high"].map(|end| interval[end].as_f64().unwrap());
    assert!(low < 0.0 && high <= 0.0, "{interval}");

    let items = read(&path.join("out/per_item.parquet"));
    let labels = f64_column(&items, "label").values();
    assert_eq!(labels.iter().sum::<f64>(), 2.0, "both duplicates are there");
    assert_eq!(labels, f64_column(&items, "baseline_label").values());
    let cosines = f64_column(&items, "cosine");
    let baseline = f64_column(&items, "baseline_cosine");
    for mined in [cosines, baseline] {
        assert_eq!(mined.len() - mined.null_count(), 2, "null where not mined");
    }
    let right = (0..items.num_rows()).filter(|&row| labels[row] == 1.0);
    assert!(right.clone().all(|row| baseline.is_valid(row)));
    assert!(right.into_iter().any(|row| cosines.is_null(row)));
    let pairs = read(&path.join("out/pairs_baseline.parquet"));
    assert_eq!(pairs.num_rows(), 2);
}
