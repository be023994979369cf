//! A run that is killed goes on where it was.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use pairmill_tests::{MINE, names};

const PAIRS: usize = 12_000;
const LINE: &str = "--pairs pairs.csv --corpus corpus.csv --index index --top-k 20";

/// Pairs for three parts, over a corpus of made-up words.
fn write_inputs(dir: &Path) {
    let words = |number: usize| {
        let word = |step: usize| format!("w{}", number.wrapping_mul(step) % 997);
        [7, 31, 101, 211, 419, 601].map(word).join(" ")
    };
    let mut corpus = "id,title,text\n".to_owned();
    for number in 0..4_000 {
        corpus += &format!("d{number},,{}\n", words(number + 1));
    }
    let mut pairs = "anchor_id,anchor,positive_id,positive\n".to_owned();
    for number in 0..PAIRS {
        let positive = number % 4_000;
        pairs += &format!(
            "q{number},{},d{positive},{}\n",
            words(number + 3),
            words(positive + 1)
        );
    }
    fs::write(dir.join("corpus.csv"), corpus).unwrap();
    fs::write(dir.join("pairs.csv"), pairs).unwrap();
}

/// Starts a run and kills it when its state is another than `before`; the state then.
fn kill_after_next_part(dir: &Path, line: &str, before: Option<&[u8]>) -> Option<Vec<u8>> {
    let state = dir.join(".out.parquet.parts/state.json");
    let mut child = MINE
        .command(dir, line)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut found = None;
    while Instant::now() < deadline && child.try_wait().unwrap().is_none() {
        found = fs::read(&state).ok().filter(|now| Some(&**now) != before);
        if found.is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let _ = child.kill();
    child.wait().unwrap();
    found
}

#[test]
fn a_killed_run_goes_on_after_its_last_whole_part_and_ends_with_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write_inputs(dir);
    for rows in ["", " --format triplet --num-negatives 2"] {
        let audit = |name: &str| match rows {
            "" => String::new(),
            _ => format!(" --audit {name}"),
        };
        let reference = format!(
            "{LINE}{rows} --output reference.parquet{}",
            audit("r.parquet")
        );
        let expected = MINE.done(dir, &reference);
        let line = format!("{LINE}{rows} --output out.parquet{}", audit("a.parquet"));

        let first = kill_after_next_part(dir, &line, None).expect("killed within the run");
        kill_after_next_part(dir, &line, Some(&first));
        assert!(!dir.join("out.parquet").exists());
        let ended = MINE.run(dir, &format!("{line} --json"));
        assert!(
            ended.stderr.contains("going on after 8192 pairs")
                || ended.stderr.contains("going on after 4096 pairs"),
            "{}",
            ended.stderr
        );
        let mut report = ended.report();
        report["output"] = expected["output"].clone();
        assert_eq!(report, expected, "the counts of the whole run");
        let same =
            |a: &str, b: &str| fs::read(dir.join(a)).unwrap() == fs::read(dir.join(b)).unwrap();
        assert!(same("out.parquet", "reference.parquet"));
        if !rows.is_empty() {
            assert!(same("a.parquet", "r.parquet"));
        }
        assert!(names(dir).iter().all(|name| !name.starts_with('.')));
        fs::remove_file(dir.join("out.parquet")).unwrap();
    }
}

#[test]
fn parts_of_other_options_are_not_taken_up() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write_inputs(dir);
    let line = format!("{LINE} --output out.parquet");
    kill_after_next_part(dir, &line, None).expect("killed within the run");
    let ended = MINE.run(dir, &format!("{line} --k1 0.9 --json"));
    assert!(!ended.stderr.contains("going on"), "{}", ended.stderr);
    assert_eq!(ended.report()["pairs"], PAIRS);
}
