use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use crate::Result;
use crate::files::{beside, damaged, malformed, read_json, unreadable, unsupported};

const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const PICKLE: &str = "pytorch_model.bin";
const ADAPTER: &str = "adapter_config.json";

/// Returns the safetensors files of a folder: `model.safetensors`, or the shards that
/// `model.safetensors.index.json` lists.
///
/// # Errors
/// If the folder has weights in another format only, adapters that belong to another model, or an
/// index that names files elsewhere.
pub fn weight_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let adapter = folder.join(ADAPTER);
    if adapter.is_file() {
        return Err(unsupported(
            &adapter,
            "an adapter to another model (PEFT)",
            "weights with the adapter merged into them, as `merge_and_unload()` in Python makes them",
        ));
    }
    let (whole, index) = (folder.join(WEIGHTS), folder.join(INDEX));
    if !whole.is_file() && index.is_file() {
        let value: Value = read_json(&index)?;
        let map = value["weight_map"]
            .as_object()
            .ok_or_else(|| malformed(&index, "has no `weight_map` from tensors to files"))?;
        let shards: BTreeSet<&str> = map.values().filter_map(Value::as_str).collect();
        let shards = shards.into_iter();
        return shards.map(|name| beside(&index, folder, name)).collect();
    }
    let pickle = folder.join(PICKLE);
    if !whole.is_file() && pickle.is_file() {
        return Err(unsupported(
            &pickle,
            "a PyTorch pickle of weights",
            "model.safetensors, which SentenceTransformer(FOLDER).save_pretrained(NEW_FOLDER) writes in Python",
        ));
    }
    Ok(vec![whole])
}

/// The tensors of a small module in single precision, by name.
#[derive(Debug, Default)]
pub struct Values {
    path: PathBuf,
    tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

impl Values {
    /// Reads the weights of a module's folder; those in half or double precision become single.
    ///
    /// # Errors
    /// If they are missing, damaged, or of a type that is no floating-point number of 16 bits or
    /// more.
    pub fn load(folder: &Path) -> Result<Self> {
        let mut values = Self::default();
        for path in weight_files(folder)? {
            let bytes = fs::read(&path).map_err(|source| unreadable(&path, source))?;
            let file = SafeTensors::deserialize(&bytes)
                .map_err(|error| damaged(&path, "safetensors", &error))?;
            for (name, view) in file.iter() {
                let numbers = numbers(&view).ok_or_else(|| {
                    let dtype = view.dtype();
                    malformed(
                        &path,
                        format!(
                            "tensor `{name}` has type {dtype:?}; expected F32, F16, BF16 or F64"
                        ),
                    )
                })?;
                values
                    .tensors
                    .insert(name.to_owned(), (view.shape().to_vec(), numbers));
            }
            values.path = path;
        }
        Ok(values)
    }

    /// Returns the numbers of a tensor of this shape, row-major.
    ///
    /// # Errors
    /// If it is absent or has another shape.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<&[f32]> {
        match self.tensors.get(name) {
            None => Err(malformed(&self.path, format!("has no tensor `{name}`"))),
            Some((found, _)) if found != shape => Err(malformed(
                &self.path,
                format!("tensor `{name}` has shape {found:?}, config.json asks for {shape:?}"),
            )),
            Some((_, numbers)) => Ok(numbers),
        }
    }
}

fn numbers(view: &TensorView) -> Option<Vec<f32>> {
    fn all<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        bytes.as_chunks().0.iter().copied().map(number).collect()
    }
    let bytes = view.data();
    Some(match view.dtype() {
        Dtype::F32 => all(bytes, f32::from_le_bytes),
        Dtype::F16 => all(bytes, |bytes| f16::from_le_bytes(bytes).to_f32()),
        Dtype::BF16 => all(bytes, |bytes| bf16::from_le_bytes(bytes).to_f32()),
        Dtype::F64 => all(bytes, |bytes| f64::from_le_bytes(bytes) as f32),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(dtype: Dtype, bytes: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let view = TensorView::new(dtype, vec![2], bytes).unwrap();
        safetensors::serialize_to_file([("a", view)], None, &folder.path().join(WEIGHTS)).unwrap();
        folder
    }

    #[test]
    fn every_precision_becomes_single() {
        let half = [1.5, -2.0]
            .map(f16::from_f32)
            .map(f16::to_le_bytes)
            .concat();
        let bfloat = [1.5, -2.0]
            .map(bf16::from_f32)
            .map(bf16::to_le_bytes)
            .concat();
        let double = [1.5, -2.0].map(f64::to_le_bytes).concat();
        for (dtype, bytes) in [
            (Dtype::F16, half),
            (Dtype::BF16, bfloat),
            (Dtype::F64, double),
        ] {
            let folder = folder(dtype, &bytes);
            let values = Values::load(folder.path()).unwrap();
            assert_eq!(values.get("a", &[2]).unwrap(), [1.5, -2.0], "{dtype:?}");
            let error = values.get("a", &[3]).unwrap_err().to_string();
            assert!(
                error.contains("`a` has shape [2], config.json asks for [3]"),
                "{error}"
            );
        }
        let error = Values::load(folder(Dtype::I8, &[1, 2]).path()).unwrap_err();
        assert!(error.to_string().contains("`a` has type I8"), "{error}");
    }

    #[test]
    fn shards_stay_in_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let index = |file: &str| {
            let text = format!(r#"{{"weight_map": {{"a": "x.safetensors", "b": "{file}"}}}}"#);
            fs::write(folder.path().join(INDEX), text).unwrap();
            weight_files(folder.path())
        };
        assert_eq!(index("y.safetensors").unwrap().len(), 2);
        let error = index("../y.safetensors").unwrap_err().to_string();
        assert!(
            error.contains("`../y.safetensors` is not inside the model folder"),
            "{error}"
        );
    }

    #[test]
    fn an_adapter_is_no_model() {
        let folder = folder(Dtype::F32, &[0; 8]);
        fs::write(folder.path().join(ADAPTER), "{}").unwrap();
        let error = weight_files(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("an adapter to another model (PEFT) is not"),
            "{error}"
        );
    }
}
