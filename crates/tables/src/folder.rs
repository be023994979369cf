use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::lineage::{FOLDER_FILE, FolderRecord, files_below};
use crate::staged::lock_exclusively;
use crate::{Lineage, Result, TableError};

/// An output folder that appears whole or not at all.
///
/// Files are written into a hidden sibling; [`commit`](Self::commit) syncs them and renames the
/// folder into place. A process killed before that leaves the earlier folder, one killed within
/// the two renames of `commit` leaves none; leftovers are replaced by the next run.
#[derive(Debug)]
pub struct FolderOutput {
    target: PathBuf,
    staging: PathBuf,
    _lock: File,
}

impl FolderOutput {
    /// Prepares to write the folder at `target`.
    ///
    /// # Errors
    /// If another process is writing it, if it holds files that Pairmill did not write, or if
    /// the parent folder cannot be written to.
    pub fn create(target: &Path) -> Result<Self> {
        let unwritable = |source| TableError::Unwritable {
            path: target.to_owned(),
            source,
        };
        refuse_foreign_files(target)?;
        let name = target.file_name().ok_or_else(|| {
            unwritable(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the output folder needs a name of its own",
            ))
        })?;
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(unwritable)?;
        let sibling = |suffix: &str| {
            let mut hidden = std::ffi::OsString::from(".");
            hidden.push(name);
            hidden.push(suffix);
            parent.join(hidden)
        };
        let lock = File::create(sibling(".lock")).map_err(unwritable)?;
        lock_exclusively(&lock, target)?;
        let staging = sibling(".partial");
        remove_if_there(&staging).map_err(unwritable)?;
        remove_if_there(&sibling(".old")).map_err(unwritable)?;
        fs::create_dir(&staging).map_err(unwritable)?;
        Ok(Self {
            target: target.to_owned(),
            staging,
            _lock: lock,
        })
    }

    /// Where to write the files until [`commit`](Self::commit).
    pub fn path(&self) -> &Path {
        &self.staging
    }

    /// Makes the folder appear under its name, with its lineage in `lineage.json`.
    ///
    /// # Errors
    /// If syncing or renaming fails; the earlier folder is then still there.
    pub fn commit(self, lineage: &Lineage) -> Result<()> {
        self.publish(lineage)
            .map_err(|source| TableError::Unwritable {
                path: self.target.clone(),
                source,
            })
    }

    fn publish(&self, lineage: &Lineage) -> io::Result<()> {
        let files = files_below(&self.staging)?;
        let record = FolderRecord {
            lineage: lineage.clone(),
            files: files
                .iter()
                .map(|file| relative(file, &self.staging))
                .collect(),
        };
        fs::write(
            self.staging.join(FOLDER_FILE),
            serde_json::to_vec_pretty(&record)?,
        )?;
        for file in files.iter().chain([&self.staging.join(FOLDER_FILE)]) {
            File::open(file)?.sync_all()?;
        }
        let old = self.staging.with_extension("old");
        if self.target.exists() {
            fs::rename(&self.target, &old)?;
        }
        fs::rename(&self.staging, &self.target)?;
        if let Some(parent) = self.staging.parent() {
            File::open(parent)?.sync_all()?;
        }
        remove_if_there(&old)
    }
}

impl Drop for FolderOutput {
    fn drop(&mut self) {
        // After a commit the staging folder is gone; after an error nothing must be left over.
        let _ = remove_if_there(&self.staging);
        let _ = fs::remove_file(self.staging.with_extension("lock"));
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn relative(file: &Path, base: &Path) -> String {
    file.strip_prefix(base)
        .unwrap_or(file)
        .to_string_lossy()
        .into_owned()
}

/// Replacing a folder deletes what is in it, so every file must be one that an earlier run listed.
fn refuse_foreign_files(target: &Path) -> Result<()> {
    if !target.exists() {
        return Ok(());
    }
    let unreadable = |source| TableError::Unreadable {
        path: target.display().to_string(),
        source,
    };
    let ours: Vec<String> = fs::read_to_string(target.join(FOLDER_FILE))
        .ok()
        .and_then(|text| serde_json::from_str::<FolderRecord>(&text).ok())
        .map(|record| record.files)
        .unwrap_or_default();
    for file in files_below(target).map_err(unreadable)? {
        let name = relative(&file, target);
        if !ours.contains(&name) {
            return Err(TableError::ForeignFile {
                path: target.to_owned(),
                file: name,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lineage(seed: u64) -> Lineage {
        Lineage::new("test", &(), seed)
    }

    #[test]
    fn a_folder_appears_only_at_commit_and_is_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("model");
        let output = FolderOutput::create(&target).unwrap();
        fs::write(output.path().join("a.txt"), "1").unwrap();
        assert!(!target.exists());
        output.commit(&lineage(1)).unwrap();
        assert!(lineage(1).is_carried_by(&target));

        let output = FolderOutput::create(&target).unwrap();
        fs::write(output.path().join("b.txt"), "2").unwrap();
        output.commit(&lineage(2)).unwrap();
        assert!(target.join("b.txt").exists() && !target.join("a.txt").exists());
        assert!(!lineage(1).is_carried_by(&target));
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "nothing but the folder is left: {left:?}");
    }

    #[test]
    fn an_abandoned_folder_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        drop(FolderOutput::create(&dir.path().join("model")).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn files_of_others_are_never_deleted() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("thesis.tex"), "years of work").unwrap();
        let error = FolderOutput::create(dir.path()).unwrap_err();
        assert!(error.to_string().contains("thesis.tex"), "{error}");
    }

    #[test]
    fn two_writers_do_not_meet() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("model");
        let _first = FolderOutput::create(&target).unwrap();
        assert!(matches!(
            FolderOutput::create(&target),
            Err(TableError::Busy { .. })
        ));
    }
}
