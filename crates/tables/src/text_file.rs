use std::io::{BufWriter, Write};
use std::path::Path;

use serde::Serialize;

use crate::atomic_file::AtomicFile;
use crate::sidecar::Sidecar;
use crate::{Lineage, Result, TableError};

/// Writes a text file that appears whole or not at all, in a form of some other program's. Its
/// lineage, and the figures that the stage reports, go into a hidden file beside it.
///
/// # Errors
/// If the folder cannot be written to, the disk is full, or another process is writing this output.
pub fn write_text(
    target: &Path,
    text: &str,
    lineage: &Lineage,
    figures: &impl Serialize,
) -> Result<()> {
    let failed = |source| TableError::Unwritable {
        path: target.to_owned(),
        source,
    };
    let (staged, file) = AtomicFile::create(target)?;
    let mut out = BufWriter::new(file.try_clone().map_err(failed)?);
    out.write_all(text.as_bytes()).map_err(failed)?;
    let figures = serde_json::to_value(figures).ok();
    Sidecar::new(staged, Some(lineage)).finish(out, &file, figures)
}
