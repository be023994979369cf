use pairmill_metrics::{Certainty, Interval};
use serde::{Deserialize, Serialize};

/// The chance to see a difference that is there, by which [`Needed`] is reckoned.
pub(crate) const POWER: f64 = 0.8;
/// An effect, in standard deviations of the differences, from which on a difference that is not
/// clear is put down to too few items (what Cohen calls a small effect).
const SMALL_EFFECT: f64 = 0.2;

/// What a difference says, by its interval and its corrected chance together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The interval leaves 0 out on the better side and the chance is small enough.
    Better,
    /// On the worse side.
    Worse,
    /// Neither, with items enough to see an effect that is not small.
    Unclear,
    /// Neither, and the items are too few to tell.
    TooFew,
}

/// How many items would show a difference of the size that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needed {
    /// Independent units: clusters where items share something, else items.
    pub clusters: u64,
    /// Items, if as many of them share something as now.
    pub items: u64,
}

/// A difference and what it rests on.
pub(crate) struct Found {
    pub difference: f64,
    pub interval: Option<Interval>,
    /// The standard deviation of the difference over resamples.
    pub standard_error: f64,
    /// The chance after correction.
    pub p: Option<f64>,
    pub items: usize,
    pub clusters: usize,
    /// Clusters that differ at all: the others say nothing about the direction.
    pub moved: usize,
    /// How many tests the chance is corrected for.
    pub tests: usize,
    /// The chance of a false alarm that is allowed.
    pub alpha: f64,
}

impl Found {
    /// Judges a metric that is the better the higher it is. `None` where there is no interval or no
    /// test.
    pub fn verdict(&self) -> Option<Verdict> {
        let Interval { low, high } = self.interval?;
        let is_unlikely = self.p? < self.alpha;
        Some(match (low > 0.0, high < 0.0) {
            (true, _) if is_unlikely => Verdict::Better,
            (_, true) if is_unlikely => Verdict::Worse,
            _ if self.is_too_few() => Verdict::TooFew,
            _ => Verdict::Unclear,
        })
    }

    fn is_too_few(&self) -> bool {
        let deviation = self.standard_error * (self.clusters as f64).sqrt();
        let is_an_effect = self.difference.abs() >= SMALL_EFFECT * deviation;
        self.difference != 0.0 && (is_an_effect || self.clusters < self.least())
    }

    /// The fewest clusters of which all can be better without that being likely by chance, whatever
    /// the test: half of the 2^n exchanges are as far, one on either side.
    fn least(&self) -> usize {
        let exchanges = 2.0 * self.tests as f64 / self.alpha;
        exchanges.log2().floor() as usize + 1
    }

    /// Reckons how much would show the difference; `None` where there is none, or it is clear
    /// already.
    pub fn needed(&self) -> Option<Needed> {
        let open = [Verdict::TooFew, Verdict::Unclear];
        if !open.contains(&self.verdict()?) {
            return None;
        }
        let certainty = Certainty {
            alpha: self.alpha / self.tests.max(1) as f64,
            power: POWER,
        };
        let clusters = certainty.items(self.clusters, self.difference, self.standard_error)?;
        // What is not clear yet takes more than there are, whatever the estimate, and so many that
        // enough of them differ.
        let moved = self.moved.max(1) as f64 / self.clusters as f64;
        let least = (self.least() as f64 / moved)
            .ceil()
            .max(self.clusters as f64 + 1.0);
        let clusters = clusters.ceil().max(least) as u64;
        let per_cluster = self.items as f64 / self.clusters as f64;
        Some(Needed {
            clusters,
            items: (clusters as f64 * per_cluster).ceil() as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(difference: f64, standard_error: f64, p: f64, clusters: usize) -> Found {
        let margin = 1.96 * standard_error;
        Found {
            difference,
            interval: Some(Interval {
                low: difference - margin,
                high: difference + margin,
            }),
            standard_error,
            p: Some(p),
            items: 3 * clusters,
            clusters,
            moved: clusters,
            tests: 6,
            alpha: 0.05,
        }
    }

    #[test]
    fn interval_and_chance_have_to_agree() {
        assert_eq!(found(0.2, 0.05, 0.01, 40).verdict(), Some(Verdict::Better));
        assert_eq!(found(-0.2, 0.05, 0.01, 40).verdict(), Some(Verdict::Worse));
        assert_eq!(found(0.2, 0.05, 0.06, 40).verdict(), Some(Verdict::TooFew));
        assert_eq!(found(0.2, 0.15, 0.01, 40).verdict(), Some(Verdict::TooFew));
        let untested = Found {
            p: None,
            ..found(0.2, 0.05, 0.0, 40)
        };
        assert_eq!((untested.verdict(), untested.needed()), (None, None));
    }

    #[test]
    fn a_small_effect_among_many_is_no_clear_difference() {
        let small = found(0.001, 0.001, 0.9, 1_000);
        assert_eq!(small.verdict(), Some(Verdict::Unclear));
        // (2.638 + 0.8416)² times as many as now.
        let needed = small.needed().unwrap();
        assert!((12_000..12_200).contains(&needed.clusters), "{needed:?}");
        assert_eq!(needed.items, 3 * needed.clusters);
        assert_eq!(found(0.0, 0.0, 1.0, 4).needed(), None);
        assert_eq!(found(0.0, 0.0, 1.0, 4).verdict(), Some(Verdict::Unclear));
    }

    #[test]
    fn too_few_to_be_unlikely_by_chance_are_too_few() {
        // All five better: 2 of 32 exchanges, times six tests.
        let five = found(0.01, 0.1, 0.375, 5);
        assert_eq!(five.verdict(), Some(Verdict::TooFew));
        let alike = found(0.5, 0.0, 0.375, 5).needed().unwrap();
        // 2 · 6 / 2⁸ is below 0.05, 2 · 6 / 2⁷ is not.
        assert_eq!((alike.clusters, alike.items), (8, 24));
        // Of which only three in five differ.
        let some = Found {
            moved: 3,
            ..found(0.5, 0.0, 0.375, 5)
        };
        assert_eq!(some.needed().unwrap().clusters, 14);
    }
}
