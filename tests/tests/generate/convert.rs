//! `pairmill-generate convert`: data sets to and from BEIR's form, runs and judgements to and from
//! TREC's.

use std::fs;
use std::path::Path;

use arrow::array::ArrayRef;
use insta::assert_snapshot;
use pairmill_tables::Lineage;
use pairmill_tests::tables::{read, rows};
use pairmill_tests::{GENERATE, MINE, data, names};
use serde_json::json;
use tempfile::TempDir;

use crate::harness::{folder_with_inputs, table};

/// The columns of a Parquet file; its footer tells how it came to be.
fn columns(file: &Path) -> Vec<ArrayRef> {
    read(file).columns().to_vec()
}

/// A small data set in BEIR's form: `q3` is not judged, `p9` and `q9` are not there.
fn beir() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("beir/qrels")).unwrap();
    let write =
        |name: &str, text: &str| fs::write(dir.path().join("beir").join(name), text).unwrap();
    write(
        "corpus.jsonl",
        "{\"_id\": \"p2\", \"title\": \"Router\", \"text\": \"Pull the plug.\", \"metadata\": {\"url\": \"x\"}}\n\
         {\"_id\": \"p1\", \"title\": \"\", \"text\": \"Hold the button,\\nten seconds.\", \"metadata\": {}}\n\
         {\"_id\": \"p3\", \"text\": \"\"}\n",
    );
    write(
        "queries.jsonl",
        "{\"_id\": \"q2\", \"text\": \"no light?\", \"metadata\": {}}\n\
         {\"_id\": \"q3\", \"text\": \"who asks?\", \"metadata\": {}}\n\
         {\"_id\": \"q1\", \"text\": \"reset?\", \"metadata\": {}}\n",
    );
    let header = "query-id\tcorpus-id\tscore\n";
    write("qrels/test.tsv", &format!("{header}q1\tp1\t2\nq9\tp9\t1\n"));
    write(
        "qrels/train.tsv",
        &format!("{header}q2\tp2\t1\nq2\tp1\t0\nq1\tp1\t1\n"),
    );
    dir
}

