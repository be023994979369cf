//! The dev split and the score that goes by it.

use super::*;

/// A dev split in which each query shares its words with its document.
fn write_dev(dir: &Path) {
    let write = |name: &str, columns: &[(&str, Vec<String>)]| {
        use arrow::array::{ArrayRef, StringArray};
        use std::sync::Arc;
        let columns = columns.iter().map(|(name, values)| {
            (
                *name,
                Arc::new(StringArray::from(values.clone())) as ArrayRef,
            )
        });
        let batch = arrow::array::RecordBatch::try_from_iter(columns).unwrap();
        pairmill_tests::tables::write(&dir.join(name), &batch);
    };
    fs::create_dir_all(dir).unwrap();
    let all = |of: fn(usize) -> String| (0..24).map(of).collect::<Vec<_>>();
    let document = |n: usize| format!("{} {}", answer(n), question(n));
    write(
        "corpus.parquet",
        &[
            ("id", all(|n| format!("a{n}"))),
            ("title", all(|_| String::new())),
            ("text", all(document)),
        ],
    );
    write(
        "queries_dev.parquet",
        &[("id", all(|n| format!("q{n}"))), ("text", all(question))],
    );
    write(
        "qrels_dev.parquet",
        &[
            ("query_id", all(|n| format!("q{n}"))),
            // One document is not in the corpus, and one query has nothing relevant.
            (
                "corpus_id",
                all(|n| {
                    if n == 3 {
                        "gone".to_owned()
                    } else {
                        format!("a{n}")
                    }
                }),
            ),
            ("score", all(|n| u8::from(n != 5).to_string())),
        ],
    );
}

#[test]
fn training_that_ends_below_its_start_delivers_the_start() {
    let dir = workplace();
    let rows =
        (0..40).map(|n| json!({"anchor": question(n), "positive": answer((n * 7 + 3) % 40)}));
    table(dir.path(), "wrong.jsonl", rows);
    write_dev(&dir.path().join("dev"));
    let options = "--eval dev --learning-rate 0.3 --epochs 3 --json";
    let ended = trained(dir.path(), "wrong.jsonl", options);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["delivered"], "start", "{report}");
    assert_eq!(report["best_step"], 0);
    assert_eq!(report["best_score"], report["score_before"]);
    assert!(report["trained_score"].as_f64() < report["score_before"].as_f64());
    warns(&ended, "training did not help");
    assert!(!ended.stderr.contains("best so far"), "{}", ended.stderr);
    says(&ended, "before training");
    let card = fs::read_to_string(dir.path().join("out/README.md")).unwrap();
    assert!(card.contains("**This is `tiny` itself**"), "{card}");
    let untouched = fs::read(dir.path().join("tiny/model.safetensors")).unwrap();
    let tensors = |bytes: &[u8]| {
        let read = safetensors::SafeTensors::deserialize(bytes).unwrap();
        let mut all: Vec<(String, Vec<u8>)> = read
            .iter()
            .map(|(name, tensor)| (name.to_owned(), tensor.data().to_vec()))
            .collect();
        all.sort();
        all
    };
    assert!(tensors(&weights(dir.path())) == tensors(&untouched));

    // The exit code says so where that is wished, also of a run that has nothing to do.
    let line = line("wrong.jsonl", &format!("{options} --fail-below-start"));
    assert_eq!(TRAIN.run(dir.path(), &line).code, 3);
    let again = TRAIN.run(dir.path(), &line.replace("--force", ""));
    assert_eq!(again.code, 3, "{}", again.stderr);
    let told: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(told["up_to_date"], true);
    assert_eq!(told["trained_score"], report["trained_score"]);
}

#[test]
fn the_dev_score_is_the_evaluators_figure() {
    let dir = workplace();
    table(dir.path(), "pairs.jsonl", pairs(20));
    write_dev(&dir.path().join("dev"));
    let ended = trained(dir.path(), "pairs.jsonl", "--eval dev --max-steps 1 --json");
    warns(
        &ended,
        "1 of 24 dev queries left out, without a relevant document",
    );
    warns(&ended, "1 judged document of dev is not in the corpus");
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let line = "retrieval --model tiny --corpus dev/corpus.parquet --queries dev/queries_dev.parquet \
        --qrels dev/qrels_dev.parquet --resamples 0 --threads 1";
    let figures = EVALUATE.done(dir.path(), line);
    let of_evaluator = figures["model"]["ndcg@10"].as_f64().unwrap();
    let of_training = report["score_before"].as_f64().unwrap();
    assert!(
        (of_evaluator - of_training).abs() < 1e-6,
        "{of_evaluator} {of_training}"
    );
}

#[test]
fn a_dev_split_without_queries_is_refused() {
    let dir = workplace();
    table(dir.path(), "pairs.jsonl", pairs(20));
    let dev = dir.path().join("dev");
    write_dev(&dev);
    // Judgements of other queries.
    let ids: arrow::array::ArrayRef =
        std::sync::Arc::new(arrow::array::StringArray::from(vec!["x"]));
    let batch = arrow::array::RecordBatch::try_from_iter([("id", ids.clone()), ("text", ids)]);
    pairmill_tests::tables::write(&dev.join("queries_dev.parquet"), &batch.unwrap());
    let error = refused(dir.path(), "pairs.jsonl", "--eval dev");
    assert!(
        error.contains("no query of 1 has a relevant document"),
        "{error}"
    );
}
