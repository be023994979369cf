use std::fs::File;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::source::list_files;
use crate::{Result, TableError, pipe};

/// Stands for the hash of what comes from standard input.
pub(crate) const STDIN: &str = "stdin";

/// File that says in an output folder how it came to be.
pub(crate) const FOLDER_FILE: &str = "lineage.json";

/// Returns the blake3 hash of what an input holds: a file's bytes, or the names and bytes of all
/// files in a folder (searched to any depth, hidden files left out) or glob.
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

pub(crate) fn hash_file(path: &Path) -> std::io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(pipe::readable(path)?)?)?;
    Ok(hasher.finalize())
}

/// Lists all files below a folder in a fixed order; hidden ones and the lineage record are left
/// out, so that equal content has an equal hash however it was made. Links are followed, but not in
/// circles.
fn files_below(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
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
    use std::fs;

    use super::*;

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
}
