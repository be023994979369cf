//! What an output says of how it came to be.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use serde::de::DeserializeOwned;

use crate::atomic_file::hidden;
use crate::lineage::{FIGURES_KEY, FOOTER_KEY};
use crate::place::{Place, survey};
use crate::record::{FileRecord, FolderRecord};
use crate::{Lineage, Result};

impl Lineage {
    /// Returns whether the file or the output folder at `path` carries exactly this lineage and is
    /// whole.
    pub fn is_carried_by(&self, path: &Path) -> bool {
        let is_whole = match FolderRecord::of(path) {
            Some(record) => survey(path).is_ok_and(|found| {
                let differences = record.differences(path, &found);
                let damaged = differences.missing.or(differences.changed);
                record.lineage == *self && damaged.is_none()
            }),
            None => Self::of_file(path).is_some_and(|(found, whole)| whole && found == *self),
        };
        is_whole && self.is_known()
    }

    /// Returns the figures that the stage which wrote `output` reported, if it did.
    pub fn figures(output: &Path) -> Option<serde_json::Value> {
        let place = Place::of(output).ok()?;
        match &place {
            Place::Folder(path) => FolderRecord::of(path)?.figures,
            Place::File(path) => match parquet_metadata(path) {
                Some((metadata, _)) => serde_json::from_str(&entry(&metadata, FIGURES_KEY)?).ok(),
                None => FileRecord::read(&record_path(path).ok()?)?.figures,
            },
            Place::Free(_) | Place::Stream(_) => None,
        }
    }

    /// Returns what the stage that wrote `output` reported, if there is nothing to do, and says so.
    ///
    /// # Errors
    /// As [`is_done`](Self::is_done).
    pub fn report_of_done<T: DeserializeOwned>(
        &self,
        output: &Path,
        force: bool,
    ) -> Result<Option<T>> {
        if !self.is_done(output, force)? {
            return Ok(None);
        }
        let report = Self::figures(output).and_then(|report| serde_json::from_value(report).ok());
        if report.is_some() {
            tracing::info!("{} is up to date", output.display());
        }
        Ok(report)
    }

    /// Returns the lineage of a file that a stage wrote, and whether that is as it was written.
    pub(crate) fn of_file(path: &Path) -> Option<(Self, bool)> {
        if let Some((metadata, is_whole)) = parquet_metadata(path) {
            let lineage = serde_json::from_str(&entry(&metadata, FOOTER_KEY)?).ok()?;
            return Some((lineage, is_whole));
        }
        let record = FileRecord::read(&record_path(path).ok()?)?;
        if record.content.is_at(path) {
            return Some((record.lineage, true));
        }
        let is_earlier = record.before.is_some_and(|before| before.is_at(path));
        is_earlier.then_some((record.lineage, false))
    }

    /// Returns the lineage in a Parquet footer, if the file has one.
    pub fn of_parquet(path: &Path) -> Option<Self> {
        let (metadata, _) = parquet_metadata(path)?;
        serde_json::from_str(&entry(&metadata, FOOTER_KEY)?).ok()
    }

    /// Returns the lineage of an output folder, if it has one.
    pub fn of_folder(path: &Path) -> Option<Self> {
        Some(FolderRecord::of(path)?.lineage)
    }
}

/// Returns where the record of a file lies that has no place for it.
pub(crate) fn record_path(file: &Path) -> Result<PathBuf> {
    hidden(file, FileRecord::SUFFIX, file)
}

/// Returns the footer of a Parquet file, and whether the file is as long as it says. A pipe is not
/// opened.
fn parquet_metadata(path: &Path) -> Option<(ParquetMetaData, bool)> {
    let length = fs::metadata(path).ok().filter(fs::Metadata::is_file)?.len();
    let reader = SerializedFileReader::new(File::open(path).ok()?).ok()?;
    let metadata = reader.metadata().clone();
    let groups = metadata.row_groups().iter();
    let mut ends = groups.flat_map(|group| group.columns()).map(|column| {
        let (start, bytes) = column.byte_range();
        start + bytes
    });
    let is_whole = ends.all(|end| end < length);
    Some((metadata, is_whole))
}

fn entry(metadata: &ParquetMetaData, key: &str) -> Option<String> {
    let entries = metadata.file_metadata().key_value_metadata()?;
    let entry = entries.iter().find(|entry| entry.key == key)?;
    entry.value.clone()
}
