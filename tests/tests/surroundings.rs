//! What a stage does among other programs: signals, pipes, links, formats, and files of others.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pairmill_tables::Lock;
use pairmill_tests::{
    EVALUATE, FILTER, GENERATE, MINE, Program, TRAIN, names, root, sample_with_tiny_model, tables,
};
use serde_json::Value;

const MINE_LINE: &str =
    "--pairs data/pairs_train.parquet --corpus data/corpus.parquet --top-k 5 --output";

/// A run that must end with code 0.
fn succeed(program: Program, dir: &Path, line: &str) -> String {
    let ended = program.run(dir, line);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.stderr
}

#[test]
fn what_stages_did_not_write_in_an_output_folder_stays() {
    let dir = sample_with_tiny_model();
    let dir = dir.path();
    fs::create_dir(dir.join("data/.git")).unwrap();
    fs::write(dir.join("data/.git/HEAD"), "ref: refs/heads/main").unwrap();
    for line in [
        "qa --input qa.jsonl --output data --limit 150",
        "qa --input qa.jsonl --output data --force",
        "qa --input qa.jsonl --output data",
    ] {
        let error = GENERATE.refused(dir, line, 1);
        assert!(error.contains("data: holds `.git`"), "{error}");
    }
    assert!(dir.join("data/.git/HEAD").exists() && dir.join("data/corpus.parquet").exists());
    fs::remove_dir_all(dir.join("data/.git")).unwrap();
    fs::write(dir.join("data/summary.json"), "{}").unwrap();
    let error = GENERATE.refused(dir, "qa --input qa.jsonl --output data", 1);
    assert!(error.contains("`summary.json` was changed"), "{error}");
    succeed(GENERATE, dir, "qa --input qa.jsonl --output data --force");
    assert_ne!(fs::read(dir.join("data/summary.json")).unwrap(), b"{}");
}

#[test]
fn a_run_makes_whole_what_is_gone_and_says_so() {
    let dir = sample_with_tiny_model();
    let dir = dir.path();
    let line = "qa --input qa.jsonl --output data";
    let corpus = dir.join("data/corpus.parquet");
    let whole = fs::read(&corpus).unwrap();
    let spoil: [fn(&Path); 2] = [
        |file| fs::remove_file(file).unwrap(),
        |file| fs::write(file, "").unwrap(),
    ];
    for spoil in spoil {
        spoil(&corpus);
        let said = succeed(GENERATE, dir, line);
        assert!(said.contains("corpus.parquet is gone or empty"), "{said}");
        assert_eq!(fs::read(&corpus).unwrap(), whole);
    }
    assert!(succeed(GENERATE, dir, line).contains("is up to date"));

    let line = format!("{MINE_LINE} out.csv");
    succeed(MINE, dir, &line);
    let whole = fs::read(dir.join("out.csv")).unwrap();
    fs::write(dir.join("out.csv"), "").unwrap();
    succeed(MINE, dir, &line);
    assert_eq!(fs::read(dir.join("out.csv")).unwrap(), whole);
}

#[test]
fn a_file_of_somebody_else_is_replaced_only_by_force() {
    let dir = sample_with_tiny_model();
    let dir = dir.path();
    let theirs = tables::read(&dir.join("data/corpus.parquet"));
    tables::write(&dir.join("theirs.parquet"), &theirs);
    fs::write(dir.join("notes.csv"), "a,b\n1,2\n").unwrap();
    for name in ["theirs.parquet", "notes.csv"] {
        let before = fs::read(dir.join(name)).unwrap();
        let error = MINE.refused(dir, &format!("{MINE_LINE} {name}"), 1);
        assert!(error.contains("--force"), "{error}");
        assert_eq!(fs::read(dir.join(name)).unwrap(), before);
        succeed(MINE, dir, &format!("{MINE_LINE} {name} --force"));
        assert_ne!(fs::read(dir.join(name)).unwrap(), before);
    }
    let search = "search --queries data/queries_test.parquet --corpus data/corpus.parquet --output";
    let error = MINE.refused(dir, &format!("{search} theirs.parquet"), 1);
    assert!(error.contains("holds what `mine` has written"), "{error}");
}

#[test]
fn a_link_is_written_through_and_stays() {
    let dir = sample_with_tiny_model();
    let dir = dir.path();
    fs::create_dir(dir.join("disk")).unwrap();
    symlink("disk/real.parquet", dir.join("link.parquet")).unwrap();
    symlink("disk/tables", dir.join("tables")).unwrap();
    for _ in 0..2 {
        succeed(MINE, dir, &format!("{MINE_LINE} link.parquet --force"));
        succeed(GENERATE, dir, "qa --input qa.jsonl --output tables --force");
    }
    assert!(dir.join("link.parquet").is_symlink() && dir.join("tables").is_symlink());
    assert_eq!(names(&dir.join("disk")).len(), 2);
    assert!(dir.join("disk/tables/corpus.parquet").exists());

    // As /dev/stdout is, where standard output is sent to a file.
    symlink("/proc/self/fd/1", dir.join("stdout")).unwrap();
    let mut command = MINE.command(dir, &format!("{MINE_LINE} stdout"));
    command.stdout(File::create(dir.join("caller")).unwrap());
    let ended = command.output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(
        !ended.status.success() && said.contains("standard output"),
        "{said}"
    );
    assert!(dir.join("stdout").is_symlink());
}

