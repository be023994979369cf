//! Nothing is removed but what a run of Pairmill has listed as its own.

use std::fs;
use std::io;
use std::path::Path;

use crate::atomic_file::hidden;
use crate::lock::Lock;
use crate::place::{Survey, survey};
use crate::record::FolderRecord;
use crate::{Result, TableError};

/// Returns whether the folder is one that stood under the user's name: it holds more than its
/// record lists.
pub(crate) fn is_record_of_others(folder: &Path) -> bool {
    let Some(record) = FolderRecord::of(folder) else {
        return false;
    };
    let found = survey(folder);
    found.is_ok_and(|found| record.foreign(&found).is_some())
}

/// Removes the entries of a survey, and the folder if nothing else is in it.
pub(crate) fn remove_listed(folder: &Path, listed: &Survey) {
    // A folder's entries come after it.
    for (path, stamp) in listed.iter().rev() {
        let path = folder.join(path);
        let _ = match stamp.is_dir {
            true => fs::remove_dir(path),
            false => fs::remove_file(path),
        };
    }
    if let Err(error) = fs::remove_dir(folder)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(
            "{} holds what Pairmill did not write and stays",
            folder.display()
        );
    }
}

/// Removes an output folder with what killed runs have left beside it, if it holds nothing but what
/// its stage has written.
///
/// # Errors
/// If it holds something else, another process is writing it, or it cannot be removed.
pub fn remove_folder(target: &Path) -> Result<()> {
    let _lock = Lock::exclusive(&hidden(target, ".lock", target)?, target)?;
    for suffix in [".partial", ".old"] {
        clear(&hidden(target, suffix, target)?)?;
    }
    if target.is_dir() {
        let listed = refuse_foreign_entries(target, target)?;
        remove_listed(target, &listed);
    }
    Ok(())
}

/// Removes what an earlier run left beside the output.
pub(crate) fn clear(leftover: &Path) -> Result<()> {
    let unwritable = |source| TableError::Unwritable {
        path: leftover.to_owned(),
        source,
    };
    if !leftover.is_dir() || leftover.is_symlink() {
        return Ok(());
    }
    // Without a record it never had the user's name.
    if FolderRecord::of(leftover).is_none() {
        return fs::remove_dir_all(leftover).map_err(unwritable);
    }
    let listed = refuse_foreign_entries(leftover, leftover)?;
    remove_listed(leftover, &listed);
    Ok(())
}

/// Refuses what nobody listed. Replacing a folder deletes what is in it, so every entry must be one
/// that an earlier run listed. Returns what is there.
pub(crate) fn refuse_foreign_entries(target: &Path, path: &Path) -> Result<Survey> {
    let found = survey(path).map_err(|source| TableError::Unreadable {
        path: target.display().to_string(),
        source,
    })?;
    let foreign = match FolderRecord::of(path) {
        Some(record) => record.foreign(&found),
        None => found.keys().next().cloned(),
    };
    match foreign {
        None => Ok(found),
        Some(file) => Err(TableError::ForeignFile {
            path: target.to_owned(),
            file: file.display().to_string(),
        }),
    }
}
