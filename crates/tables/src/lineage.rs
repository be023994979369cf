use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

use crate::atomic_file::hidden;
use crate::place::{Place, remember, survey};
use crate::record::{FOLDER_FILE, FileRecord, FolderRecord};
use crate::source::list_files;
use crate::{Format, ReadOptions, Result, TableError, pipe};

/// Key of the lineage in a Parquet footer.
pub(crate) const FOOTER_KEY: &str = "pairmill.lineage";
/// Key of the figures that the stage reported.
pub(crate) const FIGURES_KEY: &str = "pairmill.figures";

/// How an output came to be: the stage, the build of the program, its options, its seed and a
/// content hash of each input. Two outputs of equal lineage are equal, so a stage whose output
/// already carries the lineage it would write has nothing to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Lineage {
    /// The stage, such as `mine`.
    pub stage: String,
    /// Version of the program.
    pub version: String,
    /// Hash of the program, which tells two builds of one version.
    #[serde(default)]
    pub build: String,
    /// Every option that shapes the output; not the thread count, paths or verbosity.
    pub options: serde_json::Value,
    /// Seed of every random choice.
    pub seed: u64,
    /// Role of the input → blake3 hash of its content, in hexadecimal.
    pub inputs: BTreeMap<String, String>,
    /// The inputs as the user named them, which no output may replace.
    #[serde(skip)]
    paths: Vec<String>,
}

/// Wherever the inputs lie.
impl PartialEq for Lineage {
    fn eq(&self, other: &Self) -> bool {
        self.stage == other.stage
            && self.version == other.version
            && self.build == other.build
            && self.options == other.options
            && self.seed == other.seed
            && self.inputs == other.inputs
    }
}

/// Returns the build as a lineage names it: 16 hexadecimal digits of the program's hash.
pub fn program_build() -> &'static str {
    static BUILD: OnceLock<String> = OnceLock::new();
    BUILD.get_or_init(|| {
        let program = std::env::current_exe().and_then(|path| hash_file(&path));
        // Where the program cannot be read, its version has to do.
        program.map_or_else(
            |_| "unknown".to_owned(),
            |hash| hash.to_hex()[..16].to_owned(),
        )
    })
}

impl Lineage {
    /// Starts a lineage. `options` is any serialisable value.
    ///
    /// # Panics
    /// If `options` cannot be serialised as JSON, a mistake in the program.
    pub fn new(stage: &str, options: &impl Serialize, seed: u64) -> Self {
        let mut options = serde_json::to_value(options).expect("options are plain data");
        let reading = ReadOptions::get();
        if let (Some(options), true) = (options.as_object_mut(), *reading != ReadOptions::default())
        {
            let reading = serde_json::to_value(reading).expect("options are plain data");
            options.insert("reading".to_owned(), reading);
        }
        Self {
            stage: stage.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            build: program_build().to_owned(),
            options,
            seed,
            inputs: BTreeMap::new(),
            paths: Vec::new(),
        }
    }

    /// Adds the content hash of an input: a file, folder or glob.
    ///
    /// # Errors
    /// If the input does not exist or cannot be read.
    pub fn with_input(mut self, role: &str, input: &str) -> Result<Self> {
        self.inputs.insert(role.to_owned(), hash_input(input)?);
        self.paths.push(input.to_owned());
        Ok(self)
    }

    /// Takes the inputs of another output of the same stage.
    pub fn with_inputs_of(self, other: &Self) -> Self {
        Self {
            inputs: other.inputs.clone(),
            paths: other.paths.clone(),
            ..self
        }
    }

    /// For something that is the same whatever program wrote it, as its options hold the version of
    /// its layout: an index that is kept.
    pub fn of_any_build(self) -> Self {
        Self {
            build: String::new(),
            ..self
        }
    }

    /// Whether there is nothing to do: `output`, a file or an output folder, carries exactly this
    /// lineage and is whole, and the work is not to be done again (`force`). It is never done for a
    /// stream, which is not opened.
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
        found: &crate::place::Survey,
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

    /// Whether all inputs could be hashed: one from standard input cannot before it is read.
    fn is_known(&self) -> bool {
        !self.inputs.values().any(|hash| hash == STDIN)
    }

