//! What the end-to-end tests share: finding the programs, the data and the model.

mod tiny;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub use tiny::write_tiny_model;

/// A program of the workspace, built before the tests (`make test` does).
///
/// # Panics
/// If it has not been built.
pub fn bin(name: &str) -> PathBuf {
    let folder = match std::env::var_os("PAIRMILL_BIN_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => std::env::current_exe()
            .ok()
            .and_then(|test| Some(test.parent()?.parent()?.to_owned()))
            .expect("a test lies in target/release/deps"),
    };
    let path = folder.join(name);
    assert!(
        path.is_file(),
        "{} is not built; run `make test`",
        path.display()
    );
    path
}

/// Runs a program of the workspace and waits for it.
///
/// # Panics
/// If it cannot be started.
pub fn run<S: AsRef<std::ffi::OsStr>>(
    name: &str,
    arguments: impl IntoIterator<Item = S>,
) -> Output {
    Command::new(bin(name))
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{name} does not start: {error}"))
}

/// Runs a program that must succeed and returns its standard output.
///
/// # Panics
/// If it fails, with its standard error.
pub fn succeed<S: AsRef<std::ffi::OsStr>>(
    name: &str,
    arguments: impl IntoIterator<Item = S>,
) -> String {
    let output = run(name, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} failed:\n{stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a program that must fail with this exit code and returns its standard error, with the
/// temporary folder written as `[DIR]`.
///
/// # Panics
/// If it ends otherwise.
pub fn fail<S: AsRef<std::ffi::OsStr>>(
    name: &str,
    arguments: impl IntoIterator<Item = S>,
    code: i32,
    folder: &Path,
) -> String {
    let output = run(name, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{name}:\n{stderr}");
    assert!(!stderr.contains("panicked"), "{name} panicked:\n{stderr}");
    stderr.replace(&folder.display().to_string(), "[DIR]")
}

/// The folder of real data sets; says that the test is skipped where there is none.
pub fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("PAIRMILL_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: PAIRMILL_DATA is not set");
    }
    folder
}

/// The base model, all-MiniLM-L6-v2, which `make setup` brings.
///
/// # Panics
/// If it is not there.
pub fn model() -> PathBuf {
    let folder = match std::env::var_os("PAIRMILL_MODEL") {
        Some(folder) => PathBuf::from(folder),
        None => root().join(".deps/models/all-MiniLM-L6-v2"),
    };
    assert!(
        folder.is_dir(),
        "{} is not there; run `make setup`",
        folder.display()
    );
    folder
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests lie one folder below the root")
        .to_owned()
}
