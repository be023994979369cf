use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use pairmill_tables::{TableError, is_table_name};
use rayon::prelude::*;
use serde::Serialize;
use walkdir::{DirEntry, WalkDir};

use crate::skipped::{Skipped, Why};
use crate::{GenerateError, Result};

/// A format that documents are read from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum DocumentFormat {
    /// Markdown
    Markdown,
    /// HTML
    Html,
    /// reStructuredText
    Rst,
    /// Paragraphs parted by empty lines
    #[default]
    Plain,
}

impl DocumentFormat {
    fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "md" | "markdown" | "mdx" | "mkd" => Some(Self::Markdown),
            "html" | "htm" | "xhtml" => Some(Self::Html),
            "rst" | "rest" => Some(Self::Rst),
            "txt" | "text" => Some(Self::Plain),
            _ => None,
        }
    }
}

/// A file to read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DocumentFile {
    /// Its path below the folder that all inputs have in common, with slashes.
    pub source: String,
    pub path: PathBuf,
    pub format: DocumentFormat,
}

/// What the inputs stand for.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// In order of `source`.
    pub documents: Vec<DocumentFile>,
    /// What could not be looked into.
    pub skipped: Vec<Skipped>,
    /// Number of files that are no documents.
    pub others: u64,
}

impl Files {
    /// Lists the documents among files and folders, which are searched to any depth; hidden files
    /// and folders are left out.
    pub fn find(inputs: &[String]) -> Result<Self> {
        let roots: Vec<PathBuf> = inputs
            .iter()
            .map(|input| root(input))
            .collect::<Result<_>>()?;
        let common = common_folder(&roots);
        let mut files = Self::default();
        // Each once, even where inputs overlap.
        let mut found = BTreeMap::new();
        for root in &roots {
            let walk = WalkDir::new(root).follow_links(true).into_iter();
            for entry in walk.filter_entry(is_visible) {
                match entry {
                    Ok(entry) if entry.file_type().is_file() => {
                        let format = DocumentFormat::of(entry.path());
                        found.insert(entry.into_path(), format);
                    }
                    Ok(_) => {}
                    Err(error) => files.skipped.push(unreadable(&error, &common)),
                }
            }
        }
        for (path, format) in found {
            match (format, source(&path, &common)) {
                (None, _) => files.others += 1,
                (Some(format), Some(source)) => files.documents.push(DocumentFile {
                    source,
                    path,
                    format,
                }),
                (Some(_), None) => {
                    let why = Why::Unreadable("its name is not UTF-8".to_owned());
                    files.skipped.push(Skipped::new(shown(&path, &common), why));
                }
            }
        }
        files
            .documents
            .sort_unstable_by(|a, b| a.source.cmp(&b.source));
        files.skipped.sort_unstable();
        files.skipped.dedup();
        Ok(files)
    }

