use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Mutex, PoisonError};

/// A file that several threads read at any place.
pub(crate) struct SharedFile(Mutex<File>);

impl SharedFile {
    pub fn new(file: File) -> Self {
        Self(Mutex::new(file))
    }

    pub fn read_exact_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.with(|file| {
            file.seek(SeekFrom::Start(offset))?;
            file.read_exact(bytes)
        })
    }

    pub fn with<T>(&self, action: impl FnOnce(&mut File) -> T) -> T {
        action(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
