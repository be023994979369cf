use pairmill_schema::Sameness;
use pairmill_tables::KeptColumns;
use serde::Serialize;

use crate::{Fractions, IntakeOptions};

/// The options that shape what is made of pairs.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PairsOptions {
    /// Random negatives for each anchor in the labelled pairs.
    pub negatives_per_anchor: usize,
    /// Fractions of the distinct second texts.
    pub split: Fractions,
    /// When two anchors are the same.
    pub same_text: Sameness,
    /// Rows to use at most.
    pub limit: Option<usize>,
    /// The label, from 0 to 1, from which on the second text is relevant to the first.
    pub label_threshold: f64,
    /// The input's column of anchors, if it has none of the names that are known.
    pub anchor_column: Option<String>,
    /// The input's column of second texts.
    pub positive_column: Option<String>,
    /// The input's column of negatives.
    pub negative_column: Option<String>,
    /// The input's column of labels.
    pub label_column: Option<String>,
    /// Other columns of the input that go along to the pairs.
    #[serde(skip_serializing_if = "KeptColumns::is_none")]
    pub kept: KeptColumns,
    /// Which rows are used, and what becomes of them first.
    #[serde(flatten)]
    pub intake: IntakeOptions,
}
