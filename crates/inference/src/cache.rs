use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pairmill_tables::{Lock, TableError};
use rustc_hash::FxBuildHasher;

use crate::segments::SegmentFile;
use crate::{InferenceError, Result};

/// Raised whenever what is kept, or how it is computed, changes.
const LAYOUT: u8 = 2;
const MAGIC: [u8; 8] = *b"pairmill";
/// A pair's key, its logit, and whether it was cut.
const RECORD: usize = 16 + 4 + 1;

/// Logits of pairs that a model has scored, in a file that is this process' own for as long as the
/// value lives.
///
/// Only what earlier runs have left is held in memory.
#[derive(Debug)]
pub(crate) struct ScoreCache {
    path: PathBuf,
    known: Known,
    file: Mutex<SegmentFile<RECORD>>,
    used: AtomicU64,
    used_truncated: AtomicU64,
}

/// Stands for a pair of texts: 128 bits of its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PairKey([u8; 16]);

impl PairKey {
    pub fn of(&(first, second): &(&str, &str)) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(first.len() as u64).to_le_bytes());
        hasher.update(first.as_bytes());
        hasher.update(second.as_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self(key)
    }
}

/// Bytes, so that a map of them is not padded.
#[derive(Debug, Clone, Copy)]
struct CachedScore {
    logit: [u8; 4],
    truncated: bool,
}

/// Returns what the logits of a pair depend on besides its texts.
pub(crate) fn key(model_hash: &str, max_length: usize, int8: bool) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let length = max_length.to_string();
    for part in [ort::info(), model_hash, &length] {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    hasher.update(&[LAYOUT]);
    if int8 {
        hasher.update(b"int8");
    }
    hasher.finalize()
}

