use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::Lineage;
use crate::content_hash::FOLDER_FILE;
use crate::place::{Stamp, Survey};

/// What tells that a file is as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    pub bytes: u64,
    pub blake3: String,
}

impl Content {
    pub fn of(path: &Path) -> io::Result<Self> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(path)?)?;
        Ok(Self {
            bytes: hasher.count(),
            blake3: hasher.finalize().to_hex().to_string(),
        })
    }

    /// Returns whether the file at `path` is as it was.
    pub fn is_at(&self, path: &Path) -> bool {
        let has_size = fs::metadata(path).is_ok_and(|found| found.len() == self.bytes);
        has_size && Self::of(path).is_ok_and(|found| found == *self)
    }
}

/// A file of an output folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Listed {
    Whole {
        path: String,
        #[serde(flatten)]
        content: Content,
    },
    /// A folder without files, a log, or a file in the form of earlier versions.
    Name(String),
}

impl Listed {
    fn path(&self) -> &str {
        match self {
            Self::Whole { path, .. } | Self::Name(path) => path,
        }
    }
}

/// What `lineage.json` holds: the lineage, the files that belong to the folder, hidden ones too,
/// and the figures that the stage reported.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FolderRecord {
    #[serde(flatten)]
    pub lineage: Lineage,
    pub files: Vec<Listed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<serde_json::Value>,
}

/// How an output folder differs from what its record says.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    /// Not of the stage that wrote the folder.
    pub foreign: Option<PathBuf>,
    /// Written by the stage and changed since.
    pub changed: Option<PathBuf>,
    /// Gone or empty.
    pub missing: Option<PathBuf>,
}

impl FolderRecord {
    pub fn of(folder: &Path) -> Option<Self> {
        let text = fs::read_to_string(folder.join(FOLDER_FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Lists all that lies in `folder`, in a fixed order; files called `log` by their names alone.
    pub fn new(
        folder: &Path,
        survey: &Survey,
        log: Option<&str>,
        lineage: &Lineage,
        figures: Option<serde_json::Value>,
    ) -> io::Result<Self> {
        let is_leaf = |path: &Path| {
            let mut others = survey.keys();
            !others.any(|other| other != path && other.starts_with(path))
        };
        let entries: Vec<_> = survey.iter().collect();
        let files = entries
            .par_iter()
            .filter(|(path, stamp)| !stamp.is_dir || is_leaf(path))
            .map(|(path, stamp)| {
                let name = path.to_string_lossy().into_owned();
                let is_log = log.is_some_and(|log| path.ends_with(log));
                Ok(match stamp.is_dir || is_log {
                    true => Listed::Name(name),
                    false => Listed::Whole {
                        path: name,
                        content: Content::of(&folder.join(path))?,
                    },
                })
            });
        Ok(Self {
            lineage: lineage.clone(),
            files: files.collect::<io::Result<_>>()?,
            figures,
        })
    }

    /// Returns the first entry that the stage did not write.
    pub fn foreign(&self, survey: &Survey) -> Option<PathBuf> {
        let files: BTreeSet<&Path> = self
            .files
            .iter()
            .map(|file| Path::new(file.path()))
            .collect();
        let folders: BTreeSet<&Path> = files.iter().flat_map(|file| file.ancestors()).collect();
        let is_foreign = |(path, stamp): &(&PathBuf, &Stamp)| {
            let path = path.as_path();
            let is_listed = match stamp.is_dir {
                true => folders.contains(path),
                false => files.contains(path),
            };
            !is_listed && path != Path::new(FOLDER_FILE)
        };
        survey.iter().find(is_foreign).map(|(path, _)| path.clone())
    }

    /// Compares what lies in `folder` with the list.
    pub fn differences(&self, folder: &Path, survey: &Survey) -> Differences {
        let mut found = Differences {
            foreign: self.foreign(survey),
            ..Differences::default()
        };
        let states: Vec<(&Listed, bool, bool)> = self
            .files
            .par_iter()
            .map(|file| {
                let there = survey.get(Path::new(file.path()));
                let Listed::Whole { path, content } = file else {
                    return (file, there.is_none(), false);
                };
                let is_empty = there.is_none_or(|stamp| stamp.bytes == 0) && content.bytes > 0;
                let missing = there.is_none() || is_empty;
                (
                    file,
                    missing,
                    !missing && !content.is_at(&folder.join(path)),
                )
            })
            .collect();
        for (file, missing, changed) in states {
            let path = || Some(PathBuf::from(file.path()));
            if missing && found.missing.is_none() {
                found.missing = path();
            }
            if changed && found.changed.is_none() {
                found.changed = path();
            }
        }
        found
    }
}

/// What lies in a hidden file beside an output that has no place for its lineage.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    #[serde(flatten)]
    pub lineage: Lineage,
    pub content: Content,
    /// The output before this one. It is still there where the process was killed between the two
    /// renames that put record and output in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Content>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<serde_json::Value>,
}

impl FileRecord {
    /// The record's name ends so.
    pub const SUFFIX: &str = ".lineage.json";

    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
    }
}
