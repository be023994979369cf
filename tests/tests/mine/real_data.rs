//! What the program does on published collections.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use pairmill_tests::tables::rows;
use pairmill_tests::{MINE, data};

/// Mean nDCG@10 over the judged queries, linear gain, as trec_eval has it.
fn ndcg_at_10(run: &Path, qrels: &Path) -> f64 {
    let mut grades: HashMap<String, HashMap<String, f64>> = HashMap::new();
    for row in rows(qrels, &["query_id", "corpus_id", "score"]) {
        let of_query = grades.entry(row[0].clone()).or_default();
        of_query.insert(row[1].clone(), row[2].parse().unwrap());
    }
    let discount = |rank: usize| 1.0 / ((rank + 1) as f64).log2();
    let mut gains: HashMap<String, f64> = HashMap::new();
    for row in rows(run, &["query_id", "corpus_id", "rank"]) {
        let rank: usize = row[2].parse().unwrap();
        let grade = grades.get(&row[0]).and_then(|grades| grades.get(&row[1]));
        if rank <= 10 {
            *gains.entry(row[0].clone()).or_default() += grade.unwrap_or(&0.0) * discount(rank);
        }
    }
    let of_query = grades.iter().map(|(query, grades)| {
        let mut best: Vec<f64> = grades.values().copied().collect();
        best.sort_by(|a, b| b.total_cmp(a));
        let ideal: f64 = best
            .iter()
            .take(10)
            .zip(1..)
            .map(|(grade, rank)| grade * discount(rank))
            .sum();
        gains.get(query).unwrap_or(&0.0) / ideal
    });
    of_query.sum::<f64>() / grades.len() as f64
}

/// Searches the test queries of a collection and returns nDCG@10.
fn searched(name: &str) -> Option<f64> {
    let set = data()?.join(name);
    let dir = tempfile::tempdir().unwrap();
    let [corpus, queries, qrels] = ["corpus", "queries_test", "qrels_test"]
        .map(|table| set.join(table).with_extension("parquet"));
    let line = format!(
        "search --corpus {} --queries {} --output run.parquet",
        corpus.display(),
        queries.display()
    );
    MINE.done(dir.path(), &line);
    Some(ndcg_at_10(&dir.path().join("run.parquet"), &qrels))
}

#[test]
fn bm25_on_scifact_is_as_good_as_published() {
    if let Some(ndcg) = searched("scifact") {
        assert!(ndcg >= 0.66, "nDCG@10 {ndcg:.4}, published 0.6789");
    }
}

#[test]
fn bm25_on_the_classic_collections_is_near_the_reference() {
    for (name, reference) in [("cranfield", 0.3428), ("vaswani", 0.4378)] {
        if let Some(ndcg) = searched(name) {
            assert!(
                (ndcg - reference).abs() < 0.03,
                "{name}: nDCG@10 {ndcg:.4}, reference {reference}"
            );
        }
    }
}

#[test]
fn all_of_medquad_is_mined_alike_on_any_number_of_threads() {
    let Some(data) = data() else { return };
    let dir = tempfile::tempdir().unwrap();
    let corpus = data.join("medquad_liveqa/corpus.parquet");
    // The corpus of this set is medquad's own rows: question as title, answer as text.
    let pairs = data.join("medquad/qa.parquet");
    write_pairs(&pairs, &dir.path().join("pairs.jsonl"));
    let run = |options: &str| {
        let line = format!(
            "--pairs pairs.jsonl --corpus {} --output out.parquet --index index --force {options}",
            corpus.display()
        );
        let report = MINE.done(dir.path(), &line);
        (report, fs::read(dir.path().join("out.parquet")).unwrap())
    };
    let (report, bytes) = run("");
    assert_eq!(report["passages"], 16_407);
    assert_eq!(report["queries_without_hits"], 0);
    let (_, alone) = run("--threads 1");
    assert!(alone == bytes);
}

fn write_pairs(qa: &Path, pairs: &Path) {
    let lines = rows(qa, &["id", "question", "answer"]).into_iter().map(|row| {
        let pair = serde_json::json!({
            "anchor_id": format!("q{}", row[0]), "anchor": row[1], "positive_id": row[0], "positive": row[2]
        });
        format!("{pair}\n")
    });
    fs::write(pairs, lines.collect::<String>()).unwrap();
}
