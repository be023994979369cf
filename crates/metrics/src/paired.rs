use pairmill_schema::draw::seeded;
use rand::RngCore;
use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// What a paired t-test gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedTTest {
    /// Student's t: the mean difference over its standard error.
    pub t: f64,
    /// Degrees of freedom: one less than there are pairs.
    pub degrees: f64,
    /// The chance of a t at least as far from 0 between equals.
    pub p: f64,
    /// Cohen's d of the differences (d_z): their mean over their standard deviation.
    pub effect_size: f64,
}

/// Returns the paired t-test of two values of the same items, two-sided. As
/// `scipy.stats.ttest_rel`.
///
/// `None` where it is undefined: fewer than two pairs, or the same difference in all of them.
///
/// # Panics
/// If the slices differ in length.
pub fn paired_t_test(a: &[f64], b: &[f64]) -> Option<PairedTTest> {
    let differences = differences(a, b);
    let n = differences.len() as f64;
    let first = *differences.first()?;
    if differences.len() < 2 || differences.iter().all(|&difference| difference == first) {
        return None;
    }
    let mean = differences.iter().sum::<f64>() / n;
    let squares: f64 = differences.iter().map(|one| (one - mean).powi(2)).sum();
    let deviation = (squares / (n - 1.0)).sqrt();
    let t = mean / (deviation / n.sqrt());
    let degrees = n - 1.0;
    let student = StudentsT::new(0.0, 1.0, degrees).ok()?;
    Some(PairedTTest {
        t,
        degrees,
        p: (2.0 * student.sf(t.abs())).min(1.0),
        effect_size: mean / deviation,
    })
}

/// Returns the paired randomisation test, two-sided: how often the mean difference is at least as
/// far from 0 when the two values of each item change places at random. As
/// `scipy.stats.permutation_test` with `permutation_type="samples"`.
///
/// All of the 2^n exchanges are tried if these are no more than `permutations`. Otherwise so many
/// are drawn, and one is added to both counts, so that the chance is never 0. `None` without items.
///
/// Smucker, Allan and Carterette, A comparison of statistical significance tests for information
/// retrieval evaluation, 2007.
///
/// # Panics
/// If the slices differ in length.
pub fn randomisation_test(a: &[f64], b: &[f64], permutations: usize, seed: u64) -> Option<f64> {
    let all = differences(a, b);
    if all.is_empty() {
        return None;
    }
    // Where there is no difference, changing places changes nothing.
    let differences: Vec<f64> = all.into_iter().filter(|&one| one != 0.0).collect();
    let observed = differences.iter().sum::<f64>().abs();
    // What differs by rounding alone is as far; sums round by a share of what they add up.
    let far = observed - 1e-12 * differences.iter().map(|one| one.abs()).sum::<f64>();
    let n = differences.len();
    let exchanges = 1usize.checked_shl(n as u32).filter(|_| n < 60);
    if let Some(exchanges) = exchanges.filter(|&exchanges| exchanges <= permutations) {
        let as_far = (0..exchanges)
            .filter(|&signs| signed_sum(&differences, [signs as u64]).abs() >= far)
            .count();
        return Some(as_far as f64 / exchanges as f64);
    }
    let as_far = (0..permutations as u64)
        .into_par_iter()
        .filter(|&permutation| {
            let mut rng = seeded(seed, permutation);
            let signs = std::iter::repeat_with(|| rng.next_u64());
            signed_sum(&differences, signs).abs() >= far
        })
        .count();
    Some((as_far + 1) as f64 / (permutations + 1) as f64)
}

/// Returns the sum where the sign of a value is turned if its bit is set.
fn signed_sum(values: &[f64], signs: impl IntoIterator<Item = u64>) -> f64 {
    // Several sums at a time do not wait for one another.
    let mut sums = [0.0; 8];
    for (values, signs) in values.chunks(64).zip(signs) {
        for (byte, values) in values.chunks(sums.len()).enumerate() {
            let signs = signs >> (byte * sums.len());
            for (i, (sum, value)) in sums.iter_mut().zip(values).enumerate() {
                *sum += f64::from_bits(value.to_bits() ^ ((signs >> i & 1) << 63));
            }
        }
    }
    sums.iter().sum()
}

