use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::atomic_file::{hidden, sync_parent};
use crate::content_hash::FOLDER_FILE;
use crate::folder_removal::{clear, is_record_of_others, refuse_foreign_entries, remove_listed};
use crate::lock::{Lock, remove_partial};
use crate::place::{Place, Survey, difference, recall, set_aside, survey};
use crate::record::FolderRecord;
use crate::{Lineage, Result, TableError, underway};

/// An output folder that appears whole or not at all.
///
/// Files are written into a hidden sibling; [`commit`](Self::commit) syncs them and exchanges the
/// two folders. Where the file system cannot do that, it renames twice: a process killed between
/// the two leaves none, and the next run puts the earlier folder back first. Only files that the
/// earlier run has listed are ever deleted.
#[derive(Debug)]
pub struct FolderOutput {
    /// The output as the user named it.
    target: PathBuf,
    /// The folder that it stands for; links are followed.
    place: PathBuf,
    staging: PathBuf,
    old: PathBuf,
    /// What lay there when it was judged that it may be replaced.
    judged: Survey,
    /// Name of files that hold times, by which two equal outputs differ.
    log: Option<&'static str>,
    _lock: Lock,
}

impl FolderOutput {
    /// Prepares to write the folder at `target`.
    ///
    /// # Errors
    /// If another process is writing it, if it holds what Pairmill did not write, or if
    /// the parent folder cannot be written to.
    pub fn create(target: &Path) -> Result<Self> {
        let unwritable = |source| TableError::Unwritable {
            path: target.to_owned(),
            source,
        };
        let refused =
            |message: &str| unwritable(io::Error::new(io::ErrorKind::InvalidInput, message));
        let place = Place::of(target)?;
        let path = match &place {
            Place::Free(_) | Place::Folder(_) if target == Path::new("-") => {
                return Err(refused(
                    "a folder cannot be written to standard output; name one",
                ));
            }
            Place::Free(path) | Place::Folder(path) => path.clone(),
            Place::File(_) => return Err(refused("it is a file; a folder is written here")),
            Place::Stream(_) => {
                return Err(refused(
                    "it is a pipe or a device; a folder is written here",
                ));
            }
        };
        let beside = |suffix| hidden(&path, suffix, target);
        let lock = Lock::exclusive(&beside(".lock")?, target)?;
        let (staging, old) = (beside(".partial")?, beside(".old")?);
        let mut judged = recall(&path);
        if old.is_dir() && fs::symlink_metadata(&path).is_err() {
            // An earlier run was killed between two renames.
            fs::rename(&old, &path).map_err(unwritable)?;
            judged = None;
        }
        clear(&old)?;
        clear(&staging)?;
        let now = refuse_foreign_entries(target, &path)?;
        let judged = judged.unwrap_or_else(|| now.clone());
        if difference(&judged, &now).is_some() {
            return Err(TableError::Changed {
                path: target.to_owned(),
            });
        }
        fs::create_dir(&staging).map_err(unwritable)?;
        underway::begin(&staging);
        Ok(Self {
            target: target.to_owned(),
            place: path,
            staging,
            old,
            judged,
            log: None,
            _lock: lock,
        })
    }

    /// Lists files of this name, at any depth, without their content, which holds times: so that
    /// what says how the output came to be is the same for every run.
    pub fn with_log(mut self, name: &'static str) -> Self {
        self.log = Some(name);
        self
    }

    /// Returns where to write the files until [`commit`](Self::commit).
    pub fn path(&self) -> &Path {
        &self.staging
    }

    /// Makes the folder appear under its name, with its lineage in `lineage.json`.
    ///
    /// # Errors
    /// If syncing or renaming fails, or something was put into the earlier folder meanwhile; it is
    /// then still there as it was.
    pub fn commit(self, lineage: &Lineage) -> Result<()> {
        self.publish(lineage, None)
    }

    /// Does the same, with the figures that the stage reports, for [`Lineage::figures`].
    ///
    /// # Errors
    /// As [`commit`](Self::commit).
    pub fn commit_with(self, lineage: &Lineage, figures: &impl Serialize) -> Result<()> {
        let figures = serde_json::to_value(figures).map_err(|error| self.unwritable(error.into()));
        self.publish(lineage, Some(figures?))
    }

