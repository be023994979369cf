use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow::error::ArrowError;

use crate::atomic_file::{AtomicFile, hidden};
use crate::carried::record_path;
use crate::record::{Content, FileRecord};
use crate::{Lineage, Result, TableError, underway};

/// A file under way in a format without a place for a lineage, which goes into a hidden file beside
/// it, unless it is that of the folder around it.
pub(crate) struct Sidecar {
    output: AtomicFile,
    lineage: Option<Lineage>,
}

impl Sidecar {
    pub fn new(output: AtomicFile, lineage: Option<&Lineage>) -> Self {
        Self {
            output,
            lineage: lineage.cloned(),
        }
    }

    pub fn target(&self) -> &Path {
        self.output.target()
    }

    pub fn encode(&self, error: ArrowError) -> TableError {
        encode(self.output.target(), error)
    }

    /// Puts record and file in place, in this order: killed between, the record knows the earlier
    /// file too.
    pub fn finish(
        self,
        mut out: BufWriter<File>,
        file: &File,
        figures: Option<serde_json::Value>,
    ) -> Result<()> {
        let target = self.output.target().to_owned();
        let failed = |source: io::Error| TableError::Unwritable {
            path: target.clone(),
            source,
        };
        out.flush().map_err(failed)?;
        drop(out);
        if let (Some(path), Some(lineage)) = (self.output.file(), self.lineage) {
            let record = record_path(path)?;
            let written = hidden(path, ".partial", path)?;
            let content = Content::of(&written).map_err(failed)?;
            let earlier = FileRecord::read(&record);
            let before = earlier.and_then(|earlier| {
                let known = std::iter::once(earlier.content).chain(earlier.before);
                known.into_iter().find(|content| content.is_at(path))
            });
            let new = FileRecord {
                lineage,
                content,
                before,
                figures,
            };
            let text = serde_json::to_vec_pretty(&new).map_err(io::Error::from);
            text.and_then(|text| write_whole(&record, &text))
                .map_err(failed)?;
        }
        self.output.publish(file)
    }
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    underway::begin(&new);
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    underway::end(&new);
    Ok(())
}

/// Returns what to say of rows that could not be written.
pub(crate) fn encode(path: &Path, error: ArrowError) -> TableError {
    let source = match error {
        ArrowError::IoError(_, source) => source,
        other => io::Error::other(other),
    };
    TableError::Unwritable {
        path: path.to_owned(),
        source,
    }
}
