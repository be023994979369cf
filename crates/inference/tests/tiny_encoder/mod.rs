//! A sentence encoder small enough to be written by a test: the state of a token has one component
//! for each word, 1 in that of the token's own word. That of padding is far from all others.

use std::fs;
use std::path::Path;

use prost::Message;

use crate::tiny_model::onnx::*;
use crate::tiny_model::{MARKS, VOCABULARY, WORDS, tokenizer};

/// How the model differs from one with the usual output.
#[derive(Debug, Clone)]
pub struct TinyEncoder {
    /// The outputs: `sentence_embedding` is the sum of the states, any other their sequence.
    pub outputs: &'static [&'static str],
    /// ONNX types of the inputs and of the states.
    pub types: [i32; 2],
    /// Whether the state of "late" is not a number.
    pub broken: bool,
    /// More files of the folder.
    pub files: Vec<(&'static str, &'static str)>,
}

impl Default for TinyEncoder {
    fn default() -> Self {
        Self {
            outputs: &["last_hidden_state"],
            types: [INT64, FLOAT],
            broken: false,
            files: Vec::new(),
        }
    }
}

impl TinyEncoder {
    /// Writes the model folder.
    pub fn write(&self, folder: &Path) {
        let config = format!(
            r#"{{"model_type": "bert", "vocab_size": {VOCABULARY}, "max_position_embeddings": 32}}"#
        );
        let mut files = vec![
            ("onnx/model.onnx", self.onnx()),
            ("tokenizer.json", tokenizer().into_bytes()),
            ("config.json", config.into_bytes()),
        ];
        files.extend(self.files.iter().map(|&(name, text)| (name, text.into())));
        for (name, bytes) in files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    fn onnx(&self) -> Vec<u8> {
        let size = WORDS.len();
        let mut table = vec![0.0; VOCABULARY * size];
        table[..size].fill(100.0);
        for word in 0..size {
            table[(MARKS.len() + word) * size + word] = match WORDS[word] {
                "late" if self.broken => f32::NAN,
                _ => 1.0,
            };
        }
        let mut nodes = vec![
            of_float("attention_mask", "mask"),
            node("Unsqueeze", &["mask", "last_axis"], "mask_of_states"),
            node("Gather", &["table", "input_ids"], "states"),
            node("Mul", &["states", "mask_of_states"], "masked"),
        ];
        nodes.extend(self.outputs.iter().map(|&name| match name {
            "sentence_embedding" => node("ReduceSum", &["masked", "sequence_axis"], name),
            _ => cast("states", name, self.types[1]),
        }));
        let outputs = self.outputs.iter().map(|&name| match name {
            "sentence_embedding" => value(name, FLOAT, &[None, None]),
            _ => value(name, self.types[1], &[None, None, Some(size as i64)]),
        });
        let graph = Graph {
            name: "tiny".to_owned(),
            node: nodes,
            initializer: vec![
                floats("table", &[VOCABULARY as i64, size as i64], &table),
                integers("last_axis", &[1], &[-1]),
                integers("sequence_axis", &[1], &[1]),
            ],
            input: ["input_ids", "attention_mask"]
                .map(|name| value(name, self.types[0], &[None, None]))
                .into(),
            output: outputs.collect(),
        };
        Model {
            ir_version: 9,
            opset_import: vec![Opset { version: 18 }],
            graph: Some(graph),
        }
        .encode_to_vec()
    }
}
