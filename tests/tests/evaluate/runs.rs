//! Ranked runs of any origin: how ties rank, what counts, and in which forms runs and judgements
//! come.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use pairmill_tables::{f64_column, string_column};
use pairmill_tests::tables::read;
use pairmill_tests::{EVALUATE, GENERATE};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{close, help_desk};

/// Two results of equal score each: `b` is relevant to q1, `a` to q2, and q3 has no result.
const RUN: &str = "\
query_id,corpus_id,rank,score
q1,a,2,0.5
q1,b,1,0.5
q2,b,1,0.25
q2,a,2,0.25
";
const QRELS: &str = "query_id,corpus_id,score\nq1,b,1\nq2,a,1\nq3,c,1\n";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn judged(dir: &Path, options: &str) -> Value {
    EVALUATE.done(
        dir,
        &format!("run --run run.csv --qrels qrels.csv --resamples 0 {options}"),
    )
}

#[test]
fn equal_scores_rank_as_the_dialect_says_and_the_output_declares_it() {
    let dir = folder(&[("run.csv", RUN), ("qrels.csv", QRELS)]);
    let first = |ties: &str| {
        let options = format!("--metrics accuracy@1 --ties {ties} --output {ties}");
        let found = judged(dir.path(), &options);
        assert_eq!(found["conventions"]["ties"], ties);
        let out = dir.path().join(ties);
        let kept = fs::read_to_string(out.join("metrics.json")).unwrap();
        let kept: Value = serde_json::from_str(&kept).unwrap();
        assert_eq!(kept["conventions"], found["conventions"]);
        let report = fs::read_to_string(out.join("report.md")).unwrap();
        assert!(report.contains(&format!("ties: {ties}")), "{report}");
        let rows = read(&out.join("per_query.parquet"));
        f64_column(&rows, "accuracy@1").values().to_vec()
    };
    assert_eq!(first("rank"), [1.0, 0.0, 0.0], "b first, as ranked");
    assert_eq!(first("trec"), [1.0, 0.0, 0.0], "b first, the later id");
    assert_eq!(first("st"), [0.0, 1.0, 0.0], "a first, the earlier id");
    assert_eq!(
        judged(dir.path(), "")["conventions"],
        json!({"ties": "score", "without_results": "zero", "identical_ids": "kept"})
    );
}

#[test]
fn scores_decide_where_the_dialect_does_not_look_at_ranks() {
    let run = "query_id,corpus_id,rank,score\nq1,b,1,0.1\nq1,a,2,0.9\n";
    let dir = folder(&[("run.csv", run), ("qrels.csv", QRELS)]);
    let mrr = |ties: &str| {
        let options = format!("--metrics mrr@10 --without-results skip --ties {ties}");
        judged(dir.path(), &options)["model"]["mrr@10"].clone()
    };
    assert_eq!(
        ["score", "rank", "trec", "st"].map(mrr),
        [0.5, 1.0, 0.5, 0.5]
    );
}

