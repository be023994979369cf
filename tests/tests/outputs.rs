//! No stage replaces what it reads, or a folder that another stage has written.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use pairmill_tables::hash_input;
use pairmill_tests::{EVALUATE, GENERATE, MINE, Program, TRAIN, sample_with_tiny_model};

/// The error of a run, even with `--force`, that must leave every file as it is.
fn refused(program: Program, dir: &Path, line: &str) -> String {
    let content = || hash_input(dir.to_str().unwrap()).unwrap();
    let before = content();
    let error = program.refused(dir, &format!("{line} --force"), 1);
    assert_eq!(content(), before, "{line}");
    error
}

#[test]
fn an_input_is_never_replaced() {
    let dir = sample_with_tiny_model();
    let path = dir.path();
    std::os::unix::fs::symlink("data", path.join("link")).unwrap();
    let error = |program: Program, line: &str| refused(program, path, line);
    let pairs = "data/pairs_train.parquet";
    let mine = |pairs: &str, rest: &str| {
        let line = format!("--pairs {pairs} --corpus data/corpus.parquet {rest}");
        error(MINE, &line)
    };
    assert_snapshot!(mine(pairs, "--output ./data/pairs_train.parquet"), @"error: ./data/pairs_train.parquet: writing it would replace the input data/pairs_train.parquet or a part of it; write elsewhere");
    assert_snapshot!(mine(pairs, "--output link/corpus.parquet"), @"error: link/corpus.parquet: writing it would replace the input data/corpus.parquet or a part of it; write elsewhere");
    assert_snapshot!(mine(pairs, "--output new.parquet --audit data/corpus.parquet"), @"error: data/corpus.parquet: writing it would replace the input data/corpus.parquet or a part of it; write elsewhere");
    assert_snapshot!(mine("data/pairs_*.parquet", "--output data/pairs_train.parquet"), @"error: data/pairs_train.parquet: writing it would replace the input data/pairs_*.parquet or a part of it; write elsewhere");
    assert_snapshot!(mine("data", "--output data/new.parquet"), @"error: data/new.parquet: writing it would replace the input data or a part of it; write elsewhere");
    let search = "search --queries data/queries_test.parquet --corpus data/corpus.parquet --output data/queries_test.parquet";
    assert_snapshot!(error(MINE, search), @"error: data/queries_test.parquet: writing it would replace the input data/queries_test.parquet or a part of it; write elsewhere");
    let train = |output: &str| {
        error(
            TRAIN,
            &format!("encoder --model tiny --train {pairs} --output {output}"),
        )
    };
    assert_snapshot!(train("data"), @"error: data: writing it would replace the input data/pairs_train.parquet or a part of it; write elsewhere");
    assert_snapshot!(train("tiny"), @"error: tiny: writing it would replace the input tiny or a part of it; write elsewhere");
    assert_snapshot!(error(TRAIN, "export --model tiny --output tiny"), @"error: tiny: writing it would replace the input tiny or a part of it; write elsewhere");
    let assign = "assign --experiment e --arms a=1,b=1 --id-column id --input data/queries_test.parquet --output data/queries_test.parquet";
    assert_snapshot!(error(EVALUATE, assign), @"error: data/queries_test.parquet: writing it would replace the input data/queries_test.parquet or a part of it; write elsewhere");
}

#[test]
fn a_folder_of_another_stage_is_never_replaced() {
    let dir = sample_with_tiny_model();
    let path = dir.path();
    fs::copy(
        path.join("data/pairs_train.parquet"),
        path.join("p.parquet"),
    )
    .unwrap();
    let error = |program: Program, line: &str| refused(program, path, line);
    assert_snapshot!(error(TRAIN, "encoder --model tiny --train p.parquet --output data"), @"error: data: holds what `generate qa` has written, which would be deleted; name another folder");
    assert_snapshot!(error(GENERATE, "tickets --input qa.jsonl --text-column question --category-column answer --output data"), @"error: data: holds what `generate qa` has written, which would be deleted; name another folder");
}
