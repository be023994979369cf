//! Mining with embeddings, and with both retrievers.

mod reference;
mod store;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use pairmill_tests::tables::rows;
use pairmill_tests::{Ended, Hub, MINE, TRAIN, data, model, names, root, write_tiny_model};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::help_desk;

const LINE: &str = "--pairs pairs.csv --corpus corpus.csv --output out.parquet";
const DENSE: &str = "--retriever dense --model onnx";
const HYBRID: &str = "--retriever hybrid --model onnx";

/// The help desk with a tiny model in `onnx`.
fn workplace() -> TempDir {
    let dir = help_desk();
    write_tiny_model(&dir.path().join("tiny"));
    TRAIN.done(dir.path(), "export --model tiny --output onnx");
    dir
}

/// Columns of the output, null as none.
fn table<const N: usize>(dir: &Path, columns: [&str; N]) -> Vec<[Option<String>; N]> {
    let rows = rows(&dir.join("out.parquet"), &columns).into_iter();
    rows.map(|row| {
        let mut cells = row.into_iter();
        std::array::from_fn(|_| cells.next().filter(|cell| cell != "-"))
    })
    .collect()
}

fn number(cell: Option<&String>) -> Option<f64> {
    cell.map(|cell| cell.parse().unwrap())
}

const SCORES: [&str; 9] = [
    "query_id",
    "positive_id",
    "corpus_id",
    "bm25",
    "positive_bm25",
    "dense",
    "positive_dense",
    "bm25_rank",
    "dense_rank",
];

#[test]
fn each_retriever_fills_its_own_columns() {
    let dir = workplace();
    let filled = |retriever: &str| {
        MINE.done(dir.path(), &format!("{LINE} {retriever}"));
        let rows = table(dir.path(), SCORES);
        let column = |number: usize| rows.iter().all(|row| row[number].is_some());
        let none = |number: usize| rows.iter().all(|row| row[number].is_none());
        (3..9)
            .map(|number| match (column(number), none(number)) {
                (true, _) => '#',
                (_, true) => '-',
                _ => '?',
            })
            .collect::<String>()
    };
    assert_eq!(filled(""), "##----");
    assert_eq!(filled(DENSE), "--##--");
    let both = filled(&format!("{HYBRID} --top-k 5"));
    assert_eq!(both.replace('?', "#"), "######", "{both}");
    assert!(both.starts_with('?'), "BM25 does not find all: {both}");
}

#[test]
fn a_positive_in_the_corpus_scores_what_the_passage_scores() {
    let dir = workplace();
    let report = MINE.done(dir.path(), &format!("{LINE} {DENSE}"));
    assert_eq!(report["queries_without_hits"], 0);
    // Every passage is similar to some degree, so each of three pairs gets all ten.
    assert_eq!(report["candidates"], 30);
    let all = table(dir.path(), SCORES);
    let own = all.iter().filter(|row| row[1] == row[2]);
    assert_eq!(own.clone().count(), 3);
    for row in own {
        assert_eq!(row[5], row[6], "{row:?}");
    }
    let ranked = table(dir.path(), ["query_id", "rank", "dense", "text"]);
    let ordered = |pair: &[[Option<String>; 4]]| {
        pair[0][0] != pair[1][0] || number(pair[0][2].as_ref()) >= number(pair[1][2].as_ref())
    };
    assert!(ranked.windows(2).all(ordered));
    let text = |id: &str| {
        let found = table(dir.path(), ["corpus_id", "text"]);
        found
            .into_iter()
            .find(|row| row[0].as_deref() == Some(id))
            .unwrap()[1]
            .clone()
    };
    assert_eq!(text("d3").as_deref(), Some("Device Reset the password."));
}

#[test]
fn ranks_are_fused_and_every_candidate_has_a_similarity() {
    let dir = workplace();
    MINE.done(dir.path(), &format!("{LINE} {DENSE}"));
    let similarity: HashMap<_, _> = table(dir.path(), SCORES)
        .into_iter()
        .map(|row| ((row[0].clone(), row[2].clone()), row[5].clone()))
        .collect();
    MINE.done(dir.path(), &format!("{LINE} {HYBRID} --top-k 5 --rrf-k 10"));
    let fused = table(dir.path(), SCORES);
    let ranks = table(dir.path(), ["rank"]);
    let mut last: Option<(Option<String>, f64)> = None;
    for (row, rank) in fused.iter().zip(&ranks) {
        assert!(row[5].is_some() && row[6].is_some());
        assert_eq!(
            row[5],
            similarity[&(row[0].clone(), row[2].clone())],
            "{row:?}"
        );
        assert_eq!(row[3].is_some(), row[7].is_some());
        let share =
            |cell: &Option<String>| number(cell.as_ref()).map_or(0.0, |rank| 1.0 / (10.0 + rank));
        let score = share(&row[7]) + share(&row[8]);
        assert!(score > 0.0);
        let is_first = rank[0].as_deref() == Some("1");
        if let Some((query, before)) = last.filter(|_| !is_first) {
            assert!(query == row[0] && score <= before + 1e-7, "{row:?}");
        }
        last = Some((row[0].clone(), score));
    }
    let found_by = |number: usize| fused.iter().filter(|row| row[number].is_none()).count();
    assert!(found_by(7) > 0, "some are found by embeddings alone");
}

