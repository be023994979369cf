//! A cross-encoder small enough to be written by a test, and still one: it reads both texts, and
//! its logit is twice the number of words that they share, less 3.

use std::fs;
use std::path::Path;

use prost::Message;

pub mod onnx;

use onnx::*;

/// The words that the model knows; any other is [UNK], which counts for nothing.
pub const WORDS: [&str; 12] = [
    "reset", "the", "password", "device", "invoice", "late", "paid", "cable", "red", "light",
    "router", "blinks",
];
/// The tokens before them.
pub const MARKS: [&str; 4] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];
/// Number of both.
pub const VOCABULARY: usize = MARKS.len() + WORDS.len();

/// How the model differs from a sound one with one logit.
#[derive(Debug, Clone)]
pub struct TinyModel {
    /// Width of the output.
    pub logits: i64,
    /// Added to every logit.
    pub bias: f32,
    /// `vocab_size` of the config.
    pub vocab_size: usize,
    /// What else `config.json` holds, as JSON members.
    pub config: &'static str,
    /// Whether it takes `token_type_ids`; without, a pair is one text that shares all its words.
    pub segments: bool,
    /// Where in the folder the model lies.
    pub file: &'static str,
    /// What becomes of `tokenizer.json`.
    pub tokenizer: fn(String) -> String,
}

impl Default for TinyModel {
    fn default() -> Self {
        Self {
            logits: 1,
            bias: -3.0,
            vocab_size: VOCABULARY,
            config: r#""max_position_embeddings": 32"#,
            segments: true,
            file: "model.onnx",
            tokenizer: |text| text,
        }
    }
}

impl TinyModel {
    /// Writes the model folder.
    pub fn write(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
        if let Some(place) = Path::new(self.file).parent() {
            fs::create_dir_all(folder.join(place)).unwrap();
        }
        write(self.file, &self.onnx());
        write("tokenizer.json", (self.tokenizer)(tokenizer()).as_bytes());
        let config = format!(
            r#"{{"model_type": "bert", "vocab_size": {}, "pad_token_id": 0, {}}}"#,
            self.vocab_size, self.config
        );
        write("config.json", config.as_bytes());
    }

    fn onnx(&self) -> Vec<u8> {
        let mut table = vec![0.0; VOCABULARY * WORDS.len()];
        for word in 0..WORDS.len() {
            table[(MARKS.len() + word) * WORDS.len() + word] = 1.0;
        }
        // The last logit carries the score, as the second of two does.
        let mut weights = vec![0.0; self.logits as usize];
        weights[self.logits as usize - 1] = 2.0;
        let (first, second) = match self.segments {
            true => ("not_second", "token_type_ids"),
            false => ("one", "one"),
        };
        let inputs = ["input_ids", "attention_mask", "token_type_ids"];
        let inputs = &inputs[..if self.segments { 3 } else { 2 }];
        let segments = node("Sub", &["one", "token_type_ids"], "not_second");
        let graph = Graph {
            name: "tiny".to_owned(),
            node: self
                .segments
                .then_some(segments)
                .into_iter()
                .chain([
                    node("Gather", &["table", "input_ids"], "words"),
                    node("Mul", &["attention_mask", first], "first"),
                    node("Mul", &["attention_mask", second], "second"),
                    of_float("first", "first_float"),
                    of_float("second", "second_float"),
                    node("Unsqueeze", &["first_float", "last_axis"], "first_mask"),
                    node("Unsqueeze", &["second_float", "last_axis"], "second_mask"),
                    node("Mul", &["words", "first_mask"], "first_words"),
                    node("Mul", &["words", "second_mask"], "second_words"),
                    node("ReduceMax", &["first_words", "sequence_axis"], "query"),
                    node("ReduceMax", &["second_words", "sequence_axis"], "text"),
                    node("Mul", &["query", "text"], "both"),
                    node("ReduceSum", &["both", "last_axis"], "shared"),
                    node("Mul", &["shared", "weights"], "scaled"),
                    node("Add", &["scaled", "bias"], "logits"),
                ])
                .collect(),
            initializer: vec![
                floats("table", &[VOCABULARY as i64, WORDS.len() as i64], &table),
                floats("weights", &[1, self.logits], &weights),
                floats("bias", &[1], &[self.bias]),
                integers("one", &[], &[1]),
                integers("last_axis", &[1], &[-1]),
                integers("sequence_axis", &[1], &[1]),
            ],
            input: inputs
                .iter()
                .map(|name| value(name, INT64, &[None, None]))
                .collect(),
            output: vec![value("logits", FLOAT, &[None, None])],
        };
        Model {
            ir_version: 9,
            opset_import: vec![Opset { version: 18 }],
            graph: Some(graph),
        }
        .encode_to_vec()
    }
}

/// `tokenizer.json`.
pub fn tokenizer() -> String {
    let vocabulary: Vec<String> = MARKS
        .iter()
        .chain(&WORDS)
        .enumerate()
        .map(|(id, word)| format!(r#""{word}": {id}"#))
        .collect();
    let special = |token: &str, id: usize| {
        format!(r#""{token}": {{"id": "{token}", "ids": [{id}], "tokens": ["{token}"]}}"#)
    };
    let mark = |token: &str, kind: u8| {
        format!(r#"{{"SpecialToken": {{"id": "{token}", "type_id": {kind}}}}}"#)
    };
    let text =
        |id: &str, kind: u8| format!(r#"{{"Sequence": {{"id": "{id}", "type_id": {kind}}}}}"#);
    let single = [mark("[CLS]", 0), text("A", 0), mark("[SEP]", 0)].join(", ");
    let pair = [single.clone(), text("B", 1), mark("[SEP]", 1)].join(", ");
    format!(
        r#"{{
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
            "normalizer": {{"type": "Lowercase"}},
            "pre_tokenizer": {{"type": "Whitespace"}},
            "post_processor": {{
                "type": "TemplateProcessing", "single": [{single}], "pair": [{pair}],
                "special_tokens": {{{cls}, {sep}}}
            }},
            "decoder": null,
            "model": {{"type": "WordLevel", "vocab": {{{vocabulary}}}, "unk_token": "[UNK]"}}
        }}"#,
        cls = special("[CLS]", 2),
        sep = special("[SEP]", 3),
        vocabulary = vocabulary.join(", "),
    )
}
