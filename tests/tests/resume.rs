//! A training run that was killed goes on from its newest checkpoint, and ends with the weights of
//! a run that was not.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use pairmill_tests::{Ended, TRAIN, names, sample_with_tiny_model};

const ENCODER: &str = "encoder --model tiny --train data/pairs_train.parquet --eval data \
    --batch-size 8 --epochs 3 --eval-steps 20 --threads 1";

/// Steps big enough to see, checkpoints often.
const BIG: &str = "--learning-rate 1e-3 --save-steps 7";

fn file(dir: &Path, name: &str) -> Vec<u8> {
    fs::read(dir.join(name)).unwrap()
}

/// Starts a run and kills it after this time, or when it ends; whether it ended.
fn killed_after(dir: &Path, line: &str, time: Duration) -> bool {
    let mut child = TRAIN
        .command(dir, line)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(time);
    let ended = child.try_wait().unwrap().is_some();
    child.kill().unwrap();
    child.wait().unwrap();
    ended
}

/// Kills a run once it has written a checkpoint.
fn killed_after_a_checkpoint(dir: &Path, line: &str) {
    let mut child = TRAIN
        .command(dir, line)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while names_of_checkpoints(dir).is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it ended too soon");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

fn names_of_checkpoints(dir: &Path) -> Vec<String> {
    let folder = dir.join("out.checkpoints");
    let found = if folder.exists() {
        names(&folder)
    } else {
        Default::default()
    };
    let whole = |name: &String| name.starts_with("checkpoint-");
    found.into_iter().filter(whole).collect()
}

/// Kills a run again and again, resuming it each time, until it ends.
fn ends_as_if_undisturbed(dir: &Path, line: &str) {
    let started = Instant::now();
    let report = TRAIN.done(dir, &format!("{line} --output whole"));
    let undisturbed = started.elapsed();
    let line = format!("{line} --output out --resume");
    let mut resumed = 0;
    for attempt in 0..12u32 {
        // Golden-ratio steps: spread over half the run, in no regular order.
        let share = 0.25 + 0.5 * (f64::from(attempt) * 0.618_034).fract();
        if killed_after(dir, &line, undisturbed.mul_f64(share)) {
            break;
        }
        resumed += usize::from(!names_of_checkpoints(dir).is_empty());
    }
    assert!(resumed > 0, "no kill came after a checkpoint");
    TRAIN.run(dir, &line);
    assert!(
        file(dir, "out/model.safetensors") == file(dir, "whole/model.safetensors"),
        "other weights after {resumed} kills"
    );
    let log = String::from_utf8(file(dir, "out/training_log.jsonl")).unwrap();
    let steps = log
        .lines()
        .filter(|line| line.contains("\"step\":") && line.contains("\"loss\""));
    assert_eq!(steps.count() as u64, report["steps"].as_u64().unwrap());
    assert!(
        !dir.join("out.checkpoints").exists(),
        "checkpoints are left"
    );
}

#[test]
fn an_encoder_ends_with_the_same_weights() {
    let dir = sample_with_tiny_model();
    ends_as_if_undisturbed(dir.path(), &format!("{ENCODER} {BIG}"));
}

#[test]
fn so_it_does_with_batches_in_parts_and_several_per_step() {
    let dir = sample_with_tiny_model();
    let options = "--gradient-accumulation-steps 3 --mini-batch-size 5 --weight-decay 0.01 \
        --lr-scheduler-type cosine --patience 9";
    ends_as_if_undisturbed(dir.path(), &format!("{ENCODER} {BIG} {options}"));
}

#[test]
fn so_it_does_with_a_table_read_in_parts_and_adapters() {
    let dir = sample_with_tiny_model();
    let options = "--shuffle-buffer 60 --lora-rank 4";
    ends_as_if_undisturbed(dir.path(), &format!("{ENCODER} {BIG} {options}"));
}

#[test]
fn a_cross_encoder_ends_with_the_same_weights() {
    let dir = sample_with_tiny_model();
    let line = "cross-encoder --model tiny --train data/labeled_train.parquet --eval data \
        --batch-size 8 --epochs 2 --learning-rate 1e-3 --save-steps 7 --threads 1";
    ends_as_if_undisturbed(dir.path(), line);
}

#[test]
fn only_the_newest_checkpoints_are_kept_and_of_the_same_run() {
    let dir = sample_with_tiny_model();
    let line = format!("{ENCODER} --output out --save-steps 1 --save-total-limit 2");
    killed_after(dir.path(), &line, Duration::from_secs(3));
    let left = names_of_checkpoints(dir.path());
    assert!((1..=3).contains(&left.len()), "{left:?}");

    let refused = |options: &str| {
        let ended = TRAIN.run(dir.path(), &format!("{line} --resume {options}"));
        let error = ended.error(1);
        let (_, message) = error.split_once(": the checkpoint is").unwrap();
        message.to_owned()
    };
    assert_snapshot!(refused("--seed 7"), @" of a run with another --seed; run with what it was made with, or without --resume to start over");
    assert_snapshot!(refused("--scale 10"), @" of a run with other options; run with what it was made with, or without --resume to start over");
    assert_eq!(names_of_checkpoints(dir.path()), left);
}

#[test]
fn a_checkpoint_cut_short_is_named_and_the_one_before_it_serves() {
    let dir = sample_with_tiny_model();
    let line = format!("{ENCODER} --output out --save-steps 1 --save-total-limit 5");
    loop {
        killed_after(
            dir.path(),
            &format!("{line} --resume"),
            Duration::from_secs(2),
        );
        if names_of_checkpoints(dir.path()).len() > 1 {
            break;
        }
    }
    let mut steps: Vec<u64> = names_of_checkpoints(dir.path())
        .iter()
        .map(|name| name["checkpoint-".len()..].parse().unwrap())
        .collect();
    steps.sort_unstable();
    let newest = dir.path().join(format!(
        "out.checkpoints/checkpoint-{}",
        steps[steps.len() - 1]
    ));
    let tensors = newest.join("state.safetensors");
    let bytes = fs::read(&tensors).unwrap();
    fs::write(&tensors, &bytes[..bytes.len() / 2]).unwrap();
    let error = TRAIN.run(dir.path(), &format!("{line} --resume")).error(1);
    assert!(error.contains("the checkpoint is damaged"), "{error}");
    assert!(error.contains("delete this folder"), "{error}");

    fs::remove_dir_all(&newest).unwrap();
    let ended = TRAIN.run(dir.path(), &format!("{line} --resume --json"));
    assert_eq!(ended.report()["resumed_from"], steps[steps.len() - 2]);
}

/// Runs with files of at most this many bytes, beyond which writing fails as on a full disk.
fn with_full_disk(dir: &Path, line: &str, bytes: usize) -> Ended {
    let program = TRAIN.command(dir, line);
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", bytes / 1024);
    Command::new("bash")
        .args(["-c", &script, "bash"])
        .arg(program.get_program())
        .args(program.get_args())
        .current_dir(dir)
        .output()
        .unwrap()
        .into()
}

#[test]
fn a_full_disk_leaves_the_last_good_checkpoint() {
    let dir = sample_with_tiny_model();
    let line = format!("{ENCODER} {BIG} --output out");
    killed_after_a_checkpoint(dir.path(), &line);
    let before = names_of_checkpoints(dir.path());
    let ended = with_full_disk(dir.path(), &format!("{line} --resume"), 6 << 20);
    let error = ended.error(1);
    assert!(error.contains("cannot write the checkpoint"), "{error}");
    assert_eq!(names_of_checkpoints(dir.path()), before);
    assert!(!dir.path().join("out").exists());
    let report = TRAIN.done(dir.path(), &format!("{line} --resume"));
    assert!(report["resumed_from"].as_u64() > Some(0));
}

#[test]
fn a_diverging_run_says_so_and_keeps_its_checkpoint() {
    let dir = sample_with_tiny_model();
    let line = format!("{ENCODER} --output out --learning-rate 1e30 --save-steps 1");
    let error = TRAIN.run(dir.path(), &line).error(1);
    assert!(error.contains("try a lower --learning-rate"), "{error}");
    assert!(!dir.path().join("out").exists());
}
