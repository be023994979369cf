//! The tasks besides retrieval on real data, against sentence-transformers and scikit-learn.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use pairmill_metrics::average_precision;
use pairmill_tables::{f64_column, i32_column, string_column};
use pairmill_tests::tables::read;
use pairmill_tests::{EVALUATE, data, model};
use serde_json::{Value, json};

use crate::harness::{close, tasks};

/// The figures of a command with the base model; `None` where the data is not there.
fn figures(command: &str, files: &[(&str, &Path)]) -> Value {
    let mut line = format!("{command} --model {}", model().display());
    for (flag, file) in files {
        line += &format!(" --{flag} {}", file.display());
    }
    EVALUATE.done(Path::new("."), &line)
}

fn assert_similarity(name: &str, file: &str) {
    let Some(data) = data() else { return };
    let theirs = &tasks()["similarity"][name];
    let found = figures("similarity", &[("pairs", &data.join(file))]);
    for (metric, value) in found["model"].as_object().unwrap() {
        close(value, theirs[metric].as_f64().unwrap(), 1e-5);
    }
    assert_eq!(found["model"].as_object().unwrap().len(), 10);
    assert_eq!(
        found["counts"]["pairs"],
        theirs["rows"].as_f64().unwrap() as u64
    );
}

fn assert_pairs(name: &str, file: &str) {
    let Some(data) = data() else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let theirs = &tasks()["pairs"][name];
    let found = figures("pairs", &[("pairs", &data.join(file)), ("output", &out)]);
    // Pairs that are equal to the model stand at the very top in the order that rounding gives
    // them. One of qqp's eleven has another meaning: first or last of them, `ap` is 5.5e-4 apart.
    let of_rounding = match theirs["equal"].as_u64() {
        Some(0) => 1e-5,
        _ => 5.5e-4,
    };
    for (metric, value) in found["model"].as_object().unwrap() {
        let named = ["dot_", "euclidean_", "manhattan_", "max_"]
            .iter()
            .any(|function| metric.starts_with(function));
        let name = match named {
            true => metric.clone(),
            false => format!("cosine_{metric}"),
        };
        let is_ap = metric.ends_with("ap");
        let tolerance = if is_ap { of_rounding } else { 1e-5 };
        close(value, theirs[&name].as_f64().unwrap(), tolerance);
    }
    assert_eq!(found["model"].as_object().unwrap().len(), 38);
    assert_eq!(
        found["counts"]["pairs"],
        theirs["rows"].as_f64().unwrap() as u64
    );

    let items = read(&out.join("per_item.parquet"));
    let column = |name: &str| f64_column(&items, name).values();
    let labels: Vec<bool> = column("label").iter().map(|&label| label == 1.0).collect();
    let equal: Vec<bool> = column("cosine").iter().map(|&one| one > 0.99999).collect();
    let count = equal.iter().filter(|&&equal| equal).count();
    assert_eq!(theirs["equal"], count);
    for function in ["cosine", "dot", "euclidean", "manhattan"] {
        let tied = column(function).iter().zip(&equal);
        let tied: Vec<f64> = tied
            .map(|(&value, &equal)| if equal { f64::INFINITY } else { value })
            .collect();
        let found = json!(average_precision(&tied, &labels));
        let expected = &theirs[format!("{function}_ap_tied")];
        close(&found, expected.as_f64().unwrap(), 1e-5);
    }
}

#[test]
fn similarity_on_stsb() {
    assert_similarity("stsb", "stsb/sts_test.parquet");
}

#[test]
#[ignore = "takes a minute"]
fn similarity_on_sick() {
    assert_similarity("sick", "sick/sts_test.parquet");
}

#[test]
fn pairs_on_mrpc() {
    assert_pairs("mrpc", "mrpc/pairs_test.parquet");
}

#[test]
#[ignore = "takes minutes"]
fn pairs_on_qqp() {
    assert_pairs("qqp", "qqp/pairs_dev.parquet");
}

