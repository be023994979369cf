//! Killed at any moment, a stage leaves the earlier output or none, and the next run ends with the
//! same result as an undisturbed one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pairmill_tests::{bin, root, succeed, write_tiny_model};

const KILLS: u32 = 20;

/// Runs a stage undisturbed into `reference`, then kills it twenty times at moments spread over
/// that run's time, and then lets it finish. `--output PATH` is added to the arguments.
fn survives_kills(program: &str, arguments: &[&str], folder: &Path, output_name: &str) {
    let reference = folder.join("reference").join(output_name);
    let output = folder.join("killed").join(output_name);
    fs::create_dir_all(folder.join("killed")).unwrap();
    let with_output = |path: &Path| -> Vec<String> {
        let mut all: Vec<String> = arguments
            .iter()
            .map(|&argument| argument.to_owned())
            .collect();
        all.extend(["--output".to_owned(), path.display().to_string()]);
        all
    };
    let started = Instant::now();
    succeed(program, with_output(&reference));
    let undisturbed = started.elapsed();
    let expected = contents(&reference);

    let mut killed = 0;
    for attempt in 0..KILLS {
        // Golden-ratio steps: spread over the run, in no regular order.
        let share = (f64::from(attempt) * 0.618_034).fract();
        let mut child = Command::new(bin(program))
            .args(with_output(&output))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(undisturbed.mul_f64(share).min(Duration::from_secs(20)));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            killed += 1;
        }
        child.wait().unwrap();
        if output.exists() {
            assert_eq!(
                contents(&output),
                expected,
                "a partial output after kill {attempt}"
            );
            remove(&output);
        }
    }
    assert!(killed >= KILLS / 2, "only {killed} runs were caught alive");
    succeed(program, with_output(&output));
    assert_eq!(contents(&output), expected);
    let parent = output.parent().unwrap();
    let leftovers: Vec<PathBuf> = fs::read_dir(parent)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path != &output)
        .collect();
    assert!(leftovers.is_empty(), "left behind: {leftovers:?}");
}

/// The files of an output by name; the training log is left out because it holds times.
fn contents(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    if path.is_file() {
        return vec![(PathBuf::new(), fs::read(path).unwrap())];
    }
    let mut files = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                open.push(file);
            } else if !file.ends_with("training_log.jsonl") {
                let name = file.strip_prefix(path).unwrap().to_owned();
                files.push((name, fs::read(&file).unwrap()));
            }
        }
    }
    files.sort();
    files
}

fn remove(path: &Path) {
    if path.is_dir() {
        fs::remove_dir_all(path).unwrap();
    } else {
        fs::remove_file(path).unwrap();
    }
}

/// The stages in order, on the sample, with a tiny model.
#[test]
fn every_stage_survives_being_killed() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let stage = |name: &str| {
        let folder = dir.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    };
    let sample = root().join("data/qa.jsonl").display().to_string();
    write_tiny_model(Path::new(&at("tiny")));

    survives_kills(
        "pairmill-generate",
        &["qa", "--input", &sample, "--limit", "200"],
        &stage("1"),
        "data",
    );
    let data = at("1/reference/data");
    let table = |name: &str| format!("{data}/{name}.parquet");

    survives_kills(
        "pairmill-mine",
        &[
            "--pairs",
            &table("pairs_train"),
            "--corpus",
            &table("corpus"),
        ],
        &stage("2"),
        "candidates.parquet",
    );
    let candidates = at("2/reference/candidates.parquet");

    survives_kills(
        "pairmill-train",
        &[
            "cross-encoder",
            "--model",
            &at("tiny"),
            "--train",
            &table("labeled_train"),
            "--train",
            &candidates,
            "--eval",
            &data,
        ],
        &stage("3"),
        "cross-encoder",
    );

    survives_kills(
        "pairmill-filter",
        &[
            "--candidates",
            &candidates,
            "--model",
            &at("3/reference/cross-encoder"),
            "--format",
            "candidates",
        ],
        &stage("4"),
        "decided.parquet",
    );

    survives_kills(
        "pairmill-train",
        &[
            "encoder",
            "--model",
            &at("tiny"),
            "--train",
            &table("pairs_train"),
            "--eval",
            &data,
        ],
        &stage("5"),
        "model",
    );

    survives_kills(
        "pairmill-evaluate",
        &[
            "retrieval",
            "--model",
            &at("5/reference/model"),
            "--baseline",
            &at("tiny"),
            "--corpus",
            &table("corpus"),
            "--queries",
            &table("queries_test"),
            "--qrels",
            &table("qrels_test"),
        ],
        &stage("6"),
        "report",
    );
}
