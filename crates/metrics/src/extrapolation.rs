use crate::bootstrap::Interval;
use crate::clusters::Clusters;

/// Resamples of the items.
const RESAMPLES: usize = 1_000;
/// What another order of the rows changes in the logarithm of an error: it is taken for noise of
/// each training beside that of the items.
const TRAINING_NOISE: f64 = 0.01;
/// Halvings of the largest training that the start is taken for, at most worth and at least.
const WORTHS: std::ops::RangeInclusive<i32> = -3..=5;

/// What training on so many rows takes off the mean error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extrapolated {
    /// Training rows.
    pub rows: f64,
    /// The mean error of the start less that after training.
    pub gain: f64,
    /// Where that lies.
    pub interval: Interval,
}

/// Predicts what training on more rows takes off the mean error of some items, such as 1 - nDCG of
/// queries. `start` has the errors before training, from 0 on; `trained` has, for each number of
/// rows that was trained on, those of the same items after it.
///
/// The errors are fitted by e(n) = e(0) · (1 + n / c)^-a, a power law in which the start is worth c
/// rows already (Hernandez, Kaplan, Henighan, McCandlish: *Scaling Laws for Transfer*, 2021). Few
/// small trainings cannot tell c, which decides how soon the curve flattens. So each c of a grid,
/// from 1/32 to 8 times the largest training, gets an exponent of its own by least squares of
/// ln(e(n) / e(0)), and the predictions are averaged with weights exp(-S / 2σ²), S being the
/// squares left and σ² the mean variance of the logarithms (Burnham, Anderson: *Model Selection and
/// Multimodel Inference*, 2002). The interval holds the middle share `confidence` of the same
/// predictions over bootstrap resamples of the clusters, all trainings resampled alike, and
/// is widened by the squares that the fit leaves.
///
/// `None` without items or trainings, where the start has no error, or where lengths differ.
pub fn extrapolate(
    start: &[f64],
    trained: &[(f64, Vec<f64>)],
    wanted: &[f64],
    clusters: &Clusters,
    confidence: f64,
    seed: u64,
) -> Option<Vec<Extrapolated>> {
    let same = |(rows, errors): &(f64, Vec<f64>)| *rows > 0.0 && errors.len() == start.len();
    if start.is_empty()
        || clusters.items() != start.len()
        || trained.is_empty()
        || !trained.iter().all(same)
    {
        return None;
    }
    // A mean error of less than half an item's is as good as none, and has a logarithm.
    let least = 0.5 / start.len() as f64;
    let logarithms = |items: &[u32]| -> Vec<f64> {
        let mean = |errors: &[f64]| {
            let sum: f64 = items.iter().map(|&item| errors[item as usize]).sum();
            (sum / items.len() as f64).max(least)
        };
        let of_start = mean(start);
        let points = trained
            .iter()
            .map(|(_, errors)| (mean(errors) / of_start).ln());
        std::iter::once(of_start).chain(points).collect()
    };
    let all: Vec<u32> = (0..start.len() as u32).collect();
    let whole = logarithms(&all);
    if whole[0] <= least {
        return None;
    }
    let resampled = clusters.bootstrap(RESAMPLES, seed, logarithms);
    let variance = mean_variance(&resampled) + TRAINING_NOISE.powi(2);
    let rows: Vec<f64> = trained.iter().map(|(rows, _)| *rows).collect();
    let fit = |figures: &[f64]| Fits::new(&rows, figures, variance);
    let of_whole = fit(&whole);
    let of_resamples: Vec<Fits> = resampled.iter().map(|figures| fit(figures)).collect();
    let of_rows = |&rows: &f64| {
        let predicted = of_resamples.iter().flat_map(|fits| fits.gains(rows));
        let (low, high) = middle(predicted.collect(), confidence);
        let gain: f64 = of_whole
            .gains(rows)
            .map(|(gain, weight)| gain * weight)
            .sum();
        let left = of_whole.left * crate::two_sided_z(confidence);
        Extrapolated {
            rows,
            gain,
            interval: Interval {
                low: gain - (gain - low).max(0.0).hypot(left),
                high: gain + (high - gain).max(0.0).hypot(left),
            },
        }
    };
    Some(wanted.iter().map(of_rows).collect())
}