#[test]
fn the_bytes_depend_on_no_thread_no_batch_no_index_and_no_order() {
    let dir = workplace();
    let reversed = |name: &str| {
        let text = fs::read_to_string(dir.path().join(name)).unwrap();
        let (header, rows) = text.split_once('\n').unwrap();
        let rows: Vec<&str> = rows.lines().rev().collect();
        fs::write(
            dir.path().join(name),
            format!("{header}\n{}\n", rows.join("\n")),
        )
        .unwrap();
    };
    for retriever in [DENSE, HYBRID] {
        let bytes = |options: &str| {
            MINE.done(
                dir.path(),
                &format!("{LINE} {retriever} --top-k 6 --force {options}"),
            );
            let rows = rows(
                &dir.path().join("out.parquet"),
                &[&SCORES[..], &["rank", "reason"]].concat(),
            );
            (rows, fs::read(dir.path().join("out.parquet")).unwrap())
        };
        let first = bytes("--threads 1");
        for options in [
            "--threads 2",
            "--threads 3 --token-budget 10",
            "--index index",
            "--index index --threads 1",
        ] {
            assert!(bytes(options) == first, "{retriever} {options}");
        }
        reversed("pairs.csv");
        reversed("corpus.csv");
        // The lineage names other inputs.
        assert_eq!(bytes("").0, first.0);
    }
}

#[test]
fn margins_and_bounds_are_of_similarities() {
    let dir = workplace();
    for retriever in [DENSE, HYBRID] {
        MINE.done(
            dir.path(),
            &format!("{LINE} {retriever} --absolute-margin 0.01"),
        );
        let rows = table(
            dir.path(),
            ["query_id", "dense", "positive_dense", "reason"],
        );
        let kept = |reason: &Option<String>| reason.as_deref() == Some("negative");
        let failed = |reason: &Option<String>| reason.as_deref() == Some("absolute_margin");
        let mut counts = [0, 0];
        for row in &rows {
            // Each query has one positive here, but for the two that ask the same.
            let margin = number(row[2].as_ref()).unwrap() - number(row[1].as_ref()).unwrap();
            counts[0] += usize::from(kept(&row[3]));
            counts[1] += usize::from(failed(&row[3]));
            assert!(!kept(&row[3]) || margin > 0.0099, "{row:?}");
            assert!(!failed(&row[3]) || margin < 0.0101, "{row:?}");
        }
        assert!(counts[0] > 0 && counts[1] > 0, "{counts:?}");
    }
}

#[test]
fn a_run_is_ranked_by_similarity_or_by_fused_ranks() {
    let dir = workplace();
    fs::write(
        dir.path().join("queries.csv"),
        "id,text\nq1,reset the device\nq2,stripes\n",
    )
    .unwrap();
    let search = "search --corpus corpus.csv --queries queries.csv --output out.parquet --top-k 4";
    for (retriever, least, most) in [(DENSE, -1.0, 1.0), (HYBRID, 1.0 / 65.0, 2.0 / 61.0)] {
        let report = MINE.done(dir.path(), &format!("{search} {retriever}"));
        assert_eq!(
            (&report["hits"], &report["passages"]),
            (&json!(8), &json!(10))
        );
        let run = table(dir.path(), ["query_id", "rank", "score"]);
        for (row, next) in run.iter().zip(&run[1..]) {
            let score = number(row[2].as_ref()).unwrap();
            assert!(score >= least - 1e-6 && score <= most + 1e-6, "{score}");
            assert!(row[0] != next[0] || number(next[2].as_ref()).unwrap() <= score);
        }
    }
    MINE.done(
        dir.path(),
        &format!("{search} {HYBRID}").replace("out.parquet", "run.trec"),
    );
    assert_eq!(
        fs::read_to_string(dir.path().join("run.trec"))
            .unwrap()
            .lines()
            .count(),
        8
    );
}

