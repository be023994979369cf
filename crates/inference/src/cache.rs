use std::collections::HashMap;
use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::FxBuildHasher;

use crate::{InferenceError, Result};

/// Raised whenever what is kept, or how it is computed, changes.
const LAYOUT: u8 = 2;
const MAGIC: [u8; 8] = *b"pairmill";
const HEADER: usize = MAGIC.len() + blake3::OUT_LEN;
/// A pair's key, its logit, and whether it was cut.
const RECORD: usize = 16 + 4 + 1;
const CHECKSUM: usize = 8;
/// Pairs in a segment at most.
const SEGMENT_PAIRS: usize = 8_192;
/// A killed run loses what it has scored in this time.
const FLUSH_EVERY: Duration = Duration::from_secs(3);

/// Logits of pairs that a model has scored, in a file that grows by segments with a checksum each.
/// The file is this process' own for as long as the value lives.
///
/// Only what earlier runs have left is held in memory.
#[derive(Debug)]
pub(crate) struct ScoreCache {
    path: PathBuf,
    known: HashMap<PairKey, CachedScore, FxBuildHasher>,
    end: Mutex<End>,
    used: AtomicU64,
    used_truncated: AtomicU64,
}

/// Where the file grows.
#[derive(Debug)]
struct End {
    file: File,
    length: u64,
    pending: Vec<u8>,
    flushed: Instant,
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

/// What the logits of a pair depend on besides its texts.
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
        let failed = |source| failed(&path, source);
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = loop {
            let file = options.open(&path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => break file,
                // The one who held it has removed it since it was opened here.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(InferenceError::CacheBusy { path }),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        };
        let header = [&MAGIC[..], key.as_bytes()].concat();
        let found = file.metadata().map_err(failed)?.len();
        let (known, whole) = read(&file, found, &header).map_err(failed)?;
        if whole < found {
            let (path, kept) = (path.display(), known.len());
            tracing::warn!("{path}: cut short or damaged; scores of it that are used: {kept}");
        }
        file.set_len(whole).map_err(failed)?;
        file.seek(SeekFrom::Start(whole)).map_err(failed)?;
        let mut length = whole;
        if whole == 0 {
            file.write_all(&header).map_err(failed)?;
            length = header.len() as u64;
        }
        let end = End {
            file,
            length,
            pending: Vec::new(),
            flushed: Instant::now(),
        };
        Ok(Self {
            path,
            known,
            end: Mutex::new(end),
            used: AtomicU64::new(0),
            used_truncated: AtomicU64::new(0),
        })
    }

    /// Pairs that earlier runs have left.
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

    /// Pairs found so far.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Pairs among them that were cut.
    pub fn used_truncated(&self) -> u64 {
        self.used_truncated.load(Ordering::Relaxed)
    }

    /// Adds a pair that was not known.
    pub fn add(&self, key: PairKey, logit: f32, truncated: bool) {
        let pending = &mut self.end().pending;
        pending.extend(key.0);
        pending.extend(logit.to_le_bytes());
        pending.push(u8::from(truncated));
    }

    /// Writes what was added if that is much, or long ago.
    pub fn flush_if_due(&self) -> Result<()> {
        let end = self.end();
        let is_due = end.pending.len() >= SEGMENT_PAIRS * RECORD
            || (!end.pending.is_empty() && end.flushed.elapsed() >= FLUSH_EVERY);
        match is_due {
            true => self.write(end),
            false => Ok(()),
        }
    }

    /// Writes what was added.
    pub fn flush(&self) -> Result<()> {
        self.write(self.end())
    }

    fn write(&self, mut end: MutexGuard<'_, End>) -> Result<()> {
        end.write().map_err(|source| failed(&self.path, source))
    }

    fn end(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl End {
    fn write(&mut self) -> io::Result<()> {
        for records in self.pending.chunks(SEGMENT_PAIRS * RECORD) {
            let segment = segment(records);
            self.file.write_all(&segment)?;
            self.length += segment.len() as u64;
        }
        self.pending.clear();
        self.flushed = Instant::now();
        Ok(())
    }
}

impl Drop for ScoreCache {
    fn drop(&mut self) {
        let _ = self.flush();
        if self.end().length <= HEADER as u64 {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether an open file is still the one at `path`.
fn is_at(file: &File, path: &Path) -> bool {
    let inode = |file: io::Result<Metadata>| file.ok().map(|file| (file.dev(), file.ino()));
    inode(file.metadata()).is_some_and(|open| inode(fs::metadata(path)) == Some(open))
}

fn failed(path: &Path, source: io::Error) -> InferenceError {
    InferenceError::Cache {
        path: path.to_owned(),
        source,
    }
}

/// Number of records, records, checksum of both.
fn segment(records: &[u8]) -> Vec<u8> {
    let pairs = (records.len() / RECORD) as u32;
    let mut segment = pairs.to_le_bytes().to_vec();
    segment.extend_from_slice(records);
    let checksum = checksum(&segment);
    segment.extend(checksum);
    segment
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let mut checksum = [0; CHECKSUM];
    checksum.copy_from_slice(&blake3::hash(bytes).as_bytes()[..CHECKSUM]);
    checksum
}

type Known = HashMap<PairKey, CachedScore, FxBuildHasher>;

/// The logits of the segments that are whole, and where these end.
fn read(file: &File, length: u64, header: &[u8]) -> io::Result<(Known, u64)> {
    let mut file = BufReader::new(file);
    let mut found = vec![0; header.len()];
    let mut known = Known::default();
    if !read_whole(&mut file, &mut found)? || found != header {
        return Ok((known, 0));
    }
    known.reserve(length as usize / RECORD);
    let mut whole = header.len() as u64;
    let mut bytes = Vec::new();
    loop {
        bytes.resize(4, 0);
        if !read_whole(&mut file, &mut bytes)? {
            break;
        }
        let pairs = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        if pairs > SEGMENT_PAIRS {
            break;
        }
        bytes.resize(4 + pairs * RECORD, 0);
        let mut found = [0; CHECKSUM];
        if !read_whole(&mut file, &mut bytes[4..])? || !read_whole(&mut file, &mut found)? {
            break;
        }
        if checksum(&bytes) != found {
            break;
        }
        known.extend(bytes[4..].chunks_exact(RECORD).map(record));
        whole += (bytes.len() + CHECKSUM) as u64;
    }
    Ok((known, whole))
}

fn record(bytes: &[u8]) -> (PairKey, CachedScore) {
    let (mut key, mut logit) = ([0; 16], [0; 4]);
    key.copy_from_slice(&bytes[..16]);
    logit.copy_from_slice(&bytes[16..20]);
    let truncated = bytes[20] != 0;
    (PairKey(key), CachedScore { logit, truncated })
}

/// Fills the buffer, unless the file ends before.
fn read_whole(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    /// The pairs from 0 on that are known.
    fn known(cache: &ScoreCache, pairs: usize) -> usize {
        let keys: Vec<_> = (0..pairs).map(pair_key).collect();
        let missing = cache.look_up(&keys, |pair, logit| assert_eq!(logit, pair as f32));
        assert!(missing.iter().copied().eq(pairs - missing.len()..pairs));
        pairs - missing.len()
    }

    /// A folder with segments of 10 and 3 pairs, and their file.
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
        for cut in 1..3 * RECORD + CHECKSUM + 4 {
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
        let first = HEADER + 4 + 10 * RECORD + CHECKSUM;
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
