//! A cross-encoder small enough to be written by a test, and still one: it reads both texts, and
//! its logit is twice the number of words that they share, less 3.

use std::fs;
use std::path::Path;

use prost::Message;

/// The words that the model knows; any other is [UNK], which counts for nothing.
pub const WORDS: [&str; 12] = [
    "reset", "the", "password", "device", "invoice", "late", "paid", "cable", "red", "light",
    "router", "blinks",
];
const MARKS: [&str; 4] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];
const VOCABULARY: usize = MARKS.len() + WORDS.len();

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
}

impl Default for TinyModel {
    fn default() -> Self {
        Self {
            logits: 1,
            bias: -3.0,
            vocab_size: VOCABULARY,
            config: r#""max_position_embeddings": 32"#,
        }
    }
}

impl TinyModel {
    /// Writes the model folder.
    pub fn write(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
        write("model.onnx", &self.onnx());
        write("tokenizer.json", tokenizer().as_bytes());
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
        let graph = Graph {
            name: "tiny".to_owned(),
            node: vec![
                node("Gather", &["table", "input_ids"], "words"),
                node("Sub", &["one", "token_type_ids"], "not_second"),
                node("Mul", &["attention_mask", "not_second"], "first"),
                node("Mul", &["attention_mask", "token_type_ids"], "second"),
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
            ],
            initializer: vec![
                floats("table", &[VOCABULARY as i64, WORDS.len() as i64], &table),
                floats("weights", &[1, self.logits], &weights),
                floats("bias", &[1], &[self.bias]),
                integers("one", &[], &[1]),
                integers("last_axis", &[1], &[-1]),
                integers("sequence_axis", &[1], &[1]),
            ],
            input: ["input_ids", "attention_mask", "token_type_ids"]
                .map(|name| value(name, INT64, &[None, None]))
                .into(),
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

fn tokenizer() -> String {
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

fn node(kind: &str, inputs: &[&str], output: &str) -> Node {
    // Both reductions of this graph reduce one axis; only the last one keeps it.
    let keep = i64::from(output == "shared");
    let attribute = kind
        .starts_with("Reduce")
        .then(|| integer("keepdims", keep));
    Node {
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        op_type: kind.to_owned(),
        attribute: attribute.into_iter().collect(),
    }
}

fn of_float(input: &str, output: &str) -> Node {
    Node {
        attribute: vec![integer("to", i64::from(FLOAT))],
        ..node("Cast", &[input], output)
    }
}

fn integer(name: &str, value: i64) -> Attribute {
    const INT: i32 = 2;
    Attribute {
        name: name.to_owned(),
        i: Some(value),
        kind: INT,
    }
}

fn floats(name: &str, dims: &[i64], values: &[f32]) -> Tensor {
    tensor(
        name,
        dims,
        FLOAT,
        values.iter().flat_map(|value| value.to_le_bytes()),
    )
}

fn integers(name: &str, dims: &[i64], values: &[i64]) -> Tensor {
    tensor(
        name,
        dims,
        INT64,
        values.iter().flat_map(|value| value.to_le_bytes()),
    )
}

fn tensor(name: &str, dims: &[i64], kind: i32, bytes: impl Iterator<Item = u8>) -> Tensor {
    Tensor {
        dims: dims.to_vec(),
        data_type: kind,
        name: name.to_owned(),
        raw_data: bytes.collect(),
    }
}

fn value(name: &str, kind: i32, dims: &[Option<i64>]) -> ValueInfo {
    let dims = dims
        .iter()
        .map(|&dim_value| Dimension { dim_value })
        .collect();
    let tensor = TensorType {
        elem_type: kind,
        shape: Some(Shape { dim: dims }),
    };
    ValueInfo {
        name: name.to_owned(),
        kind: Some(Type {
            tensor_type: Some(tensor),
        }),
    }
}

const FLOAT: i32 = 1;
const INT64: i32 = 7;

// What is needed of onnx.proto; tags as there.

#[derive(Message)]
struct Model {
    #[prost(int64, tag = "1")]
    ir_version: i64,
    #[prost(message, repeated, tag = "8")]
    opset_import: Vec<Opset>,
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
}

#[derive(Message)]
struct Opset {
    #[prost(int64, tag = "2")]
    version: i64,
}

#[derive(Message)]
struct Graph {
    #[prost(message, repeated, tag = "1")]
    node: Vec<Node>,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    input: Vec<ValueInfo>,
    #[prost(message, repeated, tag = "12")]
    output: Vec<ValueInfo>,
}

#[derive(Message)]
struct Node {
    #[prost(string, repeated, tag = "1")]
    input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    output: Vec<String>,
    #[prost(string, tag = "4")]
    op_type: String,
    #[prost(message, repeated, tag = "5")]
    attribute: Vec<Attribute>,
}

#[derive(Message)]
struct Attribute {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int64, optional, tag = "3")]
    i: Option<i64>,
    #[prost(int32, tag = "20")]
    kind: i32,
}

#[derive(Message)]
struct Tensor {
    #[prost(int64, repeated, tag = "1")]
    dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    data_type: i32,
    #[prost(string, tag = "8")]
    name: String,
    #[prost(bytes = "vec", tag = "9")]
    raw_data: Vec<u8>,
}

#[derive(Message)]
struct ValueInfo {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    kind: Option<Type>,
}

#[derive(Message)]
struct Type {
    #[prost(message, optional, tag = "1")]
    tensor_type: Option<TensorType>,
}

#[derive(Message)]
struct TensorType {
    #[prost(int32, tag = "1")]
    elem_type: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<Shape>,
}

#[derive(Message)]
struct Shape {
    #[prost(message, repeated, tag = "1")]
    dim: Vec<Dimension>,
}

#[derive(Message)]
struct Dimension {
    #[prost(int64, optional, tag = "1")]
    dim_value: Option<i64>,
}