#[test]
fn similarities_and_ranks_are_explained() {
    let dir = workplace();
    let header = |retriever: &str| {
        MINE.done(dir.path(), &format!("{LINE} {retriever}"));
        let shown = MINE
            .run(dir.path(), "explain --candidates out.parquet --query-id q1")
            .stdout;
        shown
            .lines()
            .nth(4)
            .unwrap()
            .split("  reason")
            .next()
            .unwrap()
            .to_owned()
    };
    assert_snapshot!(header(""), @"rank    bm25   score  decision");
    assert_snapshot!(header(DENSE), @"rank   dense   score  decision");
    assert_snapshot!(header(HYBRID), @"rank    bm25  bm25_rank   dense  dense_rank   score  decision");
    let found: Value = MINE.done(dir.path(), "explain --candidates out.parquet --query-id q1");
    let first = &found["positives"][0]["candidates"][0];
    assert!(first["dense"].is_number() && found["positives"][0]["dense"].is_number());
}

#[test]
fn a_model_of_the_hub_is_fetched_with_its_onnx_file() {
    let dir = workplace();
    let hub = Hub::serve("acme/tiny", &dir.path().join("onnx"));
    let run = |hub: &Hub| -> Ended {
        let line = format!("{LINE} --retriever dense --model acme/tiny --json");
        let mut command = MINE.command(dir.path(), &line);
        hub.is_used_by(dir.path(), &mut command)
            .output()
            .unwrap()
            .into()
    };
    run(&hub).report();
    let requests = hub.requests();
    let fetched = |name: &str| requests.iter().any(|path| path.ends_with(name));
    assert!(
        fetched("onnx/model.onnx") && fetched("1_Pooling/config.json"),
        "{requests:?}"
    );
    assert!(!fetched("model.safetensors"), "{requests:?}");
    let by_id = table(dir.path(), SCORES);
    MINE.done(dir.path(), &format!("{LINE} {DENSE}"));
    assert_eq!(table(dir.path(), SCORES), by_id);
    let without = Hub::serve("acme/tiny", &dir.path().join("tiny"));
    let mut command = MINE.command(
        dir.path(),
        &format!("{LINE} --retriever dense --model acme/tiny"),
    );
    let ended: Ended = without
        .is_used_by(&dir.path().join("other"), &mut command)
        .output()
        .unwrap()
        .into();
    assert!(
        ended
            .error(1)
            .contains("has no model.onnx or onnx/model.onnx"),
        "{}",
        ended.stderr
    );
}

#[test]
fn options_that_make_no_sense_together_are_refused() {
    let dir = workplace();
    let error = |options: &str| MINE.refused(dir.path(), &format!("{LINE} {options}"), 2);
    assert_snapshot!(error("--retriever dense"), @"error: --retriever dense and hybrid need --model DIR_OR_ID, a sentence encoder");
    assert_snapshot!(error("--model onnx"), @"error: --model is for --retriever dense or hybrid");
    assert_snapshot!(error(&format!("{DENSE} --k1 0.9")), @"error: --k1 is for --retriever bm25 or hybrid");
    assert_snapshot!(error(&format!("{DENSE} --rrf-k 10")), @"error: --rrf-k is for --retriever hybrid");
    let search = "search --corpus corpus.csv --queries corpus.csv --output out.parquet";
    assert_snapshot!(MINE.refused(dir.path(), &format!("{search} --max-length 9"), 2), @"error: --max-length is for --retriever dense or hybrid");
}

#[test]
fn what_is_wrong_with_model_or_corpus_is_said_and_leaves_nothing() {
    let dir = workplace();
    let path = dir.path();
    let with = |model: &str| {
        MINE.refused(
            path,
            &format!("{LINE} --retriever hybrid --model {model}"),
            1,
        )
    };
    assert_snapshot!(with("nowhere/at/all"), @"error: nowhere/at/all: no such model folder; check the path");
    assert_snapshot!(with("tiny"), @"error: tiny: has no model.onnx; expected a model folder with model.onnx (or onnx/model.onnx), tokenizer.json and config.json; `pairmill-train export --model DIR --output DIR` makes one of a sentence-transformers folder");
    let config = path.join("onnx/config_sentence_transformers.json");
    fs::write(&config, r#"{"similarity_fn_name": "angular"}"#).unwrap();
    let dense = || MINE.refused(path, &format!("{LINE} {DENSE}"), 1);
    assert_snapshot!(dense(), @"error: onnx/config_sentence_transformers.json: the similarity_fn_name `angular` is not supported; supported: cosine, dot, euclidean, manhattan");
    fs::remove_file(&config).unwrap();
    let corpus = fs::read_to_string(path.join("corpus.csv")).unwrap();
    fs::write(
        path.join("corpus.csv"),
        corpus.clone() + "d1,,Again.,copies\n",
    )
    .unwrap();
    assert_snapshot!(dense(), @r"
    error: corpus.csv: cannot be embedded
      because: id `d1` occurs more than once; ids of a corpus must be unique
    ");
    fs::write(path.join("corpus.csv"), "id,title,text\n").unwrap();
    assert_snapshot!(dense(), @"error: corpus.csv: has no rows; expected a corpus table with at least one");
}
