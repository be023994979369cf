//! Which files of a folder are the table.

use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use tracing::info;
use walkdir::{DirEntry, WalkDir};

use crate::format::format_of;
use crate::{Result, TableError};

/// The files of an input, sorted.
pub(crate) struct Listed {
    pub files: Vec<PathBuf>,
    /// Whether the user named the files themselves, so that none may be passed over.
    pub chosen: bool,
    /// How many lie in sub-folders.
    pub below: u64,
    /// What else is there, and is passed over.
    pub others: Vec<String>,
}

impl Listed {
    /// Returns the files that the user named.
    pub fn chosen(files: Vec<PathBuf>) -> Self {
        Self {
            files,
            chosen: true,
            below: 0,
            others: Vec::new(),
        }
    }

    /// Says what of an input is read and what is not.
    pub fn say(&self, input: &str) {
        let Self {
            files,
            below,
            others,
            ..
        } = self;
        if *below > 0 {
            let files = files.len();
            info!("{input}: read with its sub-folders (files: {files}, {below} of them below)");
        }
        if let Some(first) = others.first() {
            let more = match others.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            info!("{input}: passed over `{first}`{more}, whose names are not those of tables");
        }
    }
}

/// Returns the tables in a folder and its sub-folders. Hidden files, those that begin with `_` as
/// Spark's markers do, and files of other kinds are passed over.
pub(crate) fn list(folder: &Path, input: &str) -> Result<Listed> {
    refuse_foreign_forms(folder, input)?;
    // What `datasets.save_to_disk` writes beside its tables.
    const METADATA: [&str; 2] = ["state.json", "dataset_info.json"];
    let is_data_set = METADATA.iter().all(|name| folder.join(name).is_file());
    let mut files = Vec::new();
    let mut others = Vec::new();
    let mut below = 0;
    let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name();
    for entry in walk
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_passed_over(entry))
    {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) if error.loop_ancestor().is_some() => {
                info!("{error}; it is not followed");
                continue;
            }
            Err(error) => {
                let path = error.path().unwrap_or(folder).display().to_string();
                return Err(TableError::Unreadable {
                    path,
                    source: error.into(),
                });
            }
        };
        let path = entry.path();
        if !path.is_file() {
            continue;
        }
        let name = entry.file_name().to_string_lossy();
        let is_metadata = is_data_set && METADATA.contains(&&*name);
        let is_marker = name.starts_with('_');
        if is_marker && format_of(path).is_none() {
            continue;
        }
        let is_table =
            format_of(path).is_some() && !is_plain_text(path) && !is_metadata && !is_marker;
        if is_table && path.file_name().is_some_and(|name| name != "lineage.json") {
            below += u64::from(entry.depth() > 1);
            files.push(path.to_owned());
        } else if !is_metadata && path.extension().is_none_or(|ending| ending != "crc") {
            others.push(
                path.strip_prefix(folder)
                    .unwrap_or(path)
                    .display()
                    .to_string(),
            );
        }
    }
    files.sort();
    Ok(Listed {
        files,
        chosen: false,
        below,
        others,
    })
}

/// Refuses folders whose files are only together with their index what they hold.
fn refuse_foreign_forms(folder: &Path, input: &str) -> Result<()> {
    let form = if folder.join("dataset_dict.json").is_file() {
        Some((
            "a saved DatasetDict",
            "name the folder of one of its splits",
        ))
    } else if folder.join("_delta_log").is_dir() {
        Some(("a Delta Lake table", "export it as plain Parquet"))
    } else if folder.join("metadata").is_dir()
        && folder.join("data").is_dir()
        && holds_iceberg_metadata(&folder.join("metadata"))
    {
        Some(("an Iceberg table", "export it as plain Parquet"))
    } else {
        None
    };
    match form {
        None => Ok(()),
        Some((form, remedy)) => Err(TableError::ForeignForm {
            path: input.to_owned(),
            form,
            remedy,
        }),
    }
}

fn holds_iceberg_metadata(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name());
    names.any(|name| name.to_string_lossy().ends_with(".metadata.json"))
}

/// Returns whether an entry is passed over: hidden ones, and folders that begin with `_`, in which
/// others keep what is under way.
fn is_passed_over(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    name.starts_with('.') || (name.starts_with('_') && entry.file_type().is_dir())
}

pub(crate) fn is_hidden(file: &Path) -> bool {
    file.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Returns whether a file is of plain text: a run is often called so, but so is anything else in a
/// folder.
fn is_plain_text(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "txt")
}

/// What a partitioned data set writes for a null.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// Returns the columns that stand in the path of a file below an input folder, as Hive and Spark
/// write them: `category=billing/part-0.parquet`.
pub(crate) fn partition(input: &Path, file: &Path) -> Vec<(String, Option<String>)> {
    let below = match input.is_dir() {
        true => file.strip_prefix(input).unwrap_or(file),
        // The folders of a glob are named by the user and may be partitions as well.
        false if input.exists() => return Vec::new(),
        false => file,
    };
    let folders = below.parent().into_iter().flat_map(Path::components);
    folders
        .filter_map(|folder| {
            let name = folder.as_os_str().to_string_lossy();
            let (column, value) = name.split_once('=')?;
            let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            let value = (value != NULL).then(|| decoded(value));
            Some((decoded(column), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs;

    fn names(folder: &Path) -> Vec<String> {
        let listed = list(folder, "input").unwrap();
        let files = listed.files.iter();
        let name = |file: &PathBuf| file.strip_prefix(folder).unwrap().display().to_string();
        files.map(name).collect()
    }

    fn write(folder: &Path, names: &[&str]) {
        for name in names {
            let file = folder.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
    }

    #[test]
    fn tables_are_found_at_any_depth_and_nothing_else_is() {
        let dir = tempfile::tempdir().unwrap();
        write(
            dir.path(),
            &[
                "b.parquet",
                "2024/a.parquet",
                "_SUCCESS",
                ".b.parquet.crc",
                "b.parquet.crc",
                "part-0.csv.bak",
                "README.txt",
                "_temporary/c.parquet",
                ".git/d.parquet",
            ],
        );
        std::os::unix::fs::symlink(dir.path(), dir.path().join("loop")).unwrap();
        assert_eq!(names(dir.path()), ["2024/a.parquet", "b.parquet"]);
    }

    #[test]
    fn what_a_data_set_says_of_itself_is_no_table() {
        let dir = tempfile::tempdir().unwrap();
        write(
            dir.path(),
            &[
                "data-00000-of-00001.arrow",
                "state.json",
                "dataset_info.json",
            ],
        );
        assert_eq!(names(dir.path()), ["data-00000-of-00001.arrow"]);
        write(dir.path(), &["dataset_dict.json"]);
        let error = list(dir.path(), "input").err().unwrap().to_string();
        assert!(error.contains("DatasetDict"), "{error}");
    }

    #[test]
    fn a_table_that_is_passed_over_is_named() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &["a.json", "state.json", "_b.json", "_SUCCESS"]);
        assert_eq!(names(dir.path()), ["a.json", "state.json"]);
        assert_eq!(list(dir.path(), "input").unwrap().others, ["_b.json"]);
    }

    #[test]
    fn a_partition_stands_in_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("year=2024/category=a%20b/part.parquet");
        let found = partition(dir.path(), &file);
        let pair = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        assert_eq!(found, [pair("year", "2024"), pair("category", "a b")]);
        let null = dir
            .path()
            .join("category=__HIVE_DEFAULT_PARTITION__/x.parquet");
        assert_eq!(partition(dir.path(), &null)[0].1, None);
    }
}
