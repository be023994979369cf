//! Results that were written before, held against each other: every figure that can be made again
//! from the items, groups of them, and those that changed most.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use pairmill_tests::EVALUATE;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{RETRIEVAL, close, damaged, help_desk};

/// A help desk with a model that is worse than the base model.
fn with_a_worse_model() -> TempDir {
    let dir = help_desk();
    damaged(&dir.path().join("model"), &dir.path().join("worse"), 0.5, 0);
    dir
}

/// Evaluates both models by `line`, each alone, into the folders `a` (worse) and `b`, and gives
/// what `compare` makes of them beside what both in one run give.
fn compared(dir: &Path, line: &str, options: &str) -> (Value, Value) {
    for (model, out) in [("worse", "a"), ("model", "b")] {
        let done = format!("{line} --model {model} --output {out} --force");
        EVALUATE.done(dir, &done);
    }
    let line = format!("{line} --model model --baseline worse");
    let compare = EVALUATE.done(dir, &format!("compare a b {options}"))["comparisons"][0].take();
    (compare, EVALUATE.done(dir, &line))
}

fn assert_equal_figures(compare: &Value, at_once: &Value, figures: usize) {
    assert_eq!(at_once["model"].as_object().unwrap().len(), figures);
    for part in ["task", "model", "baseline", "difference", "evidence"] {
        assert_eq!(compare[part], at_once[part], "{part}");
    }
}

fn write_tickets(dir: &Path) {
    let train = "\
text,category
I forgot my password,login
my account is locked,login
the password link does not work,login
where is my parcel,delivery
the delivery is late,delivery
my order has not arrived,delivery
the invoice is wrong,billing
I was charged twice,billing
";
    let test = "\
text,category
password lost,login
cannot sign in,login
the parcel did not come,delivery
still waiting for my order,delivery
please send the bill again,billing
";
    fs::write(dir.join("train.csv"), train).unwrap();
    fs::write(dir.join("test.csv"), test).unwrap();
}

#[test]
fn tickets_have_all_figures_groups_and_examples() {
    let dir = with_a_worse_model();
    let path = dir.path();
    write_tickets(path);
    let line = "classification --train train.csv --test test.csv --neighbours 1";
    let (compare, at_once) = compared(path, line, "--group-by truth --output page");
    assert_equal_figures(&compare, &at_once, 6);
    let groups: Vec<Value> = compare["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| json!([group["value"], group["items"]]))
        .collect();
    let expected = json!([["billing", 1], ["delivery", 2], ["login", 2]]);
    assert_eq!(json!(groups), expected);
    let of = |groups: &[f64]| (groups[0] + 2.0 * groups[1] + 2.0 * groups[2]) / 5.0;
    let accuracies: Vec<f64> = compare["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["model"]["knn_accuracy"].as_f64().unwrap())
        .collect();
    close(&compare["model"]["knn_accuracy"], of(&accuracies), 1e-12);
    let table = EVALUATE.run(path, "compare a b --group-by truth").stdout;
    assert!(table.contains("truth: billing"), "{table}");
    let report = fs::read_to_string(path.join("page/report.md")).unwrap();
    for part in ["by truth", "whose kNN accuracy rose most", "row "] {
        assert!(
            report.to_lowercase().contains(&part.to_lowercase()),
            "{part}: {report}"
        );
    }

    let line = format!("{line} --samples-per-label 1 --experiments 3");
    let (compare, at_once) = compared(path, &line, "");
    assert_equal_figures(&compare, &at_once, 6);

    assert_snapshot!(EVALUATE.refused(path, "compare a b --group-by team", 1), @"error: a/per_item.parquet: has no column `team` of text to group by; found text, truth");
}

#[test]
fn triplets_have_all_figures() {
    let dir = with_a_worse_model();
    let path = dir.path();
    fs::write(
        path.join("triplets.csv"),
        "anchor,positive,negative\n\
         reset my password,I forgot the password,the parcel is late\n\
         the parcel is late,my delivery did not arrive,I forgot the password\n\
         when do you open,opening hours,the screen stays black\n\
         a black screen,opening hours,the screen stays black\n",
    )
    .unwrap();
    let line = "triplets --triplets triplets.csv --margin 0.05";
    let (compare, at_once) = compared(path, line, "--output page");
    assert_equal_figures(&compare, &at_once, 5);
    assert!(compare["model"]["max_accuracy"].is_number());
}

#[test]
fn mined_pairs_are_compared_over_what_either_has_mined() {
    let dir = with_a_worse_model();
    let path = dir.path();
    fs::write(
        path.join("sentences.csv"),
        "id,text\na,I forgot my password.\nb,How do I reset the password?\nc,Where is my parcel?\n\
         d,The parcel has not arrived.\ne,The soup is cold.\n",
    )
    .unwrap();
    fs::write(
        path.join("duplicates.csv"),
        "sentence1_id,sentence2_id\na,b\nc,d\n",
    )
    .unwrap();
    let line = "paraphrases --sentences sentences.csv --duplicates duplicates.csv --max-pairs 2";
    let (compare, at_once) = compared(path, line, "--output page");
    assert_equal_figures(&compare, &at_once, 5);
    let counts = &compare["counts"];
    let alone = ["items_of_the_reference_alone", "items_of_the_other_alone"];
    let alone: u64 = alone
        .iter()
        .map(|name| counts[name].as_u64().unwrap())
        .sum();
    assert!(alone > 0, "the models have mined other pairs: {counts}");
    let said = EVALUATE.run(path, "compare a b").stderr;
    assert!(!said.contains("in the reference alone"), "{said}");

    assert_snapshot!(EVALUATE.refused(path, "compare a b --group-by label", 1), @"error: a/per_item.parquet: mined pairs have no groups; leave out --group-by");

    EVALUATE.done(
        path,
        &format!("{line} --model model --top-k 1 --output other"),
    );
    let warned = EVALUATE.run(path, "compare a other").stderr;
    assert!(warned.contains("rest on other conventions"), "{warned}");
}

#[test]
fn the_queries_that_changed_most_are_named_with_their_texts() {
    let dir = with_a_worse_model();
    let path = dir.path();
    let line = RETRIEVAL.replace(" --model model", "") + " --group-by length";
    let (compare, _) = compared(path, &line, "--group-by length --examples 1 --output two");
    assert_eq!(compare["groups"].as_array().unwrap().len(), 2);
    let report = fs::read_to_string(path.join("two/report.md")).unwrap();
    assert!(
        report.contains("Queries whose nDCG@10 rose most (1)"),
        "{report}"
    );
    let texts = [
        "paper stuck in the printer",
        "I forgot my password",
        "how long does shipping take",
        "when do you open",
    ];
    let shown = texts.iter().filter(|text| report.contains(**text));
    assert_eq!(shown.count(), 1, "{report}");

    EVALUATE.done(path, "compare a b b --group-by length --output three");
    let page = fs::read_to_string(path.join("three/report.html")).unwrap();
    assert_eq!(page.matches("Queries whose nDCG@10 rose most").count(), 2);
    assert_eq!(page.matches("nDCG@10 by length").count(), 2);
}