    fn publish(self, lineage: &Lineage, figures: Option<serde_json::Value>) -> Result<()> {
        let written = self.write_record(lineage, figures);
        written.map_err(|source| self.unwritable(source))?;
        let mut underway = underway::hold();
        let put = self.put_in_place();
        underway.end(&self.staging);
        drop(underway);
        match put.map_err(|source| self.unwritable(source))? {
            None => sync_parent(&self.place).map_err(|source| self.unwritable(source)),
            Some(entry) => {
                let kept = set_aside(&self.staging, &self.place);
                Err(TableError::ChangedMeanwhile {
                    path: self.target.clone(),
                    entry: Some(entry),
                    kept: kept.map_err(|source| self.unwritable(source))?,
                })
            }
        }
    }

    fn write_record(
        &self,
        lineage: &Lineage,
        figures: Option<serde_json::Value>,
    ) -> io::Result<()> {
        let written = survey(&self.staging)?;
        let record = FolderRecord::new(&self.staging, &written, self.log, lineage, figures)?;
        let record_file = self.staging.join(FOLDER_FILE);
        fs::write(&record_file, serde_json::to_vec_pretty(&record)?)?;
        let files = written.iter().filter(|(_, stamp)| !stamp.is_dir);
        for (file, _) in files {
            File::open(self.staging.join(file))?.sync_all()?;
        }
        File::open(record_file)?.sync_all()
    }

    /// Puts the new folder in the place of the earlier one, unless that has changed since it was
    /// judged; then it returns what has, and nothing is moved.
    fn put_in_place(&self) -> io::Result<Option<PathBuf>> {
        let now = survey(&self.place)?;
        if let Some(entry) = difference(&self.judged, &now) {
            return Ok(Some(entry));
        }
        if fs::symlink_metadata(&self.place).is_err() {
            fs::rename(&self.staging, &self.place)?;
            return Ok(None);
        }
        if exchange(&self.staging, &self.place)? {
            // Nobody finds the earlier folder by its name any more: this look is the last word.
            if let Some(entry) = difference(&self.judged, &survey(&self.staging)?) {
                exchange(&self.staging, &self.place)?;
                return Ok(Some(entry));
            }
            remove_listed(&self.staging, &self.judged);
            return Ok(None);
        }
        self.rename_twice()
    }

    fn rename_twice(&self) -> io::Result<Option<PathBuf>> {
        fs::rename(&self.place, &self.old)?;
        let changed = survey(&self.old).map(|now| difference(&self.judged, &now));
        let put = match &changed {
            Ok(None) => fs::rename(&self.staging, &self.place),
            _ => Ok(()),
        };
        if put.is_err() || !matches!(changed, Ok(None)) {
            fs::rename(&self.old, &self.place)?;
            put?;
            return changed;
        }
        remove_listed(&self.old, &self.judged);
        Ok(None)
    }

    fn unwritable(&self, source: io::Error) -> TableError {
        TableError::Unwritable {
            path: self.target.clone(),
            source,
        }
    }
}

impl Drop for FolderOutput {
    fn drop(&mut self) {
        // After a commit the staging folder is gone; after an error nothing must be left over.
        if !is_record_of_others(&self.staging) {
            remove_partial(&self.staging);
        }
    }
}

