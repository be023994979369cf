//! Two rankings of the same queries, judged: the metric of each query, the difference, and the
//! chance that it is one. Run it by
//!
//! ```sh
//! cargo run --release --workspace --example compare_rankings
//! ```

#![allow(clippy::print_stdout, reason = "its result")]

use pairmill_metrics::{bootstrap, ndcg, percentile_interval, randomisation_test};

/// The grade of each result, from the first rank on, in both rankings; the grades that were judged.
const QUERIES: [([i32; 5], [i32; 5], &[i32]); 6] = [
    ([0, 1, 0, 0, 0], [1, 0, 0, 0, 0], &[1]),
    ([1, 0, 0, 0, 0], [1, 0, 0, 0, 0], &[1]),
    ([0, 0, 0, 1, 0], [0, 1, 0, 0, 0], &[1]),
    ([0, 2, 0, 0, 1], [2, 1, 0, 0, 0], &[2, 1]),
    ([0, 0, 0, 0, 0], [0, 0, 1, 0, 0], &[1]),
    ([0, 1, 0, 0, 0], [0, 0, 1, 0, 0], &[1]),
];

fn main() {
    let grades = |ranking: &[i32]| ranking.iter().copied().map(Some).collect::<Vec<_>>();
    let of = |ranking: &[i32], judged: &[i32]| ndcg(&grades(ranking), judged, 5);
    let before: Vec<f64> = QUERIES.iter().map(|(old, _, all)| of(old, all)).collect();
    let after: Vec<f64> = QUERIES.iter().map(|(_, new, all)| of(new, all)).collect();

    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    println!(
        "nDCG@5 {:.4} before, {:.4} after",
        mean(&before),
        mean(&after)
    );

    let differences: Vec<f64> = after.iter().zip(&before).map(|(b, a)| b - a).collect();
    let resampled = bootstrap(differences.len(), 1_000, 42, |drawn| {
        let drawn: Vec<f64> = drawn
            .iter()
            .map(|&item| differences[item as usize])
            .collect();
        vec![mean(&drawn)]
    });
    let means = resampled.iter().map(|figures| figures[0]);
    if let Some(interval) = percentile_interval(means, 0.95) {
        let (low, high) = (interval.low, interval.high);
        println!("95 % interval of the difference {low:+.4} to {high:+.4}");
    }
    if let Some(p) = randomisation_test(&before, &after, 9_999, 42) {
        println!("paired randomisation test: p = {p:.4}");
    }
}
