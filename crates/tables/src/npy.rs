use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::Serialize;

use crate::atomic_file::AtomicFile;
use crate::sidecar::Sidecar;
use crate::{Lineage, Result, TableError};

/// Vectors as an array that NumPy loads (`.npy`), `float32` of shape `[rows, dimension]`. It
/// appears whole or not at all. The format is a line of text before the numbers, so that no library
/// is needed: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.
pub struct NpyOutput {
    sidecar: Sidecar,
    file: File,
    writer: BufWriter<File>,
    /// Numbers still to be written.
    left: u64,
}

impl NpyOutput {
    /// Prepares to write `rows` vectors to `target`. The lineage goes into a hidden file beside it.
    ///
    /// # Errors
    /// If the folder cannot be made or written to, or another process is writing this output.
    pub fn create(target: &Path, rows: u64, dimension: usize, lineage: &Lineage) -> Result<Self> {
        let (staged, file) = AtomicFile::create(target)?;
        let unwritable = |source| TableError::Unwritable {
            path: target.to_owned(),
            source,
        };
        let mut writer = BufWriter::new(file.try_clone().map_err(unwritable)?);
        writer
            .write_all(&header(rows, dimension))
            .map_err(unwritable)?;
        Ok(Self {
            sidecar: Sidecar::new(staged, Some(lineage)),
            file,
            writer,
            left: rows * dimension as u64,
        })
    }

    /// Appends vectors, row-major.
    ///
    /// # Errors
    /// If the disk is full.
    ///
    /// # Panics
    /// If there are more of them than were announced: a mistake in the program.
    pub fn write(&mut self, values: &[f32]) -> Result<()> {
        let left = self.left.checked_sub(values.len() as u64);
        self.left = left.expect("as many vectors as were announced");
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let written = self.writer.write_all(&bytes);
        written.map_err(|source| self.unwritable(source))
    }

    /// Closes the file and gives it its name, with the figures that the stage reports, for
    /// [`Lineage::figures`].
    ///
    /// # Errors
    /// If the disk is full or the rename fails.
    ///
    /// # Panics
    /// If there are fewer vectors than were announced: a mistake in the program.
    pub fn finish_with(self, figures: &impl Serialize) -> Result<()> {
        assert_eq!(self.left, 0, "as many vectors as were announced");
        let figures = serde_json::to_value(figures).ok();
        self.sidecar.finish(self.writer, &self.file, figures)
    }

    fn unwritable(&self, source: io::Error) -> TableError {
        TableError::Unwritable {
            path: self.sidecar.target().to_owned(),
            source,
        }
    }
}

/// The header of version 1.0, as NumPy writes it: padded so that the numbers begin at a multiple of
/// 64 bytes.
fn header(rows: u64, dimension: usize) -> Vec<u8> {
    /// The magic string, the version and the length of what follows.
    const BEFORE: usize = 10;
    const ALIGNMENT: usize = 64;
    let mut text =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {dimension}), }}");
    let whole = (BEFORE + text.len() + 1).next_multiple_of(ALIGNMENT);
    text.push_str(&" ".repeat(whole - BEFORE - text.len() - 1));
    text.push('\n');
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    // Two numbers of any size are far below 65,536 letters.
    header.extend((text.len() as u16).to_le_bytes());
    header.extend(text.into_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_file_is_what_numpy_writes() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.npy");
        let lineage = Lineage::new("test", &(), 1);
        let mut output = NpyOutput::create(&target, 2, 3, &lineage).unwrap();
        output.write(&[0.0, 1.0, -2.5]).unwrap();
        output.write(&[3.0, 4.0, 0.1]).unwrap();
        output.finish_with(&7).unwrap();
        // numpy.save("a.npy", numpy.array([[0, 1, -2.5], [3, 4, 0.1]], dtype="float32"))
        let mut expected = b"\x93NUMPY\x01\x00v\x00".to_vec();
        expected.extend(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
        expected.resize(127, b' ');
        expected.push(b'\n');
        for value in [0.0f32, 1.0, -2.5, 3.0, 4.0, 0.1] {
            expected.extend(value.to_le_bytes());
        }
        assert_eq!(fs::read(&target).unwrap(), expected);
        assert!(lineage.is_done(&target, false).unwrap());
        assert_eq!(Lineage::figures(&target).unwrap(), 7);
    }

    #[test]
    fn the_header_fits_for_any_shape() {
        for (rows, dimension) in [(0, 1), (1, 384), (u64::MAX, 4_096), (123_456_789, 1)] {
            let header = header(rows, dimension);
            assert!(header.len().is_multiple_of(64) && header.ends_with(b"\n"));
            let length = u16::from_le_bytes([header[8], header[9]]);
            assert_eq!(usize::from(length) + 10, header.len());
        }
    }
}
