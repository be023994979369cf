use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use serde::{Deserialize, Serialize};

use crate::source::list_files;
use crate::{Format, ReadOptions, Result, TableError, pipe};

/// Key of the lineage in a Parquet footer.
pub(crate) const FOOTER_KEY: &str = "pairmill.lineage";
/// Name of the lineage file in an output folder.
pub(crate) const FOLDER_FILE: &str = "lineage.json";

/// How an output came to be: the stage, its version, its options, its seed and a content hash of
/// each input. Two outputs of equal lineage are equal, so a stage whose output already carries
/// the lineage it would write has nothing to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Lineage {
    /// The stage, such as `mine`.
    pub stage: String,
    /// Version of the program.
    pub version: String,
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
            && self.options == other.options
            && self.seed == other.seed
            && self.inputs == other.inputs
    }
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

    /// Whether there is nothing to do: `output`, a Parquet file or an output folder, carries exactly
    /// this lineage, and the work is not to be done again (`force`).
    ///
    /// # Errors
    /// If the output would replace an input or a part of it, or a folder that another stage has written.
    pub fn is_done(&self, output: &Path, force: bool) -> Result<bool> {
        if let Some(input) = self.paths.iter().find(|input| replaces(output, input)) {
            return Err(TableError::ReplacesInput {
                output: output.to_owned(),
                input: input.clone(),
            });
        }
        // What follows a comma tells a variant of the stage.
        let name = |stage: &str| stage.split(',').next().map(str::to_owned);
        match Self::of_folder(output) {
            Some(there) if name(&there.stage) != name(&self.stage) => {
                Err(TableError::ReplacesStage {
                    output: output.to_owned(),
                    stage: there.stage,
                })
            }
            _ => Ok(!force && self.is_carried_by(output)),
        }
    }

    /// Whether the Parquet file or the output folder at `path` carries exactly this lineage.
    pub fn is_carried_by(&self, path: &Path) -> bool {
        let found = if path.is_dir() {
            Self::of_folder(path)
        } else {
            Self::of_parquet(path)
        };
        // An input from standard input cannot be hashed before it is read.
        found.as_ref() == Some(self) && !self.inputs.values().any(|hash| hash == STDIN)
    }

    /// The lineage in a Parquet footer, if the file has one.
    pub fn of_parquet(path: &Path) -> Option<Self> {
        let reader = SerializedFileReader::new(File::open(path).ok()?).ok()?;
        let metadata = reader.metadata().file_metadata().key_value_metadata()?;
        let entry = metadata.iter().find(|entry| entry.key == FOOTER_KEY)?;
        serde_json::from_str(entry.value.as_deref()?).ok()
    }

    /// The lineage of an output folder, if it has one.
    pub fn of_folder(path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path.join(FOLDER_FILE)).ok()?;
        let record: FolderRecord = serde_json::from_str(&text).ok()?;
        Some(record.lineage)
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a lineage is plain data")
    }
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

/// What `lineage.json` holds: the lineage and the files that belong to the folder.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FolderRecord {
    #[serde(flatten)]
    pub lineage: Lineage,
    pub files: Vec<String>,
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
/// that equal content has an equal hash however it was made.
pub(crate) fn files_below(folder: &Path) -> std::io::Result<Vec<std::path::PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') || name == FOLDER_FILE {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
