//! What the program refuses, and what it says.

use std::fs::{self, File};

use insta::assert_snapshot;
use pairmill_tests::EVALUATE;

use crate::harness::{RETRIEVAL, damaged, help_desk};

#[test]
fn unsound_tables_are_refused_and_leave_nothing() {
    let dir = help_desk();
    let path = dir.path();
    let write = |name: &str, text: &str| fs::write(path.join(name), text).unwrap();
    write("column.csv", "id,words\nd1,x\n");
    write(
        "type.jsonl",
        "{\"query_id\":\"q1\",\"corpus_id\":\"d1\",\"score\":0.5}\n",
    );
    write("number.csv", "query_id,corpus_id,score\nq1,d1,high\n");
    write("empty.csv", "id,title,text\n");
    write(
        "null.jsonl",
        "{\"id\":\"d1\",\"title\":null,\"text\":\"x\"}\n{\"id\":\"d2\",\"title\":\"\",\"text\":null}\n",
    );
    write("twice.csv", "id,title,text\nd1,,x\nd2,,y\nd1,,z\n");
    write("asked.csv", "id,text\nq1,x\nq2,y\nq1,z\n");
    write("other.csv", "query_id,corpus_id,score\nquery-1,d1,1\n");
    write(
        "contrary.csv",
        "query_id,corpus_id,score\nq1,d1,1\nq1,d1,0\n",
    );
    EVALUATE.done(path, &format!("{RETRIEVAL} --output out"));
    let whole = fs::read(path.join("out/run.parquet")).unwrap();
    fs::write(path.join("cut.parquet"), &whole[..whole.len() / 2]).unwrap();
    let error = |flag: &str, file: &str| {
        let line = RETRIEVAL.replace(&format!("--{flag} {flag}.csv"), &format!("--{flag} {file}"));
        let error = EVALUATE.refused(path, &format!("{line} --output new"), 1);
        assert_eq!(
            error,
            EVALUATE.refused(path, &line, 1),
            "with an output or without"
        );
        error
    };
    assert_snapshot!(error("corpus", "nowhere.parquet"), @"error: nowhere.parquet: no such file or folder; check the path");
    assert_snapshot!(error("corpus", "column.csv"), @"error: column.csv: no column `text` (needed for a corpus table); found id, words; name another one with --text-column");
    assert_snapshot!(error("qrels", "type.jsonl"), @"error: type.jsonl: column `score` holds `0.5` in line 1; expected a whole number");
    assert_snapshot!(error("qrels", "number.csv"), @"error: number.csv: column `score` holds `high` in line 2; expected a whole number");
    assert_snapshot!(error("corpus", "empty.csv"), @"error: empty.csv: has no rows; expected a corpus table with at least one");
    assert_snapshot!(error("corpus", "null.jsonl"), @"error: null.jsonl: column `text` is null in line 2; fill it or remove the row");
    assert_snapshot!(error("corpus", "twice.csv"), @"error: twice.csv: the id `d1` stands for two texts, `x` and `z`; give each text an id of its own");
    assert_snapshot!(error("queries", "asked.csv"), @"error: asked.csv: the id `q1` stands for two texts, `x` and `z`; give each text an id of its own");
    assert_snapshot!(error("qrels", "other.csv"), @"error: other.csv: judges no document relevant (score above 0) for any query of queries.csv; check that both use the same query ids");
    assert_snapshot!(error("qrels", "contrary.csv"), @"error: contrary.csv: document `d1` is judged 1 and 0 for query `q1`; keep one of the rows");
    assert_snapshot!(error("qrels", "cut.parquet"), @"error: cut.parquet: not a sound Parquet file: it ends without its footer, so its writing was broken off or is not done; write it again");
}

