use std::convert::Infallible;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use crate::download::{CARD, Hub};
use crate::id::Id;
use crate::weights::Weights;
use crate::{HubError, Result};

/// A model as a user names it: a folder, or the id of a model on the Hugging Face Hub
/// (`intfloat/e5-small-v2`), where `@` may add a branch, tag or commit.
///
/// A folder of that name wins. Clones share what one of them has fetched.
#[derive(Debug, Clone)]
pub struct ModelSource {
    given: String,
    weights: Weights,
    folder: Arc<OnceLock<Result<PathBuf>>>,
}

impl ModelSource {
    /// Returns a model of which the ONNX file is wanted rather than weights in safetensors.
    pub fn of_onnx(given: &str) -> Self {
        Self {
            given: given.to_owned(),
            weights: Weights::Onnx,
            folder: Arc::default(),
        }
    }

    /// Returns the same model, of which the ONNX file in int8 is wanted too, if `is_wanted`.
    #[must_use]
    pub fn with_int8(self, is_wanted: bool) -> Self {
        match is_wanted {
            true => Self {
                given: self.given,
                weights: Weights::OnnxAndInt8,
                folder: Arc::default(),
            },
            false => self,
        }
    }

    /// Returns the folder with the model's files, which are fetched at the first call if it is an
    /// id.
    ///
    /// # Errors
    /// If there is no such folder and the Hub has no such model, or cannot be reached while the
    /// cache does not hold it.
    pub fn folder(&self) -> Result<&Path> {
        let folder = self.folder.get_or_init(|| self.find());
        folder.as_deref().map_err(Clone::clone)
    }

    fn find(&self) -> Result<PathBuf> {
        let path = Path::new(&self.given);
        if path.exists() {
            return Ok(path.to_owned());
        }
        match Id::parse(&self.given) {
            Some(id) => Hub::from_env().fetch(id, self.weights, &self.given),
            None => Err(HubError::NoFolder {
                model: self.given.clone(),
            }),
        }
    }

    /// Returns the model's card (`README.md`), if it has one. That of a model on the Hub is fetched
    /// at the first call; where it cannot be, there is none.
    pub fn card(&self) -> Option<String> {
        let folder = self.folder().ok()?;
        let file = folder.join(CARD);
        if let (Some(_), Some(id), false) = (self.id(), Id::parse(&self.given), file.is_file()) {
            Hub::from_env().fetch_card(id, folder);
        }
        fs::read_to_string(file).ok()
    }

    /// Returns the model's id on the Hub without its revision, if it is no folder.
    pub fn id(&self) -> Option<&str> {
        match Path::new(&self.given).exists() {
            true => None,
            false => Id::parse(&self.given).map(|id| id.name),
        }
    }

    /// Returns what to call the model: its id, or the name of its folder.
    pub fn name(&self) -> String {
        if let Some(id) = self.id() {
            return id.to_owned();
        }
        let name = Path::new(&self.given).file_name();
        name.map_or_else(
            || self.given.clone(),
            |name| name.to_string_lossy().into_owned(),
        )
    }
}

impl FromStr for ModelSource {
    type Err = Infallible;

    fn from_str(given: &str) -> Result<Self, Infallible> {
        Ok(Self {
            given: given.to_owned(),
            weights: Weights::Safetensors,
            folder: Arc::default(),
        })
    }
}

impl fmt::Display for ModelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_wins() {
        let folder = std::env::temp_dir();
        let source: ModelSource = folder.display().to_string().parse().unwrap();
        assert_eq!(source.folder().unwrap(), folder);
        assert_eq!(source.id(), None);
    }
}
