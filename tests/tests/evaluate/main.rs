//! `pairmill-evaluate` as its users run it: models and tables in, figures out.

mod abtest;
mod assign;
mod comparisons;
mod embed;
mod endings;
mod evidence;
mod harness;
mod paraphrases;
mod properties;
mod published;
mod real_runs;
mod refusals;
mod rerank;
mod runs;
mod sentences;
mod tasks;
#[path = "../../../crates/inference/tests/tiny_model/mod.rs"]
mod tiny_model;

use std::fs;
use std::process::Stdio;

use insta::assert_snapshot;
use pairmill_tables::{Lineage, f64_column, i32_column, string_column};
use pairmill_tests::tables::read;
use pairmill_tests::{EVALUATE, names, write_tiny_model};
use serde_json::json;

use crate::harness::{CORPUS, QRELS, QUERIES, RETRIEVAL, close, damaged, help_desk};

#[test]
fn retrieval_ranks_scores_and_keeps_what_the_figures_rest_on() {
    let dir = help_desk();
    let found = EVALUATE.done(dir.path(), &format!("{RETRIEVAL} --output out"));
    assert_eq!(found["model"]["ndcg@10"], 1.0, "{found}");
    assert_eq!(
        found["model"]["precision@10"],
        (2.0 + 1.0 + 1.0 + 1.0) / 40.0
    );
    assert_eq!(found["model"]["recall@1"], (0.5 + 1.0 + 1.0 + 1.0) / 4.0);
    let counts = json!({
        "documents": 8,
        "judgements": 6,
        "judgements_of_unknown_documents": 0,
        "judgements_of_unknown_queries": 0,
        "queries": 4,
        "queries_without_judgements": 1,
    });
    assert_eq!(found["counts"], counts);

    let out = dir.path().join("out");
    let expected = [
        "examples.json",
        "lineage.json",
        "metrics.json",
        "model_card.md",
        "per_query.parquet",
        "report.html",
        "report.md",
        "run.parquet",
    ];
    assert_eq!(names(&out).into_iter().collect::<Vec<_>>(), expected);
    let run = read(&out.join("run.parquet"));
    assert_eq!(
        run.num_rows(),
        4 * 8,
        "each judged query has a result for each document"
    );
    assert_eq!(string_column(&run, "corpus_id").value(0), "d1");
    assert_eq!(
        i32_column(&run, "rank").values()[..9],
        [1, 2, 3, 4, 5, 6, 7, 8, 1]
    );
    let per_query = read(&out.join("per_query.parquet"));
    let queries: Vec<_> = string_column(&per_query, "query_id")
        .iter()
        .flatten()
        .collect();
    assert_eq!(queries, ["q1", "q2", "q3", "q4"]);
    assert_eq!(
        f64_column(&per_query, "recall@1").values()[..],
        [0.5, 1.0, 1.0, 1.0]
    );
    let lineage = Lineage::of_parquet(&out.join("run.parquet")).unwrap();
    assert_eq!(lineage.stage, "evaluate retrieval");
    assert_eq!(
        lineage.inputs.keys().collect::<Vec<_>>(),
        ["corpus", "model", "qrels", "queries"]
    );
    assert!(lineage.is_carried_by(&out));

    let of_run = EVALUATE.done(dir.path(), "run --run out/run.parquet --qrels qrels.csv");
    assert_eq!(of_run["model"], found["model"]);
}

#[test]
fn a_baseline_stands_beside_the_model() {
    let dir = help_desk();
    damaged(&dir.path().join("model"), &dir.path().join("worse"), 0.5, 0);
    let line = format!("{RETRIEVAL} --baseline worse --output out");
    let ended = EVALUATE.run(dir.path(), &line);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let rows: Vec<Vec<&str>> = ended
        .stdout
        .lines()
        .map(|row| row.split_whitespace().collect())
        .collect();
    let header = "metric baseline model difference 95 % interval p (Holm)";
    assert_eq!(rows[0].join(" "), header);
    assert_eq!(
        (rows.len(), rows[1][0], rows[1][2]),
        (15, "ndcg@10", "1.0000")
    );
    assert!(rows[1][3].starts_with('+'), "{}", ended.stdout);
    let report = fs::read_to_string(dir.path().join("out/report.md")).unwrap();
    assert!(
        report.contains("4 queries are too few to tell") && report.contains("| ndcg@10 |"),
        "{report}"
    );
    assert!(dir.path().join("out/run_baseline.parquet").exists());

    let again = EVALUATE.done(dir.path(), &line);
    assert_eq!(again["up_to_date"], true);
    let difference =
        again["model"]["mrr@10"].as_f64().unwrap() - again["baseline"]["mrr@10"].as_f64().unwrap();
    close(&again["difference"]["mrr@10"], difference, 1e-12);
    let per_query = read(&dir.path().join("out/per_query.parquet"));
    let baseline = f64_column(&per_query, "baseline_mrr@10");
    let mean = baseline.values().iter().sum::<f64>() / 4.0;
    close(&again["baseline"]["mrr@10"], mean, 1e-12);
}

