//! What the program refuses, and how it says so.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use pairmill_tests::{MINE, names};
use serde_json::{Value, json};

use crate::harness::help_desk;

fn with(pairs: &str, corpus: &str) -> String {
    format!("--pairs {pairs} --corpus {corpus} --output new.parquet")
}

fn write(dir: &Path, name: &str, text: &str) {
    fs::write(dir.join(name), text).unwrap();
}

#[test]
fn unsound_inputs_are_refused_and_leave_nothing() {
    let dir = help_desk();
    let path = dir.path();
    write(
        path,
        "null.jsonl",
        "{\"id\":\"a\",\"text\":\"b\"}\n{\"id\":\"c\",\"text\":null}\n",
    );
    write(path, "type.jsonl", "{\"id\":\"a\",\"text\":0.5}\n");
    write(path, "empty.csv", "id,title,text\n");
    MINE.done(path, &with("pairs.csv", "corpus.csv"));
    let whole = fs::read(path.join("new.parquet")).unwrap();
    fs::remove_file(path.join("new.parquet")).unwrap();
    fs::write(path.join("cut.parquet"), &whole[..whole.len() / 2]).unwrap();
    let error = |pairs: &str, corpus: &str| MINE.refused(path, &with(pairs, corpus), 1);
    assert_snapshot!(error("nowhere.csv", "corpus.csv"), @"error: nowhere.csv: no such file or folder; check the path");
    assert_snapshot!(error("corpus.csv", "corpus.csv"), @"error: corpus.csv: no column `anchor` (needed for a pairs table); found id, title, text, topic; name another one with --anchor-column");
    assert_snapshot!(error("pairs.csv", "pairs.csv"), @"error: pairs.csv: no column `id` (needed for a corpus table); found anchor_id, anchor, positive_id, positive; name another one with --id-column");
    assert_snapshot!(error("pairs.csv", "type.jsonl"), @"error: type.jsonl: column `text` is of numbers; expected text");
    assert_snapshot!(error("pairs.csv", "null.jsonl"), @"error: null.jsonl: column `text` is null in line 2; fill it or remove the row");
    assert_snapshot!(error("pairs.csv", "empty.csv"), @"error: empty.csv: has no rows; expected a corpus table with at least one");
    assert_snapshot!(error("cut.parquet", "corpus.csv"), @"error: cut.parquet: not a sound Parquet file: it ends without its footer, so its writing was broken off or is not done; write it again");
}

#[test]
fn judgements_that_contradict_each_other_are_refused() {
    let dir = help_desk();
    write(
        dir.path(),
        "both.csv",
        "query_id,corpus_id,score\nq1,d5,1\nq2,d4,1\nq1,d5,0\n",
    );
    let line = with("pairs.csv", "corpus.csv") + " --qrels both.csv";
    assert_snapshot!(MINE.refused(dir.path(), &line, 1), @"error: both.csv: document `d5` is judged 1 and 0 for query `q1`; keep one of the rows");
}

