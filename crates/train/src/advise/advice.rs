//! What is advised, with every figure that it rests on.

use pairmill_report::LearningPoint;
use pairmill_report::format::count;
use pairmill_schema::counted;
use serde::{Deserialize, Serialize};

/// The advice on a training, before it is run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Advice {
    pub verdict: Verdict,
    /// The verdict in a sentence or two.
    pub answer: String,
    pub model: String,
    pub baseline: Baseline,
    /// `None` where the base model makes no error on dev.
    pub prediction: Option<Prediction>,
    pub reasons: Vec<Reason>,
    /// What to change first, the most pressing first.
    pub first: Vec<String>,
    pub losses: Vec<LossAdvice>,
    pub settings: Vec<Setting>,
    /// The training with these settings.
    pub command: String,
    pub time: Time,
    pub payback: Option<Payback>,
}

/// Whether to train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// It is worth it.
    Train,
    /// The figures do not tell.
    Unclear,
    /// It is not worth it.
    Keep,
}

/// The model as it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Baseline {
    /// nDCG@10 on dev.
    pub score: f64,
    pub dev_queries: usize,
    /// Groups of dev queries that share no answer.
    pub dev_clusters: usize,
}

impl Baseline {
    /// Says how many dev queries there are, and in how many groups where some share an answer.
    pub fn queries(&self) -> String {
        let queries = count(self.dev_queries as u64);
        match self.dev_clusters == self.dev_queries {
            true => queries,
            false => format!(
                "{queries} in {} by their answers",
                counted(self.dev_clusters, "group", "groups")
            ),
        }
    }
}

/// What the training is taken to bring on dev.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Prediction {
    /// Training rows.
    pub rows: usize,
    /// In nDCG@10.
    pub gain: f64,
    /// The ends of its 95 % interval.
    pub low: f64,
    pub high: f64,
    /// What twice the rows would bring beyond that.
    pub gain_of_twice_the_rows: f64,
    /// The small trainings that it rests on, by their rows.
    pub small_trainings: Vec<SmallTraining>,
    /// The curve from the largest of them on.
    pub curve: Vec<LearningPoint>,
}

/// A training on a part of the rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SmallTraining {
    pub rows: usize,
    pub steps: u64,
    /// nDCG@10 on dev.
    pub score: f64,
}

/// A figure that speaks for or against the training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reason {
    pub about: String,
    pub figure: String,
    /// What the figure is held against.
    pub threshold: String,
    pub speaks: Speaks,
    pub sentence: String,
}

/// What a reason speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Speaks {
    For,
    Against,
    Neither,
    /// For mending the data first.
    Caution,
}

impl Speaks {
    /// Returns the word that stands in the table.
    pub fn word(self) -> &'static str {
        match self {
            Self::For => "for",
            Self::Against => "against",
            Self::Neither => "neither",
            Self::Caution => "mend first",
        }
    }
}

/// Which loss fits a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LossAdvice {
    pub file: String,
    /// What its columns are.
    pub columns: String,
    /// The loss that this command was given.
    pub given: String,
    pub fits: String,
    pub why: String,
}

/// An option with what to set it to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Setting {
    pub option: String,
    pub value: String,
    pub why: String,
}

/// How long the training as given takes on this machine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Time {
    pub steps: u64,
    pub evaluations: u64,
    /// Seconds of a step, by what a row took in the measured ones.
    pub step: f64,
    pub measured_steps: usize,
    /// Seconds of an evaluation on dev.
    pub evaluation: f64,
    /// Seconds of the training in all.
    pub seconds: f64,
    /// Seconds that the advice took.
    pub advice: f64,
}

/// What the training returns in money.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Payback {
    /// A query fails if none of so many results is relevant.
    pub failure_depth: usize,
    /// Share of the dev queries that fail now.
    pub failing: f64,
    /// Queries a day that no longer fail, low and high end.
    pub avoided_a_day: (f64, f64),
    /// What they cost.
    pub saved_a_day: (f64, f64),
    /// What the training costs.
    pub cost: f64,
    /// Days until it has paid, the fewest first; no end where it may never.
    pub days: Option<(f64, Option<f64>)>,
}