#[test]
fn ranks_that_contradict_scores_are_told_and_missing_ones_are_made_of_scores() {
    // Two lists put one behind the other, the better one last.
    let joined = "query_id,corpus_id,rank,score\nq1,x,1,0.3\nq1,y,2,0.2\nq1,b,3,0.9\nq1,a,4,0.8\n\
        q2,a,1,0.9\nq2,b,2,0.1\n";
    let bare =
        "query_id,corpus_id,score\nq1,x,0.3\nq1,y,0.2\nq1,b,0.9\nq1,a,0.8\nq2,a,0.9\nq2,b,0.1\n";
    let dir = folder(&[
        ("joined.csv", joined),
        ("bare.csv", bare),
        ("qrels.csv", QRELS),
    ]);
    let mrr = |run: &str, options: &str| {
        let line =
            format!("run --run {run} --qrels qrels.csv --metrics mrr@10 --resamples 0 {options}");
        let found = EVALUATE.done(dir.path(), &line);
        let said = EVALUATE.run(dir.path(), &line).stderr;
        (
            found["model"]["mrr@10"].clone(),
            found["warnings"].clone(),
            said,
        )
    };
    let (by_score, warnings, said) = mrr("joined.csv", "");
    assert_eq!(by_score, mrr("joined.csv", "--ties trec").0);
    let warning =
        "the ranks of 1 of 2 queries of joined.csv contradict the scores (the first: `q1`)";
    assert!(
        warnings[0].as_str().unwrap().starts_with(warning),
        "{warnings}"
    );
    assert!(said.contains(warning), "{said}");
    let (by_rank, warnings, _) = mrr("joined.csv", "--ties rank");
    assert!(by_rank.as_f64() < by_score.as_f64());
    assert!(
        warnings[0]
            .as_str()
            .unwrap()
            .contains("results count by rank"),
        "{warnings}"
    );
    let (of_bare, warnings, _) = mrr("bare.csv", "");
    assert_eq!((of_bare, warnings.is_null()), (by_score, true));
    // Judgements in the place of a run order nothing.
    let (_, warnings, _) = mrr("qrels.csv", "");
    assert!(
        warnings.is_null(),
        "one result a query has no order: {warnings}"
    );
    fs::write(
        dir.path().join("flat.csv"),
        bare.replace("0.", "1.")
            .replace(",1.3", ",1")
            .replace(",1.2", ",1")
            .replace(",1.9", ",1")
            .replace(",1.8", ",1")
            .replace(",1.1", ",1"),
    )
    .unwrap();
    let (_, warnings, _) = mrr("flat.csv", "");
    assert!(
        warnings[0]
            .as_str()
            .unwrap()
            .contains("flat.csv has no ranks"),
        "{warnings}"
    );
}

#[test]
fn a_run_without_ranks_is_not_taken_for_judgements() {
    let bare = "query_id,corpus_id,score\nq1,x,12\nq1,y,11.5\n";
    let dir = folder(&[("bare.csv", bare)]);
    let said = GENERATE.refused(dir.path(), "convert --input bare.csv --output bare.tsv", 1);
    assert_snapshot!(said, @"error: bare.csv: column `score` is 11.5 in row 2 (counted from 1), which is no grade of a judgement, and a run has a column `rank`; add the ranks, or make the grades whole numbers");
}

#[test]
fn queries_without_results_score_zero_or_are_left_out() {
    let dir = folder(&[("run.csv", RUN), ("qrels.csv", QRELS)]);
    let found = |policy: &str| {
        let options = format!("--metrics recall@10 --without-results {policy}");
        judged(dir.path(), &options)
    };
    let (zero, skip) = (found("zero"), found("skip"));
    close(&zero["model"]["recall@10"], 2.0 / 3.0, 1e-12);
    close(&skip["model"]["recall@10"], 1.0, 1e-12);
    assert_eq!(
        (&zero["counts"]["queries"], &skip["counts"]["queries"]),
        (&json!(3), &json!(2))
    );
    for found in [zero, skip] {
        assert_eq!(found["counts"]["queries_without_results"], 1);
    }
    let line = "run --run run.csv --qrels qrels.csv --without-results skip";
    let said = EVALUATE.run(dir.path(), line).stderr;
    assert!(
        said.contains("1 of 3 judged queries without a result in run.csv: left out"),
        "{said}"
    );
}

#[test]
fn a_result_that_is_its_own_query_can_be_ignored() {
    let run = "query_id,corpus_id,rank,score\na,a,1,0.9\na,b,2,0.8\nb,b,1,0.9\nc,a,1,0.9\n";
    let qrels = "query_id,corpus_id,score\na,b,1\nb,a,1\nc,a,1\n";
    let dir = folder(&[("run.csv", run), ("qrels.csv", qrels)]);
    let kept = judged(dir.path(), "--metrics accuracy@1");
    close(&kept["model"]["accuracy@1"], 1.0 / 3.0, 1e-12);
    assert_eq!(kept["counts"].get("identical_ids_ignored"), None);
    let ignored = judged(dir.path(), "--metrics accuracy@1 --ignore-identical-ids");
    close(&ignored["model"]["accuracy@1"], 2.0 / 3.0, 1e-12);
    assert_eq!(ignored["conventions"]["identical_ids"], "ignored");
    assert_eq!(ignored["counts"]["identical_ids_ignored"], 2);
    assert_eq!(
        ignored["counts"]["queries_without_results"], 1,
        "b had nothing else"
    );
}

