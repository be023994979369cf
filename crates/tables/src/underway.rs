//! What a run has begun and not finished, for a signal that ends it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

static UNDERWAY: Mutex<Underway> = Mutex::new(Underway {
    partial: BTreeSet::new(),
    kept: Vec::new(),
});

/// Files and folders of this process.
pub(crate) struct Underway {
    /// What must not be left.
    partial: BTreeSet<PathBuf>,
    /// What is left on purpose, with what it is good for.
    kept: Vec<(PathBuf, String)>,
}

impl Underway {
    pub fn end(&mut self, path: &Path) {
        self.partial.remove(path);
    }
}

/// Lets nobody abandon the outputs for as long as the guard lives: one of them gets its name now.
pub(crate) fn hold() -> MutexGuard<'static, Underway> {
    UNDERWAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes note of a file or folder that goes away if the run is interrupted.
pub(crate) fn begin(path: &Path) {
    hold().partial.insert(path.to_owned());
}

/// Takes note that the file or folder is gone or has its name.
pub(crate) fn end(path: &Path) {
    hold().end(path);
}

/// Says what stays when the run is interrupted, if `path` is there then.
pub fn keep_when_interrupted(path: &Path, what_for: &str) {
    let mut underway = hold();
    underway.kept.retain(|(known, _)| known != path);
    underway.kept.push((path.to_owned(), what_for.to_owned()));
}

/// What the names of temporary folders begin with.
const PREFIX: &str = "pairmill-";
const LOCK: &str = "lock";

/// A temporary folder, which goes away with the value and when the run is interrupted. What a
/// killed run has left where the system keeps temporary files goes away with the next run of any
/// stage.
#[derive(Debug)]
pub struct TemporaryFolder {
    folder: tempfile::TempDir,
    /// Tells that somebody uses it.
    _lock: File,
}

impl TemporaryFolder {
    /// Makes one below `parent`, or where the system keeps temporary files.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(parent: Option<&Path>) -> std::io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix(PREFIX);
        let folder = match parent {
            Some(parent) => {
                fs::create_dir_all(parent)?;
                builder.tempdir_in(parent)?
            }
            None => builder.tempdir()?,
        };
        begin(folder.path());
        // It gets the name that others look for when it is held.
        let unnamed = folder.path().join("lock.new");
        let lock = File::create(&unnamed)?;
        let _ = lock.try_lock();
        fs::rename(unnamed, folder.path().join(LOCK))?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.folder.path());
        end(self.folder.path());
    }
}

/// Removes the temporary folders of runs that were killed.
pub(crate) fn remove_left_over() {
    for entry in fs::read_dir(std::env::temp_dir())
        .into_iter()
        .flatten()
        .flatten()
    {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let lock = is_ours.then(|| File::open(entry.path().join(LOCK)));
        if let Some(Ok(lock)) = lock
            && lock.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Removes what is half written, for a run that is to end at once, and returns a sentence for each
/// thing that is kept. No output can be begun or get its name after that: the process must end.
pub fn abandon_outputs() -> Vec<String> {
    let underway = hold();
    for path in &underway.partial {
        // Other threads may still write into a folder.
        for _ in 0..10 {
            let gone = match path.is_dir() {
                true => fs::remove_dir_all(path),
                false => fs::remove_file(path),
            };
            if gone.is_ok() || fs::symlink_metadata(path).is_err() {
                break;
            }
        }
    }
    let is_kept = |(path, _): &&(PathBuf, String)| {
        // One in which nothing is yet goes away.
        fs::remove_dir(path).is_err() && path.exists()
    };
    let there = underway.kept.iter().filter(is_kept);
    let kept = there.map(|(path, what_for)| format!("{} stays: {what_for}", path.display()));
    let kept = kept.collect();
    std::mem::forget(underway);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_folder_that_nobody_uses_is_removed() {
        let used = TemporaryFolder::create(None).unwrap();
        let name = format!("{PREFIX}test-{}", std::process::id());
        let left = std::env::temp_dir().join(name);
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        crate::session(1).unwrap();
        let new = TemporaryFolder::create(None).unwrap();
        assert!(!left.exists() && used.path().exists());
        let path = new.path().to_owned();
        drop(new);
        assert!(!path.exists());
    }
}