#[test]
fn ids_that_occur_twice_are_named() {
    let dir = help_desk();
    write(
        dir.path(),
        "twice.csv",
        "id,title,text\na,,one\nb,,two\na,,three\n",
    );
    write(
        dir.path(),
        "queries.csv",
        "id,text\na,one\nb,two\na,three\n",
    );
    assert_snapshot!(MINE.refused(dir.path(), &with("pairs.csv", "twice.csv"), 1), @r"
    error: twice.csv: cannot be indexed
      because: id `a` occurs more than once; ids of a corpus must be unique
    ");
    let line = "search --corpus corpus.csv --queries queries.csv --output new.parquet";
    assert_snapshot!(MINE.refused(dir.path(), line, 1), @"error: queries.csv: id `a` occurs more than once; ids of queries must be unique");
}

#[test]
fn a_group_column_that_is_not_there_is_found_before_anything_is_built() {
    let dir = help_desk();
    let line = with("pairs.csv", "corpus.csv") + " --group-column colour --index index";
    assert_snapshot!(MINE.refused(dir.path(), &line, 1), @"error: corpus.csv: no column `colour` (wanted beside those of a corpus table); found id, title, text, topic");
}

#[test]
fn an_index_folder_with_files_of_others_is_left_alone() {
    let dir = help_desk();
    fs::create_dir_all(dir.path().join("index/bm25")).unwrap();
    write(dir.path(), "index/bm25/thesis.tex", "years of work");
    let line = with("pairs.csv", "corpus.csv") + " --index index";
    assert_snapshot!(MINE.refused(dir.path(), &line, 1), @r"
    error: corpus.csv: cannot be indexed
      because: index/bm25: holds `thesis.tex`, which Pairmill did not write, so the folder is not replaced; choose another output or move the file
    ");
    assert_eq!(names(&dir.path().join("index/bm25")).len(), 1);
}

#[test]
fn a_damaged_index_is_built_again_with_a_warning() {
    let dir = help_desk();
    let line = with("pairs.csv", "corpus.csv") + " --index index --force";
    MINE.done(dir.path(), &line);
    let output = fs::read(dir.path().join("new.parquet")).unwrap();
    let index = dir.path().join("index/bm25");
    let store = names(&index)
        .into_iter()
        .find(|name| name.ends_with(".store"))
        .unwrap();
    fs::write(index.join(store), "nonsense").unwrap();
    let ended = MINE.run(dir.path(), &line);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("building it again"),
        "{}",
        ended.stderr
    );
    assert!(fs::read(dir.path().join("new.parquet")).unwrap() == output);
    assert!(MINE.run(dir.path(), &line).stderr.contains("reused"));
}

/// The warnings of a run that must succeed, and its report.
fn warnings(dir: &Path, line: &str) -> (String, Value) {
    let ended = MINE.run(dir, &format!("{line} --json"));
    let warnings = ended.stderr.lines().filter(|line| line.contains("WARN"));
    let warnings: Vec<_> = warnings.map(str::trim).collect();
    (warnings.join("\n"), ended.report())
}

#[test]
fn a_damaged_index_is_built_again_for_a_search_too() {
    let dir = help_desk();
    write(dir.path(), "queries.csv", "id,text\nq1,reset\n");
    let line = "search --corpus corpus.csv --queries queries.csv --output run.parquet --index index --force";
    let whole = MINE.done(dir.path(), line);
    let meta = dir.path().join("index/bm25/meta.json");
    for damage in ["", "{}"] {
        fs::write(&meta, damage).unwrap();
        let (warnings, report) = warnings(dir.path(), line);
        let first = "WARN index/bm25: the index cannot be used; building it again";
        assert!(warnings.starts_with(first), "{warnings}");
        assert_eq!(report, whole);
    }
}

#[test]
fn queries_that_find_nothing_are_counted_by_their_reason() {
    let dir = help_desk();
    write(
        dir.path(),
        "queries.jsonl",
        "{\"id\": \"q1\", \"text\": \"the of, and?\"}\n{\"id\": \"q2\", \"text\": \"\"}\n\
         {\"id\": \"q3\", \"text\": \"the zebra\"}\n{\"id\": \"q4\", \"text\": \"reset\"}\n",
    );
    let line = "search --corpus corpus.csv --queries queries.jsonl --output run.parquet";
    let (warnings, report) = warnings(dir.path(), line);
    assert_snapshot!(warnings, @r"
    WARN 2 of 4 queries have no words or only stop words and found nothing
    WARN 1 of 4 queries shares no term with any passage
    ");
    assert_eq!(
        (
            &report["queries_without_terms"],
            &report["queries_without_hits"]
        ),
        (&json!(2), &json!(1))
    );
    let (_, report) = self::warnings(dir.path(), &format!("{line} --language none"));
    assert_eq!(
        (
            &report["queries_without_terms"],
            &report["queries_without_hits"]
        ),
        (&json!(1), &json!(0)),
        "without a language there are no stop words"
    );
}

#[test]
fn pairs_that_find_nothing_and_judgements_outside_the_corpus_are_counted() {
    let dir = help_desk();
    let pairs = fs::read_to_string(dir.path().join("pairs.csv")).unwrap();
    write(
        dir.path(),
        "pairs.csv",
        &(pairs
            + "q4,the of,p1,Hold the button for ten seconds to reset.\nq4,the of,p2,Pull the plug and reset it.\n"),
    );
    let line = with("pairs.csv", "corpus.csv") + " --qrels qrels.csv";
    let (warnings, report) = warnings(dir.path(), &line);
    assert_snapshot!(warnings, @r"
    WARN 1 passage named in the judgements is not in corpus.csv
    WARN 1 of 4 queries has no words or only stop words and found nothing
    WARN 1 of 4 queries shares no term with any passage
    WARN 3 of 5 pairs kept no negative
    ");
    assert_eq!(
        (
            &report["queries_without_terms"],
            &report["judged_outside_corpus"]
        ),
        (&json!(1), &json!(1))
    );
}

#[test]
fn a_corpus_without_a_word_finds_nothing() {
    let dir = help_desk();
    write(
        dir.path(),
        "blank.jsonl",
        "{\"id\": \"a\", \"text\": \" \"}\n",
    );
    let (warnings, report) = warnings(dir.path(), &with("pairs.csv", "blank.jsonl"));
    assert!(
        warnings.contains("3 of 3 queries share no term"),
        "{warnings}"
    );
    assert_eq!(report["candidates"], 0);
}

#[test]
fn a_failed_run_leaves_the_earlier_output() {
    let dir = help_desk();
    MINE.done(dir.path(), &with("pairs.csv", "corpus.csv"));
    let before = fs::read(dir.path().join("new.parquet")).unwrap();
    MINE.refused(dir.path(), &with("corpus.csv", "corpus.csv"), 1);
    assert!(fs::read(dir.path().join("new.parquet")).unwrap() == before);
}

#[test]
fn wrong_options_are_wrong_usage() {
    let dir = help_desk();
    let error = |line: &str| MINE.refused(dir.path(), line, 2);
    assert_snapshot!(error("--corpus corpus.csv"), @r"
    error: the following required arguments were not provided:
      --pairs <FILE>
      --output <FILE>

    Usage: pairmill-mine --pairs <FILE> --output <FILE> --corpus <FILE>

    For more information, try '--help'.
    ");
    let error_of_two = error(&with("-", "-"));
    assert!(
        error_of_two.contains("standard input holds one table; give a file for the others"),
        "{error_of_two}"
    );
    assert!(error(&(with("pairs.csv", "corpus.csv") + " --top-k 0")).contains("--top-k"));
    assert!(error(&(with("pairs.csv", "corpus.csv") + " search")).contains("search"));
    assert!(error("search --corpus corpus.csv --output run.parquet").contains("--queries"));
    let ended = MINE.run(dir.path(), "--version");
    assert_eq!(
        (ended.code, ended.stdout.starts_with("pairmill-mine ")),
        (0, true)
    );
}

#[test]
fn an_audit_that_cannot_be_written_is_refused_before_anything_is_mined() {
    let dir = help_desk();
    let line = with("pairs.csv", "corpus.csv");
    let error = MINE.refused(
        dir.path(),
        &format!("{line} --audit corpus.csv/audit.parquet"),
        1,
    );
    assert!(
        error.starts_with("error: corpus.csv/audit.parquet: cannot be written"),
        "{error}"
    );
    assert!(!error.contains("mining"), "{error}");
}
