//! What the program refuses, and how it says so.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;

use crate::harness::{done, help_desk, mine, names, refused};

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
    done(path, &with("pairs.csv", "corpus.csv"));
    let whole = fs::read(path.join("new.parquet")).unwrap();
    fs::remove_file(path.join("new.parquet")).unwrap();
    fs::write(path.join("cut.parquet"), &whole[..whole.len() / 2]).unwrap();
    let error = |pairs: &str, corpus: &str| refused(path, &with(pairs, corpus), 1);
    assert_snapshot!(error("nowhere.csv", "corpus.csv"), @"");
    assert_snapshot!(error("corpus.csv", "corpus.csv"), @"");
    assert_snapshot!(error("pairs.csv", "pairs.csv"), @"");
    assert_snapshot!(error("pairs.csv", "type.jsonl"), @"");
    assert_snapshot!(error("pairs.csv", "null.jsonl"), @"");
    assert_snapshot!(error("pairs.csv", "empty.csv"), @"");
    assert_snapshot!(error("cut.parquet", "corpus.csv"), @"");
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
    assert_snapshot!(refused(dir.path(), &with("pairs.csv", "twice.csv"), 1), @"");
    let line = "search --corpus corpus.csv --queries queries.csv --output new.parquet";
    assert_snapshot!(refused(dir.path(), line, 1), @"");
}

#[test]
fn a_group_column_that_is_not_there_is_found_before_anything_is_built() {
    let dir = help_desk();
    let line = with("pairs.csv", "corpus.csv") + " --group-column colour --index index";
    assert_snapshot!(refused(dir.path(), &line, 1), @"");
}

#[test]
fn an_index_folder_with_files_of_others_is_left_alone() {
    let dir = help_desk();
    fs::create_dir(dir.path().join("index")).unwrap();
    write(dir.path(), "index/thesis.tex", "years of work");
    let line = with("pairs.csv", "corpus.csv") + " --index index";
    assert_snapshot!(refused(dir.path(), &line, 1), @"");
    assert_eq!(names(&dir.path().join("index")).len(), 1);
}

#[test]
fn a_damaged_index_is_built_again_with_a_warning() {
    let dir = help_desk();
    let line = with("pairs.csv", "corpus.csv") + " --index index --force";
    done(dir.path(), &line);
    let output = fs::read(dir.path().join("new.parquet")).unwrap();
    let index = dir.path().join("index");
    let store = names(&index)
        .into_iter()
        .find(|name| name.ends_with(".store"))
        .unwrap();
    fs::write(index.join(store), "nonsense").unwrap();
    let ended = mine(dir.path(), &line);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("building it again"),
        "{}",
        ended.stderr
    );
    assert!(fs::read(dir.path().join("new.parquet")).unwrap() == output);
    assert!(mine(dir.path(), &line).stderr.contains("reused"));
}

#[test]
fn a_failed_run_leaves_the_earlier_output() {
    let dir = help_desk();
    done(dir.path(), &with("pairs.csv", "corpus.csv"));
    let before = fs::read(dir.path().join("new.parquet")).unwrap();
    refused(dir.path(), &with("corpus.csv", "corpus.csv"), 1);
    assert!(fs::read(dir.path().join("new.parquet")).unwrap() == before);
}

#[test]
fn wrong_options_are_wrong_usage() {
    let dir = help_desk();
    let error = |line: &str| refused(dir.path(), line, 2);
    assert_snapshot!(error("--corpus corpus.csv"), @"");
    assert_snapshot!(error(&with("-", "corpus.csv")), @"");
    assert!(error(&(with("pairs.csv", "corpus.csv") + " --top-k 0")).contains("--top-k"));
    assert!(error(&(with("pairs.csv", "corpus.csv") + " search")).contains("search"));
    assert!(error("search --corpus corpus.csv --output run.parquet").contains("--queries"));
    let ended = mine(dir.path(), "--version");
    assert_eq!(
        (ended.code, ended.stdout.starts_with("pairmill-mine ")),
        (0, true)
    );
}
