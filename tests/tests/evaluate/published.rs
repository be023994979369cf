//! Figures of other implementations and of the base model's authors.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use pairmill_tests::{EVALUATE, data, model, root};
use serde_json::{Value, json};

use crate::harness::close;

/// Figures made with the Python libraries, see `tests/reference/metrics.py`.
fn reference() -> Value {
    let text = fs::read_to_string(root().join("tests/reference/metrics.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn figures_equal_those_of_trec_eval_and_sentence_transformers() {
    let reference = reference();
    let dir = tempfile::tempdir().unwrap();
    let mut run = File::create(dir.path().join("run.jsonl")).unwrap();
    for (query, documents) in reference["run"].as_object().unwrap() {
        for (rank, document) in (1..).zip(documents.as_array().unwrap()) {
            let row = json!({"query_id": query, "corpus_id": document[0], "rank": rank, "score": document[1]});
            writeln!(run, "{row}").unwrap();
        }
    }
    let write_qrels = |name: &str, grade_of: &dyn Fn(i64) -> i64| {
        let mut qrels = File::create(dir.path().join(name)).unwrap();
        for (query, grades) in reference["qrels"].as_object().unwrap() {
            for (document, grade) in grades.as_object().unwrap() {
                let grade = grade_of(grade.as_i64().unwrap());
                writeln!(
                    qrels,
                    "{}",
                    json!({"query_id": query, "corpus_id": document, "score": grade})
                )
                .unwrap();
            }
        }
    };
    write_qrels("graded.jsonl", &|grade| grade);
    write_qrels("binary.jsonl", &|grade| i64::from(grade > 0));

    let graded =
        EVALUATE.done(dir.path(), "run --run run.jsonl --qrels graded.jsonl")["model"].take();
    let expected = &reference["trec_eval_mean"];
    for (name, theirs) in [
        ("ndcg@10", "ndcg_cut_10"),
        ("recall@10", "recall_10"),
        ("recall@100", "recall_100"),
        ("precision@1", "P_1"),
        ("precision@10", "P_10"),
        ("map@100", "map_cut_100"),
        ("accuracy@1", "success_1"),
    ] {
        close(&graded[name], expected[theirs].as_f64().unwrap(), 1e-7);
    }

    let binary =
        EVALUATE.done(dir.path(), "run --run run.jsonl --qrels binary.jsonl")["model"].take();
    for (name, value) in binary.as_object().unwrap() {
        close(
            value,
            reference["sentence_transformers"][name].as_f64().unwrap(),
            1e-7,
        );
    }
}

#[test]
fn the_base_model_has_its_published_figures_on_stsb() {
    let Some(data) = data() else { return };
    let model = model();
    let pairs = data.join("stsb/sts_test.parquet");
    let line = format!(
        "similarity --model {} --pairs {}",
        model.display(),
        pairs.display()
    );
    let found = EVALUATE.done(Path::new("."), &line);
    close(&found["model"]["spearman_cosine"], 0.8203, 0.0005);
    let theirs = &reference()["stsb_test"];
    for metric in ["spearman_cosine", "pearson_cosine"] {
        close(
            &found["model"][metric],
            theirs[metric].as_f64().unwrap(),
            1e-4,
        );
    }
    assert_eq!(found["counts"]["pairs"], 1_379);
}
