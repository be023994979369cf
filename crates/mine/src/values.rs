//! Values of options, as the command line gives them.

use std::convert::Infallible;

use pairmill_hub::ModelSource;

pub(crate) fn table_file(path: &str) -> Result<String, String> {
    match path {
        "-" => Err(
            "standard input cannot be used where several tables are read; give a file".to_owned(),
        ),
        path => Ok(path.to_owned()),
    }
}

pub(crate) fn onnx_model(given: &str) -> Result<ModelSource, Infallible> {
    Ok(ModelSource::of_onnx(given))
}
