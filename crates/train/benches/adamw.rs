//! A step of AdamW over the parameters of the base model, which `make setup` brings.

use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput};
use pairmill_modeling::SentenceEncoder;
use pairmill_train::AdamW;
use tch::Device;

fn base_model() -> PathBuf {
    match std::env::var_os("PAIRMILL_MODEL") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.deps/models/all-MiniLM-L6-v2"),
    }
}

fn main() {
    let encoder = SentenceEncoder::load(&base_model(), Device::Cpu);
    let encoder = encoder.expect("`make setup` brings the base model");
    let parameters = encoder.parameters();
    let gradient = parameters.flat().sin() * 1e-3;
    let mut optimizer = AdamW::new(parameters, 0.01);
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("adamw");
    group.throughput(Throughput::Elements(gradient.numel() as u64));
    group.bench_function("step", |bencher| {
        bencher.iter(|| optimizer.step(parameters, &gradient, 1.0, 1e-6));
    });
    group.finish();
    criterion.final_summary();
}
