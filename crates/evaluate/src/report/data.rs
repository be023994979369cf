use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::verdict::{Needed, Verdict};

/// Everything a report draws from. A part without data leaves no trace in the report.
///
/// Figures may be NaN where they are undefined; they are `null` in JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Report {
    /// What was evaluated on what, such as `scifact, test split`.
    pub title: String,
    /// The command, such as `retrieval`.
    pub task: String,
    /// Program and version.
    pub created_by: String,
    /// Name of the model.
    pub model: String,
    /// Name of the baseline.
    pub baseline: Option<String>,
    /// What is drawn again for intervals, in the plural: `queries`, `pairs`, `tickets`.
    pub items: String,
    /// Which metric of the summary the headline is about; the first where it is empty.
    pub chief: String,
    /// How many items there are, and in how many clusters of what kind, where some are alike.
    pub items_drawn: u64,
    pub clusters: Option<(u64, String)>,
    /// For how many tests chances are corrected.
    pub tests: u64,
    /// Coverage of all intervals, in 0..1.
    pub confidence: f64,
    /// How the figures are made, in sentences.
    pub method: String,
    /// How their intervals and tests are made, in sentences.
    pub evidence: String,
    /// How much was evaluated, and what was left out.
    pub counts: BTreeMap<String, u64>,
    /// What the reader has to know before trusting the figures, in sentences.
    pub warnings: Vec<String>,
    /// The metrics, in the order of the table.
    pub summary: Vec<MetricRow>,
    /// Means of groups of items.
    pub groups: Vec<GroupTable>,
    /// The chief metric of each item, before and after.
    pub scatter: Option<Scatter>,
    /// Scores of positives and negatives.
    pub distributions: Option<Distributions>,
    /// One curve for each model.
    pub precision_recall: Vec<Curve>,
    /// What a point of these curves is, in a sentence.
    pub precision_recall_note: String,
    /// Quantities of the training log, each drawn by itself.
    pub training: Vec<Curve>,
    /// Quality against the number of training rows.
    pub learning_curve: Option<LearningCurve>,
    /// Smaller embeddings: fewer dimensions, fewer bits.
    pub variants: Option<Variants>,
    /// Which classes were taken for which.
    pub confusion: Option<ConfusionTable>,
    /// The items that changed most.
    pub examples: Option<Examples>,
}

/// A figure with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Estimate {
    /// The figure.
    #[serde(deserialize_with = "nan_if_null")]
    pub value: f64,
    /// Lower and upper end of the interval.
    pub interval: Option<(f64, f64)>,
}

impl Estimate {
    /// A figure with an interval; one whose ends are not both finite is none.
    pub fn new(value: f64, interval: Option<(f64, f64)>) -> Self {
        let interval = interval.filter(|(low, high)| low.is_finite() && high.is_finite());
        Self { value, interval }
    }
}

/// Which way a metric improves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Better {
    #[default]
    Higher,
    /// As of the share of unjudged results.
    Lower,
    /// As of a threshold.
    Neither,
}

/// One metric of the summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct MetricRow {
    /// Its key, such as `ndcg@10`.
    pub metric: String,
    #[serde(default)]
    pub better: Better,
    pub model: Estimate,
    pub baseline: Option<Estimate>,
    /// Model against baseline.
    pub difference: Option<Difference>,
}

/// Model less baseline, item by item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Difference {
    pub estimate: Estimate,
    /// What interval and corrected chance say together; `None` where they claim nothing.
    #[serde(default)]
    pub verdict: Option<Verdict>,
    /// What would show a difference of this size, where it is not clear.
    #[serde(default)]
    pub needed: Option<Needed>,
    /// The metric that is the same figure and stands above it.
    #[serde(default)]
    pub same_as: Option<String>,
    /// Of a paired test, in 0..1.
    pub p_value: Option<f64>,
    /// Which test that is.
    #[serde(default)]
    pub test: PairedTest,
    /// The same after Holm's correction for the number of tests.
    pub corrected_p: Option<f64>,
    /// Mean of the differences over their standard deviation (Cohen's d of pairs).
    pub effect_size: Option<f64>,
    /// Items better, worse and alike by this metric; `None` where it has no value of each item.
    pub outcomes: Option<Outcomes>,
}

/// What tells two models apart on the same items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PairedTest {
    /// The values of an item change places at random.
    #[default]
    Randomisation,
    /// Items are drawn again, for figures that are no means of items.
    Bootstrap,
}

impl PairedTest {
    pub fn name(self) -> &'static str {
        match self {
            Self::Randomisation => "paired randomisation test",
            Self::Bootstrap => "paired bootstrap",
        }
    }
}

/// How many items the model scores higher, lower and alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcomes {
    pub wins: u64,
    pub losses: u64,
    pub ties: u64,
}

