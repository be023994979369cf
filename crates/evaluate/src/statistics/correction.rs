use pairmill_metrics::holm;

/// The name of [`holm`]'s correction.
pub(crate) const CORRECTION: &str = "holm";

/// The chance of a metric after correction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Corrected {
    pub p: f64,
    /// The metric before it that is the same figure, up to a factor.
    pub same_as: Option<usize>,
}

/// Corrects chances for being several by Holm's method, over the metrics that have one; those that
/// are one figure count once. `figures` has what tells one figure from another, for each metric.
/// Returns also how many count.
pub(crate) fn corrected(
    chances: &[Option<f64>],
    figures: &[Vec<f64>],
) -> (Vec<Option<Corrected>>, usize) {
    // The first metric of each figure, and which of them each metric is.
    let mut firsts: Vec<usize> = Vec::new();
    let mut of_metric = vec![None; chances.len()];
    for (i, _) in chances.iter().enumerate().filter(|(_, p)| p.is_some()) {
        let same = firsts
            .iter()
            .position(|&first| is_same(&figures[first], &figures[i]));
        of_metric[i] = Some(same.unwrap_or(firsts.len()));
        if same.is_none() {
            firsts.push(i);
        }
    }
    let tested: Vec<f64> = firsts.iter().filter_map(|&i| chances[i]).collect();
    let corrected = holm(&tested);
    let of_metric = of_metric.into_iter().enumerate();
    let all = of_metric.map(|(i, test)| {
        let test: usize = test?;
        Some(Corrected {
            p: corrected[test],
            same_as: (firsts[test] != i).then_some(firsts[test]),
        })
    });
    (all.collect(), firsts.len())
}

/// Whether one is the other times a number above 0, but for rounding.
fn is_same(a: &[f64], b: &[f64]) -> bool {
    const ROUNDING: f64 = 1e-6;
    let largest = |values: &[f64]| {
        values
            .iter()
            .fold(0f64, |most, value| most.max(value.abs()))
    };
    let (of_a, of_b) = (largest(a), largest(b));
    if of_a == 0.0 || of_b == 0.0 {
        return of_a == of_b;
    }
    let mut pairs = a.iter().zip(b);
    pairs.all(|(a, b)| (a.is_nan() && b.is_nan()) || (a / of_a - b / of_b).abs() <= ROUNDING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_figure_counts_once_and_what_has_no_chance_not_at_all() {
        let figures = [
            vec![0.0, 1.0, f64::NAN],
            vec![1.0, 0.0, 0.0],
            vec![0.0, 0.1, f64::NAN],
            vec![],
        ];
        let (found, tests) = corrected(&[Some(0.01), Some(0.04), Some(0.01), None], &figures);
        assert_eq!(tests, 2);
        let first = Corrected {
            p: 0.02,
            same_as: None,
        };
        let second = Corrected {
            p: 0.04,
            same_as: None,
        };
        let same = Corrected {
            p: 0.02,
            same_as: Some(0),
        };
        assert_eq!(found, [Some(first), Some(second), Some(same), None]);
        assert_eq!(corrected(&[None], &[]), (vec![None], 0));
    }
}
