use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};

use crate::lock::{open_locked, remove_partial};
use crate::place::{Place, Survey, difference, recall, remember, set_aside, survey};
use crate::{Result, TableError, underway};

/// How long to wait for somebody to read a named pipe.
const READER_WAIT: Duration = Duration::from_secs(5);

/// A file that appears whole or not at all: written beside its name, synced, renamed. Dropped
/// before it is [published](Self::publish), it leaves nothing behind. A named pipe or a device is
/// written to as a stream.
pub(crate) struct AtomicFile {
    /// The output as the user named it.
    target: PathBuf,
    /// The file that it stands for; links are followed.
    path: PathBuf,
    /// Empty once it is published, or where a stream is written to.
    partial: PathBuf,
    /// What lay there when it was judged that it may be replaced.
    judged: Survey,
}

impl AtomicFile {
    /// Prepares to write `target` and opens the file to write to.
    pub(crate) fn create(target: &Path) -> Result<(Self, File)> {
        let staged = |path: &Path, partial, judged| Self {
            target: target.to_owned(),
            path: path.to_owned(),
            partial,
            judged,
        };
        let unwritable = |source| unwritable(target, source);
        let place = Place::of(target)?;
        let path = match &place {
            Place::Stream(path) => {
                let file = open_stream(path).map_err(unwritable)?;
                return Ok((staged(path, PathBuf::new(), Survey::new()), file));
            }
            Place::Folder(_) => {
                let error = io::Error::new(
                    io::ErrorKind::IsADirectory,
                    "it is a folder; expected a file name such as `candidates.parquet`",
                );
                return Err(unwritable(error));
            }
            Place::Free(path) | Place::File(path) => path,
        };
        let partial = hidden(path, ".partial", target)?;
        let file = open_locked(&partial, target, File::try_lock)?;
        underway::begin(&partial);
        let prepared = file.set_len(0).and_then(|()| survey(path));
        let now = prepared.map_err(unwritable)?;
        let judged = recall(path).unwrap_or_else(|| now.clone());
        let staged = staged(path, partial, judged);
        match difference(&staged.judged, &now) {
            None => Ok((staged, file)),
            Some(_) => Err(TableError::Changed {
                path: target.to_owned(),
            }),
        }
    }

    /// Returns the name that the file is to get, as the user gave it.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Returns the file that it stands for, unless that is a stream.
    pub(crate) fn file(&self) -> Option<&Path> {
        (!self.partial.as_os_str().is_empty()).then_some(self.path.as_path())
    }

    /// Gives the file, which has been written, its name.
    pub(crate) fn publish(mut self, mut file: &File) -> Result<()> {
        let unwritable = |source| unwritable(&self.target, source);
        if self.file().is_none() {
            return file.flush().map_err(unwritable);
        }
        let mut underway = underway::hold();
        file.sync_all().map_err(unwritable)?;
        let now = survey(&self.path).map_err(unwritable)?;
        if difference(&self.judged, &now).is_some() {
            let kept = set_aside(&self.partial, &self.path).map_err(unwritable)?;
            underway.end(&self.partial);
            self.partial.clear();
            return Err(TableError::ChangedMeanwhile {
                path: self.target.clone(),
                entry: None,
                kept,
            });
        }
        fs::rename(&self.partial, &self.path)
            .and_then(|()| sync_parent(&self.path))
            .map_err(unwritable)?;
        underway.end(&self.partial);
        self.partial.clear();
        Ok(())
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.partial.as_os_str().is_empty() {
            remove_partial(&self.partial);
        }
    }
}