#[test]
fn unsound_pairs_and_runs_are_refused() {
    let dir = help_desk();
    let path = dir.path();
    let write = |name: &str, text: &str| fs::write(path.join(name), text).unwrap();
    write("same.csv", "sentence1,sentence2,score\na,b,0.5\nc,d,0.5\n");
    write("nan.csv", "sentence1,sentence2,score\na,b,0.5\nc,d,NaN\n");
    write("alike.csv", "sentence1,sentence2,score\na,a,0.5\nb,b,1\n");
    write("label.csv", "sentence1,sentence2,label\na,b,1\nc,d,2\n");
    write("one.csv", "sentence1,sentence2,label\na,b,1\nc,d,1\n");
    write("neither.csv", "sentence1,sentence2\na,b\n");
    write(
        "repeat.csv",
        "query_id,corpus_id,rank,score\nq1,d1,1,0.9\nq1,d1,2,0.8\n",
    );
    let similarity =
        |file: &str| EVALUATE.refused(path, &format!("similarity --model model --pairs {file}"), 1);
    assert_snapshot!(similarity("same.csv"), @"error: same.csv: column `score` is the same for every row, so there is no correlation; give pairs of different similarity");
    assert_snapshot!(similarity("nan.csv"), @"error: nan.csv: column `score` is NaN in row 2 (counted from 1); expected a finite number");
    assert_snapshot!(similarity("alike.csv"), @"error: alike.csv: the model's similarity is the same for every row, so there is no correlation; give pairs of different similarity");
    let pairs =
        |file: &str| EVALUATE.refused(path, &format!("pairs --model model --pairs {file}"), 1);
    assert_snapshot!(pairs("label.csv"), @"error: label.csv: column `label` is 2 in row 2 (counted from 1); expected 1 for the same meaning, 0 for another");
    assert_snapshot!(pairs("one.csv"), @"error: one.csv: every row has the label 1; both 0 and 1 are needed to find a threshold");
    assert_snapshot!(pairs("neither.csv"), @"error: neither.csv: no column `label` (needed for a sentence pairs table); found sentence1, sentence2");
    assert_snapshot!(EVALUATE.refused(path, "run --run repeat.csv --qrels qrels.csv", 1), @"error: repeat.csv: document `d1` occurs more than once in the results of query `q1`; a run ranks each document once");
}

#[test]
fn a_model_that_cannot_be_used_is_refused() {
    let dir = help_desk();
    let path = dir.path();
    let model = path.join("model");
    damaged(&model, &path.join("diverged"), 0.5, 0xff);
    damaged(&model, &path.join("cut"), 0.5, 0);
    let weights = File::options()
        .write(true)
        .open(path.join("cut/model.safetensors"))
        .unwrap();
    weights.set_len(50_000_000).unwrap();
    fs::create_dir(path.join("bare")).unwrap();
    fs::write(path.join("bare/config.json"), "{}").unwrap();
    let error = |model: &str| {
        let line = RETRIEVAL.replace("--model model", &format!("--model {model}"));
        EVALUATE.refused(path, &format!("{line} --output new"), 1)
    };
    assert_snapshot!(error("nowhere"), @"error: nowhere: no such folder, and HF_HUB_OFFLINE is set but nowhere/hub does not hold this model; fetch it once without HF_HUB_OFFLINE, or give a folder");
    assert_snapshot!(error("diverged"), @"error: the model diverged gives no finite embedding for the text `paper stuck in the printer`; its weights are damaged or its training diverged");
    assert_snapshot!(error("bare"), @r"
    error: the model bare cannot be used
      because: bare/config.json: the architecture `(none)` is not supported; supported: bert (MiniLM, BGE, E5, GTE and other BERT checkpoints), distilbert, roberta, xlm-roberta, camembert, mpnet, modernbert
    ");
    assert!(
        error("cut").contains("cut/model.safetensors"),
        "{}",
        error("cut")
    );
    assert!(error("queries.csv").contains("queries.csv"));
    assert!(error("model --max-length 100000").contains("100000"));
    assert!(error("model --baseline bare").contains("bare"));
}

#[test]
fn wrong_usage_is_told_from_failure() {
    let dir = tempfile::tempdir().unwrap();
    let error = |line: &str| EVALUATE.refused(dir.path(), line, 2);
    assert_snapshot!(error("run --run - --qrels qrels.csv"), @"error: --run -: this command has several inputs, so none is read from standard input; give a file");
    assert!(error("run --run r.csv").contains("--qrels"));
    assert!(error("similarity --model m --pairs p --batch-size 0").contains("--batch-size"));
    assert!(error("similarity --model m --pairs p --device tpu").contains("tpu"));
    let ended = EVALUATE.run(dir.path(), "--version");
    assert_eq!(
        (ended.code, ended.stdout.starts_with("pairmill-evaluate ")),
        (0, true)
    );
}

#[test]
fn a_row_that_comes_twice_counts_once() {
    let dir = help_desk();
    let expected = EVALUATE.done(dir.path(), RETRIEVAL);
    for (name, row) in [
        (
            "corpus.csv",
            "d2,,Reset your password on the account page.\n",
        ),
        ("queries.csv", "q3,how long does shipping take\n"),
    ] {
        let path = dir.path().join(name);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text + row).unwrap();
        let ended = EVALUATE.run(dir.path(), RETRIEVAL);
        let warning = format!("1 row of {name} repeats an id with the same text");
        assert!(ended.stderr.contains(&warning), "{}", ended.stderr);
    }
    assert_eq!(EVALUATE.done(dir.path(), RETRIEVAL), expected);
}
