use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value;

use crate::files::{read_json, unreadable, unwritable, write};
use crate::{Modules, Result, modules, prompts, sentence_config};

/// What stands beside the weights of a transformer and belongs to every copy of the model.
/// Weights in other formats are not copied: they would be those of the model before training.
const OF_TRANSFORMER: [&str; 12] = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "bpe.codes",
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.model",
];

/// Endings of files that hold weights, of the model before training.
const WEIGHTS: [&str; 9] = [
    ".bin",
    ".h5",
    ".msgpack",
    ".onnx",
    ".onnx_data",
    ".pt",
    ".safetensors",
    ".safetensors.index.json",
    ".bin.index.json",
];

/// Copies all that a sentence encoder's folder names, but its weights.
pub(crate) fn of_encoder(from: &Path, to: &Path, modules: &Modules) -> Result<()> {
    for name in [modules::FILE, prompts::FILE] {
        copy_if_there(&from.join(name), &to.join(name))?;
    }
    for module in &modules.folders {
        if *module != modules.transformer && !module.is_empty() {
            copy_folder(&from.join(module), &to.join(module))?;
        }
    }
    let (from, to) = (
        from.join(&modules.transformer),
        to.join(&modules.transformer),
    );
    create(&to)?;
    for name in OF_TRANSFORMER.into_iter().chain(sentence_config::FILES) {
        copy_if_there(&from.join(name), &to.join(name))?;
    }
    Ok(())
}

/// Reads the same for a checkpoint that has nothing of sentence-transformers, and the modules that
/// the library gives it.
pub(crate) fn of_plain(from: &Path, to: &Path, config: &Value) -> Result<()> {
    for name in OF_TRANSFORMER.into_iter().chain([prompts::FILE]) {
        copy_if_there(&from.join(name), &to.join(name))?;
    }
    let module = |number: u32, path: &str, class: &str| {
        let kind = format!("sentence_transformers.models.{class}");
        serde_json::json!({"idx": number, "name": number.to_string(), "path": path, "type": kind})
    };
    let modules = [
        module(0, "", "Transformer"),
        module(1, "1_Pooling", "Pooling"),
    ];
    write(
        &to.join(modules::FILE),
        format!("{:#}", Value::from(modules.to_vec())),
    )?;
    let width = config.get("hidden_size").or(config.get("dim"));
    let pooling = serde_json::json!({
        "word_embedding_dimension": width,
        "pooling_mode_mean_tokens": true,
    });
    create(&to.join("1_Pooling"))?;
    write(&to.join("1_Pooling/config.json"), format!("{pooling:#}"))
}

/// Reads the same for a cross-encoder, whose transformer's folder is `from`.
pub(crate) fn of_cross_encoder(from: &Path, to: &Path) -> Result<()> {
    for name in OF_TRANSFORMER {
        copy_if_there(&from.join(name), &to.join(name))?;
    }
    Ok(())
}

/// Writes the longest pair as the tokenizer's, where a cross-encoder has it.
pub(crate) fn save_tokenizer_length(folder: &Path, max_length: usize) -> Result<()> {
    let path = folder.join("tokenizer_config.json");
    let mut value: Value = match path.is_file() {
        true => read_json(&path)?,
        false => serde_json::json!({}),
    };
    value["model_max_length"] = max_length.into();
    write(&path, format!("{value:#}"))
}

/// Copies the files of a module; one without a folder gets an empty one.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    create(to)?;
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|source| unreadable(from, source))?,
    };
    for entry in entries {
        let entry = entry.map_err(|source| unreadable(from, source))?;
        let name = entry.file_name();
        let is_weights = WEIGHTS
            .iter()
            .any(|ending| name.to_string_lossy().ends_with(ending));
        if entry.path().is_file() && !is_weights {
            copy_if_there(&entry.path(), &to.join(name))?;
        }
    }
    Ok(())
}

fn create(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|source| unwritable(folder, source))
}

fn copy_if_there(from: &Path, to: &Path) -> Result<()> {
    match fs::read(from) {
        Ok(content) => write(to, content),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(unreadable(from, source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_modules_are_called_they_are_copied() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        let file = |name: &str, text: &str| {
            fs::create_dir_all(from.join(name).parent().unwrap()).unwrap();
            fs::write(from.join(name), text).unwrap();
        };
        let modules = ["net", "parts/pooling", "unit"];
        let classes = ["Transformer", "Pooling", "Normalize"];
        let entries = modules.iter().zip(classes).map(|(path, class)| {
            format!(r#"{{"path": "{path}", "type": "sentence_transformers.models.{class}"}}"#)
        });
        let list = entries.collect::<Vec<_>>().join(", ");
        file("modules.json", &format!("[{list}]"));
        file("net/config.json", "{}");
        file("net/vocab.txt", "a");
        file("net/model.safetensors", "");
        file("parts/pooling/config.json", "{}");
        file("notes.txt", "");
        fs::create_dir(&to).unwrap();
        of_encoder(&from, &to, &Modules::load(&from).unwrap()).unwrap();
        for name in [
            "modules.json",
            "net/config.json",
            "net/vocab.txt",
            "parts/pooling/config.json",
        ] {
            assert!(to.join(name).is_file(), "{name}");
        }
        assert!(to.join("unit").is_dir());
        assert!(!to.join("net/model.safetensors").exists());
        assert!(!to.join("notes.txt").exists());
    }
}