#[test]
fn a_folder_in_beirs_form_becomes_tables_that_the_stages_read() {
    let dir = beir();
    let ended = GENERATE.run(dir.path(), "convert --input beir --output tables --json");
    assert_eq!(
        ended.report(),
        json!({
            "up_to_date": false, "output": "tables", "passages": 3, "pairs": 2,
            "splits": {
                "test": {"queries": 1, "judgements": 2}, "train": {"queries": 2, "judgements": 3}
            },
            "queries_left_out": 1, "judged_outside_corpus": 1, "judged_outside_queries": 1
        })
    );
    assert_snapshot!(ended.stderr, @r"
     INFO test: 1 query, 2 judgements
     INFO train: 2 queries, 3 judgements
     INFO 1 query is judged in none of these splits and left out
     WARN 1 passage is named in the judgements but not in the corpus of beir
     WARN 1 query is named in the judgements but without a text in beir
     INFO wrote tables: 3 passages
    ");
    let tables = dir.path().join("tables");
    let table = |name: &str| table(&tables, name);
    assert_eq!(
        table("corpus"),
        [
            ["p2", "Router", "Pull the plug."],
            ["p1", "", "Hold the button,\nten seconds."],
            ["p3", "", ""]
        ]
    );
    assert_eq!(
        table("queries_train"),
        [["q2", "no light?"], ["q1", "reset?"]]
    );
    assert_eq!(table("queries_test"), [["q1", "reset?"]]);
    assert_eq!(table("qrels_test"), [["q1", "p1", "2"], ["q9", "p9", "1"]]);
    assert_eq!(
        table("pairs_train"),
        [
            ["q1", "reset?", "p1", "Hold the button,\nten seconds."],
            ["q2", "no light?", "p2", "Router Pull the plug."]
        ]
    );
    let report = MINE.done(
        &tables,
        "--pairs pairs_train.parquet --corpus corpus.parquet --output candidates.parquet",
    );
    assert_eq!(report["pairs"], 2);
}

#[test]
fn only_the_splits_asked_for_are_converted() {
    let dir = beir();
    let line = "convert --input beir --output tables --split test";
    let report = GENERATE.done(dir.path(), line);
    assert_eq!(report["queries_left_out"], 2);
    let tables = names(&dir.path().join("tables"));
    let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
    assert_eq!(
        tables,
        [
            "corpus.parquet",
            "lineage.json",
            "qrels_test.parquet",
            "queries_test.parquet"
        ]
    );
    assert_eq!(GENERATE.done(dir.path(), line)["up_to_date"], true);
    let both = format!("{line} --split train");
    assert_eq!(GENERATE.done(dir.path(), &both)["up_to_date"], false);
}

#[test]
fn tables_become_beirs_form_and_come_back_as_they_were() {
    let dir = folder_with_inputs();
    GENERATE.done(dir.path(), "qa --input qa.csv --output data");
    let to_beir = "convert --input data --output beir";
    let report = GENERATE.done(dir.path(), to_beir);
    assert_eq!(
        report["judged_outside_queries"], 0,
        "pairs give train its queries"
    );
    assert_eq!(GENERATE.done(dir.path(), to_beir)["up_to_date"], true);
    GENERATE.done(dir.path(), "convert --input beir --output again");
    for name in [
        "corpus",
        "queries_dev",
        "queries_test",
        "qrels_train",
        "qrels_dev",
        "qrels_test",
    ] {
        let file = Path::new(name).with_extension("parquet");
        let of = |folder: &str| columns(&dir.path().join(folder).join(&file));
        assert_eq!(of("again"), of("data"), "{name}");
    }
    GENERATE.done(dir.path(), "convert --input again --output third");
    for name in [
        "corpus.jsonl",
        "queries.jsonl",
        "qrels/train.tsv",
        "qrels/test.tsv",
    ] {
        let of = |folder: &str| fs::read_to_string(dir.path().join(folder).join(name)).unwrap();
        assert_eq!(of("third"), of("beir"), "{name}");
    }
}

#[test]
fn a_published_data_set_comes_back_as_it_was() {
    let Some(data) = data() else { return };
    let dir = tempfile::tempdir().unwrap();
    let input = data.join("scifact").display().to_string();
    let report = GENERATE.done(
        dir.path(),
        &format!("convert --input {input} --output beir"),
    );
    assert_eq!(
        report["splits"],
        json!({
            "test": {"queries": 300, "judgements": 339},
            "train": {"queries": 809, "judgements": 919}
        })
    );
    let report = GENERATE.done(dir.path(), "convert --input beir --output tables");
    assert_eq!(
        (&report["passages"], &report["pairs"]),
        (&json!(5183), &json!(919))
    );
    for name in [
        "corpus",
        "queries_test",
        "queries_train",
        "qrels_test",
        "qrels_train",
    ] {
        let file = Path::new(name).with_extension("parquet");
        let converted = columns(&dir.path().join("tables").join(&file));
        let published = columns(&data.join("scifact").join(&file));
        assert!(converted == published, "{name}");
    }
}

#[test]
fn judgements_and_runs_are_exchanged_in_trecs_form() {
    let dir = beir();
    let convert = |input: &str, output: &str| {
        GENERATE.done(
            dir.path(),
            &format!("convert --input {input} --output {output}"),
        )
    };
    let text = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    let report = convert("beir/qrels/test.tsv", "test.trec");
    assert_eq!(
        report,
        json!({"up_to_date": false, "output": "test.trec", "table": "qrels", "rows": 2})
    );
    assert_eq!(text("test.trec"), "q1 0 p1 2\nq9 0 p9 1\n");
    convert("test.trec", "qrels.parquet");
    assert_eq!(convert("test.trec", "qrels.parquet")["up_to_date"], true);
    let lineage = Lineage::of_parquet(&dir.path().join("qrels.parquet")).unwrap();
    assert_eq!(lineage.stage, "generate convert");
    let mut first = convert("qrels.parquet", "back.tsv");
    first["up_to_date"] = true.into();
    assert_eq!(convert("qrels.parquet", "back.tsv"), first);
    assert_eq!(text("back.tsv"), text("beir/qrels/test.tsv"));

    fs::write(
        dir.path().join("run.txt"),
        "q1 Q0 p2 1 2.5 bm25\nq1 Q0 p1 2 0.25 bm25\n",
    )
    .unwrap();
    assert_eq!(convert("run.txt", "run.parquet")["table"], "run");
    let columns = ["query_id", "corpus_id", "rank", "score"];
    assert_eq!(
        rows(&dir.path().join("run.parquet"), &columns),
        [["q1", "p2", "1", "2.5"], ["q1", "p1", "2", "0.25"]]
    );
    convert("run.parquet", "run.trec");
    assert_eq!(
        text("run.trec"),
        text("run.txt").replace("bm25", "pairmill")
    );
}

#[test]
fn what_cannot_be_converted_is_refused() {
    let dir = beir();
    let path = dir.path();
    let error = |line: &str, code: i32| GENERATE.refused(path, &format!("convert {line}"), code);
    assert_snapshot!(error("--input beir --output new --split dev", 1), @"error: beir: has no judgements of a split `dev`; found test, train");
    assert_snapshot!(error("--input beir/qrels --output new", 1), @"error: beir/qrels: has no corpus; expected a data set in BEIR's form (corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv) or in tables (corpus.parquet, queries_SPLIT.parquet, qrels_SPLIT.parquet)");
    assert_snapshot!(error("--input nowhere --output new", 1), @"error: nowhere: no such file or folder; check the path");
    assert_snapshot!(error("--input beir --output beir", 1), @"error: beir: writing it would replace the input beir or a part of it; write elsewhere");
    assert_snapshot!(error("--input beir/qrels/test.tsv --output q.trec --split test", 2), @"error: --split chooses among the splits of a folder, but beir/qrels/test.tsv is a file");
    assert_snapshot!(error("--input beir/qrels/test.tsv --output q.xlsx", 1), @"error: q.xlsx: cannot hold a qrels table; expected a name that ends in .parquet, .csv, .jsonl or .arrow, in .trec, or for judgements in .tsv (BEIR's form)");
    fs::write(
        path.join("blank.tsv"),
        "query-id\tcorpus-id\tscore\nq 1\tp1\t1\n",
    )
    .unwrap();
    assert_snapshot!(error("--input blank.tsv --output q.trec", 1), @"error: q.trec: the id `q 1` is empty or holds white space, which parts the fields of TREC's files; write Parquet instead");
    fs::write(path.join("short.trec"), "q1 0 p1 1\nq1 p2 1\n").unwrap();
    assert_snapshot!(error("--input short.trec --output q.tsv", 1), @"error: short.trec: not a sound TREC file: line 2 is `q1 p2 1`; expected `query iteration document grade`");
    let queries = fs::read_to_string(path.join("beir/queries.jsonl")).unwrap();
    fs::write(
        path.join("beir/queries.jsonl"),
        queries.clone() + "{\"_id\": \"q1\", \"text\": \"again?\"}\n",
    )
    .unwrap();
    assert_snapshot!(error("--input beir --output new", 1), @"error: beir/queries.jsonl: the query id `q1` has two texts; give each query its own id");
    fs::remove_file(path.join("beir/queries.jsonl")).unwrap();
    assert_snapshot!(error("--input beir --output new", 1), @"error: beir: has no queries of test; expected a data set in BEIR's form (corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv) or in tables (corpus.parquet, queries_SPLIT.parquet, qrels_SPLIT.parquet)");
}
