use std::cmp::Ordering;

use pairmill_metrics::{
    Interval, bootstrap, bootstrap_p, holm, paired_t_test, percentile_interval, randomisation_test,
};
use serde::{Deserialize, Serialize};

use crate::compared::Compared;
use crate::sample::Sample;

/// Sign flips of the randomisation test.
pub(crate) const PERMUTATIONS: usize = 10_000;

/// How much evidence to gather.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Settings {
    /// The share of intervals that hold the true figure, such as 0.95.
    pub confidence: f64,
    /// How often the items are drawn again; 0 gives figures alone.
    pub resamples: usize,
    /// Seed of the draws.
    #[serde(skip)]
    pub seed: u64,
}

/// How sure the figures are, given that other items could have been asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The share of intervals that hold the true figure.
    pub confidence: f64,
    /// How often the items were drawn again.
    pub resamples: usize,
    /// One for each metric, in the order of the figures.
    pub metrics: Vec<MetricEvidence>,
}

/// The evidence of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricEvidence {
    /// The metric.
    pub metric: String,
    /// Where the model's figure lies.
    pub model: Option<Interval>,
    /// Where the baseline's figure lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Interval>,
    /// Model less baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
}

/// How sure a difference is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Where the difference lies.
    pub interval: Option<Interval>,
    /// The tests of the items' own values, where the metric is their mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paired: Option<Paired>,
    /// The chance of such a difference between equals: of the randomisation test where there are
    /// paired values, else of the bootstrap.
    pub p: Option<f64>,
    /// `p` after Holm's correction for the number of metrics.
    pub p_corrected: Option<f64>,
}

/// What the values of the same items tell, model against baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Paired {
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

impl Evidence {
    /// Gathers it; `None` without items or resamples.
    pub(crate) fn of(samples: &Compared<impl Sample>, settings: &Settings) -> Option<Self> {
        let names = samples.model.metrics();
        let both = |items: &[u32]| {
            let mut figures = samples.model.figures(items);
            if let Some(baseline) = &samples.baseline {
                figures.extend(baseline.figures(items));
            }
            figures
        };
        let drawn = bootstrap(samples.model.len(), settings.resamples, settings.seed, both);
        if drawn.is_empty() {
            return None;
        }
        let column = |i: usize| drawn.iter().map(move |figures| figures[i]);
        let interval = |i: usize| percentile_interval(column(i), settings.confidence);
        let mut metrics: Vec<MetricEvidence> = names
            .iter()
            .enumerate()
            .map(|(i, name)| MetricEvidence {
                metric: name.clone(),
                model: interval(i),
                baseline: samples
                    .baseline
                    .as_ref()
                    .and_then(|_| interval(names.len() + i)),
                difference: samples.baseline.as_ref().map(|baseline| {
                    let differences = || column(i).zip(column(names.len() + i)).map(|(a, b)| a - b);
                    let paired = samples
                        .model
                        .values(i)
                        .zip(baseline.values(i))
                        .and_then(|(model, baseline)| Paired::of(&model, &baseline, settings));
                    Difference {
                        interval: percentile_interval(differences(), settings.confidence),
                        p: match &paired {
                            Some(paired) => Some(paired.randomisation_p),
                            None => bootstrap_p(differences()),
                        },
                        p_corrected: None,
                        paired,
                    }
                }),
            })
            .collect();
        correct(&mut metrics);
        Some(Self {
            confidence: settings.confidence,
            resamples: settings.resamples,
            metrics,
        })
    }

    /// That of a metric.
    pub fn get(&self, metric: &str) -> Option<&MetricEvidence> {
        self.metrics.iter().find(|one| one.metric == metric)
    }
}

impl Paired {
    /// `None` without values to pair.
    fn of(model: &[f64], baseline: &[f64], settings: &Settings) -> Option<Self> {
        let t = paired_t_test(model, baseline);
        let count = |wanted: Ordering| {
            let pairs = model.iter().zip(baseline);
            pairs.filter(|(a, b)| a.total_cmp(b) == wanted).count()
        };
        Some(Self {
            randomisation_p: randomisation_test(model, baseline, PERMUTATIONS, settings.seed)?,
            t: t.as_ref().map(|test| test.t),
            t_p: t.as_ref().map(|test| test.p),
            effect_size: t.as_ref().map(|test| test.effect_size),
            better: count(Ordering::Greater),
            worse: count(Ordering::Less),
            equal: count(Ordering::Equal),
        })
    }
}

/// Holm's correction over the metrics that have a chance.
fn correct(metrics: &mut [MetricEvidence]) {
    let mut differences: Vec<&mut Difference> = metrics
        .iter_mut()
        .filter_map(|metric| metric.difference.as_mut())
        .filter(|difference| difference.p.is_some())
        .collect();
    let chances: Vec<f64> = differences.iter().filter_map(|one| one.p).collect();
    for (difference, p) in differences.iter_mut().zip(holm(&chances)) {
        difference.p_corrected = Some(p);
    }
}