    /// Whether the file or the output folder at `path` carries exactly this lineage and is whole.
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

    /// The figures that the stage which wrote `output` reported, if it did.
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

    /// The lineage of a file that a stage wrote, and whether that is as it was written.
    fn of_file(path: &Path) -> Option<(Self, bool)> {
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

    /// The lineage in a Parquet footer, if the file has one.
    pub fn of_parquet(path: &Path) -> Option<Self> {
        let (metadata, _) = parquet_metadata(path)?;
        serde_json::from_str(&entry(&metadata, FOOTER_KEY)?).ok()
    }

    /// The lineage of an output folder, if it has one.
    pub fn of_folder(path: &Path) -> Option<Self> {
        Some(FolderRecord::of(path)?.lineage)
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a lineage is plain data")
    }
}

/// Where the record of a file lies that has no place for it.
pub(crate) fn record_path(file: &Path) -> Result<PathBuf> {
    hidden(file, FileRecord::SUFFIX, file)
}

/// The footer of a Parquet file, and whether the file is as long as it says. A pipe is not opened.
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

/// Whether an output is an input or has it below itself, or is a table that a later run would take
/// for a part of the input.
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

/// A path without links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.canonicalize()
        .unwrap_or_else(|_| match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => real(parent).join(name),
            _ => path,
        })
}

const STDIN: &str = "stdin";

/// The blake3 hash of what an input holds: a file's bytes, or the names and bytes of all files in
/// a folder (searched to any depth, hidden files left out) or glob.
///
/// # Errors
/// If the input does not exist or cannot be read.
pub fn hash_input(input: &str) -> Result<String> {
    if input == "-" {
        return Ok(STDIN.to_owned());
    }
    let path = Path::new(input);
    let unreadable = |source| TableError::Unreadable {
        path: input.to_owned(),
        source,
    };
    if path.is_file() {
        return Ok(hash_file(path).map_err(unreadable)?.to_hex().to_string());
    }
    let files = if path.is_dir() {
        files_below(path).map_err(unreadable)?
    } else {
        list_files(input)?
    };
    let mut hasher = blake3::Hasher::new();
    for file in files {
        let name = file.strip_prefix(path).unwrap_or(&file);
        hasher.update(name.to_string_lossy().as_bytes());
        hasher.update(&[0]);
        hasher.update(hash_file(&file).map_err(unreadable)?.as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn hash_file(path: &Path) -> std::io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(pipe::readable(path)?)?)?;
    Ok(hasher.finalize())
}

/// All files below a folder in a fixed order; hidden ones and the lineage record are left out, so
/// that equal content has an equal hash however it was made. Links are followed, but not in
/// circles.
pub(crate) fn files_below(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let is_content = |name: &std::ffi::OsStr| {
        let name = name.to_string_lossy();
        !name.starts_with('.') && name != FOLDER_FILE
    };
    let mut files = Vec::new();
    let walk = WalkDir::new(folder).follow_links(true).into_iter();
    let walk = walk.filter_entry(|entry| entry.depth() == 0 || is_content(entry.file_name()));
    for entry in walk {
        match entry {
            Ok(entry) if entry.file_type().is_file() => files.push(entry.into_path()),
            // A pipe cannot be read twice, and no table or model lies in one.
            Ok(_) => {}
            // A link to a folder that it lies in adds nothing.
            Err(error) if error.loop_ancestor().is_some() => {}
            // Nor does one that leads nowhere.
            Err(error) if error.path().is_some_and(Path::is_symlink) => {}
            Err(error) => return Err(error.into()),
        }
    }
    files.sort();
    Ok(files)
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
    fn links_in_circles_and_to_nowhere_end_a_walk() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        fs::write(dir.path().join("sub/a.csv"), "x").unwrap();
        let before = hash_input(dir.path().to_str().unwrap()).unwrap();
        for (to, link) in [("..", "sub/up"), (".", "here"), ("gone", "nowhere")] {
            std::os::unix::fs::symlink(to, dir.path().join(link)).unwrap();
        }
        assert_eq!(hash_input(dir.path().to_str().unwrap()).unwrap(), before);
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
