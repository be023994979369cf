//! Writes how likely the labels of embedded rows are right, for bench/hygiene/label_noise.py:
//!
//!     cargo run --release -p pairmill-classification --example label_noise -- FOLDER
//!
//! FOLDER holds embeddings.f32 (scaled to length 1, little-endian, a row after the other) and
//! labels.txt (a class on each line); it gets probabilities.f32 and odds.f32.

use std::fs;
use std::path::Path;

use pairmill_classification::{NOISE_C, NOISE_FOLDS, cross_fitted, label_odds};
use pairmill_retrieval::Embeddings;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: label_noise FOLDER")?;
    let folder = Path::new(&folder);
    let labels = fs::read_to_string(folder.join("labels.txt"))?;
    let labels: Vec<usize> = labels.lines().map(str::parse).collect::<Result<_, _>>()?;
    let bytes = fs::read(folder.join("embeddings.f32"))?;
    let values = bytes.as_chunks::<4>().0.iter();
    let values: Vec<f32> = values.map(|value| f32::from_le_bytes(*value)).collect();
    let dimension = values.len() / labels.len();
    let rows =
        Embeddings::new(values, dimension).map_err(|row| format!("row {row} is not finite"))?;
    let classes = labels.iter().max().map_or(0, |class| class + 1);
    let probabilities = cross_fitted(&rows, &labels, classes, NOISE_FOLDS, NOISE_C, 42);
    let shares: Vec<f32> = (0..labels.len())
        .flat_map(|row| probabilities.row(row).to_vec())
        .collect();
    write(&folder.join("probabilities.f32"), &shares)?;
    write(
        &folder.join("odds.f32"),
        &label_odds(&probabilities, &labels),
    )?;
    Ok(())
}

fn write(path: &Path, values: &[f32]) -> std::io::Result<()> {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    fs::write(path, bytes)
}
