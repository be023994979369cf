//! Writes what libtorch gives for a model folder, for the checks in tests/reference:
//!
//!     cargo run --release -p pairmill-modeling --example embed -- MODEL_DIR > ours.json
//!
//! The texts are those of tests/reference/embeddings.json.

#![allow(clippy::print_stdout, reason = "its result")]

use std::path::Path;

use pairmill_modeling::{SentenceEncoder, Side};
use serde_json::{Value, json};
use tch::Device;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: embed MODEL_DIR")?;
    let figures =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference/embeddings.json");
    let figures: Value = serde_json::from_str(&std::fs::read_to_string(figures)?)?;
    let texts: Vec<String> = serde_json::from_value(figures["texts"].clone())?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let encoder = SentenceEncoder::load(Path::new(&folder), Device::Cpu)?;
    let values = encoder.encode(&texts, Side::Text, 8_192, &|_| {})?;
    let embeddings: Vec<&[f32]> = values.chunks(encoder.dimension()).collect();
    println!("{}", json!({ "texts": texts, "embeddings": embeddings }));
    Ok(())
}