#[test]
fn triplets_on_stsb() {
    let Some(data) = data() else { return };
    let dir = tempfile::tempdir().unwrap();
    let pairs = read(&data.join("stsb/sts_test.parquet"));
    let anchors = texts(&pairs, "sentence1");
    let positives = texts(&pairs, "sentence2");
    let negatives = positives.iter().cycle().skip(1);
    let rows = anchors.iter().zip(&positives).zip(negatives);
    let rows = rows.map(|((anchor, positive), negative)| {
        json!({"anchor": anchor, "positive": positive, "negative": negative})
    });
    let file = write(dir.path(), "triplets.jsonl", rows);

    let reference = tasks()["triplets"].take();
    let compare = |found: &Value, theirs: &Value| {
        for (metric, value) in found["model"].as_object().unwrap() {
            let name = match metric.as_str() {
                "accuracy" => "cosine_accuracy",
                other => other,
            };
            close(value, theirs[name].as_f64().unwrap(), 1e-6);
        }
    };
    let found = figures("triplets", &[("triplets", &file)]);
    compare(&found, &reference["plain"]);
    let margins = reference["margins"].as_object().unwrap().iter();
    let margins: String = margins
        .map(|(name, by)| format!(" --margin {name}:{by}"))
        .collect();
    let found = figures(&format!("triplets{margins}"), &[("triplets", &file)]);
    compare(&found, &reference["with_margins"]);
}

#[test]
fn paraphrases_of_mrpc() {
    let Some(data) = data() else { return };
    let dir = tempfile::tempdir().unwrap();
    let pairs = read(&data.join("mrpc/pairs_test.parquet"));
    let sides = [texts(&pairs, "sentence1"), texts(&pairs, "sentence2")];
    let mut ids: HashMap<&str, String> = HashMap::new();
    let mut sentences = Vec::new();
    for text in (0..pairs.num_rows()).flat_map(|row| [&sides[0][row], &sides[1][row]]) {
        let id = ids.len().to_string();
        if !ids.contains_key(text.as_str()) {
            sentences.push(json!({"id": id, "text": text}));
            ids.insert(text, id);
        }
    }
    let labels = i32_column(&pairs, "label");
    let duplicates = (0..pairs.num_rows()).map(|row| {
        let id = |side: usize| &ids[sides[side][row].as_str()];
        json!({"sentence1_id": id(0), "sentence2_id": id(1), "score": labels.value(row)})
    });
    let duplicates: Vec<Value> = duplicates.collect();
    let sentences = write(dir.path(), "sentences.jsonl", sentences);
    let duplicates = write(dir.path(), "duplicates.jsonl", duplicates);

    let theirs = tasks()["paraphrases"].take();
    let line = format!(
        "paraphrases --top-k {} --max-pairs {}",
        theirs["top_k"], theirs["max_pairs"]
    );
    let files = [
        ("sentences", sentences.as_path()),
        ("duplicates", duplicates.as_path()),
    ];
    let found = figures(&line, &files);
    for (ours, name) in [
        ("ap", "average_precision"),
        ("f1", "f1"),
        ("precision", "precision"),
        ("recall", "recall"),
        ("threshold", "threshold"),
    ] {
        close(&found["model"][ours], theirs[name].as_f64().unwrap(), 1e-5);
    }
    for count in ["sentences", "duplicates"] {
        assert_eq!(found["counts"][count], theirs[count]);
    }
}

fn assert_classification(name: &str) {
    let Some(data) = data() else { return };
    let reference = tasks()["classification"].take();
    let theirs = reference[name].as_object().unwrap();
    let file = |split: &str| data.join(name).join(format!("tickets_{split}.parquet"));
    let found = figures(
        "classification",
        &[("train", &file("train")), ("test", &file("test"))],
    );
    assert_eq!(found["model"].as_object().unwrap().len(), theirs.len());
    for (metric, value) in theirs {
        close(&found["model"][metric], value.as_f64().unwrap(), 1e-7);
    }
}

#[test]
fn categories_of_a_few_questions() {
    assert_classification("stackexchange_intents");
}

