use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::place::is_at;
use crate::{Result, TableError, underway};

/// A file whose lock this process holds for as long as the value lives; it is removed with it.
///
/// A lock belongs to a file and not to its name: whoever opened the file before it was removed or
/// renamed could lock it, and hold nothing. So each that locks sees to it that the file still has
/// its name, or opens it again.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
    stays: bool,
}

impl Lock {
    /// Takes the lock at `path`, for the output `target`, for this process alone.
    ///
    /// # Errors
    /// If another process holds it, or the file cannot be made.
    pub fn exclusive(path: &Path, target: &Path) -> Result<Self> {
        let lock = Self::take(path, target, File::try_lock)?;
        underway::begin(path);
        Ok(lock)
    }

    /// Takes the lock on a file that stays at the end, for the output `target` and for this process
    /// alone.
    ///
    /// # Errors
    /// As [`exclusive`](Self::exclusive).
    pub fn of_kept(path: &Path, target: &Path) -> Result<Self> {
        Ok(Self::take(path, target, File::try_lock)?.staying())
    }

    /// Takes the lock together with others that only read; `None` where it cannot be written, so
    /// that nobody can write there.
    ///
    /// # Errors
    /// If another process is writing.
    pub fn shared(path: &Path, target: &Path) -> Result<Option<Self>> {
        match Self::take(path, target, File::try_lock_shared) {
            Ok(lock) => Ok(Some(lock)),
            Err(TableError::Unwritable { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn take(
        path: &Path,
        target: &Path,
        lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> Result<Self> {
        let file = open_locked(path, target, lock)?;
        Ok(Self {
            file,
            path: path.to_owned(),
            stays: false,
        })
    }

    /// Leaves the file where it is at the end.
    pub fn staying(mut self) -> Self {
        self.stays = true;
        underway::end(&self.path);
        self
    }

    /// Returns the file, which can be read and written.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Lets others read from now on.
    pub fn share(&self) {
        let _ = self.file.try_lock_shared();
    }

    /// Takes the lock for this process alone from now on; whether that was possible.
    pub fn try_exclusive(&self) -> bool {
        let is_own = self.file.try_lock().is_ok();
        if !is_own {
            // A lock that cannot be raised is lost.
            self.share();
        }
        is_own
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Unless others hold it too.
        if !self.stays && self.file.try_lock().is_ok() && is_at(&self.file, &self.path) {
            let _ = fs::remove_file(&self.path);
        }
        underway::end(&self.path);
    }
}

/// Opens the file at `path`, made where it is not there, and locks it.
pub(crate) fn open_locked(
    path: &Path,
    target: &Path,
    lock: impl Fn(&File) -> Result<(), TryLockError>,
) -> Result<File> {
    let unwritable = |source: io::Error| TableError::Unwritable {
        path: target.to_owned(),
        source,
    };
    loop {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(unwritable)?;
        }
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(path);
        let file = file.map_err(unwritable)?;
        match lock(&file) {
            Ok(()) if is_at(&file, path) => return Ok(file),
            // The one who held it has renamed or removed it since it was opened here.
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(TableError::Busy {
                    path: target.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(unwritable(source)),
        }
    }
}

/// Ends what stands half written under a name.
pub(crate) fn remove_partial(path: &Path) {
    let _ = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    underway::end(path);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn one_holds_it_at_a_time_however_often_it_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let (inside, taken) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        let Ok(_lock) = Lock::exclusive(&path, &path) else {
                            continue;
                        };
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        taken.fetch_add(1, Ordering::SeqCst);
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(taken.load(Ordering::SeqCst) > 0);
        assert!(!path.exists());
    }

    #[test]
    fn readers_share_it_and_the_last_one_removes_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let shared = || Lock::shared(&path, &path).unwrap().unwrap();
        let (first, second) = (shared(), shared());
        assert!(Lock::exclusive(&path, &path).is_err());
        assert!(!first.try_exclusive());
        drop(first);
        assert!(path.exists() && second.try_exclusive());
        drop(second);
        assert!(!path.exists());
    }
}