#[test]
fn a_baseline_of_other_dimensions_says_what_it_lacks() {
    let dir = help_desk();
    write_tiny_model(&dir.path().join("tiny"));
    let line = format!("{RETRIEVAL} --baseline tiny --truncate-dim 64,16 --precision int8");
    let ended = EVALUATE.run(dir.path(), &format!("{line} --output out --json"));
    let found = ended.report();
    let warning = "the baseline tiny has 32 dimensions; 3 of 5 smaller forms keep more of the model's 384 and have no figures of it";
    assert!(ended.stderr.contains(warning), "{}", ended.stderr);
    assert_eq!(found["counts"]["forms_without_baseline"], 3);
    for form in found["variants"].as_array().unwrap() {
        let lacks = form["dimension"].as_u64() > Some(32);
        assert_eq!(form.get("baseline").is_none(), lacks, "{form}");
    }
    let report = fs::read_to_string(dir.path().join("out/report.md")).unwrap();
    assert!(
        report.contains("3 smaller forms of the embeddings keep more dimensions"),
        "{report}"
    );

    let turned = RETRIEVAL.replace("--model model", "--model tiny --baseline model");
    let said = EVALUATE
        .run(dir.path(), &format!("{turned} --precision int8"))
        .stderr;
    let warning = "the baseline model has 384 dimensions; its smaller forms are cut to 32 or fewer";
    assert!(said.contains(warning), "{said}");
    let said = EVALUATE.run(dir.path(), &turned).stderr;
    assert!(!said.contains("smaller forms"), "{said}");
}

#[test]
fn a_regression_that_matters_exits_with_three() {
    let dir = help_desk();
    damaged(&dir.path().join("model"), &dir.path().join("worse"), 0.5, 0);
    let line = RETRIEVAL.replace(
        "--model model",
        "--model worse --baseline model --output out",
    );
    let code = |options: &str| EVALUATE.run(dir.path(), &format!("{line} {options}")).code;
    assert_eq!(code("--fail-on-regression ndcg@10:0.9999"), 0);
    let missed = EVALUATE.run(
        dir.path(),
        &format!("{line} --fail-on-regression recall@100 --fail-on-regression ndcg@10"),
    );
    assert_eq!(
        missed.code, 3,
        "an output that is up to date is judged as well"
    );
    assert!(
        missed.stdout.starts_with("metric"),
        "the figures are there: {}",
        missed.stdout
    );
    assert!(
        missed.stderr.contains("ndcg@10 fell from 1.0000 to"),
        "{}",
        missed.stderr
    );
    assert!(
        !missed.stderr.contains("recall@100 fell"),
        "{}",
        missed.stderr
    );
    let error = EVALUATE.refused(dir.path(), &format!("{line} --fail-on-regression f1"), 2);
    assert_snapshot!(error, @"error: --fail-on-regression f1: no such metric here; expected one of ndcg@10, mrr@10, map@100, recall@1, recall@10, recall@100, precision@1, precision@10, accuracy@1");
    assert_eq!(code("--fail-on-regression ndcg@10:-1"), 2);
    let without = RETRIEVAL.to_owned() + " --fail-on-regression ndcg@10";
    assert!(
        EVALUATE
            .refused(dir.path(), &without, 2)
            .contains("--baseline")
    );
}

#[test]
fn an_output_that_is_up_to_date_is_left_alone() {
    let dir = help_desk();
    let line = format!("{RETRIEVAL} --output out");
    let first = EVALUATE.done(dir.path(), &line);
    let made = || {
        fs::metadata(dir.path().join("out/run.parquet"))
            .unwrap()
            .modified()
            .unwrap()
    };
    let before = made();
    let mut again = EVALUATE.done(dir.path(), &line);
    assert_eq!(again["up_to_date"], true);
    again["up_to_date"] = false.into();
    assert_eq!(again, first);
    assert_eq!(made(), before);
    assert_eq!(
        EVALUATE.done(dir.path(), &format!("{line} --force"))["up_to_date"],
        false
    );
    assert_eq!(
        EVALUATE.done(dir.path(), &format!("{line} --max-length 16"))["up_to_date"],
        false
    );
    fs::write(dir.path().join("qrels.csv"), QRELS.replace("d8,1", "d8,3")).unwrap();
    assert_eq!(
        EVALUATE.done(dir.path(), &format!("{line} --max-length 16"))["up_to_date"],
        false
    );
}