#[test]
#[ignore = "takes minutes"]
fn categories_of_banking77() {
    assert_classification("banking77");
}

/// MTEB's protocol, whose draws are others.
#[test]
#[ignore = "takes minutes"]
fn few_tickets_of_each_category_give_the_published_accuracy() {
    let Some(data) = data() else { return };
    let file = |split: &str| data.join(format!("banking77/tickets_{split}.parquet"));
    let found = figures(
        "classification --samples-per-label 8 --experiments 10",
        &[("train", &file("train")), ("test", &file("test"))],
    );
    close(&found["model"]["logistic_accuracy"], 0.8004, 0.01);
}

fn texts(table: &RecordBatch, column: &str) -> Vec<String> {
    let texts = string_column(table, column).iter().flatten();
    texts.map(str::to_owned).collect()
}

fn write(dir: &Path, name: &str, rows: impl IntoIterator<Item = Value>) -> PathBuf {
    let path = dir.join(name);
    let mut file = File::create(&path).unwrap();
    for row in rows {
        writeln!(file, "{row}").unwrap();
    }
    fs::canonicalize(path).unwrap()
}

#[test]
fn test_tickets_that_train_holds_and_threads_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let train = "id,text,category\n1,My parcel is late.,delivery\n2,I forgot the password!,account\n\
        3,The invoice is wrong,billing\n";
    let test = "id,text,category,thread\n4,my  parcel is LATE,delivery,t1\n5,where is my parcel,delivery,t1\n\
        6,forgot the password,account,t2\n7,wrong amount on the bill,billing,t3\n";
    fs::write(dir.path().join("train.csv"), train).unwrap();
    fs::write(dir.path().join("test.csv"), test).unwrap();
    let line = format!(
        "classification --model {} --train train.csv --test test.csv --neighbours 1 --cluster-column thread",
        model().display()
    );
    let found = EVALUATE.done(dir.path(), &line);
    assert_eq!(found["counts"]["test_tickets_that_train_holds"], 1);
    let warning = "1 of 4 tickets of test.csv has a text that train.csv holds too";
    assert!(
        found["warnings"][0].as_str().unwrap().starts_with(warning),
        "{found}"
    );
    assert!(EVALUATE.run(dir.path(), &line).stderr.contains(warning));
    assert_eq!(
        (&found["evidence"]["items"], &found["evidence"]["clusters"]),
        (&json!(4), &json!(3))
    );
}

#[test]
fn labels_are_read_under_either_name() {
    let dir = tempfile::tempdir().unwrap();
    let rows = "the cat sleeps,a cat is asleep,1\nthe cat sleeps,bread is baked,0\nhe runs,a man runs,1\n\
        he runs,it rains,0\n";
    for name in ["label", "score"] {
        fs::write(
            dir.path().join(format!("{name}.csv")),
            format!("sentence1,sentence2,{name}\n{rows}"),
        )
        .unwrap();
        let ids = "sentence1_id,sentence2_id";
        let pairs = format!("{ids},{name}\na,b,1\na,c,0\n");
        fs::write(dir.path().join(format!("known-{name}.csv")), pairs).unwrap();
    }
    let sentences = "id,text\na,the cat sleeps\nb,a cat is asleep\nc,bread is baked\n";
    fs::write(dir.path().join("sentences.csv"), sentences).unwrap();
    let found = |line: &str| {
        let line = format!("{line} --model {}", model().display());
        EVALUATE.done(dir.path(), &line)
    };
    for task in ["similarity", "pairs"] {
        let [label, score] =
            ["label", "score"].map(|name| found(&format!("{task} --pairs {name}.csv")));
        assert_eq!(label, score, "{task}");
    }
    for name in ["label", "score"] {
        let line = format!("paraphrases --sentences sentences.csv --duplicates known-{name}.csv");
        assert_eq!(
            found(&line)["counts"]["duplicates"],
            1,
            "a row of 0 is no duplicate"
        );
    }
}
