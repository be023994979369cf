//! Scores are kept: beside the output until it is written, and for good where a folder is named.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use insta::assert_snapshot;
use pairmill_tests::tables::write;
use pairmill_tests::{FILTER, names};
use serde_json::Value;
use std::sync::Arc;

use crate::harness::{CANDIDATES, LINE, candidates, workplace};
use crate::tiny_model::TinyModel;

/// Bytes of a file of scores before the first score.
const HEADER: u64 = 40;

fn counts(report: &Value) -> (u64, u64) {
    let count = |name: &str| report[name].as_u64().unwrap();
    (count("scored"), count("cached"))
}

fn bytes(dir: &Path, name: &str) -> Vec<u8> {
    fs::read(dir.join(name)).unwrap()
}

/// The one file of scores in a folder.
fn scores_in(folder: &Path) -> PathBuf {
    let names = names(folder);
    assert_eq!(names.len(), 1, "{names:?}");
    folder.join(names.first().unwrap())
}

#[test]
fn a_run_with_other_options_scores_nothing_again() {
    let dir = workplace();
    let dir = dir.path();
    let line = format!("{LINE} --cache scores --format candidates");
    assert_eq!(counts(&FILTER.done(dir, &line)), (10, 0));
    for options in [
        "--relative-margin 0.5",
        "--num-negatives 1",
        "--activation identity",
        "--threads 1 --token-budget 8",
        "--min-positive-score 0.5",
    ] {
        let plain = format!("{LINE} --format candidates {options} --force");
        assert_eq!(counts(&FILTER.done(dir, &plain)), (10, 0));
        let expected = bytes(dir, "out.parquet");
        fs::remove_file(dir.join("out.parquet")).unwrap();
        assert_eq!(
            counts(&FILTER.done(dir, &format!("{line} {options}"))),
            (0, 10)
        );
        assert!(bytes(dir, "out.parquet") == expected, "{options}");
    }
    let left: Vec<_> = names(dir).into_iter().collect();
    assert_eq!(
        left,
        ["candidates.parquet", "model", "out.parquet", "scores"]
    );
}

#[test]
fn the_filter_and_the_scorer_share_scores() {
    let dir = workplace();
    let dir = dir.path();
    FILTER.done(dir, &format!("{LINE} --cache scores"));
    let line = "score --pairs candidates.parquet --score-column ce --model model --cache scores --output scored.parquet";
    let report = FILTER.done(dir, line);
    assert_eq!(
        counts(&report),
        (1, 7),
        "the miner's drop was not scored by the filter"
    );
    assert_eq!(
        counts(&FILTER.done(dir, &format!("{line} --force"))),
        (0, 8)
    );
}

#[test]
fn another_model_or_length_is_scored_for_itself() {
    let dir = workplace();
    let dir = dir.path();
    let line = format!("{LINE} --cache scores --force");
    FILTER.done(dir, &line);
    assert_eq!(
        counts(&FILTER.done(dir, &format!("{line} --max-length 8"))),
        (10, 0)
    );
    let other = TinyModel {
        bias: -2.0,
        ..Default::default()
    };
    other.write(&dir.join("model"));
    assert_eq!(counts(&FILTER.done(dir, &line)), (10, 0));
    assert_eq!(counts(&FILTER.done(dir, &line)), (0, 10));
    assert_eq!(names(&dir.join("scores")).len(), 3);
}

#[test]
fn what_was_cut_is_still_said() {
    let dir = workplace();
    let line = format!("{LINE} --cache scores --max-length 6 --force");
    let first = FILTER.done(dir.path(), &line);
    let second = FILTER.done(dir.path(), &line);
    assert_eq!(counts(&second), (0, 10));
    assert!(first["truncated"].as_u64() > Some(0));
    assert_eq!(first["truncated"], second["truncated"]);
}

#[test]
fn a_damaged_cache_is_scored_again() {
    let dir = workplace();
    let dir = dir.path();
    let line = format!("{LINE} --cache scores --force");
    FILTER.done(dir, &line);
    let expected = bytes(dir, "out.parquet");
    let file = scores_in(&dir.join("scores"));
    let whole = fs::read(&file).unwrap();
    let flipped: Vec<u8> = whole.iter().map(|byte| byte ^ 1).collect();
    for damaged in [&whole[..whole.len() - 5], &whole[..20], &flipped] {
        fs::write(&file, damaged).unwrap();
        let ended = FILTER.run(dir, &format!("{line} --json"));
        assert_eq!(counts(&ended.report()), (10, 0));
        assert!(
            ended
                .stderr
                .contains("cut short or damaged; scores of it that are used: 0"),
            "{}",
            ended.stderr
        );
        assert!(bytes(dir, "out.parquet") == expected);
        // Threads add scores as they are done, so their order may differ.
        let length = fs::read(&file).unwrap().len();
        assert_eq!(length, whole.len(), "it is whole again");
        let again = FILTER.run(dir, &format!("{line} --json"));
        assert_eq!(counts(&again.report()), (0, 10));
    }
}

