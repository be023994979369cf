use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::{CheckpointError, Result};

/// Reads a JSON file of a model folder.
///
/// # Errors
/// If it is missing or not what is wanted.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = fs::read(path).map_err(|source| unreadable(path, source))?;
    // Editors on Windows put a byte order mark there.
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    serde_json::from_slice(text).map_err(|error| damaged(path, "JSON", &error))
}

/// Reads a JSON file that need not be there.
pub(crate) fn read_optional<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    path.is_file().then(|| read_json(path)).transpose()
}

pub(crate) fn unreadable(path: &Path, source: io::Error) -> CheckpointError {
    match path.parent() {
        Some(folder) if !folder.is_dir() => CheckpointError::NoFolder {
            path: folder.to_owned(),
        },
        _ => CheckpointError::Unreadable {
            path: path.to_owned(),
            needs: "config.json, tokenizer.json and model.safetensors or model.onnx",
            source,
        },
    }
}

pub(crate) fn malformed(path: &Path, detail: impl Into<String>) -> CheckpointError {
    CheckpointError::Malformed {
        path: path.to_owned(),
        detail: detail.into(),
    }
}

pub(crate) fn damaged(path: &Path, kind: &str, error: &dyn std::fmt::Display) -> CheckpointError {
    malformed(
        path,
        format!("not sound {kind} ({error}); it may be damaged, write or download the model again"),
    )
}

pub(crate) fn unsupported(
    path: &Path,
    what: impl Into<String>,
    supported: &'static str,
) -> CheckpointError {
    CheckpointError::Unsupported {
        path: path.to_owned(),
        what: what.into(),
        supported,
    }
}

/// Writes a file of a model folder.
///
/// # Errors
/// If the disk is full or the path cannot be written to.
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    fs::write(path, content).map_err(|source| unwritable(path, source))
}

pub(crate) fn unwritable(path: &Path, source: io::Error) -> CheckpointError {
    CheckpointError::Unwritable {
        path: path.to_owned(),
        source,
    }
}

/// Returns whether a path that a file names stays in the folder that it is relative to, on any
/// system.
pub(crate) fn stays_inside(path: &str) -> bool {
    let mut parts = path.split(['/', '\\']);
    let has_drive = path.as_bytes().get(1) == Some(&b':');
    !path.starts_with(['/', '\\'])
        && !has_drive
        && !path.contains('\0')
        && !parts.any(|part| part == "..")
}

/// Returns a path that `file` names, in the folder of `file`.
pub(crate) fn beside(file: &Path, folder: &Path, path: &str) -> Result<PathBuf> {
    match stays_inside(path) {
        true => Ok(folder.join(path)),
        false => Err(malformed(
            file,
            format!("`{path}` is not inside the model folder"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leaves_the_folder_is_told() {
        for path in ["", "1_Pooling", "./1_Pooling", "a/b", "..a", "a..b/c"] {
            assert!(stays_inside(path), "{path}");
        }
        for path in [
            "..",
            "../a",
            "a/../../b",
            "/a",
            "a\\..\\b",
            "\\a",
            "C:\\a",
            "c:a",
            "a\0",
        ] {
            assert!(!stays_inside(path), "{path}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_json() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, "\u{feff}[1]").unwrap();
        assert_eq!(read_json::<Vec<i32>>(&path).unwrap(), [1]);
        fs::write(&path, "[1").unwrap();
        let error = read_json::<Vec<i32>>(&path).unwrap_err().to_string();
        assert!(error.contains("not sound JSON"), "{error}");
    }
}
