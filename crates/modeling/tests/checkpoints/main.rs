//! Folders in which each setting is flipped, one at a time, against the embeddings that
//! sentence-transformers gives of them (tests/reference/checkpoints.py): in libtorch, and exported
//! in ONNX Runtime. What is not read is refused by the name of the setting.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests do"
)]

mod folders;

use std::error::Error;
use std::fs;
use std::path::Path;

use pairmill_modeling::onnx::Precision;
use pairmill_modeling::{SentenceEncoder, Side};
use serde_json::Value;
use tch::Device;

/// The share of the folders that is to be read.
const LEAST: f64 = 0.85;

fn figures() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference/checkpoints.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// What a side of a search is called in the figures.
const SIDES: [(Side, &str); 3] = [
    (Side::Text, "text"),
    (Side::Query, "query"),
    (Side::Document, "document"),
];

/// What came of a variation.
enum Outcome {
    Equal,
    /// With what was said.
    Refused(String),
    Different(String),
}

fn message(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

type Embed<'a> = &'a dyn Fn(&str, Side) -> Result<Vec<f32>, String>;

/// The largest difference from the figures, of what `embed` gives for a text; one that it refuses
/// counts as one that the library refuses too.
fn difference(variation: &Value, texts: &[String], embed: Embed<'_>) -> Result<f64, String> {
    let mut largest = 0f64;
    for (side, name) in SIDES {
        let all = &variation["embeddings"];
        let expected = all.get(name).unwrap_or(&all["text"]);
        for (text, expected) in texts.iter().zip(expected.as_array().unwrap()) {
            let Some(expected) = expected.as_array() else {
                continue;
            };
            let found = embed(text, side)?;
            if found.len() != expected.len() {
                return Ok(f64::INFINITY);
            }
            for (found, expected) in found.iter().zip(expected) {
                let difference = (f64::from(*found) - expected.as_f64().unwrap()).abs();
                largest = largest.max(difference);
            }
        }
    }
    Ok(largest)
}

fn outcome(folder: &Path, variation: &Value, texts: &[String]) -> Outcome {
    let encoder = match SentenceEncoder::load(folder, Device::Cpu) {
        Ok(encoder) => encoder,
        Err(error) => return Outcome::Refused(message(&error)),
    };
    if variation["error"].is_string() {
        return Outcome::Different(format!("the library says {}", variation["error"]));
    }
    let tolerance = variation["tolerance"].as_f64().unwrap();
    let torch = |text: &str, side| {
        let embedding = encoder.encode(&[text], side, 1_000, &|_| {});
        embedding.map_err(|error| message(&error))
    };
    match difference(variation, texts, &torch) {
        Err(error) => return Outcome::Refused(error),
        Ok(found) if found > tolerance => return Outcome::Different(format!("{found:.1e}")),
        Ok(_) => {}
    }
    if variation["similarity"] != encoder.similarity().name() {
        return Outcome::Different(format!("similarity {}", encoder.similarity().name()));
    }

    // The same from what an export writes.
    let exported = tempfile::tempdir().unwrap();
    encoder.save(exported.path()).unwrap();
    fs::create_dir(exported.path().join("onnx")).unwrap();
    let path = exported.path().join("onnx/model.onnx");
    encoder.save_onnx(&path, Precision::Float32).unwrap();
    let again = SentenceEncoder::load(exported.path(), Device::Cpu).unwrap();
    let onnx = pairmill_inference::SentenceEncoder::load(exported.path(), &Default::default());
    let onnx = onnx.unwrap_or_else(|error| panic!("{}: {}", variation["name"], message(&error)));
    assert_eq!(again.max_length(), encoder.max_length());
    assert_eq!(
        onnx.max_length(),
        encoder.max_length(),
        "{}",
        variation["name"]
    );
    let run = |text: &str, side| {
        let embedding = onnx.embed(&[text], onnx.prompts().of(side));
        embedding.map_err(|error| message(&error))
    };
    match difference(variation, texts, &run) {
        Ok(found) if found > tolerance => Outcome::Different(format!("{found:.1e} in ONNX")),
        Err(error) => Outcome::Different(format!("{error} in ONNX")),
        Ok(_) => Outcome::Equal,
    }
}

#[test]
fn a_folder_gives_the_embeddings_of_sentence_transformers_or_is_refused_by_name() {
    let figures = figures();
    let texts: Vec<String> = serde_json::from_value(figures["texts"].clone()).unwrap();
    let variations = figures["variations"].as_array().unwrap();
    let (mut equal, mut wrong) = (0, Vec::new());
    for variation in variations {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("model");
        let base = &figures["bases"][variation["base"].as_str().unwrap()];
        folders::build(&folder, base, variation);
        let setting = variation["setting"].as_str().unwrap();
        let name = format!("{}, {}", variation["base"], variation["name"]);
        match outcome(&folder, variation, &texts) {
            Outcome::Equal => equal += 1,
            Outcome::Refused(error) if !setting.is_empty() && error.contains(setting) => {
                println!("{name}: {error}");
            }
            Outcome::Refused(error) => wrong.push(format!("{name}: refused: {error}")),
            Outcome::Different(how) => wrong.push(format!("{name}: {how}")),
        }
    }
    println!(
        "{equal} of {} folders give the same embeddings",
        variations.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(equal as f64 >= LEAST * variations.len() as f64, "{equal}");
}