#[test]
fn a_named_pipe_is_written_to_while_somebody_reads_it() {
    let dir = sample_with_tiny_model();
    let dir = dir.path();
    let pipe = dir.join("pipe.parquet");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || {
            let mut bytes = Vec::new();
            File::open(pipe).unwrap().read_to_end(&mut bytes).unwrap();
            bytes
        }
    });
    succeed(MINE, dir, &format!("{MINE_LINE} pipe.parquet"));
    succeed(MINE, dir, &format!("{MINE_LINE} file.parquet"));
    let received = reader.join().unwrap();
    fs::write(dir.join("received.parquet"), received).unwrap();
    assert_eq!(
        tables::read(&dir.join("received.parquet")).columns(),
        tables::read(&dir.join("file.parquet")).columns()
    );
    let error = MINE.run(dir, &format!("{MINE_LINE} pipe.parquet")).error(1);
    assert!(error.contains("nobody reads this pipe"), "{error}");
    let error = GENERATE.run(dir, "qa --input qa.jsonl --output pipe.parquet");
    assert!(error.error(1).contains("a folder is written here"));
}

#[test]
fn an_output_is_what_its_name_says() {
    let dir = sample_with_tiny_model();
    let dir = dir.path();
    let mut figures: Option<Value> = None;
    for ending in ["parquet", "csv", "tsv", "jsonl", "arrow"] {
        let line = format!("{MINE_LINE} out.{ending}");
        let mut first = MINE.done(dir, &line);
        let mut again = MINE.done(dir, &line);
        for (report, up_to_date) in [(&mut first, false), (&mut again, true)] {
            let report = report.as_object_mut().unwrap();
            assert_eq!(report.remove("up_to_date"), Some(Value::Bool(up_to_date)));
            report.remove("output");
        }
        assert_eq!(first, again, "{ending}");
        assert_eq!(*figures.get_or_insert(first.clone()), first, "{ending}");
    }
    let head = |name: &str, bytes: usize| fs::read(dir.join(name)).unwrap()[..bytes].to_vec();
    assert_eq!(head("out.parquet", 4), b"PAR1");
    assert_eq!(head("out.csv", 9), b"query_id,");
    assert_eq!(head("out.tsv", 9), b"query_id\t");
    assert_eq!(head("out.jsonl", 13), b"{\"query_id\":\"");
    assert_eq!(head("out.arrow", 6), b"ARROW1");
    let before = names(dir);
    for name in ["s3://bucket/out.parquet", "out", "out.xlsx", "out.csv.gz"] {
        let error = MINE.run(dir, &format!("{MINE_LINE} {name}")).error(2);
        assert!(error.contains(name), "{error}");
    }
    assert_eq!(names(dir), before);
    let error = GENERATE.refused(dir, "qa --input qa.jsonl --output s3://bucket/data", 1);
    assert!(error.contains("`s3://` cannot be written"), "{error}");
}