/// Means by the values of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct GroupTable {
    /// The column, such as `category`.
    pub column: String,
    pub metric: String,
    pub rows: Vec<GroupRow>,
}

/// The items of one value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct GroupRow {
    pub group: String,
    pub items: u64,
    pub model: Estimate,
    pub baseline: Option<Estimate>,
    pub difference: Option<Estimate>,
}

/// A metric of each item, before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scatter {
    pub metric: String,
    pub points: Vec<Change>,
}

/// One item, with the baseline's and the model's figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Change {
    /// Its id.
    pub label: String,
    #[serde(deserialize_with = "nan_if_null")]
    pub before: f64,
    #[serde(deserialize_with = "nan_if_null")]
    pub after: f64,
}

/// Histograms of scores over bins of equal width, the same for all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Distributions {
    /// What the scores are, such as `cosine`.
    pub score: String,
    /// Lower end of the first bin.
    pub low: f64,
    /// Upper end of the last bin.
    pub high: f64,
    pub series: Vec<Distribution>,
}

/// The scores of one kind under one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Distribution {
    /// The model. Series of one model are drawn over each other.
    pub model: String,
    /// Such as `relevant` or `not relevant`.
    pub kind: String,
    /// Scores in each bin.
    pub counts: Vec<u64>,
}

impl Distributions {
    const BINS: usize = 40;

    /// Counts the finite ones of scores that are given as (model, kind, scores); `None` where
    /// there are none.
    pub fn of(score: &str, series: &[(&str, &str, &[f32])]) -> Option<Self> {
        let finite = |scores: &[f32]| -> Vec<f64> {
            let scores = scores.iter().filter(|score| score.is_finite());
            scores.map(|&score| f64::from(score)).collect()
        };
        let all = series.iter().flat_map(|(_, _, scores)| finite(scores));
        let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), score| {
            (low.min(score), high.max(score))
        });
        if low > high {
            return None;
        }
        let (low, high) = if low < high {
            (low, high)
        } else {
            (low - 0.5, high + 0.5)
        };
        let bin = |score: f64| {
            let bin = (score - low) / (high - low) * Self::BINS as f64;
            (bin as usize).min(Self::BINS - 1)
        };
        let series = series.iter().map(|&(model, kind, scores)| {
            let mut counts = vec![0; Self::BINS];
            for score in finite(scores) {
                counts[bin(score)] += 1;
            }
            Distribution {
                model: model.to_owned(),
                kind: kind.to_owned(),
                counts,
            }
        });
        Some(Self {
            score: score.to_owned(),
            low,
            high,
            series: series.collect(),
        })
    }
}

/// A named series of points in ascending x.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Curve {
    pub name: String,
    pub points: Vec<Point>,
}

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Point {
    #[serde(deserialize_with = "nan_if_null")]
    pub x: f64,
    #[serde(deserialize_with = "nan_if_null")]
    pub y: f64,
}

/// A metric against the number of training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LearningCurve {
    /// With the split it is measured on, such as `nDCG@10 on dev`.
    pub metric: String,
    /// Before training.
    pub before: Option<f64>,
    pub points: Vec<LearningPoint>,
}

/// One training of a learning curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LearningPoint {
    /// Training rows.
    pub rows: u64,
    pub score: Estimate,
}

/// Embeddings of several sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Variants {
    pub metric: String,
    /// The full embedding first.
    pub rows: Vec<Variant>,
}

/// Embeddings of one size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Variant {
    /// Such as `256 dimensions, int8`.
    pub name: String,
    pub bytes_per_vector: u64,
    pub score: Estimate,
    /// Share of the full embedding's score.
    #[serde(deserialize_with = "nan_if_null")]
    pub share: f64,
}

/// How often each class was taken for each other one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ConfusionTable {
    /// What predicted, such as `k nearest neighbours`.
    pub classifier: String,
    pub classes: Vec<String>,
    /// (true class, predicted class, count) of the cells above 0; classes by their number.
    pub cells: Vec<(u32, u32, u64)>,
}

/// The items that gained and lost most by a metric, the greatest change first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Examples {
    pub metric: String,
    pub gained: Vec<Example>,
    pub lost: Vec<Example>,
}

/// One item with what was found for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Example {
    pub id: String,
    /// The text of the query.
    pub text: String,
    #[serde(deserialize_with = "nan_if_null")]
    pub before: f64,
    #[serde(deserialize_with = "nan_if_null")]
    pub after: f64,
    pub results_before: Vec<FoundDocument>,
    pub results_after: Vec<FoundDocument>,
}

/// A document in the results of a query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FoundDocument {
    /// From 1.
    pub rank: u32,
    pub id: String,
    /// Title and beginning of the text.
    pub text: String,
    /// Its grade; `None` where it is not judged.
    pub grade: Option<i32>,
}

fn nan_if_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}
