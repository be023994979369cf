//! Killed at any moment, a stage leaves the earlier output, or none where there was none, and the
//! next run ends with the same result as an undisturbed one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use pairmill_tests::{
    EVALUATE, FILTER, GENERATE, MINE, Program, TRAIN, names, root, write_tiny_model,
};

/// Kills of each stage.
const KILLS: u32 = 20;
/// The same where a thousand kills over all stages lose nothing.
const MANY_KILLS: u32 = 125;

/// A stage that is killed again and again.
struct Stage<'a> {
    program: Program,
    dir: &'a Path,
    line: &'a str,
    /// The folder of its outputs.
    folder: &'a str,
    output: &'a str,
}

impl Stage<'_> {
    /// The line with `--output` into a folder of the stage.
    fn to(&self, place: &str) -> String {
        let Self {
            line,
            folder,
            output,
            ..
        } = self;
        format!("{line} --output {folder}/{place}/{output}")
    }

    fn path(&self, place: &str) -> PathBuf {
        self.dir.join(self.folder).join(place).join(self.output)
    }

    /// Runs undisturbed into `reference`, and with another seed into `earlier`. Then it is killed
    /// at moments spread over the time of a run, half of the times over a copy of `earlier`, and
    /// then it may finish.
    fn survives(&self, kills: u32) {
        let (dir, output) = (self.dir, self.path("killed"));
        let folder = output.parent().unwrap();
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("note"), "a user's").unwrap();
        succeed(
            self.program,
            dir,
            &format!("{} --seed 7", self.to("earlier")),
        );
        let started = Instant::now();
        succeed(self.program, dir, &self.to("reference"));
        let mut undisturbed = started.elapsed();
        let expected = contents(&self.path("reference"));
        let earlier = contents(&self.path("earlier"));

        let mut killed = 0;
        for attempt in 0..5 * kills {
            let has_earlier = attempt % 2 == 1;
            if has_earlier {
                copy(&self.path("earlier"), &output);
            }
            // Golden-ratio steps: spread over the run, in no regular order.
            let share = (f64::from(attempt) * 0.618_034).fract();
            let mut child = self.start();
            std::thread::sleep(undisturbed.mul_f64(share).min(Duration::from_secs(20)));
            if child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
                killed += 1;
            } else {
                // The first run may have been slower than the later ones.
                undisturbed = undisturbed.mul_f64(0.9);
            }
            child.wait().unwrap();
            let left = output.exists().then(|| contents(&output));
            match left {
                Some(left) if left == expected => remove(&output),
                Some(left) => {
                    let stage = self.folder;
                    assert!(
                        has_earlier && left == earlier,
                        "{stage}: a spoilt output after kill {attempt}"
                    );
                    remove(&output);
                }
                None => assert!(!has_earlier, "no output after kill {attempt}"),
            }
            if killed == kills {
                break;
            }
        }
        assert_eq!(killed, kills, "runs that were caught alive");
        copy(&self.path("earlier"), &output);
        if output.is_dir() {
            // As a kill between two renames leaves it, where folders cannot be exchanged.
            fs::rename(&output, folder.join(format!(".{}.old", self.output))).unwrap();
        }
        succeed(self.program, dir, &self.to("killed"));
        assert_eq!(contents(&output), expected);
        let left = names(folder);
        let expected = BTreeSet::from([self.output, "note"].map(str::to_owned));
        assert_eq!(left, expected, "left behind");
        fs::remove_file(folder.join("note")).unwrap();
    }

    fn start(&self) -> Child {
        let mut command = self.program.command(self.dir, &self.to("killed"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }
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

fn copy(from: &Path, to: &Path) {
    if from.is_file() {
        fs::copy(from, to).unwrap();
        return;
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

/// The stages in order, on the sample, with a tiny model.
fn every_stage_survives(kills: u32) {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write_tiny_model(&dir.join("tiny"));
    fs::copy(root().join("data/qa.jsonl"), dir.join("qa.jsonl")).unwrap();
    let survives = |program, line: &str, folder, output| {
        let stage = Stage {
            program,
            dir,
            line,
            folder,
            output,
        };
        stage.survives(kills);
    };

    survives(GENERATE, "qa --input qa.jsonl --limit 200", "1", "data");
    let data = "1/reference/data";

    let line = format!("--pairs {data}/pairs_train.parquet --corpus {data}/corpus.parquet");
    survives(MINE, &line, "2", "candidates.parquet");
    let candidates = "2/reference/candidates.parquet";
    succeed(TRAIN, dir, "export --model tiny --output onnx");
    let both = format!("{line} --retriever hybrid --model onnx");
    survives(MINE, &both, "2b", "candidates.parquet");

    let line = format!(
        "cross-encoder --model tiny --train {data}/labeled_train.parquet --train {candidates} --eval {data}"
    );
    survives(TRAIN, &line, "3", "cross-encoder");
    survives(TRAIN, &format!("{line} --folds 2"), "3b", "cross-encoder");

    let line =
        format!("--candidates {candidates} --model 3/reference/cross-encoder --format candidates");
    survives(FILTER, &line, "4", "decided.parquet");

    let line = format!("encoder --model tiny --train {data}/pairs_train.parquet --eval {data}");
    survives(TRAIN, &line, "5", "model");

    let line = format!(
        "retrieval --model 5/reference/model --baseline tiny --corpus {data}/corpus.parquet \
         --queries {data}/queries_test.parquet --qrels {data}/qrels_test.parquet"
    );
    survives(EVALUATE, &line, "6", "report");
}

#[test]
fn every_stage_survives_being_killed() {
    every_stage_survives(KILLS);
}

#[test]
#[ignore = "takes long"]
fn a_thousand_kills_lose_nothing() {
    every_stage_survives(MANY_KILLS);
}