#[test]
fn metrics_are_those_asked_for_in_that_order() {
    let run = "query_id,corpus_id,rank,score\nq1,x,1,0.9\nq1,a,2,0.8\nq1,b,3,0.7\nq1,y,4,0.6\n";
    let qrels = "query_id,corpus_id,score\nq1,b,3\nq1,c,1\nq2,a,1\n";
    let dir = folder(&[("run.csv", run), ("qrels.csv", qrels)]);
    let options =
        "--metrics recall_cap@1,hole@4,ndcg_exp@3,map_trec@3,hole@4 --without-results skip";
    let found = judged(dir.path(), options);
    let line = format!("run --run run.csv --qrels qrels.csv --resamples 0 {options}");
    let table = EVALUATE.run(dir.path(), &line).stdout;
    let names: Vec<&str> = table
        .lines()
        .filter_map(|row| row.split(' ').next())
        .collect();
    assert_eq!(
        names,
        [
            "metric",
            "recall_cap@1",
            "hole@4",
            "ndcg_exp@3",
            "map_trec@3"
        ]
    );
    close(&found["model"]["hole@4"], 0.5, 1e-12);
    let best = 7.0 + 1.0 / 3f64.log2();
    close(&found["model"]["ndcg_exp@3"], 3.5 / best, 1e-12);
    close(&found["model"]["map_trec@3"], 1.0 / 6.0, 1e-12);
    let line = "run --run run.csv --qrels qrels.csv --metrics ndcg@10,speed@3";
    let error = EVALUATE.refused(dir.path(), line, 2);
    assert!(
        error.contains("`speed@3` is no retrieval metric; expected ndcg, ndcg_exp, mrr"),
        "{error}"
    );
}

#[test]
fn a_run_and_judgements_may_be_in_the_form_of_trec_or_beir() {
    let dir = folder(&[
        ("run.csv", RUN),
        ("qrels.csv", QRELS),
        (
            "run.trec",
            "q1 Q0 a 2 0.5 me\nq1 Q0 b 1 0.5 me\nq2 Q0 b 1 0.25 me\nq2 Q0 a 2 0.25 me\n",
        ),
        ("qrels.txt", "q1 0 b 1\nq2 0 a 1\nq3 0 c 1\n"),
        (
            "test.tsv",
            "query-id\tcorpus-id\tscore\nq1\tb\t1\nq2\ta\t1\nq3\tc\t1\n",
        ),
    ]);
    let expected = judged(dir.path(), "")["model"].take();
    for (run, qrels) in [
        ("run.trec", "qrels.txt"),
        ("run.csv", "test.tsv"),
        ("run.trec", "test.tsv"),
    ] {
        let line = format!("run --run {run} --qrels {qrels}");
        assert_eq!(
            EVALUATE.done(dir.path(), &line)["model"],
            expected,
            "{line}"
        );
    }
}

