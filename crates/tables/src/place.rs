use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use walkdir::WalkDir;

use crate::{Result, TableError};

/// What an output's path stands for. Links are followed, so that a link stays and what it points to
/// is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nothing is there.
    Free(PathBuf),
    File(PathBuf),
    Folder(PathBuf),
    /// A named pipe or a device such as /dev/null, which is written to and never replaced.
    Stream(PathBuf),
}

impl Place {
    pub fn of(output: &Path) -> Result<Self> {
        if let Some((scheme, _)) = output.to_str().and_then(|text| text.split_once("://")) {
            return Err(TableError::UnsupportedOutput {
                path: output.to_owned(),
                scheme: scheme.to_owned(),
            });
        }
        let unwritable = |source| TableError::Unwritable {
            path: output.to_owned(),
            source,
        };
        let refused = |why: &str| unwritable(io::Error::new(io::ErrorKind::InvalidInput, why));
        let metadata = match fs::metadata(output) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self::Free(end_of_links(output).map_err(unwritable)?));
            }
            Err(error) => return Err(unwritable(error)),
        };
        let kind = metadata.file_type();
        if kind.is_fifo() || kind.is_char_device() {
            return Ok(Self::Stream(output.to_owned()));
        }
        if is_stdout(&metadata) {
            return Err(refused(
                "it is standard output; `-` writes an Arrow IPC stream there",
            ));
        }
        let real = match output.is_symlink() {
            true => output.canonicalize().map_err(unwritable)?,
            false => output.to_owned(),
        };
        match (kind.is_dir(), kind.is_file()) {
            (true, _) => Ok(Self::Folder(real)),
            (_, true) => Ok(Self::File(real)),
            _ => Err(refused("it is neither a file nor a folder nor a pipe")),
        }
    }

    pub fn path(&self) -> &Path {
        match self {
            Self::Free(path) | Self::File(path) | Self::Folder(path) | Self::Stream(path) => path,
        }
    }
}

/// Returns whether what is written to `output` cannot be looked at again: `-`, a named pipe, a
/// device.
pub fn is_stream(output: &Path) -> bool {
    output == Path::new("-") || matches!(Place::of(output), Ok(Place::Stream(_)))
}

/// Returns where a link that leads nowhere leads.
fn end_of_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..40 {
        match fs::read_link(&path) {
            Ok(to) => path = path.parent().unwrap_or(Path::new("")).join(to),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("links that lead to each other"))
}

fn is_stdout(file: &Metadata) -> bool {
    let stdout = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    let stdout = stdout.and_then(|stdout| stdout.metadata());
    stdout.is_ok_and(|stdout| (stdout.dev(), stdout.ino()) == (file.dev(), file.ino()))
}

/// Returns whether a file that is open is still the one at `path`.
pub fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// What tells that a file has not been touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub is_dir: bool,
    pub bytes: u64,
    written: (i64, i64),
    inode: u64,
}

/// All that lies at a path, by the path below it: nothing, one file, or the entries of a folder,
/// hidden ones too. Links in it are not followed.
pub(crate) type Survey = BTreeMap<PathBuf, Stamp>;

pub(crate) fn survey(path: &Path) -> io::Result<Survey> {
    let mut found = Survey::new();
    for entry in WalkDir::new(path) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => match error.io_error().map(io::Error::kind) {
                Some(io::ErrorKind::NotFound) => continue,
                _ => return Err(error.into()),
            },
        };
        let metadata = entry.metadata()?;
        let below = entry.path().strip_prefix(path).unwrap_or(entry.path());
        if entry.depth() == 0 && metadata.is_dir() {
            continue;
        }
        // A folder's own time changes with what is in it, which is seen to by itself.
        let is_dir = metadata.is_dir();
        let stamp = Stamp {
            is_dir,
            bytes: if is_dir { 0 } else { metadata.len() },
            written: match is_dir {
                true => (0, 0),
                false => (metadata.mtime(), metadata.mtime_nsec()),
            },
            inode: metadata.ino(),
        };
        found.insert(below.to_owned(), stamp);
    }
    Ok(found)
}

/// Returns the first entry that one survey has and the other has not, or has otherwise.
pub(crate) fn difference(before: &Survey, now: &Survey) -> Option<PathBuf> {
    let changed = now
        .iter()
        .find(|(path, stamp)| before.get(*path) != Some(stamp));
    let gone = || before.iter().find(|(path, _)| !now.contains_key(*path));
    changed.or_else(gone).map(|(path, _)| path.clone())
}

/// What lay at an output when its stage judged that it may be replaced.
static JUDGED: Mutex<BTreeMap<PathBuf, Survey>> = Mutex::new(BTreeMap::new());

pub(crate) fn remember(path: &Path, survey: Survey) {
    judged().insert(key(path), survey);
}

/// Takes what was remembered of a path.
pub(crate) fn recall(path: &Path) -> Option<Survey> {
    judged().remove(&key(path))
}

fn judged() -> std::sync::MutexGuard<'static, BTreeMap<PathBuf, Survey>> {
    JUDGED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn key(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Returns a free name beside a path, for what cannot be put there.
pub(crate) fn set_aside(staged: &Path, target: &Path) -> io::Result<PathBuf> {
    let named = |ending: &str| {
        let mut name = target.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let mut aside = named(".new");
    let mut number = 2;
    while fs::symlink_metadata(&aside).is_ok() {
        aside = named(&format!(".new-{number}"));
        number += 1;
    }
    fs::rename(staged, &aside)?;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_followed_even_where_nothing_is() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("file"), "").unwrap();
        fs::create_dir(at("folder")).unwrap();
        for (to, link) in [("file", "a"), ("folder", "b"), ("b", "c"), ("gone", "d")] {
            symlink(to, at(link)).unwrap();
        }
        symlink("e", at("e")).unwrap();
        let real = dir.path().canonicalize().unwrap();
        let place = |name: &str| Place::of(&at(name)).unwrap();
        assert_eq!(place("a"), Place::File(real.join("file")));
        assert_eq!(place("c"), Place::Folder(real.join("folder")));
        assert_eq!(place("d"), Place::Free(at("gone")));
        assert!(Place::of(&at("e")).is_err());
        assert!(matches!(
            Place::of(Path::new("s3://bucket/x.parquet")),
            Err(TableError::UnsupportedOutput { .. })
        ));
        assert!(is_stream(Path::new("/dev/null")) && !is_stream(&at("file")));
    }

    #[test]
    fn a_survey_sees_hidden_entries_and_changes() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(".git")).unwrap();
        let before = survey(dir.path()).unwrap();
        assert!(before.keys().eq([Path::new(".git")]));
        fs::write(dir.path().join(".git/config"), "x").unwrap();
        let now = survey(dir.path()).unwrap();
        assert_eq!(difference(&before, &now), Some(".git/config".into()));
        assert_eq!(difference(&now, &before), Some(".git/config".into()));
        assert_eq!(difference(&now, &now), None);
        assert!(survey(&dir.path().join("none")).unwrap().is_empty());
    }
}
