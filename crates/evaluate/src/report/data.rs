use std::collections::BTreeMap;

use pairmill_report::{
    ConfusionTable, Curve, Distributions, Estimate, LearningCurve, Scatter, format::interval_name,
    nan_if_null,
};
use serde::{Deserialize, Serialize};

use crate::statistics::verdict::{Needed, Verdict};

/// Everything a report draws from. A part without data leaves no trace in the report.
///
/// Figures may be NaN where they are undefined; they are `null` in JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Report {
    /// What it was evaluated on, such as `beir/scifact`.
    pub data: String,
    /// The day of the evaluation.
    pub date: String,
    /// What is compared.
    pub compared: Compared,
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

impl Report {
    /// Returns the row of the chief metric.
    pub fn chief_row(&self) -> Option<&MetricRow> {
        let named = self.summary.iter().find(|row| row.metric == self.chief);
        named.or(self.summary.first())
    }

    /// Returns what the items are called, in the plural.
    pub fn item_name(&self) -> &str {
        if self.items.is_empty() {
            "items"
        } else {
            &self.items
        }
    }

    /// Returns how intervals are called, such as `95 % interval`.
    pub fn interval_name(&self) -> String {
        interval_name(self.confidence)
    }
}

/// What is compared, as far as one of both is to be used from now on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Compared {
    /// Results, whoever made them.
    #[default]
    Results,
    /// Models.
    Models,
    /// A model that ranks results anew, and the results as they are.
    Reranker,
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
    /// From 1; `None` for a relevant one that is not among the results.
    pub rank: Option<u32>,
    pub id: String,
    /// Title and beginning of the text.
    pub text: String,
    /// Its grade; `None` where it is not judged.
    pub grade: Option<i32>,
}
