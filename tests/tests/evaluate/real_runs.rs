//! Runs and searches over real data sets have the figures of trec_eval, ranx, BEIR and
//! sentence-transformers, digit by digit; see `tests/reference/runs.py`.

use std::fs;
use std::path::Path;

use pairmill_tables::{i32_column, string_column};
use pairmill_tests::tables::read;
use pairmill_tests::{EVALUATE, MINE, data, model, root};
use serde_json::Value;

use crate::harness::close;

/// Our names beside those of trec_eval, ranx and BEIR. Runs hold 100 results a query, so that a
/// cut-off of 1,000 is none.
const NAMES: [(&str, &str); 16] = [
    ("ndcg@10", "ndcg_cut_10"),
    ("ndcg@100", "ndcg_cut_100"),
    ("ndcg_exp@10", "ndcg_burges@10"),
    ("mrr@1000", "recip_rank"),
    ("map_trec@10", "map_cut_10"),
    ("map_trec@100", "map_cut_100"),
    ("map_trec@1000", "map"),
    ("recall@1", "recall_1"),
    ("recall@10", "recall_10"),
    ("recall@100", "recall_100"),
    ("recall_cap@10", "R_cap@10"),
    ("precision@1", "P_1"),
    ("precision@10", "P_10"),
    ("accuracy@1", "success_1"),
    ("accuracy@10", "success_10"),
    ("hole@10", "Hole@10"),
];

fn reference() -> Value {
    let text = fs::read_to_string(root().join("tests/reference/runs.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn files(set: &Path) -> [String; 3] {
    ["corpus", "queries_test", "qrels_test"].map(|name| {
        set.join(name)
            .with_extension("parquet")
            .display()
            .to_string()
    })
}

#[test]
fn runs_have_the_figures_of_trec_eval_with_its_order_of_equal_scores() {
    let Some(data) = data() else { return };
    let reference = reference();
    let dir = tempfile::tempdir().unwrap();
    let metrics = NAMES.map(|(ours, _)| ours).join(",");
    for (name, expected) in reference["runs"].as_object().unwrap() {
        let [corpus, queries, qrels] = files(&data.join(name));
        let line = format!("search --corpus {corpus} --queries {queries} --output {name}.parquet");
        let searched = MINE.run(dir.path(), &line);
        assert_eq!(searched.code, 0, "{}", searched.stderr);
        let line = format!(
            "run --run {name}.parquet --qrels {qrels} --resamples 0 --ties trec --metrics {metrics}"
        );
        let found = EVALUATE.done(dir.path(), &line);
        assert!(expected["tied"].as_u64().unwrap() > 0, "{name} has ties");
        for count in ["queries", "queries_without_results"] {
            assert_eq!(found["counts"][count], expected[count], "{name}");
        }
        for (ours, theirs) in NAMES {
            eprintln!("{name} {ours}");
            close(
                &found["model"][ours],
                expected[theirs].as_f64().unwrap(),
                1e-7,
            );
        }
    }
}

/// The figures of an exact search with the base model, which have to be those of
/// sentence-transformers; `None` where the data is not there.
fn assert_search(name: &str) -> Option<Value> {
    let data = data()?;
    let expected = reference()["searches"][name].take();
    let dir = tempfile::tempdir().unwrap();
    let [corpus, queries, qrels] = files(&data.join(name));
    // InformationRetrievalEvaluator counts every grade above 0 as 1.
    let graded = read(Path::new(&qrels));
    let mut binary = "query_id,corpus_id,score\n".to_owned();
    for row in 0..graded.num_rows() {
        let [query, document] =
            ["query_id", "corpus_id"].map(|column| string_column(&graded, column).value(row));
        let grade = i32_column(&graded, "score").value(row).clamp(0, 1);
        binary += &format!("{query},{document},{grade}\n");
    }
    fs::write(dir.path().join("binary.csv"), binary).unwrap();
    let line = format!(
        "retrieval --model {} --corpus {corpus} --queries {queries} --qrels binary.csv --resamples 0",
        model().display()
    );
    let found = EVALUATE.done(dir.path(), &line);
    let figures = found["model"].as_object().unwrap();
    assert_eq!(figures.len(), 9);
    for (metric, value) in figures {
        eprintln!("{name} {metric}");
        let expected = &expected[format!("cosine_{metric}")];
        close(value, expected.as_f64().unwrap(), 1e-7);
    }
    Some(found)
}

// Searches take a minute of processor time and more, so they run when asked for by name.

#[test]
#[ignore = "takes a minute"]
fn a_search_of_cranfield_has_the_figures_of_sentence_transformers() {
    assert_search("cranfield");
}

#[test]
#[ignore = "takes minutes"]
fn a_search_of_scifact_has_the_figures_of_sentence_transformers() {
    let Some(found) = assert_search("scifact") else {
        return;
    };
    // What the model's authors have published.
    close(&found["model"]["ndcg@10"], 0.6451, 0.0005);
    close(&found["model"]["mrr@10"], 0.6047, 0.0005);
    close(&found["model"]["recall@100"], 0.925, 0.001);
    assert_eq!(found["counts"]["queries"], 300);
}

#[test]
#[ignore = "takes many minutes"]
fn a_search_of_medquad_liveqa_has_the_figures_of_sentence_transformers() {
    assert_search("medquad_liveqa");
}
