use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use pairmill_schema::hash_key;
use pairmill_tables::{Lock, TableError};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::file::SharedFile;
use crate::{DenseError, Result};

const ABOUT: &str = "about.json";
const EMBEDDINGS: &str = "embeddings.f32";
const KEYS: &str = "keys";
const LOCK: &str = "lock";
/// Bytes of a row of the file of keys: the text's key, and a checksum of it and the embedding.
const KEY_BYTES: usize = 16;
const CHECK_BYTES: usize = 8;
const KEY_ROW: usize = KEY_BYTES + CHECK_BYTES;
/// Rows checked at a time.
const BLOCK: usize = 4_096;

/// Stands for a text.
pub type Key = [u8; KEY_BYTES];

/// Returns the key of a text.
pub fn key(text: &str) -> Key {
    hash_key(text.as_bytes())
}

/// Embeddings on disk, found by their text. Rows are only ever added at the end: first the
/// embeddings, then, when these are safe, their keys with checksums. So a killed run leaves whole
/// rows and perhaps a torn end, which the next one cuts off.
pub struct Store {
    folder: PathBuf,
    dimension: usize,
    embeddings: SharedFile,
    keys: File,
    rows: FxHashMap<Key, u32>,
    lock: Lock,
    /// Whether others may read too, so that nothing is cut or added.
    is_shared: bool,
}

impl Store {
    /// Opens the embeddings that `about` describes, in a folder of their own below `base`. It is
    /// this process' own until it is [shared](Self::share); one that another process shares can be
    /// read.
    ///
    /// # Errors
    /// If the folder cannot be read or written, holds something else, or another process adds to
    /// it.
    pub fn open(base: &Path, about: &impl Serialize, dimension: usize) -> Result<Self> {
        let about = serde_json::to_vec(about).map_err(io::Error::from);
        let about = about.map_err(unwritable(base))?;
        let name = &blake3::hash(&about).to_hex()[..16];
        let folder = base.join(name);
        fs::create_dir_all(&folder).map_err(unwritable(&folder))?;
        let open = |name: &str| {
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(false);
            options.open(folder.join(name)).map_err(unwritable(&folder))
        };
        let path = folder.join(LOCK);
        let (lock, is_shared) = match Lock::of_kept(&path, &folder) {
            Ok(lock) => (lock, false),
            Err(busy @ TableError::Busy { .. }) => match Lock::shared(&path, &folder)? {
                Some(lock) => (lock.staying(), true),
                None => return Err(busy.into()),
            },
            Err(error) => return Err(error.into()),
        };
        let described = folder.join(ABOUT);
        if !described.exists() {
            write_whole(&described, &about).map_err(unwritable(&folder))?;
        } else if fs::read(&described).map_err(unwritable(&folder))? != about {
            return Err(DenseError::Foreign { path: folder });
        }
        let (embeddings, keys) = (SharedFile::new(open(EMBEDDINGS)?), open(KEYS)?);
        let mut store = Self {
            folder,
            dimension,
            embeddings,
            keys,
            rows: FxHashMap::default(),
            lock,
            is_shared,
        };
        store.recover()?;
        Ok(store)
    }

    /// Returns whether there is no embedding.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the number of embeddings.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns where the embedding of a text is, if there is one.
    pub fn row(&self, key: &Key) -> Option<u32> {
        self.rows.get(key).copied()
    }

    /// Adds embeddings, row-major, of texts that it has none of; they are safe on disk when this
    /// returns.
    ///
    /// # Errors
    /// If they cannot be written, or others read.
    pub fn append(&mut self, keys: &[Key], embeddings: &[f32]) -> Result<()> {
        if self.is_shared && !self.take_for_itself() {
            return Err(DenseError::Table(TableError::Busy {
                path: self.folder.clone(),
            }));
        }
        let first = self.len() as u32;
        let bytes = self.row_bytes();
        let written = self.embeddings.with(|file| {
            file.seek(SeekFrom::Start(u64::from(first) * bytes as u64))?;
            file.write_all(bytemuck::cast_slice(embeddings))?;
            file.sync_data()
        });
        let rows = embeddings.chunks_exact(self.dimension);
        let checked = keys.iter().zip(rows).flat_map(|(key, embedding)| {
            let checksum = checksum(key, bytemuck::cast_slice(embedding));
            key.iter().copied().chain(checksum)
        });
        let checked: Vec<u8> = checked.collect();
        let written = written
            .and_then(|()| {
                self.keys
                    .seek(SeekFrom::Start(u64::from(first) * KEY_ROW as u64))
            })
            .and_then(|_| self.keys.write_all(&checked))
            .and_then(|()| self.keys.sync_data());
        written.map_err(unwritable(&self.folder))?;
        self.rows.extend(keys.iter().copied().zip(first..));
        Ok(())
    }