    /// Returns the blake3 hash of the names and contents of all documents, in hexadecimal. A file
    /// that cannot be read counts with its name.
    pub fn hash(&self) -> String {
        let contents: Vec<Option<blake3::Hash>> = self
            .documents
            .par_iter()
            .map(|file| {
                let mut hasher = blake3::Hasher::new();
                hasher.update_reader(File::open(&file.path).ok()?).ok()?;
                Some(hasher.finalize())
            })
            .collect();
        let mut hasher = blake3::Hasher::new();
        for (file, content) in self.documents.iter().zip(&contents) {
            hasher.update(file.source.as_bytes());
            hasher.update(&[0]);
            hasher.update(
                content
                    .as_ref()
                    .map_or(&[], |content| content.as_bytes().as_slice()),
            );
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// Returns whether an input is a table of documents rather than files of them: a stream, or a file,
/// glob or folder of a table's format.
pub(crate) fn is_table(input: &str) -> bool {
    let path = Path::new(input);
    if !path.is_dir() {
        return input == "-" || DocumentFormat::of(path).is_none() && is_table_name(path);
    }
    let mut files = WalkDir::new(path).into_iter().filter_entry(is_visible);
    let mut has_table = false;
    let has_document = files.any(|entry| {
        let path = entry.map(DirEntry::into_path).unwrap_or_default();
        has_table |= is_table_name(&path);
        DocumentFormat::of(&path).is_some()
    });
    has_table && !has_document
}

fn is_visible(entry: &DirEntry) -> bool {
    entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.')
}

fn unreadable(error: &walkdir::Error, folder: &Path) -> Skipped {
    let cause = error.io_error().map(ToString::to_string);
    let why = Why::Unreadable(cause.unwrap_or_else(|| error.to_string()));
    Skipped::new(shown(error.path().unwrap_or(folder), folder), why)
}

/// Returns the real path of an input, so that inputs that meet are seen to.
fn root(input: &str) -> Result<PathBuf> {
    let path = Path::new(input);
    if !path.exists() {
        return Err(TableError::NotFound {
            path: input.to_owned(),
        }
        .into());
    }
    if path.is_file() && DocumentFormat::of(path).is_none() {
        return Err(GenerateError::UnknownDocument {
            path: input.to_owned(),
        });
    }
    // A link to a file keeps its own name, which tells the format.
    let real = match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if path.is_file() => {
            let parent = if parent.as_os_str().is_empty() {
                Path::new(".")
            } else {
                parent
            };
            parent.canonicalize().map(|parent| parent.join(name))
        }
        _ => path.canonicalize(),
    };
    real.map_err(|source| {
        TableError::Unreadable {
            path: input.to_owned(),
            source,
        }
        .into()
    })
}

/// Returns the deepest folder that all roots are or lie in.
fn common_folder(roots: &[PathBuf]) -> PathBuf {
    let mut folders = roots.iter().map(|root| match root.parent() {
        Some(parent) if root.is_file() => parent,
        _ => root.as_path(),
    });
    let mut common = folders.next().unwrap_or(Path::new("")).to_owned();
    for folder in folders {
        while !folder.starts_with(&common) && common.pop() {}
    }
    common
}

/// Returns the path below `folder` with slashes, if it is UTF-8.
fn source(path: &Path, folder: &Path) -> Option<String> {
    let below = path.strip_prefix(folder).unwrap_or(path);
    let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
    Some(parts?.join("/"))
}

/// Returns the path for people, whatever its letters are.
fn shown(path: &Path, folder: &Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path);
    below.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn sources(inputs: &[&Path]) -> Vec<String> {
        let inputs: Vec<_> = inputs
            .iter()
            .map(|path| path.to_str().unwrap().to_owned())
            .collect();
        let files = Files::find(&inputs).unwrap();
        files
            .documents
            .into_iter()
            .map(|file| file.source)
            .collect()
    }

    #[test]
    fn documents_are_named_by_their_path_below_what_the_inputs_share() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for name in [
            "a/x.md",
            "a/deep/y.HTML",
            "b/x.txt",
            "b/data.csv",
            "b/.hidden.md",
            ".git/z.md",
        ] {
            fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            fs::write(path(name), name).unwrap();
        }
        let all = ["a/deep/y.HTML", "a/x.md", "b/x.txt"];
        assert_eq!(sources(&[dir.path()]), all);
        assert_eq!(sources(&[&path("b"), &path("a"), &path("a/deep")]), all);
        assert_eq!(sources(&[&path("a/x.md")]), ["x.md"]);
        assert_eq!(sources(&[&path("b/.hidden.md")]), [".hidden.md"]);
        let files = Files::find(&[dir.path().to_str().unwrap().to_owned()]).unwrap();
        assert_eq!(files.others, 1);
        let twice = ["", "b"].map(|name| path(name).to_str().unwrap().to_owned());
        assert_eq!(Files::find(&twice).unwrap().others, 1);
        let before = files.hash();
        fs::write(path("a/x.md"), "changed").unwrap();
        assert_ne!(files.hash(), before);
    }

    #[test]
    fn a_file_of_another_kind_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("data.csv");
        fs::write(&file, "x").unwrap();
        let error = Files::find(&[file.to_str().unwrap().to_owned()]).unwrap_err();
        assert!(
            matches!(error, GenerateError::UnknownDocument { .. }),
            "{error}"
        );
    }
}
