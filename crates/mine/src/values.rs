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

pub(crate) fn number(value: &str) -> Result<f32, String> {
    match value.parse::<f32>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err("expected a number".to_owned()),
    }
}

pub(crate) fn positive(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(value) if value > 0 => Ok(value),
        _ => Err("expected a whole number above 0".to_owned()),
    }
}

pub(crate) fn not_negative(value: &str) -> Result<f32, String> {
    match value.parse::<f32>() {
        Ok(value) if value >= 0.0 && value.is_finite() => Ok(value),
        _ => Err("expected a number of 0 or more".to_owned()),
    }
}

pub(crate) fn similarity(value: &str) -> Result<f32, String> {
    match value.parse::<f32>() {
        Ok(value) if value > 0.0 && value <= 1.0 => Ok(value),
        _ => Err("expected a number above 0 and up to 1".to_owned()),
    }
}

pub(crate) fn share(value: &str) -> Result<f32, String> {
    match value.parse::<f32>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}

pub(crate) fn onnx_model(given: &str) -> Result<ModelSource, Infallible> {
    Ok(ModelSource::of_onnx(given))
}