/// The curves through the same points, one for each worth of the start.
struct Fits {
    start: f64,
    /// Worth of the start in rows, exponent, and weight; the weights sum up to 1.
    curves: Vec<(f64, f64, f64)>,
    /// How far the points are from the curves, in errors: the root of the mean square.
    left: f64,
}

impl Fits {
    /// Fits the error of the start and the logarithms of the others over it.
    fn new(rows: &[f64], figures: &[f64], variance: f64) -> Self {
        let (start, logarithms) = (figures[0], &figures[1..]);
        let largest = rows.iter().copied().fold(0.0, f64::max);
        let fitted: Vec<(f64, f64, f64)> = WORTHS
            .map(|halvings| {
                let worth = largest * 0.5f64.powi(halvings);
                let places: Vec<f64> = rows.iter().map(|rows| (rows / worth).ln_1p()).collect();
                let points = || places.iter().zip(logarithms);
                let slope = points().map(|(x, y)| x * y).sum::<f64>()
                    / places.iter().map(|x| x * x).sum::<f64>();
                let squares = points().map(|(x, y)| (y - slope * x).powi(2)).sum();
                (worth, -slope, squares)
            })
            .collect();
        let best = fitted.iter().map(|fit| fit.2).fold(f64::INFINITY, f64::min);
        let weight = |squares: f64| (-(squares - best) / (2.0 * variance)).exp();
        let sum: f64 = fitted.iter().map(|fit| weight(fit.2)).sum();
        let curves: Vec<(f64, f64, f64)> = fitted
            .iter()
            .map(|&(worth, exponent, squares)| (worth, exponent, weight(squares) / sum))
            .collect();
        let squares: f64 = fitted.iter().map(|fit| fit.2 * weight(fit.2) / sum).sum();
        Self {
            start,
            curves,
            left: start * (squares / rows.len() as f64).sqrt(),
        }
    }

    /// Returns what each curve gives for so many rows, with its weight.
    fn gains(&self, rows: f64) -> impl Iterator<Item = (f64, f64)> {
        self.curves.iter().map(move |&(worth, exponent, weight)| {
            let left = (-exponent * (rows / worth).ln_1p()).exp();
            (self.start * (1.0 - left), weight)
        })
    }
}

/// The mean over the points of their variance over the resamples; the first figure is the start's.
fn mean_variance(resampled: &[Vec<f64>]) -> f64 {
    let points = resampled.first().map_or(0, Vec::len).saturating_sub(1);
    let n = resampled.len() as f64;
    let variance = |point: usize| {
        let values = || resampled.iter().map(|figures| figures[point]);
        let mean = values().sum::<f64>() / n;
        values().map(|value| (value - mean).powi(2)).sum::<f64>() / n
    };
    (1..=points).map(variance).sum::<f64>() / points.max(1) as f64
}

/// The ends of the middle share of weighted values.
fn middle(mut values: Vec<(f64, f64)>, share: f64) -> (f64, f64) {
    values.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    let all: f64 = values.iter().map(|value| value.1).sum();
    let tail = (1.0 - share) / 2.0 * all;
    let (first, last) = (values.iter(), values.iter().rev());
    (end(first, tail), end(last, tail))
}

