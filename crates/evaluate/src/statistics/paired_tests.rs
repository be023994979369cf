use std::cmp::Ordering;

use pairmill_metrics::{paired_t_test, randomisation_test};
use serde::{Deserialize, Serialize};

use crate::statistics::clusters::Clustering;

/// Sign flips of the randomisation test.
pub(crate) const PERMUTATIONS: usize = 10_000;

/// What the values of the same items tell, model against baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairedTests {
    /// The chance by the paired randomisation test, two-sided.
    pub randomisation_p: f64,
    /// Student's t of the paired t-test; `None` where every difference is the same.
    pub t: Option<f64>,
    /// The chance by the paired t-test, two-sided.
    pub t_p: Option<f64>,
    /// Cohen's d of the differences: their mean in units of their standard deviation.
    pub effect_size: Option<f64>,
    /// Items on which the model is better.
    pub better: usize,
    /// Items on which it is worse.
    pub worse: usize,
    /// Items on which there is no difference.
    pub equal: usize,
}

impl PairedTests {
    /// Gathers them; `None` without values to pair. What is in one cluster changes places
    /// together, and is one pair of sums to the t-test.
    pub(crate) fn of(
        model: &[f64],
        baseline: &[f64],
        clustering: Option<&Clustering>,
        seed: u64,
    ) -> Option<Self> {
        let of_items = paired_t_test(model, baseline);
        let count = |wanted: Ordering| {
            let pairs = model.iter().zip(baseline);
            pairs.filter(|(a, b)| a.total_cmp(b) == wanted).count()
        };
        let (p, t) = match clustering {
            None => (
                randomisation_test(model, baseline, PERMUTATIONS, seed)?,
                of_items,
            ),
            Some(by) => {
                let [ours, theirs] = [model, baseline].map(|values| by.clusters.sums(values));
                (
                    randomisation_test(&ours, &theirs, PERMUTATIONS, seed)?,
                    paired_t_test(&ours, &theirs),
                )
            }
        };
        Some(Self {
            randomisation_p: p,
            t: t.as_ref().map(|test| test.t),
            t_p: t.as_ref().map(|test| test.p),
            effect_size: of_items.map(|test| test.effect_size),
            better: count(Ordering::Greater),
            worse: count(Ordering::Less),
            equal: count(Ordering::Equal),
        })
    }
}

/// Counts the items or clusters of which one model makes more than the other.
pub(crate) fn differing(model: &[f64], baseline: &[f64], clustering: Option<&Clustering>) -> usize {
    let differences: Vec<f64> = model.iter().zip(baseline).map(|(a, b)| a - b).collect();
    let of_units = match clustering {
        Some(by) => by.clusters.sums(&differences),
        None => differences,
    };
    of_units
        .iter()
        .filter(|&&difference| difference != 0.0)
        .count()
}
