use pairmill_schema::draw::seeded;
use rand::Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Where a figure lies, with the confidence that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Returns the figures of resamples: `resamples` times, as many items as there are (`items`) are
/// drawn with replacement, and `figures` is asked for what they give. One row a resample; the rows
/// do not depend on the number of threads.
///
/// Efron, Bootstrap methods: another look at the jackknife, 1979.
pub fn bootstrap(
    items: usize,
    resamples: usize,
    seed: u64,
    figures: impl Fn(&[u32]) -> Vec<f64> + Sync,
) -> Vec<Vec<f64>> {
    let items = u32::try_from(items).unwrap_or(u32::MAX);
    if items == 0 {
        return Vec::new();
    }
    (0..resamples as u64)
        .into_par_iter()
        .map_init(Vec::new, |drawn, resample| {
            let mut rng = seeded(seed, resample);
            drawn.clear();
            drawn.extend((0..items).map(|_| rng.random_range(0..items)));
            figures(drawn)
        })
        .collect()
}

/// Returns the percentile interval of resampled figures: their quantiles at (1 - confidence) / 2
/// and its complement, between two values by linear interpolation. As `scipy.stats.bootstrap` with
/// `method="percentile"`. Undefined figures (NaN) are left out; `None` if no other is there.
pub fn percentile_interval(
    figures: impl IntoIterator<Item = f64>,
    confidence: f64,
) -> Option<Interval> {
    let mut sorted: Vec<f64> = figures
        .into_iter()
        .filter(|figure| !figure.is_nan())
        .collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    Some(Interval {
        low: quantile(&sorted, tail)?,
        high: quantile(&sorted, 1.0 - tail)?,
    })
}

/// Returns the probability, under the resamples of a difference, of one at least as far from zero
/// on the other side: twice the smaller share of differences on either side of zero, at least 2 /
/// (resamples + 1). `None` if no difference is defined.
pub fn bootstrap_p(differences: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut below, mut above, mut all) = (0u32, 0u32, 0u32);
    for difference in differences.into_iter().filter(|value| !value.is_nan()) {
        below += u32::from(difference <= 0.0);
        above += u32::from(difference >= 0.0);
        all += 1;
    }
    let tail = f64::from(below.min(above) + 1) / f64::from(all + 1);
    (all > 0).then(|| (2.0 * tail).min(1.0))
}

fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted[place as usize], sorted[place.ceil() as usize]);
    Some(low + (high - low) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!(
            (found - expected).abs() < tolerance,
            "{found} is not {expected}"
        );
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        let found = percentile_interval([4.0, 1.0, f64::NAN, 2.0, 3.0], 0.5).unwrap();
        // numpy.quantile([1, 2, 3, 4], [0.25, 0.75])
        close(found.low, 1.75, 1e-12);
        close(found.high, 3.25, 1e-12);
        assert_eq!(percentile_interval([f64::NAN], 0.95), None);
    }

    #[test]
    fn the_interval_of_a_mean_is_that_of_the_normal_distribution() {
        let values: Vec<f64> = (0..2_000).map(|i| f64::from(i % 101) / 100.0).collect();
        let mean = |items: &[u32]| {
            vec![items.iter().map(|&i| values[i as usize]).sum::<f64>() / items.len() as f64]
        };
        let rows = bootstrap(values.len(), 4_000, 42, mean);
        let found = percentile_interval(rows.iter().map(|row| row[0]), 0.95).unwrap();
        let mean = values.iter().sum::<f64>() / 2_000.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 2_000.0;
        let half = 1.959964 * (variance / 2_000.0).sqrt();
        close(found.low, mean - half, 0.06 * half);
        close(found.high, mean + half, 0.06 * half);
    }

    #[test]
    fn threads_do_not_change_the_resamples_and_seeds_do() {
        let draw = |threads, seed| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap().install(|| {
                bootstrap(10, 50, seed, |items| {
                    items.iter().map(|&item| f64::from(item)).collect()
                })
            })
        };
        assert_eq!(draw(1, 1), draw(4, 1));
        assert_ne!(draw(1, 1), draw(1, 2));
        assert!(bootstrap(0, 50, 1, |_| vec![0.0]).is_empty());
    }

    #[test]
    fn the_chance_of_the_other_side_is_doubled() {
        let differences = || (0..999).map(|i| if i < 9 { -1.0 } else { 1.0 });
        close(bootstrap_p(differences()).unwrap(), 0.02, 1e-12);
        assert_eq!(bootstrap_p([0.0, 0.0]), Some(1.0));
        assert_eq!(bootstrap_p([]), None);
    }
}
