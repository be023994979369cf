//! The best of a million scores, which come in blocks as a search has them.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use pairmill_retrieval::TopK;

const SCORES: u32 = 1_000_000;
const BLOCK: usize = 4_096;

fn main() {
    let scores = (0..SCORES).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32);
    let scores: Vec<f32> = scores.collect();
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("top_k");
    group.throughput(Throughput::Elements(u64::from(SCORES)));
    for k in [10, 100, 1_000] {
        group.bench_function(BenchmarkId::from_parameter(k), |bencher| {
            bencher.iter(|| {
                let mut top = TopK::new(k, f32::NEG_INFINITY, usize::cmp);
                for (number, block) in black_box(&scores).chunks(BLOCK).enumerate() {
                    top.take(block, |place| Some(number * BLOCK + place));
                }
                top.finish()
            });
        });
    }
    group.finish();
    criterion.final_summary();
}
