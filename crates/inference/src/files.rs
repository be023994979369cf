use std::path::{Path, PathBuf};

use pairmill_checkpoint::Checkpoint;

use crate::{InferenceError, Result};

/// Names of the model file, in order of preference.
const MODEL_FILES: [&str; 2] = ["model.onnx", "onnx/model.onnx"];
/// The same for int8.
const INT8_FILES: [&str; 2] = ["model_quantized.onnx", "onnx/model_quantized.onnx"];

/// What a folder is expected to hold, for the message where it does not.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    CrossEncoder,
    SentenceEncoder,
}

impl Kind {
    fn made_by(self) -> &'static str {
        match self {
            Self::CrossEncoder => {
                ", as `pairmill-train cross-encoder` or an ONNX export of a sequence classifier makes it"
            }
            Self::SentenceEncoder => {
                "; `pairmill-train export --model DIR --output DIR` makes one of a sentence-transformers folder"
            }
        }
    }
}

/// Whether a folder has no ONNX file of a sentence encoder. What else may be wrong with it is told
/// where it is loaded.
pub fn lacks_onnx(folder: &Path) -> bool {
    let opened = open(folder, Kind::SentenceEncoder, false);
    matches!(opened, Err(InferenceError::MissingFile { file, .. }) if MODEL_FILES.contains(&file))
}

/// Reads a model folder that has an ONNX file; also where that is.
pub(crate) fn open(folder: &Path, kind: Kind, int8: bool) -> Result<(Checkpoint, PathBuf)> {
    if !folder.is_dir() {
        return Err(InferenceError::NotAFolder {
            path: folder.to_owned(),
        });
    }
    let missing = |file| InferenceError::MissingFile {
        folder: folder.to_owned(),
        file,
        made_by: kind.made_by(),
    };
    let names = if int8 { INT8_FILES } else { MODEL_FILES };
    let model_in = |home: &Path| {
        let mut files = names.iter().map(|name| home.join(name));
        files.find(|file| file.is_file())
    };
    let no_model = || match int8 {
        true => InferenceError::NoInt8 {
            folder: folder.to_owned(),
        },
        false => missing(names[0]),
    };
    let has = |name: &str| folder.join(name).is_file();
    // What a folder lacks altogether is said before what is wrong with its files.
    if !has("modules.json") {
        model_in(folder).ok_or_else(no_model)?;
        let has_vocabulary = ["tokenizer.json", "vocab.txt", "vocab.json"]
            .into_iter()
            .any(has);
        if !has_vocabulary {
            return Err(missing("tokenizer.json"));
        }
        if !has("config.json") {
            return Err(missing("config.json"));
        }
    }
    let checkpoint = match kind {
        Kind::CrossEncoder => Checkpoint::of_cross_encoder(folder)?,
        Kind::SentenceEncoder => Checkpoint::of_encoder(folder)?,
    };
    let model = model_in(folder).or_else(|| model_in(&checkpoint.home()));
    Ok((checkpoint, model.ok_or_else(no_model)?))
}

/// Returns the longest text or pair: the one wanted, else what the model's folder says; checked to
/// be `least` or more and to fit the model.
pub(crate) fn max_length(
    checkpoint: &Checkpoint,
    wanted: Option<usize>,
    least: usize,
) -> Result<usize> {
    let max_length = wanted.unwrap_or_else(|| checkpoint.max_length());
    let positions = checkpoint.positions();
    if (least..=positions.unwrap_or(usize::MAX)).contains(&max_length) {
        return Ok(max_length);
    }
    Err(InferenceError::MaxLength {
        folder: checkpoint.folder().to_owned(),
        max_length,
        least,
        most: match positions {
            None => "as many as memory holds".to_owned(),
            Some(most) => most.to_string(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_first_missing_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let missing = || {
            let opened = open(dir.path(), Kind::CrossEncoder, false);
            opened.unwrap_err().to_string()
        };
        assert!(missing().contains("has no model.onnx;"));
        fs::create_dir(dir.path().join("onnx")).unwrap();
        fs::write(dir.path().join("onnx/model.onnx"), "").unwrap();
        assert!(missing().contains("has no tokenizer.json;"));
        fs::write(dir.path().join("tokenizer.json"), "{}").unwrap();
        assert!(missing().contains("has no config.json;"));
    }

    #[test]
    fn a_longest_text_fits_the_model() {
        let dir = tempfile::tempdir().unwrap();
        let config = r#"{"model_type": "bert", "max_position_embeddings": 300}"#;
        fs::write(dir.path().join("config.json"), config).unwrap();
        let checkpoint = Checkpoint::of_encoder(dir.path()).unwrap();
        assert_eq!(max_length(&checkpoint, None, 3).unwrap(), 300);
        assert_eq!(max_length(&checkpoint, Some(3), 3).unwrap(), 3);
        for wanted in [2, 301] {
            let error = max_length(&checkpoint, Some(wanted), 3).unwrap_err();
            assert!(error.to_string().contains("choose 3 to 300"), "{error}");
        }
    }
}
