//! A run that a cross-encoder ranks anew.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use insta::assert_snapshot;
use pairmill_tables::{f32_column, i32_column, string_column};
use pairmill_tests::tables::read;
use pairmill_tests::{EVALUATE, names};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{close, tasks};
use crate::tiny_model::TinyModel;

const RERANK: &str = "rerank --model judge --run run.jsonl --corpus corpus.jsonl --queries queries.jsonl --qrels qrels.jsonl";

fn write(dir: &Path, name: &str, rows: impl IntoIterator<Item = Value>) {
    let mut file = File::create(dir.join(name)).unwrap();
    for row in rows {
        writeln!(file, "{row}").unwrap();
    }
}

/// A folder with the tables above and a model whose logit is twice the number of shared words,
/// less 3.
fn help_desk() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    TinyModel::default().write(&dir.path().join("judge"));
    let table = |name, rows: Vec<Value>| write(dir.path(), name, rows);
    table(
        "queries.jsonl",
        vec![
            json!({"id": "q1", "text": "reset the password"}),
            json!({"id": "q2", "text": "invoice late"}),
            json!({"id": "q3", "text": "red light"}),
        ],
    );
    table(
        "corpus.jsonl",
        vec![
            json!({"id": "d1", "title": "", "text": "the cable"}),
            json!({"id": "d2", "title": "reset", "text": "the password"}),
            json!({"id": "d3", "title": "", "text": "password late"}),
            json!({"id": "d4", "title": "", "text": "invoice late"}),
        ],
    );
    let hit = |query, document, rank| json!({"query_id": query, "corpus_id": document, "rank": rank, "score": 1.0});
    table(
        "run.jsonl",
        vec![
            hit("q1", "d1", 1),
            hit("q1", "d3", 2),
            hit("q1", "d2", 3),
            hit("q2", "d1", 1),
            hit("unjudged", "gone", 1),
        ],
    );
    let judged = |query, document| json!({"query_id": query, "corpus_id": document, "score": 1});
    table(
        "qrels.jsonl",
        vec![judged("q1", "d2"), judged("q2", "d4"), judged("q3", "d1")],
    );
    dir
}

#[test]
fn a_run_stands_before_and_after_it_is_ranked_anew() {
    let dir = help_desk();
    let found = EVALUATE.done(dir.path(), &format!("{RERANK} --output out"));
    close(&found["baseline"]["mrr@10"], 1.0 / 3.0 / 3.0, 1e-12);
    close(&found["model"]["mrr@10"], 1.0 / 3.0, 1e-12);
    close(&found["difference"]["mrr@10"], 2.0 / 9.0, 1e-12);
    let counts = json!({
        "judgements": 3, "judgements_of_unknown_documents": 0, "pairs": 4, "pairs_truncated": 0, "queries": 3,
        "queries_without_judgements": 1, "queries_without_results": 1,
    });
    assert_eq!(found["counts"], counts);

    let run = read(&dir.path().join("out/run.parquet"));
    let documents = string_column(&run, "corpus_id").iter().flatten();
    assert_eq!(documents.collect::<Vec<_>>(), ["d2", "d1", "d3", "d1"]);
    assert_eq!(i32_column(&run, "rank").values()[..], [1, 2, 3, 1]);
    assert_eq!(
        f32_column(&run, "score").values()[..],
        [3.0, -1.0, -1.0, -3.0],
        "equal scores stay in the order of the run"
    );
    let files = names(&dir.path().join("out"));
    assert!(files.contains("per_query.parquet"), "{files:?}");

    let cut = EVALUATE.done(dir.path(), &format!("{RERANK} --top-k 2"));
    close(&cut["model"]["mrr@10"], 0.0, 1e-12);
    close(&cut["baseline"]["mrr@10"], 0.0, 1e-12);
    let line = format!("{RERANK} --always-rerank-positives");
    let found = EVALUATE.done(dir.path(), &line);
    close(&found["model"]["mrr@10"], 1.0, 1e-12);
    close(&found["baseline"]["mrr@10"], 1.0 / 3.0 / 3.0, 1e-12);
    let code = |line: &str| EVALUATE.run(dir.path(), line).code;
    assert_eq!(code(&format!("{RERANK} --fail-on-regression mrr@10")), 0);
}

#[test]
fn figures_equal_those_of_sentence_transformers() {
    let reference = tasks()["rerank"].take();
    let dir = tempfile::tempdir().unwrap();
    TinyModel::default().write(&dir.path().join("judge"));
    let (mut queries, mut corpus, mut run, mut qrels) = (vec![], vec![], vec![], vec![]);
    for (number, row) in (0..).zip(reference["queries"].as_array().unwrap()) {
        let query = format!("q{number:02}");
        queries.push(json!({"id": query, "text": row["query"]}));
        let ranked = row["ranked"].as_array().unwrap();
        let relevant = row["relevant"].as_array().unwrap();
        let missing = relevant.iter().filter(|text| !ranked.contains(text));
        let texts: Vec<&Value> = ranked.iter().chain(missing).collect();
        for (place, text) in texts.iter().enumerate() {
            let document = format!("{query}-{place}");
            corpus.push(json!({"id": document, "title": "", "text": text}));
            if place < ranked.len() {
                run.push(json!({"query_id": query, "corpus_id": document, "rank": place + 1, "score": 0.0}));
            }
            if relevant.contains(text) {
                qrels.push(json!({"query_id": query, "corpus_id": document, "score": 1}));
            }
        }
    }
    write(dir.path(), "queries.jsonl", queries);
    write(dir.path(), "corpus.jsonl", corpus);
    write(dir.path(), "run.jsonl", run);
    write(dir.path(), "qrels.jsonl", qrels);
    let line = format!("{RERANK} --always-rerank-positives");
    let found = EVALUATE.done(dir.path(), &line);
    for (ours, theirs) in [
        ("ndcg@10", "ndcg@10"),
        ("mrr@10", "mrr@10"),
        ("map@100", "map"),
    ] {
        let figure = |name: &str| reference["figures"][name].as_f64().unwrap();
        close(&found["model"][ours], figure(theirs), 1e-7);
        close(
            &found["baseline"][ours],
            figure(&format!("base_{theirs}")),
            1e-7,
        );
    }
}

