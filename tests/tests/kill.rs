//! Killed at any moment, a stage leaves the earlier output or none, and the next run ends with the
//! same result as an undisturbed one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use pairmill_tests::{
    EVALUATE, FILTER, GENERATE, MINE, Program, TRAIN, names, root, write_tiny_model,
};

const KILLS: u32 = 20;

/// Runs a stage undisturbed into `STAGE/reference`, then kills it twenty times at moments spread
/// over that run's time, and then lets it finish. `--output PATH` is added to the line.
fn survives_kills(program: Program, dir: &Path, line: &str, stage: &str, output_name: &str) {
    let to = |folder: &str| format!("{line} --output {stage}/{folder}/{output_name}");
    let folder = dir.join(stage).join("killed");
    let output = folder.join(output_name);
    fs::create_dir_all(&folder).unwrap();
    let started = Instant::now();
    succeed(program, dir, &to("reference"));
    let mut undisturbed = started.elapsed();
    let expected = contents(&dir.join(stage).join("reference").join(output_name));

    let mut killed = 0;
    for attempt in 0..5 * KILLS {
        // Golden-ratio steps: spread over the run, in no regular order.
        let share = (f64::from(attempt) * 0.618_034).fract();
        let mut child = program
            .command(dir, &to("killed"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(undisturbed.mul_f64(share).min(Duration::from_secs(20)));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            killed += 1;
        } else {
            // The first run may have been slower than the later ones.
            undisturbed = undisturbed.mul_f64(0.9);
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
        if killed == KILLS {
            break;
        }
    }
    assert_eq!(killed, KILLS, "runs that were caught alive");
    succeed(program, dir, &to("killed"));
    assert_eq!(contents(&output), expected);
    let left = names(&folder);
    assert!(left.iter().eq([output_name]), "left behind: {left:?}");
}

fn succeed(program: Program, dir: &Path, line: &str) {
    let ended = program.run(dir, line);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
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
    let dir = dir.path();
    write_tiny_model(&dir.join("tiny"));
    fs::copy(root().join("data/qa.jsonl"), dir.join("qa.jsonl")).unwrap();

    let line = "qa --input qa.jsonl --limit 200";
    survives_kills(GENERATE, dir, line, "1", "data");
    let data = "1/reference/data";

    let line = format!("--pairs {data}/pairs_train.parquet --corpus {data}/corpus.parquet");
    survives_kills(MINE, dir, &line, "2", "candidates.parquet");
    let candidates = "2/reference/candidates.parquet";
    succeed(TRAIN, dir, "export --model tiny --output onnx");
    let both = format!("{line} --retriever hybrid --model onnx");
    survives_kills(MINE, dir, &both, "2b", "candidates.parquet");

    let line = format!(
        "cross-encoder --model tiny --train {data}/labeled_train.parquet --train {candidates} --eval {data}"
    );
    survives_kills(TRAIN, dir, &line, "3", "cross-encoder");
    survives_kills(
        TRAIN,
        dir,
        &format!("{line} --folds 2"),
        "3b",
        "cross-encoder",
    );

    let line =
        format!("--candidates {candidates} --model 3/reference/cross-encoder --format candidates");
    survives_kills(FILTER, dir, &line, "4", "decided.parquet");

    let line = format!("encoder --model tiny --train {data}/pairs_train.parquet --eval {data}");
    survives_kills(TRAIN, dir, &line, "5", "model");

    let line = format!(
        "retrieval --model 5/reference/model --baseline tiny --corpus {data}/corpus.parquet \
         --queries {data}/queries_test.parquet --qrels {data}/qrels_test.parquet"
    );
    survives_kills(EVALUATE, dir, &line, "6", "report");
}
