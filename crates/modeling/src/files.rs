use serde_json::Value;

/// Sets the precision that a `config.json` names to single, in which we write weights: loaders go
/// by it. Returns whether it named another.
pub(crate) fn declare_single_precision(config: &mut Value) -> bool {
    let mut changed = false;
    for key in ["dtype", "torch_dtype"] {
        if let Some(dtype) = config.get_mut(key)
            && dtype.is_string()
            && dtype != "float32"
        {
            *dtype = "float32".into();
            changed = true;
        }
    }
    changed
}