#[test]
fn threads_and_the_order_of_rows_do_not_change_the_ranking() {
    let dir = help_desk();
    let reversed = |text: &str| {
        let (header, rows) = text.split_once('\n').unwrap();
        let rows: Vec<_> = rows.lines().rev().collect();
        format!("{header}\n{}\n", rows.join("\n"))
    };
    let ranking = |out: &str, threads: u8| {
        EVALUATE.done(
            dir.path(),
            &format!("{RETRIEVAL} --output {out} --threads {threads}"),
        );
        let run = read(&dir.path().join(out).join("run.parquet"));
        let pairs = string_column(&run, "query_id")
            .iter()
            .zip(string_column(&run, "corpus_id"));
        pairs
            .map(|(query, document)| format!("{query:?} {document:?}"))
            .collect::<Vec<_>>()
    };
    let first = ranking("one", 1);
    assert_eq!(first, ranking("four", 4));
    for (name, text) in [
        ("corpus.csv", CORPUS),
        ("queries.csv", QUERIES),
        ("qrels.csv", QRELS),
    ] {
        fs::write(dir.path().join(name), reversed(text)).unwrap();
    }
    assert_eq!(first, ranking("reversed", 2));
}

#[test]
fn equal_documents_rank_by_id() {
    let dir = help_desk();
    fs::write(
        dir.path().join("corpus.csv"),
        "id,title,text\nb,,Same text.\nc,,Same text.\na,,Same text.\n",
    )
    .unwrap();
    fs::write(
        dir.path().join("qrels.csv"),
        "query_id,corpus_id,score\nq1,b,1\nq1,gone,1\nq9,a,1\n",
    )
    .unwrap();
    let ended = EVALUATE.run(dir.path(), &format!("{RETRIEVAL} --output out"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for warning in [
        "1 of 3 judgements names a document that corpus.csv does not hold",
        "1 of 3 judgements left out, of queries that queries.csv does not hold",
        "4 of 5 queries left out, without a relevant document",
    ] {
        assert!(ended.stderr.contains(warning), "{}", ended.stderr);
    }
    let run = read(&dir.path().join("out/run.parquet"));
    let ids: Vec<_> = string_column(&run, "corpus_id").iter().flatten().collect();
    assert_eq!(ids, ["a", "b", "c"]);
    let figures = EVALUATE.done(dir.path(), &format!("{RETRIEVAL} --output out"));
    assert_eq!(figures["model"]["mrr@10"], 0.5);
    assert_eq!(
        figures["model"]["recall@100"], 0.5,
        "an unknown document stays in the divisor"
    );
}

#[test]
fn a_run_is_judged_by_rank_against_hand_made_figures() {
    let dir = tempfile::tempdir().unwrap();
    let rows = [
        ("a", "x", 2, 0.1),
        ("a", "y", 1, 0.9),
        ("a", "z", 3, 0.0),
        ("unjudged", "x", 1, 1.0),
    ];
    let rows: Vec<String> = rows
        .map(|(query, document, rank, score)| {
            json!({"query_id": query, "corpus_id": document, "rank": rank, "score": score})
                .to_string()
        })
        .to_vec();
    fs::write(dir.path().join("run.jsonl"), rows.join("\n")).unwrap();
    fs::write(
        dir.path().join("qrels.tsv"),
        "query_id\tcorpus_id\tscore\na\tx\t2\na\tw\t1\na\ty\t0\nmissing\tx\t1\n",
    )
    .unwrap();
    let found = EVALUATE.done(
        dir.path(),
        "run --run run.jsonl --qrels qrels.tsv --output out",
    );
    // Query a finds one of two relevant documents at rank 2; query missing finds nothing.
    let ndcg = (2.0 / 3f64.log2()) / (2.0 + 1.0 / 3f64.log2());
    close(&found["model"]["ndcg@10"], ndcg / 2.0, 1e-12);
    close(&found["model"]["mrr@10"], 0.25, 1e-12);
    close(&found["model"]["map@100"], 0.125, 1e-12);
    close(&found["model"]["recall@10"], 0.25, 1e-12);
    close(&found["model"]["accuracy@1"], 0.0, 1e-12);
    let counts = json!({
        "judgements": 4, "queries": 2, "queries_without_judgements": 1, "queries_without_results": 1,
    });
    assert_eq!(found["counts"], counts);
    assert_eq!(
        read(&dir.path().join("out/per_query.parquet")).num_rows(),
        2
    );
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("run.csv"),
        "query_id,corpus_id,rank,score\nq1,d1,1,0.9\n",
    )
    .unwrap();
    fs::write(dir.path().join("qrels.csv"), QRELS).unwrap();
    let mut child = EVALUATE
        .command(dir.path(), "run --run run.csv --qrels qrels.csv --quiet")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success());
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(!said.contains("error"), "{said}");
}
