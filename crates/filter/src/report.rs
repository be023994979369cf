use std::collections::BTreeMap;
use std::path::PathBuf;

use pairmill_candidates::{Decided, TrainingRows};
use pairmill_schema::{Reason, agreeing, counted};
use pairmill_tables::{f32_column, string_column};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::{Agreement, Config, Format};

/// What a run did.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whether there was nothing to do.
    pub up_to_date: bool,
    /// The output.
    pub output: PathBuf,
    /// What was decided, now or by the run that wrote the output.
    #[serde(flatten)]
    pub summary: Option<Summary>,
}

/// What was decided.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// Rows read.
    pub candidates: u64,
    /// Distinct pairs of a query and a positive.
    pub pairs: u64,
    /// Pairs whose positive scores too little.
    pub positives_dropped: u64,
    /// Candidates that became positives, each counted once for its query.
    pub promoted: u64,
    /// Pairs that kept no negative.
    pub pairs_without_negatives: u64,
    /// Pairs that have no row in the output.
    pub pairs_left_out: u64,
    /// Candidates by reason, one that stands beside several positives counted for each of them.
    pub reasons: BTreeMap<String, u64>,
    /// Pairs of texts that the model read; one that stands in many rows is read once or twice.
    pub scored: u64,
    /// Pairs of texts whose scores an earlier run has left.
    pub cached: u64,
    /// Pairs of texts that were longer than the model reads.
    pub truncated: u64,
    /// How far int8 agrees with float32, where that is run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub int8: Option<Agreement>,
    /// Rows written to the output.
    pub rows: u64,
    /// Rows written to each further output, by its path.
    pub also: BTreeMap<String, u64>,
    /// Scored candidates that the model ranks below the positive of their pair.
    pub below_positive: u64,
    /// Scored candidates.
    pub compared: u64,
}

/// Below this share of candidates under their positive, a model's decisions are near chance.
const TELLING_SHARE: f64 = 0.7;

impl Summary {
    /// Returns the figures that go with the output, which do not depend on what was in a cache.
    pub(crate) fn figures(&self) -> Self {
        Self {
            scored: self.scored + self.cached,
            cached: 0,
            ..self.clone()
        }
    }

    /// Returns the share of candidates that the model ranks below the positive: 0.5 is chance.
    fn share_below_positive(&self) -> f64 {
        self.below_positive as f64 / (self.compared as f64).max(1.0)
    }

    /// Counts what was decided; `rows` are those of the output.
    pub(crate) fn count(&mut self, decided: &Decided, rows: &TrainingRows) {
        self.candidates += decided.batch.num_rows() as u64;
        for pair in &decided.pairs {
            if pair.is_promoted() {
                self.promoted += 1;
                continue;
            }
            self.pairs += 1;
            self.positives_dropped += u64::from(!pair.positive_is_sound);
            self.pairs_without_negatives += u64::from(pair.negatives.is_empty());
            self.pairs_left_out += u64::from(!rows.uses(pair));
        }
        let scores = f32_column(&decided.batch, "score").iter();
        let positives = f32_column(&decided.batch, "positive_score");
        for (score, positive) in scores.zip(positives).filter_map(|(a, b)| a.zip(b)) {
            self.compared += 1;
            self.below_positive += u64::from(score < positive);
        }
        for reason in string_column(&decided.batch, "reason").iter().flatten() {
            match self.reasons.get_mut(reason) {
                Some(count) => *count += 1,
                None => _ = self.reasons.insert(reason.to_owned(), 1),
            }
        }
    }

    /// Returns each reason with its count.
    pub(crate) fn reasons(&self) -> String {
        let counts = self.reasons.iter();
        let counts = counts.map(|(reason, count)| format!("{count} {reason}"));
        counts.collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn log(&self, config: &Config) {
        if self.positives_dropped > 0 {
            let dropped = self.positives_dropped;
            let pairs = counted(self.pairs, "pair", "pairs");
            let reason = Reason::LowPositiveScore.name();
            warn!("the positives of {dropped} of {pairs} are left out ({reason})");
        }
        if self.pairs_without_negatives > 0 {
            warn!(
                "{} of {} kept no negative",
                self.pairs_without_negatives,
                counted(self.pairs, "pair", "pairs")
            );
        }
        let format = config.output.format;
        if self.rows == 0 {
            warn!(
                "no {} are left: the output is an empty table",
                format.rows_name()
            );
        }
        if format == Format::N_TUPLE && self.pairs_left_out > 0 {
            warn!(
                "{} of {} kept fewer than {} negatives and {} left out",
                self.pairs_left_out,
                counted(self.pairs, "pair", "pairs"),
                config.rules.num_negatives,
                agreeing(self.pairs_left_out, "is", "are")
            );
        }
        let share = self.share_below_positive();
        info!(
            "the model ranks {:.1} % of the candidates below their positive (chance: 50 %)",
            100.0 * share
        );
        if self.compared > 0 && share < TELLING_SHARE {
            warn!(
                "so it hardly tells right from wrong here and its decisions are near chance; train it on more pairs, for more epochs or at another rate"
            );
        }
        info!("decided: {}", self.reasons());
        if config.rules.promotion.is_some() {
            let promoted = counted(self.promoted, "candidate", "candidates");
            info!("promoted to positives: {promoted}");
        }
        info!(
            "wrote {}: {} from {}",
            config.output.path.display(),
            format.counted(self.rows),
            counted(self.pairs - self.pairs_left_out, "pair", "pairs")
        );
        for output in &config.also {
            let path = output.path.display().to_string();
            let rows = self.also.get(&path).copied().unwrap_or(0);
            info!("wrote {path}: {}", output.format.counted(rows));
        }
    }
}
