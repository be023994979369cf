use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Pearson's chi-square test of counts against the shares they were to have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquare {
    /// Σ (observed - expected)² / expected.
    pub statistic: f64,
    /// Categories less one.
    pub degrees: usize,
    /// How likely a statistic as large is where the shares are as said; in 0..=1.
    pub p_value: f64,
}

/// Tests `observed` against `shares`, positive numbers that need not sum up to 1. As
/// `scipy.stats.chisquare`.
///
/// `None` with fewer than two categories or without observations.
///
/// # Panics
/// If the slices differ in length.
pub fn chi_square(observed: &[u64], shares: &[f64]) -> Option<ChiSquare> {
    assert_eq!(observed.len(), shares.len(), "one share a category");
    let total: f64 = observed.iter().map(|&count| count as f64).sum();
    let whole: f64 = shares.iter().sum();
    let degrees = observed.len().checked_sub(1)?;
    let distribution = ChiSquared::new(degrees as f64).ok()?;
    let statistic = observed
        .iter()
        .zip(shares)
        .map(|(&count, share)| {
            let expected = total * share / whole;
            (count as f64 - expected).powi(2) / expected
        })
        .sum();
    (total > 0.0).then(|| ChiSquare {
        statistic,
        degrees,
        p_value: distribution.sf(statistic),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_needs_categories_and_observations() {
        assert_eq!(chi_square(&[], &[]), None);
        assert_eq!(chi_square(&[5], &[1.0]), None);
        assert_eq!(chi_square(&[0, 0], &[1.0, 1.0]), None);
        assert_eq!(chi_square(&[30, 10], &[3.0, 1.0]).unwrap().p_value, 1.0);
    }
}
