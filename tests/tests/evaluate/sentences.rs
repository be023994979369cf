//! Similarity, pairs, triplets and classification.

use std::fs::{self, File};
use std::io::Write;

use insta::assert_snapshot;
use pairmill_tables::{i32_column, string_column};
use pairmill_tests::tables::read;
use pairmill_tests::{EVALUATE, names};
use serde_json::{Value, json};

use crate::harness::{close, help_desk};

#[test]
fn sentences_are_compared_with_scores_and_labels() {
    let dir = help_desk();
    let pairs = [
        (
            "A man plays a guitar.",
            "A man is playing the guitar.",
            0.95,
            1,
        ),
        (
            "A dog runs in the park.",
            "A dog is running outside.",
            0.7,
            1,
        ),
        ("The cat sleeps.", "A cat is asleep.", 0.9, 1),
        ("She cooks rice.", "The bank raised its rates.", 0.0, 0),
        ("A child draws a house.", "A child eats an apple.", 0.3, 0),
    ];
    let lines = |name: &str, with: &dyn Fn(f64, i32) -> (&'static str, Value)| {
        let mut file = File::create(dir.path().join(name)).unwrap();
        for (first, second, score, label) in pairs {
            let (column, value) = with(score, label);
            writeln!(
                file,
                "{}",
                json!({"sentence1": first, "sentence2": second, column: value})
            )
            .unwrap();
        }
    };
    lines("sts.jsonl", &|score, _| ("score", score.into()));
    lines("labels.jsonl", &|_, label| ("label", label.into()));
    lines("scores.jsonl", &|_, label| {
        ("score", f64::from(label).into())
    });

    let found = EVALUATE.done(
        dir.path(),
        "similarity --model model --pairs sts.jsonl --output sts",
    );
    assert!(
        found["model"]["spearman_cosine"].as_f64().unwrap() >= 0.9,
        "{found}"
    );
    assert!(
        found["model"]["pearson_cosine"].as_f64().unwrap() > 0.9,
        "{found}"
    );
    assert_eq!(found["counts"], json!({"pairs": 5}));
    assert_eq!(
        names(&dir.path().join("sts")).len(),
        5,
        "lineage, metrics, items and two reports"
    );

    let found = EVALUATE.done(dir.path(), "pairs --model model --pairs labels.jsonl");
    for metric in ["ap", "accuracy", "f1", "precision", "recall", "mcc"] {
        assert_eq!(found["model"][metric], 1.0, "{found}");
    }
    assert_eq!(found["counts"], json!({"pairs": 5, "positive_pairs": 3}));
    let of_scores = EVALUATE.done(dir.path(), "pairs --model model --pairs scores.jsonl");
    assert_eq!(of_scores["model"], found["model"]);

    let error = EVALUATE.refused(dir.path(), "pairs --model model --pairs sts.jsonl", 1);
    assert_snapshot!(error, @"error: sts.jsonl: column `score` holds `0.95` in line 1; expected a whole number");
}

#[test]
fn triplets_count_the_anchors_nearer_to_their_positive() {
    let dir = help_desk();
    fs::write(
        dir.path().join("triplets.csv"),
        "anchor,positive,negative\n\
         reset my password,I forgot the password,the parcel is late\n\
         the parcel is late,I forgot the password,my delivery did not arrive\n",
    )
    .unwrap();
    let found = EVALUATE.done(dir.path(), "triplets --model model --triplets triplets.csv");
    for function in ["", "dot_", "euclidean_", "manhattan_", "max_"] {
        assert_eq!(found["model"][format!("{function}accuracy")], 0.5);
    }
    let line = "triplets --model model --triplets triplets.csv --margin 2 --margin dot:-2";
    let found = EVALUATE.done(dir.path(), line);
    assert_eq!(found["model"]["accuracy"], 0.0);
    assert_eq!(found["model"]["dot_accuracy"], 1.0);
    let line = "triplets --model model --triplets triplets.csv --margin l2:1";
    let error = EVALUATE.refused(dir.path(), line, 2);
    let error = error.lines().next().unwrap();
    assert_snapshot!(error, @"error: invalid value 'l2:1' for '--margin <[FUNCTION:]BY>': `l2` is no similarity function; expected cosine, dot, euclidean or manhattan");
}

#[test]
fn tickets_are_classified() {
    let dir = help_desk();
    let train = "\
body,category
I forgot my password,login
my account is locked,login
the password link does not work,login
where is my parcel,delivery
the delivery is late,delivery
my order has not arrived,delivery
";
    let test = "\
body,category
password lost,login
the parcel did not come,delivery
the soup is cold,kitchen
";
    fs::write(dir.path().join("train.csv"), train).unwrap();
    fs::write(dir.path().join("test.csv"), test).unwrap();
    let line = "classification --model model --train train.csv --test test.csv --text-column body";
    let found = EVALUATE.done(dir.path(), line);
    close(&found["model"]["centroid_accuracy"], 2.0 / 3.0, 1e-12);
    let counts = json!({
        "categories": 3, "test_tickets": 3, "test_tickets_of_unknown_category": 1,
        "test_tickets_that_train_holds": 0, "train_tickets": 6,
    });
    assert_eq!(found["counts"], counts);
    for method in ["knn", "logistic"] {
        close(
            &found["model"][format!("{method}_accuracy")],
            2.0 / 3.0,
            1e-12,
        );
    }

    let few = format!("{line} --samples-per-label 2 --experiments 3 --neighbours 1 --output out");
    let found = EVALUATE.done(dir.path(), &few);
    assert_eq!(found["counts"], counts);
    let again = EVALUATE.done(dir.path(), &format!("{few} --force --threads 1"));
    assert_eq!(again["model"], found["model"], "draws go by the seed");
    let confusion = read(&dir.path().join("out/confusion.parquet"));
    let column = |name: &str| string_column(&confusion, name).iter().flatten();
    let first: Vec<&str> = ["model", "method", "truth"]
        .map(|name| column(name).next().unwrap())
        .into();
    assert_eq!(first, ["model", "knn", "kitchen"], "mistakes come first");
    let counts = i32_column(&confusion, "count").values();
    assert_eq!(counts.iter().sum::<i32>(), 3 * 3 * 3);
}
