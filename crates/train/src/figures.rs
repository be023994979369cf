//! The figures that are kept with an output.

use std::path::Path;

use pairmill_tables::Lineage;
use serde::Serialize;

use crate::error::Result;

/// Returns the figures to keep with an output: those of its content, not of the run or of where it
/// lies.
pub(crate) fn figures(output: &Path, report: &impl Serialize) -> Result<serde_json::Value> {
    let mut figures = serde_json::to_value(report)?;
    each_object(&mut figures, &mut |object| {
        object.remove("seconds");
        object.remove("resumed_from");
        if let Some(serde_json::Value::String(file)) = object.get_mut("onnx")
            && let Ok(below) = Path::new(file).strip_prefix(output)
        {
            *file = below.display().to_string();
        }
    });
    Ok(figures)
}

/// Returns the figures that were kept with an output.
pub(crate) fn kept_figures(output: &Path) -> Option<serde_json::Value> {
    let mut figures = Lineage::figures(output)?;
    each_object(&mut figures, &mut |object| {
        if let Some(serde_json::Value::String(file)) = object.get_mut("onnx") {
            *file = output.join(&*file).display().to_string();
        }
    });
    Some(figures)
}

fn each_object(
    value: &mut serde_json::Value,
    change: &mut impl FnMut(&mut serde_json::Map<String, serde_json::Value>),
) {
    match value {
        serde_json::Value::Object(object) => {
            change(object);
            object
                .values_mut()
                .for_each(|value| each_object(value, change));
        }
        serde_json::Value::Array(values) => {
            values
                .iter_mut()
                .for_each(|value| each_object(value, change));
        }
        _ => {}
    }
}