#[test]
fn stages_pass_arrow_streams() {
    let dir = sample_with_tiny_model();
    let dir = dir.path();
    let candidates = MINE
        .command(dir, &format!("{MINE_LINE} -"))
        .output()
        .unwrap();
    assert!(candidates.status.success());
    succeed(MINE, dir, &format!("{MINE_LINE} file.parquet"));
    let train = "cross-encoder --model tiny --train data/labeled_train.parquet --max-steps 1 --output judge";
    succeed(TRAIN, dir, train);
    let filter = "--model judge --format candidates";
    let mut child = FILTER
        .command(dir, &format!("{filter} --candidates - --output -"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let sender = std::thread::spawn(move || {
        std::io::Write::write_all(&mut stdin, &candidates.stdout).unwrap();
    });
    let judged = child.wait_with_output().unwrap();
    sender.join().unwrap();
    assert!(
        judged.status.success(),
        "{}",
        String::from_utf8_lossy(&judged.stderr)
    );
    succeed(
        FILTER,
        dir,
        &format!("{filter} --candidates file.parquet --output judged.parquet"),
    );
    let streamed = tables::read_stream(&judged.stdout);
    assert_eq!(
        streamed.columns(),
        tables::read(&dir.join("judged.parquet")).columns()
    );
    let error = MINE.run(dir, &format!("{MINE_LINE} - --json")).error(2);
    assert!(error.contains("both want standard output"), "{error}");
}

/// Sends a signal when the log says `when`; the exit code, the log, and how long the end took.
fn signalled(program: Program, dir: &Path, line: &str, signal: &str, when: &str) -> (i32, String) {
    let mut child = program
        .command(dir, line)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = String::new();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    while !log.contains(when) {
        assert_ne!(stderr.read_line(&mut log).unwrap(), 0, "{log}");
    }
    let kill = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let sent = Instant::now();
    stderr.read_to_string(&mut log).unwrap();
    let code = child.wait().unwrap().code().expect("it ends by itself");
    assert!(sent.elapsed() < Duration::from_secs(20));
    (code, log)
}

#[test]
fn a_signal_ends_a_stage_with_a_word_and_leaves_nothing_half_written() {
    let dir = sample_with_tiny_model();
    let dir = dir.path();
    let before = names(dir);
    let line = "encoder --model tiny --train data/pairs_train.parquet --eval data --epochs 50 --save-steps 2 --output model";
    let (code, log) = signalled(TRAIN, dir, line, "-INT", "saved");
    assert_eq!(code, 130, "{log}");
    let last = log.trim_end().lines().last().unwrap();
    assert!(
        last.starts_with("error: interrupted; model.checkpoints stays: ")
            && last.contains("--resume"),
        "{log}"
    );
    let mut left = names(dir);
    assert!(left.remove("model.checkpoints"));
    assert_eq!(left, before);

    let export = "export --model tiny --output onnx";
    succeed(TRAIN, dir, export);
    let before = names(dir);
    let line = format!("{MINE_LINE} out.parquet --retriever dense --model onnx");
    let (code, log) = signalled(MINE, dir, &line, "-TERM", "embedding");
    assert_eq!(code, 143, "{log}");
    assert!(log.contains("error: terminated"), "{log}");
    let mut left = names(dir);
    left.remove(".out.parquet.parts");
    assert_eq!(left, before);
    succeed(MINE, dir, &line);
}

#[test]
fn of_two_processes_at_one_output_one_is_refused() {
    let dir = sample_with_tiny_model();
    let dir = dir.path();
    let locks = [
        (MINE, format!("{MINE_LINE} out.csv"), ".out.csv.partial"),
        (GENERATE, "qa --input qa.jsonl --output new".to_owned(), ".new.lock"),
        (
            EVALUATE,
            "retrieval --model tiny --corpus data/corpus.parquet --queries data/queries_test.parquet --qrels data/qrels_test.parquet --output report".to_owned(),
            ".report.lock",
        ),
    ];
    for (program, line, lock) in locks {
        let _held = Lock::exclusive(&dir.join(lock), Path::new("another")).unwrap();
        let error = program.run(dir, &line).error(1);
        assert!(error.contains("another process is writing it"), "{error}");
    }
}

#[test]
fn errors_are_json_where_the_log_is() {
    let dir = sample_with_tiny_model();
    let dir = dir.path();
    let missing = "--pairs nowhere.parquet --corpus data/corpus.parquet --output o.parquet";
    for (line, code, says) in [
        (missing, 1, "nowhere.parquet: no such file"),
        ("--top-k 3", 2, "--pairs <FILE>"),
    ] {
        let ended = MINE.run(dir, &format!("{line} --log-format json"));
        assert_eq!(ended.code, code);
        let last = ended.stderr.trim_end().lines().last().unwrap();
        let error: Value = serde_json::from_str(last).unwrap();
        assert_eq!(
            (&error["level"], &error["exit_code"]),
            (&"ERROR".into(), &code.into())
        );
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
    }
    let help = MINE.run(dir, "search --help").stdout;
    assert!(help.trim_end().ends_with("is no failure."), "{help}");
}

#[test]
fn quiet_keeps_warnings() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let pairs =
        "{\"anchor_id\":\"q\",\"anchor\":\"the\",\"positive_id\":\"p\",\"positive\":\"printer\"}\n";
    fs::write(dir.join("pairs.jsonl"), pairs).unwrap();
    fs::write(
        dir.join("corpus.jsonl"),
        "{\"id\":\"p\",\"title\":\"\",\"text\":\"printer\"}\n",
    )
    .unwrap();
    let line = "--pairs pairs.jsonl --corpus corpus.jsonl --output out.parquet --force";
    let all = succeed(MINE, dir, line);
    assert!(all.contains("INFO") && all.contains("WARN"), "{all}");
    let quiet = succeed(MINE, dir, &format!("{line} -q"));
    assert!(!quiet.contains("INFO") && quiet.contains("WARN"), "{quiet}");
}

#[test]
fn paths_of_any_letters_go_through_make() {
    let make = Command::new("make")
        .current_dir(root())
        .args([
            "-n",
            "pairs",
            "INPUT=my $x \"q\" 'a' [b].csv",
            "RUN=runs $HOME 'r'",
        ])
        .output()
        .unwrap();
    let lines = String::from_utf8(make.stdout).unwrap();
    let line = lines
        .lines()
        .find(|line| line.contains("pairmill-generate pairs"))
        .unwrap();
    let words = Command::new("sh")
        .args(["-c", &format!("printf '%s\\n' {line}")])
        .output()
        .unwrap();
    let words = String::from_utf8(words.stdout).unwrap();
    let words: Vec<&str> = words.lines().collect();
    assert!(words.contains(&"my $x \"q\" 'a' [b].csv"), "{words:?}");
    assert!(words.contains(&"runs $HOME 'r'/data"), "{words:?}");
}
