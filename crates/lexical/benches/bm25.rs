//! BM25 over 50,000 passages, block by block of their lists.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use criterion::{Criterion, Throughput};
use datafusion::prelude::SessionContext;
use pairmill_lexical::{Bm25, Index};

const PASSAGES: u64 = 50_000;
const QUERIES: u64 = 256;
const WORDS: f64 = 20_000.0;

/// A text of words that are the rarer the higher their number.
fn text(seed: u64, words: u64) -> String {
    let word = |number: u64| {
        let mixed = (seed * 61 + number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let share = (mixed >> 32) as f64 / 2f64.powi(32);
        format!("w{}", (share.powi(4) * WORDS) as u32)
    };
    (0..words).map(word).collect::<Vec<_>>().join(" ")
}

fn index() -> Index {
    let texts: Vec<String> = (0..PASSAGES).map(|n| text(n, 20 + n % 40)).collect();
    let ids = (0..PASSAGES).map(|n| format!("d{n}"));
    let titles = std::iter::repeat_n("", texts.len());
    let columns: [(&str, ArrayRef); 3] = [
        ("id", Arc::new(StringArray::from_iter_values(ids))),
        ("title", Arc::new(StringArray::from_iter_values(titles))),
        ("text", Arc::new(StringArray::from_iter_values(texts))),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("columns are of one length");
    let corpus = SessionContext::new().read_batch(batch);
    let corpus = corpus.expect("a batch is a table");
    let bm25 = Bm25::default();
    let index = Index::open_or_build(None, "", &bm25, 1, corpus, |_| ());
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    runtime.block_on(index).expect("the index can be built")
}

fn main() {
    let index = index();
    let queries: Vec<String> = (0..QUERIES)
        .map(|n| text(PASSAGES + n, 3 + n % 9))
        .collect();
    let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("bm25");
    group.throughput(Throughput::Elements(QUERIES));
    group.bench_function("search_all", |bencher| {
        bencher.iter(|| index.search_all(black_box(&queries), 100));
    });
    group.finish();
    criterion.final_summary();
}