/// Opens a pipe or device. A named pipe that nobody reads is waited for with a word, and not for
/// ever.
fn open_stream(path: &Path) -> io::Result<File> {
    let started = Instant::now();
    let mut said = false;
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = loop {
        match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(file) => break file,
            Err(rustix::io::Errno::NXIO) if started.elapsed() < READER_WAIT => {
                if !std::mem::replace(&mut said, true) {
                    let seconds = READER_WAIT.as_secs();
                    tracing::warn!(
                        "nobody reads {} yet; waiting {seconds} seconds for a reader",
                        path.display()
                    );
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            Err(rustix::io::Errno::NXIO) => {
                let message = "nobody reads this pipe; start its reader first";
                return Err(io::Error::other(message));
            }
            Err(error) => return Err(error.into()),
        }
    };
    let flags = rustix::fs::fcntl_getfl(&file)?;
    rustix::fs::fcntl_setfl(file.as_fd(), flags - OFlags::NONBLOCK)?;
    Ok(file.into())
}

/// Finds out whether an output can be written before it is.
///
/// # Errors
/// If its folder cannot be made or written to, or another process is writing it.
pub fn check_output(target: &Path) -> Result<()> {
    let place = Place::of(target)?;
    if matches!(place, Place::Stream(_)) {
        // Whoever reads it would take the opening and closing for all there is.
        return Ok(());
    }
    let (staged, _file) = AtomicFile::create(target)?;
    remember(place.path(), staged.judged.clone());
    Ok(())
}

/// Returns the hidden path beside an output file that ends in `suffix`.
///
/// # Errors
/// If the output cannot be a file.
pub fn sibling(target: &Path, suffix: &str) -> Result<PathBuf> {
    hidden(Place::of(target)?.path(), suffix, target)
}

pub(crate) fn hidden(path: &Path, suffix: &str, target: &Path) -> Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| {
        let error = io::Error::new(
            io::ErrorKind::InvalidInput,
            "expected a name such as `candidates.parquet`",
        );
        unwritable(target, error)
    })?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(suffix);
    Ok(path.with_file_name(hidden))
}

fn unwritable(target: &Path, source: io::Error) -> TableError {
    TableError::Unwritable {
        path: target.to_owned(),
        source,
    }
}

pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn write(target: &Path, text: &str) -> Result<()> {
        let (staged, mut file) = AtomicFile::create(target)?;
        file.write_all(text.as_bytes()).unwrap();
        staged.publish(&file)
    }

    #[test]
    fn a_link_stays_and_what_it_points_to_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("real")).unwrap();
        fs::write(at("real/file"), "old").unwrap();
        symlink("real/file", at("link")).unwrap();
        symlink("real/other", at("dangling")).unwrap();
        for (link, file) in [("link", "real/file"), ("dangling", "real/other")] {
            write(&at(link), "new").unwrap();
            assert!(at(link).is_symlink());
            assert_eq!(fs::read_to_string(at(file)).unwrap(), "new");
        }
    }

    #[test]
    fn what_appears_meanwhile_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out.csv");
        let (staged, file) = AtomicFile::create(&target).unwrap();
        fs::write(&target, "a user's").unwrap();
        let error = staged.publish(&file).unwrap_err().to_string();
        assert!(error.contains("out.csv.new"), "{error}");
        assert_eq!(fs::read_to_string(&target).unwrap(), "a user's");
        assert!(dir.path().join("out.csv.new").exists());
    }

    #[test]
    fn writers_that_follow_each_other_closely_do_not_cut_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        match write(&target, "whole") {
                            Ok(())
                            | Err(
                                TableError::Busy { .. }
                                | TableError::Changed { .. }
                                | TableError::ChangedMeanwhile { .. },
                            ) => {}
                            Err(error) => panic!("{error:?}"),
                        }
                        if let Ok(text) = fs::read_to_string(&target) {
                            assert_eq!(text, "whole");
                        }
                    }
                });
            }
        });
        assert!(!dir.path().join(".out.partial").exists());
    }

    #[test]
    fn a_device_is_written_to_and_stays() {
        write(Path::new("/dev/null"), "gone").unwrap();
        assert!(!fs::symlink_metadata("/dev/null").unwrap().is_file());
    }
}
