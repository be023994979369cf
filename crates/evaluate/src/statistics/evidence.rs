use pairmill_metrics::{
    Interval, Moments, bootstrap, bootstrap_p, higher_is_better, percentile_interval,
};
use serde::{Deserialize, Serialize};

use crate::paired::Paired;
use crate::statistics::clusters::Clustering;
use crate::statistics::correction::{CORRECTION, corrected};
use crate::statistics::paired_tests::{PairedTests, differing};
use crate::statistics::sample::Sample;
use crate::statistics::verdict::{Found, Needed, Verdict};

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
    /// Items.
    #[serde(default)]
    pub items: usize,
    /// What was drawn and exchanged as a whole, where some items are alike; else each item was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clusters: Option<usize>,
    /// What the items of a cluster have in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clustered_by: Option<String>,
    /// How chances are corrected for being several, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<String>,
    /// For how many: metrics that are one figure count once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<usize>,
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
    pub paired: Option<PairedTests>,
    /// The chance of such a difference between equals: of the randomisation test where there are
    /// paired values, else of the bootstrap.
    pub p: Option<f64>,
    /// `p` after Holm's correction for the number of tests.
    pub p_corrected: Option<f64>,
    /// The first metric that is the same figure on these items, up to a factor: recall@1 and
    /// precision@1 where each query has one relevant document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<String>,
    /// What interval and corrected chance say together, where a metric is the better the higher it
    /// is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What would show a difference of this size with a power of 0.8, where it is not clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<Needed>,
}

impl Evidence {
    /// Gathers it; `None` without items or resamples.
    pub(crate) fn of(
        samples: &Paired<impl Sample>,
        clustering: Option<&Clustering>,
        settings: &Settings,
    ) -> Option<Self> {
        let names = samples.model.metrics();
        let both = |items: &[u32]| {
            let mut figures = samples.model.figures(items);
            if let Some(baseline) = &samples.baseline {
                figures.extend(baseline.figures(items));
            }
            figures
        };
        let items = samples.model.len();
        let drawn = match clustering {
            Some(by) => by
                .clusters
                .bootstrap(settings.resamples, settings.seed, both),
            None => bootstrap(items, settings.resamples, settings.seed, both),
        };
        if drawn.is_empty() {
            return None;
        }
        let column = |i: usize| drawn.iter().map(move |figures| figures[i]);
        let interval = |i: usize| percentile_interval(column(i), settings.confidence);
        let mut metrics = Vec::new();
        let mut figures = Vec::new();
        let mut moved = vec![None; names.len()];
        for (i, name) in names.iter().enumerate() {
            let of_baseline = names.len() + i;
            let difference = samples.baseline.as_ref().map(|baseline| {
                let differences = || column(i).zip(column(of_baseline)).map(|(a, b)| a - b);
                let values = samples.model.values(i).zip(baseline.values(i));
                let paired = values.as_ref().and_then(|(model, baseline)| {
                    PairedTests::of(model, baseline, clustering, settings.seed)
                });
                moved[i] = values
                    .as_ref()
                    .map(|(model, baseline)| differing(model, baseline, clustering));
                figures.push(match values {
                    Some((model, baseline)) => [model, baseline].concat(),
                    None => column(i).chain(column(of_baseline)).collect(),
                });
                Difference {
                    interval: percentile_interval(differences(), settings.confidence),
                    p: match &paired {
                        Some(paired) => Some(paired.randomisation_p),
                        None => bootstrap_p(differences()),
                    },
                    p_corrected: None,
                    same_as: None,
                    verdict: None,
                    needed: None,
                    paired,
                }
            });
            metrics.push(MetricEvidence {
                metric: name.clone(),
                model: interval(i),
                baseline: (samples.baseline.as_ref()).and_then(|_| interval(of_baseline)),
                difference,
            });
        }
        let chances = metrics.iter().map(|metric| metric.difference.as_ref()?.p);
        let (corrected, tests) = corrected(&chances.collect::<Vec<_>>(), &figures);
        for (metric, corrected) in metrics.iter_mut().zip(corrected) {
            if let (Some(difference), Some(corrected)) = (&mut metric.difference, corrected) {
                difference.p_corrected = Some(corrected.p);
                difference.same_as = corrected.same_as.map(|first| names[first].clone());
            }
        }
        let whole: Vec<u32> = (0..items as u32).collect();
        let observed = both(&whole);
        for (i, metric) in metrics.iter_mut().enumerate() {
            let Some(difference) = &mut metric.difference else {
                continue;
            };
            let mut spread = Moments::default();
            let differences = column(i).zip(column(names.len() + i)).map(|(a, b)| a - b);
            let defined = differences.filter(|difference| difference.is_finite());
            defined.for_each(|difference| spread.push(difference));
            let found = Found {
                difference: observed[i] - observed[names.len() + i],
                interval: difference.interval,
                standard_error: spread.variance().unwrap_or(0.0).sqrt(),
                p: difference.p_corrected,
                items,
                clusters: clustering.map_or(items, |by| by.clusters.len()),
                moved: moved[i].unwrap_or_else(|| clustering.map_or(items, |by| by.clusters.len())),
                tests,
                alpha: 1.0 - settings.confidence,
            };
            if higher_is_better(&metric.metric) {
                difference.verdict = found.verdict();
                difference.needed = found.needed();
            }
        }
        Some(Self {
            confidence: settings.confidence,
            resamples: settings.resamples,
            items,
            clusters: clustering.map(|by| by.clusters.len()),
            clustered_by: clustering.map(|by| by.why.clone()),
            correction: (tests > 0).then(|| CORRECTION.to_owned()),
            tests: (tests > 0).then_some(tests),
            metrics,
        })
    }