#[test]
fn a_folder_of_beir_is_searched_as_it_is() {
    let dir = help_desk();
    let beir = dir.path().join("beir");
    fs::create_dir_all(beir.join("qrels")).unwrap();
    let write = |name: &str, text: &str| fs::write(beir.join(name), text).unwrap();
    write(
        "corpus.jsonl",
        r#"{"_id": "1", "title": "Printer", "text": "The printer jams on thick paper.", "metadata": {}}
{"_id": "2", "title": "", "text": "Reset your password on the account page.", "metadata": {"url": "https://example.org"}}
{"_id": "3", "title": "Delivery", "text": "Parcels arrive within three working days.", "metadata": {}}
"#,
    );
    write(
        "queries.jsonl",
        r#"{"_id": "1", "text": "paper stuck in the printer", "metadata": {}}
{"_id": "q2", "text": "I forgot my password", "metadata": {}}
"#,
    );
    write(
        "qrels/test.tsv",
        "query-id\tcorpus-id\tscore\n1\t1\t1\nq2\t2\t1\nq2\t9\t1\n",
    );
    let line = "retrieval --model model --corpus beir/corpus.jsonl --queries beir/queries.jsonl \
                --qrels beir/qrels/test.tsv";
    let found = EVALUATE.done(
        dir.path(),
        &format!("{line} --metrics mrr@10,recall@2 --output out"),
    );
    assert_eq!(found["model"], json!({"mrr@10": 1.0, "recall@2": 0.75}));
    assert_eq!(found["counts"]["judgements_of_unknown_documents"], 1);
    assert_eq!(
        found["conventions"],
        json!({"ties": "st", "identical_ids": "kept"})
    );

    let ignored = EVALUATE.done(
        dir.path(),
        &format!("{line} --metrics mrr@10,recall@2 --ignore-identical-ids --output ignored"),
    );
    assert_eq!(ignored["model"], json!({"mrr@10": 0.5, "recall@2": 0.25}));
    assert_eq!(ignored["counts"]["identical_ids_ignored"], 1);
    let run = read(&dir.path().join("ignored/run.parquet"));
    let pairs = string_column(&run, "query_id")
        .iter()
        .zip(string_column(&run, "corpus_id"));
    assert!(pairs.clone().all(|(query, document)| query != document));
    assert_eq!(pairs.count(), 5);

    let line =
        format!("{line} --metrics hole@10,mrr@10 --baseline model --fail-on-regression hole@10");
    assert_snapshot!(EVALUATE.refused(dir.path(), &line, 2), @"error: --fail-on-regression hole@10: no such metric here; expected one of mrr@10");
}

#[test]
fn a_baseline_run_stands_beside_the_run() {
    let before =
        "query_id,corpus_id,rank,score\nq1,a,1,9\nq1,b,2,8\nq2,a,1,9\nq3,x,1,9\nq9,x,1,1\n";
    let dir = folder(&[
        ("run.csv", RUN),
        ("qrels.csv", QRELS),
        ("before.csv", before),
    ]);
    let line = "run --run run.csv --qrels qrels.csv --baseline before.csv --metrics mrr@10";
    let found = EVALUATE.done(dir.path(), &format!("{line} --output out"));
    // q1 from rank 2 to 1, q2 from 1 to 2, q3 without the relevant one and without results.
    close(&found["baseline"]["mrr@10"], 0.5, 1e-12);
    close(&found["model"]["mrr@10"], 0.5, 1e-12);
    let counts = json!({
        "queries": 3, "judgements": 3, "queries_without_judgements": 0, "queries_without_results": 1,
        "baseline_queries_without_judgements": 1, "baseline_queries_without_results": 0,
    });
    assert_eq!(found["counts"], counts);
    let paired = &found["evidence"]["metrics"][0]["difference"]["paired"];
    assert_eq!(
        (&paired["better"], &paired["worse"], &paired["equal"]),
        (&json!(1), &json!(1), &json!(1))
    );
    let items = read(&dir.path().join("out/per_query.parquet"));
    assert_eq!(
        f64_column(&items, "baseline_mrr@10").values()[..],
        [0.5, 1.0, 0.0]
    );
    let report = fs::read_to_string(dir.path().join("out/report.md")).unwrap();
    assert!(
        report.contains("Model `run.csv` against baseline `before.csv`"),
        "{report}"
    );
    let page = fs::read_to_string(dir.path().join("out/report.html")).unwrap();
    for part in ["precision and recall", "before and after"] {
        assert!(page.to_lowercase().contains(part), "{part}");
    }

    let skipped = judged(
        dir.path(),
        "--baseline before.csv --metrics recall@1 --without-results skip",
    );
    assert_eq!(skipped["counts"]["queries"], 2, "those that both answer");
    close(&skipped["baseline"]["recall@1"], 0.5, 1e-12);

    let code = |options: &str| {
        let line = format!("run --run run.csv --qrels qrels.csv {options}");
        EVALUATE.run(dir.path(), &line).code
    };
    let threshold = "--metrics accuracy@1,recall@10 --fail-on-regression";
    assert_eq!(
        code(&format!("--baseline before.csv {threshold} accuracy@1")),
        0
    );
    assert_eq!(
        code(&format!("--baseline run.csv {threshold} recall@10")),
        0
    );
    let turned = format!("run --run before.csv --baseline run.csv --qrels qrels.csv {threshold} ");
    let missed = EVALUATE.run(dir.path(), &(turned.clone() + "recall@10:0.1"));
    assert_eq!(missed.code, 0, "{}", missed.stderr);
    fs::write(
        dir.path().join("before.csv"),
        before.replace("q2,a", "q2,z"),
    )
    .unwrap();
    let missed = EVALUATE.run(dir.path(), &(turned + "recall@10:0.1"));
    assert_eq!(missed.code, 3, "{}", missed.stderr);
    assert!(
        missed
            .stderr
            .contains("recall@10 fell from 0.6667 to 0.3333"),
        "{}",
        missed.stderr
    );
    assert_eq!(code(&format!("{threshold} recall@10")), 2, "no baseline");
}

