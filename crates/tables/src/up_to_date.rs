//! Whether an output has to be made, and may be.

use std::fs;
use std::path::{Path, PathBuf};

use crate::place::{Place, Survey, remember, survey};
use crate::record::FolderRecord;
use crate::source::list_files;
use crate::{Format, Lineage, Result, TableError};

impl Lineage {
    /// Returns whether there is nothing to do: `output`, a file or an output folder, carries
    /// exactly this lineage and is whole, and the work is not to be done again (`force`). It is
    /// never done for a stream, which is not opened.
    ///
    /// # Errors
    /// If writing the output would delete what is not this stage's own: an input or a part of it,
    /// what another stage has written, an entry of a folder that no stage has written; and, unless
    /// `force` is set, a file that was not written by this stage or was changed since.
    pub fn is_done(&self, output: &Path, force: bool) -> Result<bool> {
        if output == Path::new("-") {
            return Ok(false);
        }
        let place = Place::of(output)?;
        if let Place::Stream(_) = place {
            return Ok(false);
        }
        if let Some(input) = self.paths.iter().find(|input| replaces(output, input)) {
            return Err(TableError::ReplacesInput {
                output: output.to_owned(),
                input: input.clone(),
            });
        }
        let found = survey(place.path()).map_err(|source| TableError::Unreadable {
            path: output.display().to_string(),
            source,
        })?;
        let is_done = match &place {
            Place::Folder(path) => self.is_done_folder(output, path, &found, force)?,
            Place::File(path) => self.is_done_file(output, path, force)?,
            Place::Free(_) | Place::Stream(_) => false,
        };
        remember(place.path(), found);
        Ok(is_done)
    }

    fn is_done_folder(
        &self,
        output: &Path,
        path: &Path,
        found: &Survey,
        force: bool,
    ) -> Result<bool> {
        let Some(record) = FolderRecord::of(path) else {
            return match found.keys().next() {
                None => Ok(false),
                Some(file) => Err(TableError::ForeignFile {
                    path: output.to_owned(),
                    file: file.display().to_string(),
                }),
            };
        };
        self.check_stage(output, &record.lineage)?;
        let differences = record.differences(path, found);
        if let Some(file) = differences.foreign {
            return Err(TableError::ForeignFile {
                path: output.to_owned(),
                file: file.display().to_string(),
            });
        }
        if let (Some(file), false) = (differences.changed, force) {
            return Err(TableError::ChangedFile {
                path: output.to_owned(),
                file: file.display().to_string(),
            });
        }
        let is_same = record.lineage == *self && self.is_known();
        if let (true, Some(file)) = (is_same, &differences.missing) {
            tracing::warn!(
                "{}: {} is gone or empty; making the folder again",
                output.display(),
                file.display()
            );
        }
        Ok(!force && is_same && differences.missing.is_none())
    }

    fn is_done_file(&self, output: &Path, path: &Path, force: bool) -> Result<bool> {
        // What holds nothing is nobody's work.
        if force || fs::metadata(path).is_ok_and(|file| file.len() == 0) {
            return Ok(false);
        }
        match Self::of_file(path) {
            None => Err(TableError::ForeignOutput {
                path: output.to_owned(),
            }),
            Some((lineage, is_whole)) => {
                self.check_stage(output, &lineage)?;
                Ok(is_whole && lineage == *self && self.is_known())
            }
        }
    }

    fn check_stage(&self, output: &Path, there: &Self) -> Result<()> {
        // What follows a comma tells a variant of the stage.
        let name = |stage: &str| stage.split(',').next().map(str::to_owned);
        match name(&there.stage) == name(&self.stage) {
            true => Ok(()),
            false => Err(TableError::ReplacesStage {
                output: output.to_owned(),
                stage: there.stage.clone(),
            }),
        }
    }
}

/// Returns whether an output is an input or has it below itself, or is a table that a later run
/// would take for a part of the input.
fn replaces(output: &Path, input: &str) -> bool {
    if input == "-" {
        return false;
    }
    let is_table = Format::of_name(output).is_some();
    let output = real(output);
    let own = real(Path::new(input));
    if own.starts_with(&output) || (is_table && own.is_dir() && output.starts_with(own)) {
        return true;
    }
    let files = list_files(input).unwrap_or_default();
    files.iter().any(|file| real(file).starts_with(&output))
}

/// Returns a path without links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.canonicalize()
        .unwrap_or_else(|_| match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => real(parent).join(name),
            _ => path,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::sync::Arc;

    use arrow::array::{RecordBatch, StringArray};

    use crate::{FolderOutput, ParquetOutput};

    fn lineage() -> Lineage {
        Lineage::new("test", &(), 1)
    }

    fn write_table(path: &Path) {
        let ids = Arc::new(StringArray::from(vec!["a", "b"])) as _;
        let batch = RecordBatch::try_from_iter([("id", ids)]).unwrap();
        let mut output = ParquetOutput::create(path, batch.schema(), &lineage()).unwrap();
        output.write(&batch).unwrap();
        output
            .finish_with(&serde_json::json!({ "rows": 2 }))
            .unwrap();
    }

    #[test]
    fn a_table_is_up_to_date_only_while_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("t.parquet");
        write_table(&file);
        let is_done = || lineage().is_done(&file, false);
        assert!(is_done().unwrap());
        assert!(!Lineage::new("test", &(), 2).is_done(&file, false).unwrap());
        let other_build = Lineage {
            build: "another".to_owned(),
            ..lineage()
        };
        assert!(!other_build.is_done(&file, false).unwrap());
        assert_eq!(Lineage::figures(&file).unwrap()["rows"], 2);
        let error = Lineage::new("another", &(), 1).is_done(&file, false);
        assert!(matches!(error, Err(TableError::ReplacesStage { .. })));
        let whole = fs::read(&file).unwrap();
        fs::write(&file, &whole[..whole.len() - 1]).unwrap();
        assert!(matches!(is_done(), Err(TableError::ForeignOutput { .. })));
        assert!(!lineage().is_done(&file, true).unwrap());
        fs::write(&file, "").unwrap();
        assert!(!is_done().unwrap());
    }

    #[test]
    fn a_folder_is_up_to_date_only_while_every_file_is_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("data");
        let write = || {
            let output = FolderOutput::create(&folder).unwrap();
            fs::write(output.path().join("a.txt"), "first").unwrap();
            fs::write(output.path().join("b.txt"), "").unwrap();
            output.commit_with(&lineage(), &7).unwrap();
        };
        let is_done = || lineage().is_done(&folder, false);
        write();
        assert!(is_done().unwrap());
        assert_eq!(Lineage::figures(&folder).unwrap(), 7);
        let file = folder.join("a.txt");
        fs::write(&file, "").unwrap();
        assert!(!is_done().unwrap());
        write();
        fs::remove_file(&file).unwrap();
        assert!(!is_done().unwrap());
        write();
        fs::write(&file, "mine!").unwrap();
        let error = is_done().unwrap_err().to_string();
        assert!(error.contains("a.txt"), "{error}");
        assert!(!lineage().is_done(&folder, true).unwrap());
    }
}
