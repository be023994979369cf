/// Returns Pearson's correlation: the covariance of `x` and `y` over the product of their standard
/// deviations, in -1..=1. As `scipy.stats.pearsonr`.
///
/// `None` where it is undefined: fewer than two values, or all values of one side equal.
///
/// # Panics
/// If the slices differ in length.
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    counted_pearson(x, y, &vec![1; x.len()])
}

/// Computes [`pearson`], where pair `i` occurs `counts[i]` times.
///
/// # Panics
/// If the slices differ in length.
pub fn counted_pearson(x: &[f64], y: &[f64], counts: &[u32]) -> Option<f64> {
    assert_eq!(x.len(), y.len(), "one value of each per pair");
    assert_eq!(x.len(), counts.len(), "one count a pair");
    let drawn = || (0..x.len()).filter(|&pair| counts[pair] > 0);
    let first = drawn().next()?;
    let constant = |values: &[f64]| drawn().all(|pair| values[pair] == values[first]);
    if constant(x) || constant(y) {
        return None;
    }
    let (mut sum_x, mut sum_y, mut total) = (0.0, 0.0, 0.0);
    for pair in drawn() {
        let count = f64::from(counts[pair]);
        sum_x += count * x[pair];
        sum_y += count * y[pair];
        total += count;
    }
    let (mean_x, mean_y) = (sum_x / total, sum_y / total);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for pair in drawn() {
        let count = f64::from(counts[pair]);
        let (dx, dy) = (x[pair] - mean_x, y[pair] - mean_y);
        xx += count * dx * dx;
        yy += count * dy * dy;
        xy += count * dx * dy;
    }
    // Rounding must not carry a perfect correlation past one.
    Some((xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0))
}

/// Returns Spearman's rank correlation: Pearson's correlation of the [`average_ranks`]. As
/// `scipy.stats.spearmanr`. `None` as for [`pearson`].
///
/// # Panics
/// If the slices differ in length.
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    pearson(&average_ranks(x), &average_ranks(y))
}

/// Returns the rank of each value from 1 upwards; equal values share the mean of the ranks they
/// take up. As `scipy.stats.rankdata`.
pub fn average_ranks(values: &[f64]) -> Vec<f64> {
    Order::new(values).ranks(&vec![1; values.len()])
}

/// Values sorted once, so that the ranks in any draw from them take a single pass.
#[derive(Debug, Clone)]
pub struct Order {
    /// The numbers of the values, ascending.
    items: Vec<u32>,
    /// How many values in a row are equal.
    ties: Vec<u32>,
}

impl Order {
    /// Sorts the values.
    pub fn new(values: &[f64]) -> Self {
        let mut items: Vec<u32> = (0..values.len() as u32).collect();
        items.sort_unstable_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
        let ties = items.chunk_by(|&a, &b| values[a as usize] == values[b as usize]);
        let ties = ties.map(|run| run.len() as u32).collect();
        Self { items, ties }
    }

    /// Returns the [`average_ranks`] where value `i` occurs `counts[i]` times; 0 for one that does
    /// not.
    ///
    /// # Panics
    /// If there are fewer counts than values.
    pub fn ranks(&self, counts: &[u32]) -> Vec<f64> {
        let mut ranks = vec![0.0; self.items.len()];
        let mut rest = self.items.as_slice();
        let mut before = 0.0;
        for &run in &self.ties {
            let (ties, later) = rest.split_at(run as usize);
            rest = later;
            let drawn: u32 = ties.iter().map(|&item| counts[item as usize]).sum();
            let rank = before + f64::from(drawn + 1) / 2.0;
            for &item in ties {
                if counts[item as usize] > 0 {
                    ranks[item as usize] = rank;
                }
            }
            before += f64::from(drawn);
        }
        ranks
    }
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
    fn a_draw_has_the_figures_of_the_values_in_it() {
        let x = [0.31, 0.92, 0.55, 0.55, 0.12, 0.78, 0.40, 0.92];
        let y = [0.2, 1.0, 0.6, 0.4, 0.0, 0.6, 0.2, 0.8];
        let counts = [2, 1, 0, 3, 1, 0, 1, 2];
        let drawn = |values: &[f64]| -> Vec<f64> {
            let rows = values.iter().zip(counts);
            rows.flat_map(|(&value, count)| std::iter::repeat_n(value, count as usize))
                .collect()
        };
        let pearson_of_draw = pearson(&drawn(&x), &drawn(&y)).unwrap();
        close(counted_pearson(&x, &y, &counts), pearson_of_draw);
        let (x_ranks, y_ranks) = (Order::new(&x).ranks(&counts), Order::new(&y).ranks(&counts));
        let spearman_of_draw = spearman(&drawn(&x), &drawn(&y)).unwrap();
        close(
            counted_pearson(&x_ranks, &y_ranks, &counts),
            spearman_of_draw,
        );
        assert_eq!(counted_pearson(&x, &y, &[3, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(counted_pearson(&x, &y, &[0; 8]), None);
    }

    #[test]
    fn a_side_without_variance_has_no_correlation() {
        assert_eq!(pearson(&[0.1, 0.1, 0.1], &[1.0, 2.0, 3.0]), None);
        assert_eq!(spearman(&[1.0], &[1.0]), None);
        assert_eq!(spearman(&[], &[]), None);
    }
}
