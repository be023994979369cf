//! Inputs that can be read once: named pipes, `<(…)` and `/dev/stdin`.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use tracing::info;

/// What came through each pipe, in unnamed temporary files that go with the process.
static READ: LazyLock<Mutex<HashMap<PathBuf, File>>> = LazyLock::new(Mutex::default);

/// Standard input, which may be a file too, and then has no name that tells its format.
const STDIN: &str = "/dev/stdin";

/// Returns whether a path is that of a pipe, a socket or a device, whose bytes come once.
pub(crate) fn is_stream(path: &Path) -> bool {
    path == Path::new(STDIN)
        || fs::metadata(path).is_ok_and(|found| {
            let kind = found.file_type();
            kind.is_fifo() || kind.is_char_device() || kind.is_socket()
        })
}

/// Returns a path to the bytes of `path` that can be opened again and again: the path itself, or
/// that of a temporary file that holds what came through the pipe.
///
/// # Errors
/// If the pipe cannot be read or the temporary file not be written.
pub(crate) fn readable(path: &Path) -> io::Result<PathBuf> {
    if !is_stream(path) {
        return Ok(path.to_owned());
    }
    let mut read = READ
        .lock()
        .map_err(|_| io::Error::other("a thread panicked"))?;
    if let Some(file) = read.get(path) {
        return Ok(path_of(file));
    }
    info!("reading the pipe {} to its end", path.display());
    let mut copy = tempfile::tempfile()?;
    io::copy(&mut File::open(path)?, &mut copy)?;
    let copied = path_of(&copy);
    read.insert(path.to_owned(), copy);
    Ok(copied)
}

/// Returns a path whose opening gives a handle with a place of its own (Linux).
fn path_of(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}
