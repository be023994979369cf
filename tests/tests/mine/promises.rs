//! What the program promises about its output.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use pairmill_tables::Lineage;
use pairmill_tests::tables::rows;
use pairmill_tests::{MINE, names};
use serde_json::json;

use crate::harness::help_desk;

const LINE: &str = "--pairs pairs.csv --corpus corpus.csv --output candidates.parquet";
const SEARCH: &str = "search --corpus corpus.csv --queries queries.csv --output run.parquet";

/// The reason of each passage for a query.
fn reasons(dir: &Path, query: &str) -> BTreeMap<String, String> {
    rows(
        &dir.join("candidates.parquet"),
        &["query_id", "corpus_id", "reason"],
    )
    .into_iter()
    .filter(|row| row[0] == query)
    .map(|row| (row[1].clone(), row[2].clone()))
    .collect()
}

fn expected(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|&(id, reason)| (id.to_owned(), reason.to_owned()))
        .collect()
}

#[test]
fn every_passage_looked_at_is_written_with_its_reason() {
    let dir = help_desk();
    let report = MINE.done(dir.path(), &format!("{LINE} --qrels qrels.csv"));
    let of_q1 = [
        ("p1", "positive_id"),
        ("p2", "positive_id"),
        ("d5", "positive_id"),
        ("d1", "positive_text"),
        ("q1", "query_id"),
        ("d2", "query_text"),
        ("d3", "negative"),
        ("d4", "negative"),
    ];
    assert_eq!(reasons(dir.path(), "q1"), expected(&of_q1));
    let mut of_q2 = expected(&of_q1);
    of_q2.insert("q1".to_owned(), "negative".to_owned());
    assert_eq!(
        reasons(dir.path(), "q2"),
        of_q2,
        "an equal question shares its answers"
    );
    assert_eq!(
        report,
        json!({
            "up_to_date": false, "output": "candidates.parquet", "passages": 10,
            "queries": 3, "queries_without_hits": 1, "queries_without_terms": 0, "pairs": 3,
            "pairs_labeled_negative": 0, "pairs_without_negatives": 1, "positives_outside_corpus": 0,
            "positives_with_other_text": 0, "judged_outside_corpus": 1, "candidates": 16, "rows": 16,
            "reasons": {
                "negative": 5, "positive_id": 6, "positive_text": 2, "query_id": 1, "query_text": 2
            }
        })
    );
}

#[test]
fn without_judgements_only_the_pairs_positives_are_known() {
    let dir = help_desk();
    MINE.done(dir.path(), LINE);
    let reasons = reasons(dir.path(), "q1");
    assert_eq!(reasons["d5"], "negative");
    assert_eq!(reasons["p2"], "positive_id");
}

#[test]
fn a_group_column_keeps_the_positives_group_out() {
    let dir = help_desk();
    MINE.done(dir.path(), &format!("{LINE} --group-column topic"));
    let reasons = reasons(dir.path(), "q1");
    assert_eq!(
        (&*reasons["d3"], &*reasons["d4"]),
        ("same_group", "negative")
    );
    MINE.done(dir.path(), &format!("{LINE} --group-column title"));
    let reasons = self::reasons(dir.path(), "q1");
    assert_eq!(reasons["d4"], "negative", "having no title is no group");
}

#[test]
fn candidates_are_ordered_ranked_and_not_yet_scored() {
    let dir = help_desk();
    MINE.done(dir.path(), LINE);
    let columns = [
        "query_id",
        "positive_id",
        "rank",
        "decision",
        "reason",
        "score",
        "positive_score",
    ];
    let rows = rows(&dir.path().join("candidates.parquet"), &columns);
    let ranks: Vec<_> = rows
        .iter()
        .map(|row| (&*row[0], &*row[1], &*row[2]))
        .collect();
    let in_order: Vec<_> = [("q1", "p1"), ("q2", "p2")]
        .into_iter()
        .flat_map(|(query, positive)| {
            ["1", "2", "3", "4", "5", "6", "7", "8"].map(|rank| (query, positive, rank))
        })
        .collect();
    assert_eq!(ranks, in_order);
    for row in &rows {
        assert_eq!(row[3] == "keep", row[4] == "negative", "{row:?}");
        assert_eq!((&*row[5], &*row[6]), ("-", "-"));
    }
}

#[test]
fn a_candidates_text_is_its_title_and_text() {
    let dir = help_desk();
    MINE.done(dir.path(), LINE);
    let columns = ["corpus_id", "text", "query", "positive"];
    let texts = rows(&dir.path().join("candidates.parquet"), &columns);
    let of = |id: &str| texts.iter().find(|row| row[0] == id).unwrap();
    assert_eq!(of("d3")[1], "Device Reset the password.");
    assert_eq!(
        of("d4")[1..],
        [
            "Reset the router.",
            "how do I reset the device?",
            "Hold the button for ten seconds to reset."
        ]
    );
}

#[test]
fn top_k_counts_the_passages_looked_at() {
    let dir = help_desk();
    assert_eq!(
        MINE.done(dir.path(), &format!("{LINE} --top-k 3"))["candidates"],
        6
    );
}

#[test]
fn a_pair_given_twice_is_mined_once_and_every_positive_of_an_anchor_is_a_pair() {
    let dir = help_desk();
    let pairs = fs::read_to_string(dir.path().join("pairs.csv")).unwrap();
    let more = "q1,how do I reset the device?,p1,Hold the button for ten seconds to reset.\n\
                q1,how do I reset the device?,d4,Reset the router.\n";
    fs::write(dir.path().join("pairs.csv"), pairs + more).unwrap();
    let report = MINE.done(dir.path(), LINE);
    assert_eq!(
        (&report["pairs"], &report["queries"]),
        (&json!(4), &json!(3))
    );
    assert_eq!(report["candidates"], 24);
    assert_eq!(reasons(dir.path(), "q1")["d4"], "positive_id");
}

