//! Memory is bounded by options and time grows with the corpus, not faster.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use pairmill_tables::{Lineage, ParquetOutput, Table};
use pairmill_tests::MINE;

const PART: usize = 50_000;
const MOST_MEGABYTES: u64 = 2_000;

/// Words of which the n-th is about as frequent as 1 / n.
fn texts(from: usize, number: usize) -> impl Iterator<Item = String> {
    let mut state = from as u64 + 1;
    let mut draw = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1_u64 << 31) as f64
    };
    (0..number).map(move |_| {
        let words = 6 + (draw() * 12.0) as usize;
        let word = |_| format!("w{:x}", 200_000_f64.powf(draw()) as u32);
        (0..words).map(word).collect::<Vec<_>>().join(" ")
    })
}

fn column(texts: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from(texts.collect::<Vec<_>>()))
}

fn write_inputs(dir: &Path, passages: usize) {
    let lineage = Lineage::new("test", &passages, 0);
    let corpus = dir.join("corpus.parquet");
    let mut output = ParquetOutput::create(&corpus, Table::Corpus.schema(), &lineage).unwrap();
    for from in (0..passages).step_by(PART) {
        let ids = (from..from + PART).map(|number| format!("p{number}"));
        let titles = (0..PART).map(|_| String::new());
        let columns = vec![column(ids), column(titles), column(texts(from, PART))];
        let rows = RecordBatch::try_new(Table::Corpus.schema(), columns).unwrap();
        output.write(&rows).unwrap();
    }
    output.finish().unwrap();
    let ids =
        |prefix: &'static str| column((0..1_000).map(move |number| format!("{prefix}{number}")));
    let columns = vec![
        ids("q"),
        column(texts(7, 1_000)),
        ids("x"),
        column(texts(11, 1_000)),
    ];
    let rows = RecordBatch::try_new(Table::Pairs.schema(), columns).unwrap();
    let pairs = dir.join("pairs.parquet");
    let mut output = ParquetOutput::create(&pairs, Table::Pairs.schema(), &lineage).unwrap();
    output.write(&rows).unwrap();
    output.finish().unwrap();
}

/// Seconds and peak resident megabytes of mining this many passages.
fn mined(passages: usize) -> (f64, u64) {
    let dir = tempfile::tempdir().unwrap();
    write_inputs(dir.path(), passages);
    let line = "--pairs pairs.parquet --corpus corpus.parquet --output candidates.parquet";
    let started = Instant::now();
    let mut child = MINE
        .command(dir.path(), line)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        let now = fs::read_to_string(&status).unwrap_or_default();
        let line = now.lines().find(|line| line.starts_with("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        peak = peak.max(kilobytes.unwrap_or(0) / 1_024);
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(ended.success());
    (started.elapsed().as_secs_f64(), peak)
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "takes some minutes"]
fn five_million_passages_are_mined_below_two_gigabytes_in_five_times_the_time_of_one() {
    let (one, megabytes_of_one) = mined(1_000_000);
    let (five, megabytes_of_five) = mined(5_000_000);
    println!(
        "1 million passages: {one:.1} s, {megabytes_of_one} MB; 5 million: {five:.1} s, {megabytes_of_five} MB"
    );
    assert!(megabytes_of_five < MOST_MEGABYTES, "{megabytes_of_five} MB");
    assert!(five < 6.5 * one, "{one:.1} s and {five:.1} s");
}
