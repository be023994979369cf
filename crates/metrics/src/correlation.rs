/// Pearson's correlation: the covariance of `x` and `y` over the product of their standard
/// deviations, in -1..=1. As `scipy.stats.pearsonr`.
///
/// `None` where it is undefined: fewer than two values, or all values of one side equal.
///
/// # Panics
/// If the slices differ in length.
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    assert_eq!(x.len(), y.len(), "one value of each per pair");
    let constant = |values: &[f64]| values.iter().all(|&value| value == values[0]);
    if x.len() < 2 || constant(x) || constant(y) {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_x, mean_y) = (mean(x), mean(y));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let (dx, dy) = (x - mean_x, y - mean_y);
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    // Rounding must not carry a perfect correlation past one.
    Some((xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0))
}

/// Spearman's rank correlation: Pearson's correlation of the [`average_ranks`]. As
/// `scipy.stats.spearmanr`. `None` as for [`pearson`].
///
/// # Panics
/// If the slices differ in length.
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    pearson(&average_ranks(x), &average_ranks(y))
}

/// The rank of each value from 1 upwards; equal values share the mean of the ranks they take up.
/// As `scipy.stats.rankdata`.
pub fn average_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for ties in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = before as f64 + (ties.len() + 1) as f64 / 2.0;
        for &i in ties {
            ranks[i] = rank;
        }
        before += ties.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Option<f64>, expected: f64) {
        let found = found.expect("defined");
        assert!(
            (found - expected).abs() < 1e-12,
            "{found} is not {expected}"
        );
    }

    #[test]
    fn ties_share_the_mean_of_their_ranks() {
        assert_eq!(
            average_ranks(&[0.5, 0.1, 0.5, 0.9, 0.5]),
            [3.0, 1.0, 3.0, 5.0, 3.0]
        );
        assert_eq!(average_ranks(&[0.0, -0.0]), [1.5, 1.5]);
    }

    #[test]
    fn pearson_of_a_small_table() {
        // Deviations (-1, 0, 1) and (-1, -1, 2): 3 / sqrt(2 · 6).
        close(
            pearson(&[1.0, 2.0, 3.0], &[2.0, 2.0, 5.0]),
            3.0 / 12f64.sqrt(),
        );
        close(pearson(&[1.0, 2.0], &[-3.0, -5.0]), -1.0);
    }

    #[test]
    fn spearman_sees_only_the_order() {
        close(spearman(&[1.0, 2.0, 3.0], &[0.1, 10.0, 1e6]), 1.0);
        // Ranks (1, 2, 3) and (1.5, 1.5, 3): 1.5 / sqrt(2 · 1.5).
        close(
            spearman(&[1.0, 2.0, 3.0], &[2.0, 2.0, 5.0]),
            1.5 / 3f64.sqrt(),
        );
    }

    #[test]
    fn figures_of_scipy() {
        let x = [0.31, 0.92, 0.55, 0.55, 0.12, 0.78, 0.40, 0.92];
        let y = [0.2, 1.0, 0.6, 0.4, 0.0, 0.6, 0.2, 0.8];
        close(spearman(&x, &y), 0.9695121951219513);
        close(pearson(&x, &y), 0.9569203155875683);
    }

    #[test]
    fn a_side_without_variance_has_no_correlation() {
        assert_eq!(pearson(&[0.1, 0.1, 0.1], &[1.0, 2.0, 3.0]), None);
        assert_eq!(spearman(&[1.0], &[1.0]), None);
        assert_eq!(spearman(&[], &[]), None);
    }
}
