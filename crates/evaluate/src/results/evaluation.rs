use std::collections::BTreeMap;

use pairmill_metrics::Scores;
use serde::{Deserialize, Serialize};

use crate::paired::Paired;
use crate::report::{Card, Report};
use crate::results::contenders::Contenders;
use crate::statistics::clusters::Clustering;
use crate::statistics::evidence::{Evidence, Settings};
use crate::statistics::groups::Group;
use crate::statistics::sample::Sample;
use crate::vectors::variants::VariantScores;

/// The figures of one evaluation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The command that made it, such as `retrieval`.
    pub task: String,
    /// What the model scores.
    pub model: Scores,
    /// What the baseline scores, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Scores>,
    /// Model less baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Scores>,
    /// How sure the figures are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// The figures of groups of items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// The figures of embeddings in smaller forms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<VariantScores>,
    /// Choices that the figures depend on, such as how equal scores rank.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conventions: BTreeMap<String, String>,
    /// How much was evaluated, and what was left out.
    pub counts: BTreeMap<String, u64>,
    /// What a reader has to know before trusting the figures, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Bytes of an embedding as the model gives it, where smaller forms are compared with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding_bytes: Option<u64>,
    /// What the task has drawn for the report.
    #[serde(skip)]
    pub(crate) drawn: Report,
    /// The card of the model, where figures of this task have names on cards.
    #[serde(skip)]
    pub(crate) card: Option<Card>,
    /// What there is to choose from, where something is to be used from now on.
    #[serde(skip)]
    pub(crate) contenders: Option<Contenders>,
    /// Whether the figures are those of an earlier run.
    #[serde(skip)]
    pub up_to_date: bool,
}

impl Evaluation {
    pub(crate) fn new<'a>(
        task: &str,
        scores: Paired<Scores>,
        counts: impl IntoIterator<Item = (&'a str, usize)>,
    ) -> Self {
        let difference = scores
            .baseline
            .as_ref()
            .map(|baseline| scores.model.minus(baseline));
        Self {
            task: task.to_owned(),
            model: scores.model,
            baseline: scores.baseline,
            difference,
            evidence: None,
            groups: Vec::new(),
            variants: Vec::new(),
            conventions: BTreeMap::new(),
            counts: counts
                .into_iter()
                .map(|(name, count)| (name.to_owned(), count as u64))
                .collect(),
            warnings: Vec::new(),
            embedding_bytes: None,
            drawn: Report::default(),
            card: None,
            contenders: None,
            up_to_date: false,
        }
    }

    /// The figures of all items, with what evidence `settings` ask for.
    pub(crate) fn of<'a>(
        task: &str,
        samples: &Paired<impl Sample>,
        clustering: Option<&Clustering>,
        settings: &Settings,
        counts: impl IntoIterator<Item = (&'a str, usize)>,
    ) -> Self {
        let scores = samples.map(Sample::all);
        Self {
            evidence: Evidence::of(samples, clustering, settings),
            ..Self::new(task, scores, counts)
        }
    }

    /// Declares a choice that the figures depend on.
    pub(crate) fn with_convention(mut self, name: &str, choice: impl Into<String>) -> Self {
        self.conventions.insert(name.to_owned(), choice.into());
        self
    }

    /// Says what a reader has to know before trusting the figures, now and beside them.
    pub(crate) fn warn(&mut self, warnings: impl IntoIterator<Item = String>) {
        for warning in warnings {
            tracing::warn!("{warning}");
            self.warnings.push(warning);
        }
    }

    /// One line on how much was evaluated.
    pub(crate) fn summary(&self) -> String {
        let counts: Vec<String> = self
            .counts
            .iter()
            .filter(|&(_, &count)| count > 0)
            .map(|(name, count)| format!("{count} {}", name.replace('_', " ")))
            .collect();
        format!("evaluated {}: {}", self.task, counts.join(", "))
    }
}