    /// Returns that of a metric.
    pub fn get(&self, metric: &str) -> Option<&MetricEvidence> {
        self.metrics.iter().find(|one| one.metric == metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::sample::Means;

    const SETTINGS: Settings = Settings {
        confidence: 0.95,
        resamples: 1_000,
        seed: 42,
    };

    fn means(metrics: &[&str], rows: Vec<Vec<f64>>) -> Means {
        Means {
            metrics: metrics.iter().map(|&name| name.to_owned()).collect(),
            rows,
        }
    }

    fn difference<'a>(evidence: &'a Evidence, metric: &str) -> &'a Difference {
        evidence.get(metric).unwrap().difference.as_ref().unwrap()
    }

    /// Fifteen questions about five answers, of which three are answered better now.
    fn paraphrases() -> (Paired<Means>, Clustering) {
        let gain = |item: usize| f64::from(u8::from(item / 3 < 3));
        let rows = |value: &dyn Fn(usize) -> f64| (0..15).map(|item| vec![value(item)]).collect();
        let samples = Paired {
            model: means(&["mrr@10"], rows(&gain)),
            baseline: Some(means(&["mrr@10"], rows(&|_| 0.0))),
        };
        let answers: Vec<usize> = (0..15).map(|item| item / 3).collect();
        let clustering = Clustering::of_values(&answers, "share an answer").unwrap();
        (samples, clustering)
    }

    #[test]
    fn paraphrases_of_five_answers_are_five_items() {
        let (samples, clustering) = paraphrases();
        let alone = Evidence::of(&samples, None, &SETTINGS).unwrap();
        assert_eq!(difference(&alone, "mrr@10").verdict, Some(Verdict::Better));
        let found = Evidence::of(&samples, Some(&clustering), &SETTINGS).unwrap();
        assert_eq!((found.items, found.clusters), (15, Some(5)));
        let of = difference(&found, "mrr@10");
        assert_eq!(of.p, Some(0.25), "all of 2³ exchanges, two as far");
        assert_eq!(of.verdict, Some(Verdict::TooFew));
        assert!(of.needed.unwrap().clusters > 5);
        let width = |evidence: &Evidence| {
            let interval = difference(evidence, "mrr@10").interval.unwrap();
            interval.high - interval.low
        };
        assert!(width(&found) > 1.4 * width(&alone));
    }

    #[test]
    fn metrics_that_are_one_figure_count_once() {
        let names = ["recall@1", "precision@1", "precision@10", "mrr@10"];
        let rows = |values: [f64; 12]| -> Vec<Vec<f64>> {
            let row = |hit: f64| vec![hit, hit, hit / 10.0, (1.0 + hit) / 2.0];
            let mut rows: Vec<Vec<f64>> = values.into_iter().map(row).collect();
            rows[0][3] = 0.9;
            rows
        };
        let one = |places: &[usize]| {
            let mut values = [0.0; 12];
            places.iter().for_each(|&place| values[place] = 1.0);
            values
        };
        let samples = Paired {
            model: means(&names, rows(one(&[1, 2, 3, 4, 5, 6, 7]))),
            baseline: Some(means(&names, rows(one(&[1])))),
        };
        let found = Evidence::of(&samples, None, &SETTINGS).unwrap();
        assert_eq!(
            (found.tests, &*found.correction.clone().unwrap()),
            (Some(2), "holm")
        );
        let p = |metric| {
            let of = difference(&found, metric);
            (of.p.unwrap(), of.p_corrected.unwrap())
        };
        let (p_of_one, corrected) = p("recall@1");
        assert_eq!(p_of_one, 2.0 / 64.0);
        assert_eq!(corrected, 2.0 * p_of_one);
        assert_eq!(p("precision@10"), p("recall@1"));
        let same = |metric| difference(&found, metric).same_as.as_deref();
        assert_eq!(same("precision@1"), Some("recall@1"));
        assert_eq!(same("precision@10"), Some("recall@1"));
        assert_eq!((same("recall@1"), same("mrr@10")), (None, None));
    }
}