#[test]
fn one_run_at_a_time_keeps_scores_and_files_of_others_are_left_alone() {
    let dir = workplace();
    let dir = dir.path();
    let line = format!("{LINE} --cache scores --force");
    FILTER.done(dir, &line);
    let mine = scores_in(&dir.join("scores"));
    fs::write(dir.join("scores/notes.txt"), "mine").unwrap();
    let held = File::open(&mine).unwrap();
    held.lock().unwrap();
    let error = FILTER.refused(dir, &line, 1);
    let name = mine.file_name().unwrap().to_str().unwrap();
    assert_snapshot!(error.replace(name, "NAME"), @"error: scores/NAME: another run keeps its scores here now; wait for it or give this one another folder by --cache");
    drop(held);
    FILTER.done(dir, &line);
    assert_eq!(
        fs::read_to_string(dir.join("scores/notes.txt")).unwrap(),
        "mine"
    );
    let error = FILTER.refused(
        dir,
        &format!("{LINE} --cache candidates.parquet --force"),
        1,
    );
    assert!(
        error.starts_with("error: candidates.parquet: scores cannot be kept here"),
        "{error}"
    );
}

/// Candidates of which no two have the same texts, for some seconds of work.
fn many() -> RecordBatch {
    const COPIES: usize = 5_000;
    let few = candidates(&CANDIDATES);
    let rows = || (0..COPIES).flat_map(|copy| (0..few.num_rows()).map(move |row| (copy, row)));
    let indices = rows().map(|(_, row)| row as u32);
    let indices = arrow::array::UInt32Array::from_iter_values(indices);
    let batch = arrow::compute::take_record_batch(&few, &indices).unwrap();
    let mut columns = batch.columns().to_vec();
    for name in ["query_id", "query", "positive", "text"] {
        let column = pairmill_tables::string_column(&batch, name);
        let numbered = rows()
            .zip(column.iter().flatten())
            .map(|((copy, _), text)| format!("{text} {copy:05}"));
        let index = batch.schema().index_of(name).unwrap();
        columns[index] = Arc::new(StringArray::from_iter_values(numbered)) as ArrayRef;
    }
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

/// Starts a run and kills it once it has kept more than `before` bytes of scores; how many it has
/// kept then, unless it ended before.
fn kill_after_more_scores(dir: &Path, line: &str, before: u64) -> Option<u64> {
    let folder = dir.join(".out.parquet.scores");
    let kept = || {
        let file = fs::read_dir(&folder).ok()?.flatten().next()?;
        Some(file.metadata().ok()?.len()).filter(|&length| length > before)
    };
    let mut child = FILTER
        .command(dir, line)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut found = None;
    while found.is_none() && Instant::now() < deadline && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
        found = kept();
    }
    let _ = child.kill();
    child.wait().unwrap();
    found
}

#[test]
fn a_killed_run_goes_on_from_the_scores_it_has_kept() {
    let dir = workplace();
    let dir = dir.path();
    write(&dir.join("candidates.parquet"), &many());
    let line = format!("{LINE} --threads 1 --token-budget 16 --num-negatives 2");
    let reference = line.replace("out.parquet", "reference.parquet");
    let whole = counts(&FILTER.done(dir, &reference));
    assert!(whole.0 >= 50_000 && whole.1 == 0, "{whole:?}");

    // A segment that is under way when the run is killed is lost.
    let one_segment = HEADER + 8_192 * 21 + 1_024;
    let kept = kill_after_more_scores(dir, &line, one_segment).expect("killed within the run");
    kill_after_more_scores(dir, &line, kept).expect("killed again");
    assert!(!dir.join("out.parquet").exists());
    let ended = FILTER.run(dir, &format!("{line} --relative-margin 0.05 --json"));
    assert!(
        ended
            .stderr
            .contains("pairs of texts are there from earlier runs"),
        "{}",
        ended.stderr
    );
    let (scored, cached) = counts(&ended.report());
    assert_eq!(scored + cached, whole.0);
    assert!(cached >= 8_192, "{cached}");
    assert!(bytes(dir, "out.parquet") == bytes(dir, "reference.parquet"));
    assert!(names(dir).iter().all(|name| !name.starts_with('.')));
}

#[test]
fn a_failed_run_keeps_its_scores_beside_the_output_and_says_so() {
    let dir = workplace();
    let dir = dir.path();
    write(
        &dir.join("candidates.parquet"),
        &candidates(&CANDIDATES[7..]),
    );
    let ended = FILTER.run(dir, LINE);
    ended.error(1);
    assert!(
        ended
            .stderr
            .contains("the scores so far are kept beside the output"),
        "{}",
        ended.stderr
    );
    assert_eq!(
        counts(&FILTER.done(dir, &format!("{LINE} --allow-empty"))),
        (0, 2)
    );
    assert!(names(dir).iter().all(|name| !name.starts_with('.')));
}