#[test]
fn unsound_runs_are_refused() {
    let dir = folder(&[
        ("qrels.csv", QRELS),
        (
            "nan.csv",
            "query_id,corpus_id,rank,score\nq1,a,1,0.5\nq1,b,2,NaN\n",
        ),
        ("nan.trec", "q1 Q0 a 1 nan me\n"),
        ("other.csv", "query_id,corpus_id,rank,score\nQ1,a,1,0.5\n"),
        (
            "apart.csv",
            "query_id,corpus_id,rank,score\nq1,a,1,0.5\nq2,a,1,0.5\nq1,a,2,0.4\n",
        ),
        ("own.csv", "query_id,corpus_id,rank,score\nq1,q1,1,0.5\n"),
        ("first.csv", "query_id,corpus_id,rank,score\nq1,a,1,0.5\n"),
        ("second.csv", "query_id,corpus_id,rank,score\nq2,a,1,0.5\n"),
    ]);
    let error = |run: &str| {
        let line = format!("run --run {run} --qrels qrels.csv --output out");
        let error = EVALUATE.refused(dir.path(), &line, 1);
        assert!(!dir.path().join("out").exists());
        error
    };
    assert_snapshot!(error("nan.csv"), @"error: nan.csv: the score of document `b` for query `q1` is NaN; expected a number, so correct or remove the row");
    assert_snapshot!(error("nan.trec"), @"error: nan.trec: the score of document `a` for query `q1` is NaN; expected a number, so correct or remove the row");
    assert_snapshot!(error("other.csv"), @"error: qrels.csv: judges no document relevant (score above 0) for any query of other.csv; check that both use the same query ids");
    assert_snapshot!(error("apart.csv"), @"error: apart.csv: document `a` occurs more than once in the results of query `q1`; a run ranks each document once");
    assert_snapshot!(error("first.csv --baseline second.csv"), @"error: first.csv and second.csv have no query of qrels.csv in common; give two runs for the same queries");
    assert_snapshot!(error("first.csv --baseline nan.csv"), @"error: nan.csv: the score of document `b` for query `q1` is NaN; expected a number, so correct or remove the row");
    assert_snapshot!(error("first.csv --baseline other.csv"), @"error: qrels.csv: judges no document relevant (score above 0) for any query of other.csv; check that both use the same query ids");
    assert_snapshot!(error("own.csv --ignore-identical-ids --without-results skip"), @"error: qrels.csv: judges no document relevant (score above 0) for any query of own.csv; check that both use the same query ids");
}
