use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use pairmill_tables::Lock;

/// Bytes of the number of records before them, and of the checksum behind them.
pub(crate) const COUNT: usize = 4;
pub(crate) const CHECKSUM: usize = 8;
/// Records in a segment at most.
const MOST: usize = 8_192;
/// A killed run loses what it has added in this time.
const FLUSH_EVERY: Duration = Duration::from_secs(3);

/// A file of records of equal size that grows by segments with a checksum each.
#[derive(Debug)]
pub(crate) struct SegmentFile<const RECORD: usize> {
    lock: Lock,
    /// Whether a segment was cut short or damaged, and dropped with what followed it.
    pub was_damaged: bool,
    /// Whether it has no segment.
    pub is_empty: bool,
    pending: Vec<u8>,
    flushed: Instant,
}

impl<const RECORD: usize> SegmentFile<RECORD> {
    /// Reads the file that is locked or begins it. `each` is told the records of the segments that
    /// are whole; there are none if the file has another header.
    pub fn open(lock: Lock, header: &[u8], each: impl FnMut(&[u8; RECORD])) -> io::Result<Self> {
        let mut file = lock.file();
        let found = file.metadata()?.len();
        let whole = read(file, header, each)?;
        file.set_len(whole)?;
        file.seek(SeekFrom::Start(whole))?;
        if whole == 0 {
            file.write_all(header)?;
        }
        Ok(Self {
            lock,
            was_damaged: whole < found,
            is_empty: whole <= header.len() as u64,
            pending: Vec::new(),
            flushed: Instant::now(),
        })
    }

    /// Adds a record, which is still to be written.
    pub fn add(&mut self, record: [u8; RECORD]) {
        self.pending.extend(record);
    }

    /// Writes what was added if that is much, or long ago.
    pub fn flush_if_due(&mut self) -> io::Result<()> {
        let is_due = self.pending.len() >= MOST * RECORD || self.flushed.elapsed() >= FLUSH_EVERY;
        match is_due && !self.pending.is_empty() {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Writes what was added.
    pub fn flush(&mut self) -> io::Result<()> {
        for records in self.pending.chunks(MOST * RECORD) {
            self.lock.file().write_all(&segment::<RECORD>(records))?;
            self.is_empty = false;
        }
        self.pending.clear();
        self.flushed = Instant::now();
        Ok(())
    }
}

/// Returns the number of records, the records, and a checksum of both.
fn segment<const RECORD: usize>(records: &[u8]) -> Vec<u8> {
    let number = (records.len() / RECORD) as u32;
    let mut segment = number.to_le_bytes().to_vec();
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

/// Tells `each` the records of the segments that are whole, and returns where these end.
fn read<const RECORD: usize>(
    file: &File,
    header: &[u8],
    mut each: impl FnMut(&[u8; RECORD]),
) -> io::Result<u64> {
    let mut file = BufReader::new(file);
    let mut found = vec![0; header.len()];
    if !read_whole(&mut file, &mut found)? || found != header {
        return Ok(0);
    }
    let mut whole = header.len() as u64;
    let mut bytes = Vec::new();
    loop {
        bytes.resize(COUNT, 0);
        if !read_whole(&mut file, &mut bytes)? {
            break;
        }
        let number = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        if number > MOST {
            break;
        }
        bytes.resize(COUNT + number * RECORD, 0);
        let mut found = [0; CHECKSUM];
        if !read_whole(&mut file, &mut bytes[COUNT..])? || !read_whole(&mut file, &mut found)? {
            break;
        }
        if checksum(&bytes) != found {
            break;
        }
        bytes[COUNT..].as_chunks().0.iter().for_each(&mut each);
        whole += (bytes.len() + CHECKSUM) as u64;
    }
    Ok(whole)
}

/// Fills the buffer, unless the file ends before.
fn read_whole(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
