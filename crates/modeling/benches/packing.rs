//! From texts to a packed batch: tokenising, and packing what that gives. The tokenizer is that of
//! the base model, which `make setup` brings.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput};
use pairmill_modeling::{PackedBatch, SentenceEncoder, Side, TokenIds};
use tch::Device;

const TEXTS: usize = 512;
const SENTENCE: &str =
    "The router drops its connection whenever somebody starts the microwave oven. ";

fn base_model() -> PathBuf {
    match std::env::var_os("PAIRMILL_MODEL") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.deps/models/all-MiniLM-L6-v2"),
    }
}

fn main() {
    let encoder = SentenceEncoder::load(&base_model(), Device::Cpu);
    let encoder = encoder.expect("`make setup` brings the base model");
    let text = |n: usize| format!("{n}: {}", SENTENCE.repeat(1 + n % 8));
    let texts: Vec<String> = (0..TEXTS).map(text).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("packing");
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("tokenize", |bencher| {
        bencher.iter(|| encoder.tokenize(black_box(&texts), Side::Text));
    });
    let tokens = encoder.tokenize(&texts, Side::Text);
    let tokens = tokens.expect("the texts have tokens");
    let sequences: Vec<&TokenIds> = tokens.iter().collect();
    let all: usize = sequences.iter().map(|sequence| sequence.len()).sum();
    group.throughput(Throughput::Elements(all as u64));
    group.bench_function("pack", |bencher| {
        bencher.iter(|| PackedBatch::new(black_box(&sequences), Device::Cpu));
    });
    group.finish();
    criterion.final_summary();
}