/// Exchanges two folders; false where the system cannot.
#[cfg(target_os = "linux")]
fn exchange(one: &Path, other: &Path) -> io::Result<bool> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn exchange(_: &Path, _: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lineage(seed: u64) -> Lineage {
        Lineage::new("test", &(), seed)
    }

    /// Writes a folder with one file.
    fn put(target: &Path, file: &str, seed: u64) -> Result<()> {
        let output = FolderOutput::create(target)?;
        fs::write(output.path().join(file), file).unwrap();
        output.commit(&lineage(seed))
    }

    #[test]
    fn a_folder_appears_only_at_commit_and_is_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("model");
        let output = FolderOutput::create(&target).unwrap();
        fs::create_dir(output.path().join("empty")).unwrap();
        fs::write(output.path().join(".hidden"), "1").unwrap();
        assert!(!target.exists());
        output.commit(&lineage(1)).unwrap();
        assert!(lineage(1).is_carried_by(&target));

        put(&target, "b.txt", 2).unwrap();
        assert!(target.join("b.txt").exists() && !target.join(".hidden").exists());
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
    fn entries_of_others_are_never_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("model");
        for entry in [".git/HEAD", "notes.txt", "sub/.keep"] {
            put(&target, "a.txt", 1).unwrap();
            let entry = target.join(entry);
            fs::create_dir_all(entry.parent().unwrap()).unwrap();
            fs::write(&entry, "years of work").unwrap();
            let error = FolderOutput::create(&target).unwrap_err();
            assert!(matches!(error, TableError::ForeignFile { .. }), "{error}");
            assert!(entry.exists());
            fs::remove_file(&entry).unwrap();
            if entry.parent() != Some(target.as_path()) {
                let error = FolderOutput::create(&target).unwrap_err();
                assert!(matches!(error, TableError::ForeignFile { .. }), "{error}");
                fs::remove_dir(entry.parent().unwrap()).unwrap();
            }
        }
        let plain = dir.path().join("plain");
        fs::create_dir(&plain).unwrap();
        fs::write(plain.join("thesis.tex"), "").unwrap();
        let error = FolderOutput::create(&plain).unwrap_err();
        assert!(error.to_string().contains("thesis.tex"), "{error}");
    }

    #[test]
    fn what_is_added_meanwhile_stays_and_the_new_folder_is_put_beside() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("model");
        put(&target, "a.txt", 1).unwrap();
        let output = FolderOutput::create(&target).unwrap();
        fs::write(output.path().join("b.txt"), "2").unwrap();
        fs::create_dir(target.join(".git")).unwrap();
        let error = output.commit(&lineage(2)).unwrap_err().to_string();
        assert!(
            error.contains(".git") && error.contains("model.new"),
            "{error}"
        );
        assert!(target.join(".git").exists() && target.join("a.txt").exists());
        assert!(lineage(2).is_carried_by(&dir.path().join("model.new")));
    }

    #[test]
    fn without_an_exchange_the_earlier_folder_is_put_back_where_the_second_rename_fails() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("model");
        put(&target, "a.txt", 1).unwrap();
        let output = FolderOutput::create(&target).unwrap();
        fs::remove_dir(output.path()).unwrap();
        assert!(output.rename_twice().is_err());
        assert!(lineage(1).is_carried_by(&target));
        fs::create_dir(output.path()).unwrap();
        fs::write(target.join("note"), "").unwrap();
        assert_eq!(output.rename_twice().unwrap(), Some("note".into()));
        fs::remove_file(target.join("note")).unwrap();
        assert_eq!(output.rename_twice().unwrap(), None);
        assert!(!target.join("a.txt").exists());
        drop(output);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_kill_between_two_renames_leaves_is_put_back() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("model");
        put(&target, "a.txt", 1).unwrap();
        fs::rename(&target, dir.path().join(".model.old")).unwrap();
        drop(FolderOutput::create(&target).unwrap());
        assert!(lineage(1).is_carried_by(&target));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_leftover_with_what_is_not_ours_is_named_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("model");
        put(&target, "a.txt", 1).unwrap();
        fs::write(target.join("note"), "").unwrap();
        let left = dir.path().join(".model.partial");
        fs::rename(&target, &left).unwrap();
        let error = FolderOutput::create(&target).unwrap_err().to_string();
        assert!(
            error.contains(".model.partial") && error.contains("note"),
            "{error}"
        );
        assert!(left.join("note").exists());
    }

    #[test]
    fn two_writers_do_not_meet() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("model");
        let first = FolderOutput::create(&target).unwrap();
        let second = || FolderOutput::create(&target);
        assert!(matches!(second(), Err(TableError::Busy { .. })));
        drop(first);
        assert!(second().is_ok());
    }
}
