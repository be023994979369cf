use std::collections::BTreeMap;
use std::iter;

use pairmill_metrics::{Interval, Scores, bootstrap, percentile_interval};
use serde::{Deserialize, Serialize};

use crate::paired::Paired;
use crate::statistics::clusters::Clustering;
use crate::statistics::evidence::Settings;
use crate::statistics::sample::Sample;

/// The figures of the items that have something in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The column that groups them.
    pub column: String,
    /// What they have in it.
    pub value: String,
    /// How many they are.
    pub items: usize,
    /// What the model scores on them.
    pub model: Scores,
    /// What the baseline scores, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Scores>,
    /// Where the chief figures lie.
    #[serde(default)]
    pub intervals: GroupIntervals,
}

/// The intervals of a group's chief figure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupIntervals {
    /// Of the model.
    pub model: Option<Interval>,
    /// Of the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Interval>,
    /// Of model less baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Interval>,
}

impl GroupIntervals {
    /// The same draws from the items of the group for both models; items of one cluster together.
    fn of(
        samples: &Paired<impl Sample>,
        items: &[u32],
        clustering: Option<&Clustering>,
        settings: &Settings,
    ) -> Self {
        let chief = |sample: &dyn Fn(&[u32]) -> Vec<f64>, drawn: &[u32]| {
            let drawn: Vec<u32> = drawn.iter().map(|&place| items[place as usize]).collect();
            sample(&drawn).first().copied().unwrap_or(f64::NAN)
        };
        let figures = |drawn: &[u32]| {
            let model = chief(&|items| samples.model.figures(items), drawn);
            let baseline = samples.baseline.as_ref();
            let baseline = baseline.map(|one| chief(&|items| one.figures(items), drawn));
            let difference = baseline.map(|baseline| model - baseline);
            iter::once(model)
                .chain(baseline)
                .chain(difference)
                .collect()
        };
        let (resamples, seed) = (settings.resamples, settings.seed);
        let rows = match clustering.and_then(|by| by.of_items(items)) {
            Some(by) => by.clusters.bootstrap(resamples, seed, figures),
            None => bootstrap(items.len(), resamples, seed, figures),
        };
        let interval = |column: usize| {
            let figures = rows.iter().filter_map(|row| row.get(column).copied());
            percentile_interval(figures, settings.confidence)
        };
        Self {
            model: interval(0),
            baseline: interval(1),
            difference: interval(2),
        }
    }
}

/// A column that groups items, with the value of each of them.
#[derive(Debug, Clone)]
pub(crate) struct Grouping {
    pub column: String,
    pub values: Vec<String>,
}

impl Grouping {
    /// Returns one group a value, in ascending order of the numbers the values start with, then of
    /// the values.
    pub fn figures(
        &self,
        samples: &Paired<impl Sample>,
        clustering: Option<&Clustering>,
        settings: &Settings,
    ) -> Vec<Group> {
        let mut members: BTreeMap<(u64, &str), Vec<u32>> = BTreeMap::new();
        for (item, value) in (0..).zip(&self.values) {
            let number = value.split(|c: char| !c.is_ascii_digit()).next();
            let number = number.and_then(|digits| digits.parse().ok());
            let key = (number.unwrap_or(u64::MAX), value.as_str());
            members.entry(key).or_default().push(item);
        }
        members
            .into_iter()
            .map(|((_, value), items)| {
                let scores = samples.map(|sample| -> Scores {
                    let figures = sample.figures(&items);
                    sample.metrics().into_iter().zip(figures).collect()
                });
                Group {
                    column: self.column.clone(),
                    value: value.to_owned(),
                    items: items.len(),
                    model: scores.model,
                    baseline: scores.baseline,
                    intervals: GroupIntervals::of(samples, &items, clustering, settings),
                }
            })
            .collect()
    }
}

/// The band of a text's length, so that there are a few groups and they sort by length.
pub(crate) fn length_band(text: &str) -> &'static str {
    match text.split_whitespace().count() {
        0..=4 => "1 to 4 words",
        5..=8 => "5 to 8 words",
        9..=16 => "9 to 16 words",
        17..=32 => "17 to 32 words",
        _ => "33 words and more",
    }
}