/// The value at which so much weight is passed.
fn end<'a>(mut values: impl Iterator<Item = &'a (f64, f64)>, weight: f64) -> f64 {
    let mut passed = 0.0;
    let found = values.find(|value| {
        passed += value.1;
        passed >= weight
    });
    found.map_or(f64::NAN, |value| value.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each item is a cluster of its own.
    fn extrapolate(
        start: &[f64],
        trained: &[(f64, Vec<f64>)],
        wanted: &[f64],
        confidence: f64,
        seed: u64,
    ) -> Option<Vec<Extrapolated>> {
        let clusters = Clusters::new(&(0..start.len() as u32).collect::<Vec<_>>());
        super::extrapolate(start, trained, wanted, &clusters, confidence, seed)
    }

    #[test]
    fn items_that_are_alike_count_as_one() {
        // Half of the items gain, and all of one answer do or none.
        let items = 400;
        let of = |left: f64| -> Vec<f64> {
            (0..items)
                .map(|item| if item < items / 2 { left } else { 1.0 })
                .collect()
        };
        let trained = [(125.0, of(0.9)), (250.0, of(0.8)), (500.0, of(0.7))];
        let width = |of_item: fn(u32) -> u32| {
            let clusters = Clusters::new(&(0..items as u32).map(of_item).collect::<Vec<_>>());
            let found = super::extrapolate(&of(1.0), &trained, &[2_000.0], &clusters, 0.95, 42);
            let interval = found.unwrap()[0].interval;
            interval.high - interval.low
        };
        let (alone, of_answers) = (width(|item| item), width(|item| item / 100));
        assert!(of_answers > 2.0 * alone, "{of_answers} {alone}");
    }

    /// Errors of items that differ and all follow the same law.
    fn errors(items: usize, rows: f64, worth: f64, exponent: f64) -> Vec<f64> {
        let left = (1.0 + rows / worth).powf(-exponent);
        (0..items)
            .map(|item| (item % 10) as f64 / 9.0 * left)
            .collect()
    }

    fn curve(worth: f64, exponent: f64) -> (Vec<f64>, Vec<(f64, Vec<f64>)>) {
        let of = |rows: f64| errors(400, rows, worth, exponent);
        let sizes = [125.0, 250.0, 500.0];
        (of(0.0), sizes.map(|rows| (rows, of(rows))).to_vec())
    }

    #[test]
    fn a_power_law_is_found_again() {
        for (worth, exponent) in [(500.0, 0.3), (60.0, 0.1), (2_000.0, 0.5)] {
            let (start, trained) = curve(worth, exponent);
            let found = extrapolate(&start, &trained, &[2_000.0, 4_000.0], 0.95, 42).unwrap();
            for found in found {
                let truth = 0.5 * (1.0 - (1.0 + found.rows / worth).powf(-exponent));
                assert!(
                    (found.gain - truth).abs() < 0.04,
                    "{worth}: {found:?} {truth}"
                );
                let Interval { low, high } = found.interval;
                assert!(low <= truth && truth <= high, "{worth}: {found:?} {truth}");
                assert!(low < found.gain && found.gain < high, "{found:?}");
            }
        }
    }

    #[test]
    fn training_that_does_nothing_or_harm_is_told() {
        let (start, trained) = curve(500.0, 0.0);
        let found = extrapolate(&start, &trained, &[4_000.0], 0.95, 42).unwrap()[0];
        assert!(
            found.gain.abs() < 1e-9 && found.interval.low <= 0.0,
            "{found:?}"
        );
        let (start, trained) = curve(500.0, -0.1);
        let found = extrapolate(&start, &trained, &[4_000.0], 0.95, 42).unwrap()[0];
        assert!(found.interval.high < 0.0, "{found:?}");
    }

    #[test]
    fn fewer_items_make_a_wider_interval() {
        // Items that gain by chance: half of them all, half nothing.
        let of = |items: usize, share: f64| -> Vec<f64> {
            let error = |item: usize| f64::from(u8::from((item * 7 % 10) as f64 >= share));
            (0..items).map(error).collect()
        };
        let width = |items: usize| {
            let trained = [
                (125.0, of(items, 1.0)),
                (250.0, of(items, 2.0)),
                (500.0, of(items, 3.0)),
            ];
            let found = extrapolate(&of(items, 0.0), &trained, &[2_000.0], 0.95, 42).unwrap()[0];
            found.interval.high - found.interval.low
        };
        assert!(
            width(50) > 1.2 * width(5_000),
            "{} {}",
            width(50),
            width(5_000)
        );
    }

    #[test]
    fn what_cannot_be_predicted_is_none() {
        let (start, trained) = curve(500.0, 0.3);
        assert_eq!(extrapolate(&[], &[], &[1.0], 0.95, 1), None);
        assert_eq!(extrapolate(&start, &[], &[1.0], 0.95, 1), None);
        assert_eq!(extrapolate(&start[1..], &trained, &[1.0], 0.95, 1), None);
        let perfect = vec![0.0; start.len()];
        let trained = [(100.0, perfect.clone())];
        assert_eq!(extrapolate(&perfect, &trained, &[1.0], 0.95, 1), None);
    }

    #[test]
    fn equal_seeds_give_equal_figures() {
        let (start, trained) = curve(300.0, 0.2);
        let of = |seed| extrapolate(&start, &trained, &[1_000.0], 0.95, seed);
        assert_eq!(of(1), of(1));
    }
}
