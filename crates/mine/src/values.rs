//! Values of options, as the command line gives them.

use std::convert::Infallible;

use pairmill_hub::ModelSource;

/// What `-` stands for: tables are read more than once, which is possible of what has a path.
const STDIN: &str = "/dev/stdin";

pub(crate) fn table_file(path: &str) -> Result<String, Infallible> {
    let path = if path == "-" { STDIN } else { path };
    Ok(path.to_owned())
}

/// Refuses standard input for more than one table: each would be the same.
pub(crate) fn one_of_stdin<const N: usize>(inputs: [Option<&str>; N]) -> Result<(), String> {
    let of_stdin = inputs.iter().filter(|input| **input == Some(STDIN)).count();
    match of_stdin {
        0 | 1 => Ok(()),
        _ => Err("standard input holds one table; give a file for the others".to_owned()),
    }
}

pub(crate) fn onnx_model(given: &str) -> Result<ModelSource, Infallible> {
    Ok(ModelSource::of_onnx(given))
}
