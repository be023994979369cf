use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Result, TableError};

/// Name of the file that says that a folder holds a model for each fold.
const FOLDER_FILE: &str = "folds.json";

/// How queries are dealt out to folds for cross-fitting: a model that is trained without the
/// queries of a fold judges these.
///
/// The fold of a query depends on its text alone, so all its pairs are in one fold, in whatever
/// table they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folds {
    /// Number of folds, at least 2.
    pub folds: u32,
    /// Seed of the dealing.
    pub seed: u64,
}

impl Folds {
    /// Returns the fold of a query, from 0.
    pub fn of(&self, query: &str) -> u32 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(query.as_bytes());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        (u64::from_le_bytes(bytes) % u64::from(self.folds)) as u32
    }

    /// Returns where in a folder of folds the model lies that has not seen a fold: `fold-1` and so
    /// on.
    pub fn model(&self, folder: &Path, fold: u32) -> PathBuf {
        folder.join(format!("fold-{}", fold + 1))
    }

    /// Returns what a folder says about its folds; none if it does not hold a model for each.
    ///
    /// # Errors
    /// If what it says cannot be read or has fewer than two folds.
    pub fn of_folder(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(FOLDER_FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(None);
            }
            Err(source) => {
                return Err(TableError::Unreadable {
                    path: path.display().to_string(),
                    source,
                });
            }
        };
        let bad = |detail: String| TableError::BadFolds {
            path: path.clone(),
            detail,
        };
        let folds: Self = serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))?;
        match folds.folds {
            2.. => Ok(Some(folds)),
            number => Err(bad(format!(
                "folds is {number}, but there are at least two"
            ))),
        }
    }

    /// Has a folder say that it holds a model for each fold.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let path = folder.join(FOLDER_FILE);
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        fs::write(&path, text).map_err(|source| TableError::Unwritable { path, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_dealt_out_evenly_and_by_seed() {
        let count = |folds: Folds| {
            let mut counts = vec![0; folds.folds as usize];
            for query in 0..3_000 {
                counts[folds.of(&format!("query {query}")) as usize] += 1;
            }
            counts
        };
        let folds = Folds { folds: 3, seed: 42 };
        for count in count(folds) {
            assert!((900..1_100).contains(&count), "{count}");
        }
        let other = Folds { seed: 43, ..folds };
        let moved = (0..100).filter(|query| {
            let query = format!("query {query}");
            folds.of(&query) != other.of(&query)
        });
        assert!(moved.count() > 40);
    }

    #[test]
    fn a_folder_says_what_was_saved() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Folds::of_folder(folder.path()).unwrap(), None);
        let folds = Folds { folds: 5, seed: 7 };
        folds.save(folder.path()).unwrap();
        assert_eq!(Folds::of_folder(folder.path()).unwrap(), Some(folds));
        fs::write(
            folder.path().join(FOLDER_FILE),
            r#"{"folds": 1, "seed": 7}"#,
        )
        .unwrap();
        let error = Folds::of_folder(folder.path()).unwrap_err().to_string();
        assert!(error.contains("at least two"), "{error}");
    }
}