    /// Reads embeddings, row-major.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn read(&self, rows: Range<usize>, embeddings: &mut [f32]) -> Result<()> {
        let offset = (rows.start * self.row_bytes()) as u64;
        let bytes = bytemuck::cast_slice_mut(embeddings);
        self.embeddings
            .read_exact_at(offset, bytes)
            .map_err(|source| self.unreadable(source))
    }

    /// Reads the embeddings of texts, row-major `[texts, dimension]`, as they are compared: of
    /// length 1 where that is by cosine. A text that it has none of is a row of zeros.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn of_texts(&self, texts: &[&str]) -> Result<Vec<f32>> {
        let mut embeddings = vec![0.0; texts.len() * self.dimension];
        let rows = embeddings.chunks_exact_mut(self.dimension);
        for (text, embedding) in texts.iter().zip(rows) {
            if let Some(row) = self.row(&key(text)) {
                self.read(row as usize..row as usize + 1, embedding)?;
            }
        }
        Ok(embeddings)
    }

    /// Lets others read from now on.
    pub fn share(&mut self) {
        self.lock.share();
        self.is_shared = true;
    }

    /// Shuts others out, unless they read or have added rows.
    fn take_for_itself(&mut self) -> bool {
        let length = (self.len() * KEY_ROW) as u64;
        let is_own = self.lock.try_exclusive()
            && self.keys.metadata().is_ok_and(|keys| keys.len() == length);
        self.is_shared = !is_own;
        is_own
    }

    fn row_bytes(&self) -> usize {
        self.dimension * size_of::<f32>()
    }

    /// Takes up the rows whose checksums hold, up to the first that does not, and cuts off the
    /// rest.
    fn recover(&mut self) -> Result<()> {
        let keys = fs::read(self.folder.join(KEYS)).map_err(|source| self.unreadable(source))?;
        let length = self.embeddings.with(|file| file.metadata());
        let length = length.map_err(|source| self.unreadable(source))?.len();
        let promised = keys.len() / KEY_ROW;
        let there = usize::try_from(length).unwrap_or(usize::MAX) / self.row_bytes();
        let mut sound = 0;
        let mut block = vec![0.0; BLOCK.min(promised) * self.dimension];
        for checked in keys[..promised.min(there) * KEY_ROW].chunks(BLOCK * KEY_ROW) {
            let rows = checked.len() / KEY_ROW;
            let block = &mut block[..rows * self.dimension];
            self.read(sound..sound + rows, block)?;
            let damaged = checked
                .par_chunks(KEY_ROW)
                .zip(block.par_chunks(self.dimension))
                .position_first(|(key, embedding)| {
                    let (key, expected) = key.split_at(KEY_BYTES);
                    checksum(key, bytemuck::cast_slice(embedding)) != expected
                });
            sound += damaged.unwrap_or(rows);
            if damaged.is_some() {
                break;
            }
        }
        if sound < promised {
            tracing::warn!(
                "{}: row {sound} of {promised} is damaged or gone; embedding the texts from there on again",
                self.folder.display()
            );
        }
        for row in keys.chunks_exact(KEY_ROW).take(sound) {
            let mut key = [0; KEY_BYTES];
            key.copy_from_slice(&row[..KEY_BYTES]);
            let number = self.rows.len() as u32;
            self.rows.insert(key, number);
        }
        if self.is_shared {
            return Ok(());
        }
        self.cut(sound).map_err(unwritable(&self.folder))
    }

    fn cut(&self, rows: usize) -> io::Result<()> {
        self.keys.set_len((rows * KEY_ROW) as u64)?;
        let length = (rows * self.row_bytes()) as u64;
        self.embeddings.with(|file| file.set_len(length))
    }

    fn unreadable(&self, source: io::Error) -> DenseError {
        DenseError::Unreadable {
            path: self.folder.clone(),
            source,
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Nothing is lost with an empty one, and a run that fails at once leaves nothing.
        if self.rows.is_empty() && self.lock.try_exclusive() {
            for name in [ABOUT, EMBEDDINGS, KEYS, LOCK] {
                let _ = fs::remove_file(self.folder.join(name));
            }
            let _ = fs::remove_dir(&self.folder);
            let _ = self.folder.parent().map(fs::remove_dir);
        }
    }
}

fn checksum(key: &[u8], embedding: &[u8]) -> [u8; CHECK_BYTES] {
    let mut hasher = blake3::Hasher::new();
    let hash = hasher.update(key).update(embedding).finalize();
    let mut checksum = [0; CHECK_BYTES];
    checksum.copy_from_slice(&hash.as_bytes()[..CHECK_BYTES]);
    checksum
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(new, path)
}