fn differences(a: &[f64], b: &[f64]) -> Vec<f64> {
    assert_eq!(a.len(), b.len(), "two values of each item");
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// Chances corrected for being several, so that the chance of any false alarm among them is kept.
/// As `statsmodels.stats.multitest.multipletests(method="holm")`; in the order given.
///
/// Holm, A simple sequentially rejective multiple test procedure, 1979.
pub fn holm(chances: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..chances.len()).collect();
    order.sort_by(|&a, &b| chances[a].total_cmp(&chances[b]));
    let mut corrected = vec![0.0; chances.len()];
    let mut least = 0f64;
    for (rank, &i) in order.iter().enumerate() {
        let left = (chances.len() - rank) as f64;
        least = least.max((left * chances[i]).min(1.0));
        corrected[i] = least;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::cases;

    const A: [f64; 12] = [
        0.31, 0.92, 0.55, 0.61, 0.12, 0.78, 0.40, 0.99, 0.23, 0.47, 0.85, 0.66,
    ];
    const B: [f64; 12] = [
        0.28, 0.71, 0.57, 0.42, 0.12, 0.60, 0.43, 0.80, 0.11, 0.45, 0.70, 0.52,
    ];

    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!(
            (found - expected).abs() < tolerance,
            "{found} is not {expected}"
        );
    }

    #[test]
    fn figures_of_scipy() {
        for case in cases("paired") {
            let (a, b) = (case.numbers("a"), case.numbers("b"));
            let found = paired_t_test(&a, &b).unwrap();
            case.close("t", found.t, 1e-10);
            case.close("t_p", found.p, 1e-10);
            case.close("degrees", found.degrees, 1e-12);
            case.close("d_z", found.effect_size, 1e-10);
            let permutations = case.number("permutations");
            let found = randomisation_test(&a, &b, permutations as usize, 42).unwrap();
            // Drawn exchanges differ from SciPy's: four standard deviations of what parts them.
            let p = case.number("randomisation_p");
            let tolerance = match case.flag("exact") {
                true => 1e-12,
                false => 4.0 * (2.0 * p * (1.0 - p) / permutations).sqrt(),
            };
            case.close("randomisation_p", found, tolerance);
        }
    }

    #[test]
    fn figures_of_statsmodels() {
        for case in cases("corrections") {
            let found = holm(&case.numbers("p"));
            for (found, expected) in found.into_iter().zip(case.numbers("holm")) {
                close(found, expected, 1e-12);
            }
        }
    }

    #[test]
    fn sums_that_differ_by_rounding_are_as_far() {
        // Reciprocal ranks whose differences add up to 0, which no other exchange is nearer to.
        let a = [0.2, 1.0, 0.0, 1.0 / 3.0, 0.5, 0.0, 0.1, 0.0];
        let b = [0.0, 0.0, 1.0 / 3.0, 1.0, 0.5, 0.0, 0.1, 0.2];
        assert_eq!(randomisation_test(&a, &b, 1_000, 1), Some(1.0));
    }

    #[test]
    fn drawn_exchanges_come_near_to_all_of_them() {
        let drawn = randomisation_test(&A, &B, 2_000, 7).unwrap();
        // Three standard deviations of a share of 0.0098 among 2,000.
        close(drawn, 0.009765625, 0.0067);
        let far: Vec<f64> = (0..200).map(|i| 1.0 + f64::from(i)).collect();
        let least = randomisation_test(&far, &[0.0; 200], 999, 7).unwrap();
        close(least, 0.001, 1e-12);
    }

    #[test]
    fn about_one_in_twenty_equals_is_called_different() {
        let mut rng = seeded(3, 0);
        let mut value = || f64::from(rng.next_u32()) / f64::from(u32::MAX);
        let chances: Vec<f64> = (0..400)
            .map(|_| {
                let (a, b): (Vec<f64>, Vec<f64>) = (0..40).map(|_| (value(), value())).unzip();
                randomisation_test(&a, &b, 400, 1).unwrap()
            })
            .collect();
        let alarms = chances.iter().filter(|&&p| p <= 0.05).count();
        // 20 of 400, three standard deviations either way.
        assert!((7..=33).contains(&alarms), "{alarms}");
    }

    #[test]
    fn threads_do_not_change_the_exchanges() {
        let chance = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap()
                .install(|| randomisation_test(&A, &B, 1_000, 9))
        };
        assert_eq!(chance(1), chance(3));
    }

    #[test]
    fn what_is_undefined_is_none() {
        assert_eq!(paired_t_test(&[1.0], &[2.0]), None);
        assert_eq!(paired_t_test(&[1.0, 2.0], &[0.5, 1.5]), None);
        assert_eq!(randomisation_test(&[], &[], 10, 1), None);
        assert_eq!(
            randomisation_test(&[1.0, 2.0], &[1.0, 2.0], 10, 1),
            Some(1.0)
        );
        assert!(holm(&[]).is_empty());
    }
}