impl ScoreCache {
    /// Opens the file of this key in a folder, or begins it. A segment that was cut short or is
    /// damaged is dropped with what follows it.
    pub fn open(folder: &Path, key: blake3::Hash) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
        let path = folder.join(format!("{}.scores", &key.to_hex()[..32]));
        let header = [&MAGIC[..], key.as_bytes()].concat();
        let bytes = fs::metadata(&path).map_or(0, |file| file.len());
        let mut known = Known::default();
        known.reserve(bytes as usize / RECORD);
        let keep = |bytes: &[u8; RECORD]| known.extend([record(bytes)]);
        let lock = match Lock::of_kept(&path, &path) {
            Ok(lock) => lock,
            Err(TableError::Busy { path }) => return Err(InferenceError::CacheBusy { path }),
            Err(error) => return Err(failed(&path, io::Error::other(error))),
        };
        let file = SegmentFile::open(lock, &header, keep);
        let file = file.map_err(|source| failed(&path, source))?;
        if file.was_damaged {
            let (path, kept) = (path.display(), known.len());
            tracing::warn!("{path}: cut short or damaged; scores of it that are used: {kept}");
        }
        Ok(Self {
            path,
            known,
            file: Mutex::new(file),
            used: AtomicU64::new(0),
            used_truncated: AtomicU64::new(0),
        })
    }

    /// Returns how many pairs earlier runs have left.
    pub fn len(&self) -> u64 {
        self.known.len() as u64
    }

    /// Tells `found` the index and the logit of each pair that is known, and returns the indices of
    /// the others, which ascend.
    pub fn look_up(&self, keys: &[PairKey], mut found: impl FnMut(usize, f32)) -> Vec<usize> {
        let mut missing = Vec::new();
        let mut truncated = 0;
        for (pair, key) in keys.iter().enumerate() {
            match self.known.get(key) {
                Some(kept) => {
                    found(pair, f32::from_le_bytes(kept.logit));
                    truncated += u64::from(kept.truncated);
                }
                None => missing.push(pair),
            }
        }
        let used = (keys.len() - missing.len()) as u64;
        self.used.fetch_add(used, Ordering::Relaxed);
        self.used_truncated.fetch_add(truncated, Ordering::Relaxed);
        missing
    }

    /// Returns how many pairs were found so far.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Returns how many among them were cut.
    pub fn used_truncated(&self) -> u64 {
        self.used_truncated.load(Ordering::Relaxed)
    }

    /// Adds a pair that was not known.
    pub fn add(&self, key: PairKey, logit: f32, truncated: bool) {
        let mut record = [0; RECORD];
        record[..16].copy_from_slice(&key.0);
        record[16..20].copy_from_slice(&logit.to_le_bytes());
        record[20] = u8::from(truncated);
        self.file().add(record);
    }

    /// Writes what was added if that is much, or long ago.
    pub fn flush_if_due(&self) -> Result<()> {
        let flushed = self.file().flush_if_due();
        flushed.map_err(|source| failed(&self.path, source))
    }

    /// Writes what was added.
    pub fn flush(&self) -> Result<()> {
        let flushed = self.file().flush();
        flushed.map_err(|source| failed(&self.path, source))
    }

    fn file(&self) -> MutexGuard<'_, SegmentFile<RECORD>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ScoreCache {
    fn drop(&mut self) {
        let _ = self.flush();
        if self.file().is_empty {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn failed(path: &Path, source: io::Error) -> InferenceError {
    InferenceError::Cache {
        path: path.to_owned(),
        source,
    }
}

type Known = HashMap<PairKey, CachedScore, FxBuildHasher>;

fn record(bytes: &[u8; RECORD]) -> (PairKey, CachedScore) {
    let (mut key, mut logit) = ([0; 16], [0; 4]);
    key.copy_from_slice(&bytes[..16]);
    logit.copy_from_slice(&bytes[16..20]);
    let truncated = bytes[20] != 0;
    (PairKey(key), CachedScore { logit, truncated })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segments::{CHECKSUM, COUNT};

    fn opened(folder: &Path) -> ScoreCache {
        ScoreCache::open(folder, blake3::hash(b"model")).unwrap()
    }

    fn pair_key(number: usize) -> PairKey {
        PairKey::of(&("query", &number.to_string()))
    }

    fn add(cache: &ScoreCache, numbers: std::ops::Range<usize>) {
        for number in numbers {
            cache.add(pair_key(number), number as f32, number % 2 == 1);
        }
    }

    /// Returns the pairs from 0 on that are known.
    fn known(cache: &ScoreCache, pairs: usize) -> usize {
        let keys: Vec<_> = (0..pairs).map(pair_key).collect();
        let missing = cache.look_up(&keys, |pair, logit| assert_eq!(logit, pair as f32));
        assert!(missing.iter().copied().eq(pairs - missing.len()..pairs));
        pairs - missing.len()
    }

    /// Returns a folder with segments of 10 and 3 pairs, and their file.
    fn two_segments() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let cache = opened(folder.path());
        add(&cache, 0..10);
        cache.flush().unwrap();
        add(&cache, 10..13);
        let path = cache.path.clone();
        (folder, path)
    }

    #[test]
    fn what_a_run_adds_the_next_one_finds() {
        let (folder, _) = two_segments();
        let cache = opened(folder.path());
        assert_eq!(known(&cache, 20), 13);
        assert_eq!((cache.used(), cache.used_truncated()), (13, 6));
        add(&cache, 13..20_000);
        drop(cache);
        let cache = opened(folder.path());
        assert_eq!(known(&cache, 20_001), 20_000);
    }

    #[test]
    fn a_record_cut_short_is_written_again() {
        let (folder, path) = two_segments();
        let whole = fs::read(&path).unwrap();
        for cut in 1..3 * RECORD + CHECKSUM + COUNT {
            fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let cache = opened(folder.path());
            assert_eq!(known(&cache, 13), 10, "{cut} bytes less");
            add(&cache, 10..13);
            drop(cache);
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
    }

    #[test]
    fn damage_costs_what_follows_it_and_no_score_is_made_up() {
        let (folder, path) = two_segments();
        let whole = fs::read(&path).unwrap();
        let header = MAGIC.len() + blake3::OUT_LEN;
        let first = header + COUNT + 10 * RECORD + CHECKSUM;
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x40;
            fs::write(&path, bytes).unwrap();
            let left = if at < first { 0 } else { 10 };
            assert_eq!(known(&opened(folder.path()), 13), left, "byte {at}");
        }
    }

    #[test]
    fn each_model_has_a_file_of_its_own_and_one_run_at_a_time() {
        let (folder, _) = two_segments();
        let other = ScoreCache::open(folder.path(), blake3::hash(b"another")).unwrap();
        assert_eq!(known(&other, 13), 0);
        let _first = opened(folder.path());
        let busy = ScoreCache::open(folder.path(), blake3::hash(b"model")).unwrap_err();
        assert!(busy.to_string().contains("another run keeps"), "{busy}");
    }

    #[test]
    fn an_empty_cache_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        drop(opened(folder.path()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_border_between_the_texts_counts() {
        assert_ne!(PairKey::of(&("ab", "c")), PairKey::of(&("a", "bc")));
        assert_ne!(PairKey::of(&("a", "b")), PairKey::of(&("b", "a")));
    }
}