#[test]
fn the_output_declares_its_conventions_and_shows_what_moved() {
    let dir = help_desk();
    let path = dir.path();
    let line = format!("{RERANK} --metrics accuracy@1,mrr@3 --examples 1 --output out");
    let found = EVALUATE.done(path, &line);
    let conventions = json!({
        "identical_ids": "kept", "relevant_documents": "of the run", "ties": "score", "top_k": "100",
        "without_results": "zero",
    });
    assert_eq!(found["conventions"], conventions);
    let figures = found["model"].as_object().unwrap();
    assert_eq!(figures.keys().collect::<Vec<_>>(), ["accuracy@1", "mrr@3"]);
    close(&found["difference"]["accuracy@1"], 1.0 / 3.0, 1e-12);

    let examples = fs::read(path.join("out/examples.json")).unwrap();
    let examples: Value = serde_json::from_slice(&examples).unwrap();
    let gained = examples["gained"].as_array().unwrap();
    assert_eq!((gained.len(), &gained[0]["query_id"]), (1, &json!("q1")));
    assert_eq!(gained[0]["query"], "reset the password");
    assert_eq!(gained[0]["model_results"][0]["text"], "reset the password");
    let relevant = &gained[0]["relevant"][0];
    assert_eq!(
        (&relevant["baseline_rank"], &relevant["model_rank"]),
        (&json!(3), &json!(1))
    );
    let report = fs::read_to_string(path.join("out/report.md")).unwrap();
    for part in [
        "ties: score",
        "rose most (1)",
        "Model `judge` against baseline `run.jsonl`",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    let page = fs::read_to_string(path.join("out/report.html")).unwrap();
    assert!(page.to_lowercase().contains("precision and recall"));

    let ended = EVALUATE.run(
        path,
        &format!("{RERANK} --fail-on-regression ndcg@5 --metrics mrr@3"),
    );
    assert_eq!(ended.code, 2, "{}", ended.stderr);
}

#[test]
fn a_result_that_is_its_own_query_can_be_ignored() {
    let dir = help_desk();
    let path = dir.path();
    for (name, from, to) in [
        ("queries.jsonl", "\"q1\"", "\"d1\""),
        ("run.jsonl", "\"q1\"", "\"d1\""),
        ("qrels.jsonl", "\"q1\"", "\"d1\""),
    ] {
        let text = fs::read_to_string(path.join(name)).unwrap();
        fs::write(path.join(name), text.replace(from, to)).unwrap();
    }
    let found = EVALUATE.done(path, &format!("{RERANK} --ignore-identical-ids --top-k 1"));
    assert_eq!(found["counts"]["identical_ids_ignored"], 1);
    assert_eq!(found["counts"]["pairs"], 2, "the next one takes its place");
    assert_eq!(found["conventions"]["identical_ids"], "ignored");
}

#[test]
fn judgements_of_documents_that_are_not_there_are_counted() {
    let dir = help_desk();
    let path = dir.path();
    let qrels = fs::read_to_string(path.join("qrels.jsonl")).unwrap();
    fs::write(path.join("qrels.jsonl"), qrels.replace("d4", "d5")).unwrap();
    let ended = EVALUATE.run(path, &format!("{RERANK} --output out --json"));
    let warning = "1 of 3 judgements names a document that corpus.jsonl does not hold, which can never be found";
    assert!(ended.stderr.contains(warning), "{}", ended.stderr);
    let found = ended.report();
    assert_eq!(found["counts"]["judgements_of_unknown_documents"], 1);
    let report = fs::read_to_string(path.join("out/report.md")).unwrap();
    assert!(
        report.contains("1 judgement names a document that is not there"),
        "{report}"
    );
}

#[test]
fn what_has_no_text_is_refused() {
    let dir = help_desk();
    let error = |name: &str, from: &str, to: &str| {
        let path = dir.path().join(name);
        let sound = fs::read_to_string(&path).unwrap();
        fs::write(&path, sound.replacen(from, to, 1)).unwrap();
        let error = EVALUATE.refused(dir.path(), RERANK, 1);
        fs::write(&path, sound).unwrap();
        error
    };
    assert_snapshot!(error("corpus.jsonl", r#""d3""#, r#""d9""#), @"error: corpus.jsonl: lacks the id `d3`, which run.jsonl or its judgements name; give the table that the run was made from");
    assert_snapshot!(error("queries.jsonl", r#""q2""#, r#""q9""#), @"error: queries.jsonl: lacks the id `q2`, which run.jsonl or its judgements name; give the table that the run was made from");
    assert_snapshot!(error("corpus.jsonl", r#""d3""#, r#""d1""#), @"error: corpus.jsonl: the id `d1` stands for two texts, `the cable` and `password late`; give each text an id of its own");
    let line = RERANK.replace("--model judge", "--model nowhere");
    assert_snapshot!(EVALUATE.refused(dir.path(), &line, 1), @"error: nowhere: no such folder, and HF_HUB_OFFLINE is set but nowhere/hub does not hold this model; fetch it once without HF_HUB_OFFLINE, or give a folder");
}
