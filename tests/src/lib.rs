//! What the end-to-end tests share. Like an assertion, it panics when something is not as it must
//! be.

mod chat;
mod hub;
mod program;
pub mod tables;
mod tiny;

use std::path::{Path, PathBuf};

pub use chat::{Chat, Reply, Request};
pub use hub::Hub;
pub use program::{EVALUATE, Ended, FILTER, GENERATE, MINE, Program, TRAIN, names};
pub use tiny::{sample_with_tiny_model, write_tiny_model};

/// Returns the folder of real data sets; says that the test is skipped where there is none.
///
/// # Panics
/// If there is none where `CI` is set: a run that counts must not pass without testing.
pub fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("PAIRMILL_DATA").map(PathBuf::from);
    if folder.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "PAIRMILL_DATA is not set; it names the folder of the real data sets"
        );
        eprintln!("skipped: PAIRMILL_DATA is not set");
    }
    folder
}

/// Returns the base model, all-MiniLM-L6-v2, which `make setup` brings.
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

/// Returns a model that `make bench` brings beside the base model, by the name of its folder.
///
/// # Panics
/// If it is not there.
pub fn checkpoint(name: &str) -> PathBuf {
    let folder = model().with_file_name(name);
    assert!(
        folder.is_dir(),
        "{} is not there; `make bench` brings it, and `python3 scripts/setup.py mpnet paraphrase-minilm-l3-onnx minilm-l6-int8-onnx` does",
        folder.display()
    );
    folder
}

/// Returns the root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests lie one folder below the root")
        .to_owned()
}
