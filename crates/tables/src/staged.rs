use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::{Result, TableError};

/// A file that appears whole or not at all: written beside its name, synced, renamed. Dropped
/// before it is [published](Self::publish), it leaves nothing behind.
pub(crate) struct StagedFile {
    target: PathBuf,
    /// Empty once it is published.
    partial: PathBuf,
}

impl StagedFile {
    /// Prepares to write `target` and opens the file to write to.
    pub(crate) fn create(target: &Path) -> Result<(Self, File)> {
        let partial = sibling(target, ".partial")?;
        let unwritable = |source| unwritable(target, source);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(unwritable)?;
        }
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&partial)
            .map_err(unwritable)?;
        lock_exclusively(&file, target)?;
        file.set_len(0).map_err(unwritable)?;
        let target = target.to_owned();
        Ok((Self { target, partial }, file))
    }

    /// The name that the file is to get.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Gives the file, which has been written, its name.
    pub(crate) fn publish(mut self, file: &File) -> Result<()> {
        file.sync_all()
            .and_then(|()| fs::rename(&self.partial, &self.target))
            .and_then(|()| sync_parent(&self.target))
            .map_err(|source| unwritable(&self.target, source))?;
        self.partial.clear();
        Ok(())
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.partial.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.partial);
        }
    }
}

/// Finds out whether an output can be written before it is.
///
/// # Errors
/// If its folder cannot be made or written to, or another process is writing it.
pub fn check_output(target: &Path) -> Result<()> {
    StagedFile::create(target).map(drop)
}

/// The hidden path beside an output file that ends in `suffix`.
///
/// # Errors
/// If the output cannot be a file.
pub fn sibling(target: &Path, suffix: &str) -> Result<PathBuf> {
    let name = target
        .file_name()
        // A device such as /dev/null would be replaced for everyone.
        .filter(|_| target.is_file() || !target.exists())
        .ok_or_else(|| {
            unwritable(
                target,
                io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "expected a file name such as `candidates.parquet`",
                ),
            )
        })?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(suffix);
    Ok(target.with_file_name(hidden))
}

/// Locks a file for as long as it is open.
///
/// # Errors
/// If another process holds the lock: it is writing `target` then.
pub fn lock_exclusively(file: &File, target: &Path) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(TableError::Busy {
            path: target.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(unwritable(target, source)),
    }
}

fn unwritable(target: &Path, source: io::Error) -> TableError {
    TableError::Unwritable {
        path: target.to_owned(),
        source,
    }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}
