//! Running a program and judging how it ended.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// `pairmill-generate`.
pub const GENERATE: Program = Program("pairmill-generate");
/// `pairmill-mine`.
pub const MINE: Program = Program("pairmill-mine");
/// `pairmill-filter`.
pub const FILTER: Program = Program("pairmill-filter");
/// `pairmill-train`.
pub const TRAIN: Program = Program("pairmill-train");
/// `pairmill-evaluate`.
pub const EVALUATE: Program = Program("pairmill-evaluate");

/// A program of the workspace, built before the tests (`make test` does).
#[derive(Clone, Copy)]
pub struct Program(&'static str);

impl Program {
    /// Returns the program in `dir`; paths in `line` are relative to it and hold no blanks.
    pub fn command(self, dir: &Path, line: &str) -> Command {
        let mut command = Command::new(self.path());
        command.args(line.split_whitespace()).current_dir(dir);
        // A mistyped folder is not looked for on the Hugging Face Hub.
        command.env("HF_HUB_OFFLINE", "1").env("HF_HOME", "nowhere");
        // Pages of one run of the tests have one date, also over midnight.
        command.env("SOURCE_DATE_EPOCH", "1700000000");
        command
    }

    /// Runs the program with nothing on standard input.
    pub fn run(self, dir: &Path, line: &str) -> Ended {
        self.command(dir, line).output().unwrap().into()
    }

    /// Runs the program with these bytes on standard input.
    pub fn run_with_stdin(self, dir: &Path, line: &str, stdin: &[u8]) -> Ended {
        let mut child = self
            .command(dir, line)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that refuses its input may close the pipe early.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        child.wait_with_output().unwrap().into()
    }

    /// Returns the report of a run that must succeed; `--json` is added to the line.
    pub fn done(self, dir: &Path, line: &str) -> Value {
        self.run(dir, &format!("{line} --json")).report()
    }

    /// Returns the error of a run that must fail with this code, print nothing and leave nothing.
    pub fn refused(self, dir: &Path, line: &str, code: i32) -> String {
        let before = names(dir);
        let error = self.run(dir, line).error(code);
        assert_eq!(names(dir), before, "a failed run leaves nothing");
        error
    }

    fn path(self) -> PathBuf {
        let folder = match std::env::var_os("PAIRMILL_BIN_DIR") {
            Some(folder) => PathBuf::from(folder),
            None => std::env::current_exe()
                .ok()
                .and_then(|test| Some(test.parent()?.parent()?.to_owned()))
                .expect("a test lies in target/release/deps"),
        };
        let path = folder.join(self.0);
        assert!(
            path.is_file(),
            "{} is not built; run `make test`",
            path.display()
        );
        path
    }
}

/// How a program ended.
pub struct Ended {
    /// The exit code.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it logged.
    pub stderr: String,
}

impl Ended {
    /// Returns the JSON report of a run that must have succeeded.
    pub fn report(&self) -> Value {
        assert_eq!(self.code, 0, "{}", self.stderr);
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// Returns the error of a run that must have failed with this code and printed nothing.
    pub fn error(&self, code: i32) -> String {
        assert_eq!(self.code, code, "{}", self.stderr);
        assert_eq!(self.stdout, "");
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        let error = self.stderr.find("error:").expect("an error is named");
        self.stderr[error..].trim_end().to_owned()
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("no signal ended it"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Returns the names of what lies in a folder.
pub fn names(dir: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}