fn unwritable(path: &Path) -> impl Fn(io::Error) -> DenseError + use<> {
    let path = path.to_owned();
    move |source| {
        DenseError::Table(TableError::Unwritable {
            path: path.clone(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(dir: &Path) -> Store {
        Store::open(dir, &"tests", 3).unwrap()
    }

    fn filled(dir: &Path) -> PathBuf {
        let mut store = open(dir);
        store
            .append(&[key("a"), key("b")], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
            .unwrap();
        store.append(&[key("c")], &[7.0, 8.0, 9.0]).unwrap();
        store.folder.clone()
    }

    fn row(store: &Store, text: &str) -> Option<Vec<f32>> {
        let row = store.row(&key(text))? as usize;
        let mut embedding = vec![0.0; 3];
        store.read(row..row + 1, &mut embedding).unwrap();
        Some(embedding)
    }

    #[test]
    fn rows_are_there_when_it_is_opened_again_and_more_can_be_added() {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path());
        let mut store = open(dir.path());
        assert_eq!(store.len(), 3);
        assert_eq!(row(&store, "b"), Some(vec![4.0, 5.0, 6.0]));
        store.append(&[key("d")], &[0.5, 0.0, -0.5]).unwrap();
        assert_eq!(row(&store, "d"), Some(vec![0.5, 0.0, -0.5]));
        assert_eq!(row(&store, "e"), None);
    }

    #[test]
    fn a_torn_end_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let folder = filled(dir.path());
        // Killed before the keys were written, and within one of them.
        for (file, more) in [(EMBEDDINGS, vec![1; 17]), (KEYS, vec![1; 11])] {
            let mut file = File::options()
                .append(true)
                .open(folder.join(file))
                .unwrap();
            file.write_all(&more).unwrap();
        }
        let mut store = open(dir.path());
        assert_eq!(store.len(), 3);
        store.append(&[key("d")], &[0.5, 0.0, -0.5]).unwrap();
        drop(store);
        assert_eq!(row(&open(dir.path()), "d"), Some(vec![0.5, 0.0, -0.5]));
    }

    #[test]
    fn rows_from_a_damaged_one_on_are_given_up() {
        for (name, byte) in [
            (EMBEDDINGS, 13),
            (KEYS, KEY_ROW + 3),
            (KEYS, 2 * KEY_ROW - 1),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let file = filled(dir.path()).join(name);
            let mut bytes = fs::read(&file).unwrap();
            bytes[byte] ^= 1;
            fs::write(&file, bytes).unwrap();
            let store = open(dir.path());
            assert_eq!(store.len(), 1, "{name}");
            assert_eq!(row(&store, "a"), Some(vec![1.0, 2.0, 3.0]));
        }
        let dir = tempfile::tempdir().unwrap();
        let file = filled(dir.path()).join(EMBEDDINGS);
        fs::write(&file, &fs::read(&file).unwrap()[..30]).unwrap();
        assert_eq!(open(dir.path()).len(), 2);
    }

    #[test]
    fn two_runs_do_not_add_at_once_and_an_empty_store_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = open(dir.path());
        let second = || Store::open(dir.path(), &"tests", 3);
        let busy = DenseError::Table(TableError::Busy {
            path: first.folder.clone(),
        });
        assert_eq!(second().err().unwrap().to_string(), busy.to_string());
        first.share();
        assert!(second().is_ok());
        drop(first);
        let base = dir.path().join("dense");
        drop(Store::open(&base, &"tests", 3).unwrap());
        assert!(!base.exists());
    }

    #[test]
    fn two_runs_read_together_and_neither_adds_or_cuts_then() {
        let dir = tempfile::tempdir().unwrap();
        let folder = filled(dir.path());
        let mut first = open(dir.path());
        first.share();
        let mut second = open(dir.path());
        assert_eq!(row(&second, "c"), Some(vec![7.0, 8.0, 9.0]));
        let add = |store: &mut Store| store.append(&[key("d")], &[0.0; 3]);
        assert!(add(&mut first).is_err() && add(&mut second).is_err());
        drop(first);
        add(&mut second).unwrap();
        assert_eq!(second.len(), 4);
        drop(second);
        assert!(folder.exists() && open(dir.path()).len() == 4);
    }

    #[test]
    fn embeddings_of_something_else_are_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let folder = filled(dir.path());
        fs::write(folder.join(ABOUT), "{}").unwrap();
        let error = Store::open(dir.path(), &"tests", 3).err().unwrap();
        assert!(matches!(error, DenseError::Foreign { path } if path == folder));
    }
}