#[test]
fn a_corpus_may_lack_titles_and_name_its_columns_otherwise() {
    let dir = help_desk();
    fs::write(
        dir.path().join("faq.csv"),
        "key,body\np1,Reset it.\nd1,Reset them.\n",
    )
    .unwrap();
    let line = "--pairs pairs.csv --corpus faq.csv --id-column key --text-column body --output out.parquet";
    assert_eq!(MINE.done(dir.path(), line)["candidates"], 4);
    assert_eq!(
        rows(&dir.path().join("out.parquet"), &["text"])[0],
        ["Reset it."]
    );
}

#[test]
fn the_bytes_depend_neither_on_threads_nor_on_the_index_nor_on_the_order_of_rows() {
    let dir = help_desk();
    let bytes = |options: &str| {
        let report = MINE.done(dir.path(), &format!("{LINE} --force {options}"));
        assert_eq!(report["up_to_date"], false);
        fs::read(dir.path().join("candidates.parquet")).unwrap()
    };
    let first = bytes("--threads 1");
    assert!(bytes("--threads 2") == first);
    assert!(bytes("--index index") == first, "built");
    assert!(bytes("--index index --threads 2") == first, "reused");

    let columns = ["query_id", "corpus_id", "rank", "bm25", "reason"];
    let before = rows(&dir.path().join("candidates.parquet"), &columns);
    for file in ["pairs.csv", "corpus.csv"] {
        let text = fs::read_to_string(dir.path().join(file)).unwrap();
        let mut lines: Vec<_> = text.lines().collect();
        lines[1..].reverse();
        fs::write(dir.path().join(file), lines.join("\n")).unwrap();
    }
    MINE.done(dir.path(), LINE);
    assert_eq!(
        rows(&dir.path().join("candidates.parquet"), &columns),
        before
    );
}

#[test]
fn an_index_folder_is_reused_until_the_corpus_changes() {
    let dir = help_desk();
    let line = format!("{LINE} --index index --force");
    assert!(
        MINE.run(dir.path(), &line)
            .stderr
            .contains("indexed 10 passages")
    );
    assert!(
        MINE.run(dir.path(), &line)
            .stderr
            .contains("reused the index of 10 passages")
    );
    let corpus = fs::read_to_string(dir.path().join("corpus.csv")).unwrap();
    fs::write(
        dir.path().join("corpus.csv"),
        corpus + "d9,,New and reset.,others\n",
    )
    .unwrap();
    assert!(
        MINE.run(dir.path(), &line)
            .stderr
            .contains("indexed 11 passages")
    );
    let left = names(dir.path());
    assert!(left.iter().all(|name| !name.starts_with('.')), "{left:?}");
}

#[test]
fn an_output_of_the_same_inputs_and_options_is_left_alone() {
    let dir = help_desk();
    let mut first = MINE.done(dir.path(), LINE);
    let output = dir.path().join("candidates.parquet");
    let written = fs::metadata(&output).unwrap().modified().unwrap();
    let report = MINE.done(dir.path(), &format!("{LINE} --threads 1 --index elsewhere"));
    first["up_to_date"] = true.into();
    assert_eq!(report, first, "the figures of the run that wrote it");
    assert_eq!(fs::metadata(&output).unwrap().modified().unwrap(), written);
    assert_eq!(
        MINE.done(dir.path(), &format!("{LINE} --top-k 7"))["up_to_date"],
        false
    );

    let lineage = Lineage::of_parquet(&output).unwrap();
    assert_eq!(
        (&*lineage.stage, &lineage.options["top_k"]),
        ("mine", &json!(7))
    );
    let inputs: BTreeSet<_> = lineage.inputs.keys().map(String::as_str).collect();
    assert_eq!(inputs, BTreeSet::from(["corpus", "pairs"]));
}

#[test]
fn a_run_is_ordered_by_query_and_rank_and_equal_scores_by_id() {
    let dir = help_desk();
    fs::write(
        dir.path().join("corpus.csv"),
        "id,title,text\nz,,red\nb,,red\na,,red\nc,,red red blue\n",
    )
    .unwrap();
    fs::write(
        dir.path().join("queries.csv"),
        "id,text\nq2,red\nq10,blue\nq1,the of\n",
    )
    .unwrap();
    let report = MINE.done(dir.path(), SEARCH);
    assert_eq!(
        report,
        json!({
            "up_to_date": false, "output": "run.parquet", "passages": 4, "queries": 3,
            "queries_without_hits": 0, "queries_without_terms": 1, "hits": 5
        })
    );
    let run = rows(
        &dir.path().join("run.parquet"),
        &["query_id", "corpus_id", "rank"],
    );
    let run: Vec<_> = run.iter().map(|row| row.join(" ")).collect();
    assert_eq!(run, ["q10 c 1", "q2 a 1", "q2 b 2", "q2 z 3", "q2 c 4"]);
    assert_eq!(
        MINE.done(dir.path(), &format!("{SEARCH} --top-k 2"))["hits"],
        3
    );
    let run = rows(&dir.path().join("run.parquet"), &["corpus_id"]);
    assert_eq!(run.concat(), ["c", "a", "b"]);
}
