use std::fs;
use std::path::{Component, Path, PathBuf};

/// Where a model's ONNX file may be, the better place first, as pairmill-inference looks for it.
const ONNX_FILES: [&str; 2] = ["model.onnx", "onnx/model.onnx"];
/// The same for int8.
const INT8_FILES: [&str; 2] = ["model_quantized.onnx", "onnx/model_quantized.onnx"];

/// The form in which the weights of a model are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weights {
    Safetensors,
    /// An ONNX file, which may keep them in files of its own beside it.
    Onnx,
    /// The same, and one in int8.
    OnnxAndInt8,
}

impl Weights {
    /// Returns what to say where there are none.
    pub fn name(self) -> &'static str {
        match self {
            Self::Safetensors => "weights in safetensors, the only format that is read",
            Self::Onnx => {
                "model.onnx or onnx/model.onnx; make them with `pairmill-train export` and give \
                 the folder"
            }
            Self::OnnxAndInt8 => {
                "model.onnx and model_quantized.onnx, or both in onnx/; make them with \
                 `pairmill-train export --int8` and give the folder"
            }
        }
    }

    /// Returns the places of each ONNX file that is wanted.
    fn onnx_files(self) -> &'static [[&'static str; 2]] {
        match self {
            Self::Safetensors => &[],
            Self::Onnx => &[ONNX_FILES],
            Self::OnnxAndInt8 => &[ONNX_FILES, INT8_FILES],
        }
    }

    /// Returns the files that loading the model can need, in the order in which to fetch them; none
    /// if there are no weights; `modules` are the folders that its modules.json names. What tells a
    /// whole model comes last, so that a fetch that broke off is not taken for one.
    pub fn wanted<'a>(self, names: &[&'a str], modules: &[String]) -> Vec<&'a str> {
        let is_module_file = |name: &str, endings: &[&str]| is_module_file(name, endings, modules);
        let places = self.onnx_files().iter();
        let found = places.map(|places| places.iter().find(|file| names.contains(file)));
        let Some(onnx) = found.collect::<Option<Vec<_>>>() else {
            return Vec::new();
        };
        let is_weights = |name: &str| match self {
            Self::Safetensors => is_module_file(name, &["safetensors"]),
            _ => onnx.iter().any(|onnx| name.starts_with(**onnx)),
        };
        if !names.iter().any(|name| is_weights(name)) {
            return Vec::new();
        }
        // A dense layer behind the pooling is no part of an ONNX file.
        let is_module_weights =
            |name: &str| name.contains('/') && is_module_file(name, &["safetensors"]);
        let is_needed = |name: &&str| {
            is_weights(name)
                || is_module_weights(name)
                || is_module_file(name, &["json", "txt", "model"])
        };
        let mut wanted: Vec<&str> = names.iter().copied().filter(is_needed).collect();
        wanted.sort_by_key(|name| match *name {
            name if onnx.contains(&&name) => 2,
            "config.json" => 1,
            _ => 0,
        });
        wanted
    }

    /// Returns whether a folder seems to hold all that is needed.
    pub fn are_in(self, folder: &Path) -> bool {
        if self != Self::Safetensors {
            let has = |name: &str| folder.join(name).is_file();
            let mut files = self.onnx_files().iter();
            return has("config.json") && files.all(|places| places.iter().any(|name| has(name)));
        }
        let entries = |folder: &Path| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).collect::<Vec<PathBuf>>()
        };
        let own = entries(folder);
        let modules = own.iter().filter(|path| path.is_dir());
        let mut files: Vec<PathBuf> = modules.flat_map(|module| entries(module)).collect();
        files.extend(own);
        let is_weights = |file: &PathBuf| file.extension().is_some_and(|end| end == "safetensors");
        files.iter().any(|file| file.ends_with("config.json")) && files.iter().any(is_weights)
    }
}

/// Returns whether a file lies in the model folder or in that of a module (one of `modules`, or
/// `1_Pooling`, `0_Transformer`, …) and has one of these endings.
fn is_module_file(name: &str, endings: &[&str], modules: &[String]) -> bool {
    let path = Path::new(name);
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => parts.push(part.to_string_lossy()),
            _ => return false,
        }
    }
    let is_module = |folder: &str| {
        let index = folder.split_once('_').map(|(index, _)| index);
        index.is_some_and(|index| index.parse::<u32>().is_ok())
    };
    let is_named = || {
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut modules = modules.iter().map(|module| Path::new(module).components());
        modules.any(|module| {
            let parts = module.filter(|part| *part != Component::CurDir);
            parts.eq(folder.components())
        })
    };
    let is_place = match parts.as_slice() {
        [_] => true,
        [folder, _] if is_module(folder) => true,
        _ => is_named(),
    };
    let ending = path.extension().and_then(|ending| ending.to_str());
    is_place && ending.is_some_and(|ending| endings.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 17] = [
        "README.md",
        "config.json",
        "vocab.txt",
        "sentencepiece.bpe.model",
        "model-00001-of-00002.safetensors",
        "1_Pooling/config.json",
        "2_Dense/model.safetensors",
        "pytorch_model.bin",
        "onnx/model.onnx",
        "onnx/model.onnx_data",
        "onnx/model_O3.onnx",
        "onnx/config.json",
        "openvino/model.safetensors",
        "../config.json",
        "/etc/vocab.txt",
        "a/b/config.json",
        "tokenizer.json",
    ];

    #[test]
    fn only_what_loading_needs_is_fetched() {
        assert_eq!(
            Weights::Safetensors.wanted(&NAMES, &[]),
            [
                "vocab.txt",
                "sentencepiece.bpe.model",
                "model-00001-of-00002.safetensors",
                "1_Pooling/config.json",
                "2_Dense/model.safetensors",
                "tokenizer.json",
                "config.json",
            ]
        );
        assert_eq!(
            Weights::Onnx.wanted(&NAMES, &[]),
            [
                "vocab.txt",
                "sentencepiece.bpe.model",
                "1_Pooling/config.json",
                "2_Dense/model.safetensors",
                "onnx/model.onnx_data",
                "tokenizer.json",
                "config.json",
                "onnx/model.onnx",
            ]
        );
    }

    #[test]
    fn modules_in_folders_of_any_name_are_fetched() {
        let names = [
            "config.json",
            "model.safetensors",
            "parts/pooling/config.json",
            "parts/other/config.json",
        ];
        let modules = ["".to_owned(), "./parts/pooling".to_owned()];
        assert_eq!(
            Weights::Safetensors.wanted(&names, &modules),
            [
                "model.safetensors",
                "parts/pooling/config.json",
                "config.json"
            ]
        );
    }

    #[test]
    fn the_onnx_file_of_the_model_folder_wins() {
        let names = [
            "config.json",
            "model.onnx",
            "onnx/model.onnx",
            "onnx/model.onnx_data",
        ];
        assert_eq!(
            Weights::Onnx.wanted(&names, &[]),
            ["config.json", "model.onnx"]
        );
        assert!(Weights::Safetensors.wanted(&names, &[]).is_empty());
        assert!(Weights::Onnx.wanted(&["config.json"], &[]).is_empty());
    }

    #[test]
    fn int8_is_fetched_beside_float32_or_missed() {
        let names = [
            "config.json",
            "onnx/model.onnx",
            "onnx/model_quantized.onnx",
        ];
        assert_eq!(Weights::OnnxAndInt8.wanted(&names, &[]), names);
        assert_eq!(Weights::Onnx.wanted(&names, &[]), names[..2]);
        assert!(Weights::OnnxAndInt8.wanted(&names[..2], &[]).is_empty());
    }
}
