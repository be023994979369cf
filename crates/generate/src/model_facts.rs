use std::collections::BTreeMap;

use pairmill_language_model::Counts;
use pairmill_schema::counted;
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

/// What a language model wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// Passages that it was to be asked about.
    pub passages: u64,
    /// What was asked and spent.
    pub asked: Counts,
    /// Queries that ask for their passages.
    pub queries: u64,
    /// Lines of the answers that do not, by the reason.
    pub left_out: BTreeMap<String, u64>,
}

impl ModelFacts {
    /// The table of all that the model wrote.
    pub(crate) const TABLE: &str = "model_queries";

    /// Returns whether there is an answer about every passage.
    pub(crate) fn is_complete(&self) -> bool {
        self.asked.not_asked == 0 && self.asked.failed == 0
    }

    /// Says it for people, on the log.
    pub(crate) fn log(&self) {
        let Counts {
            kept,
            answered,
            failed,
            not_asked,
            requests,
            prompt_tokens,
            completion_tokens,
        } = self.asked;
        info!(
            "language model: {} about {}: {kept} from the file of answers, {answered} new, {failed} failed ({}, {prompt_tokens} tokens of prompts and {completion_tokens} of answers)",
            counted(kept + answered, "answer", "answers"),
            counted(self.passages, "passage", "passages"),
            counted(requests, "request", "requests"),
        );
        let left_out: Vec<String> = self
            .left_out
            .iter()
            .map(|(reason, lines)| format!("{lines} {reason}"))
            .collect();
        let left_out = match left_out.as_slice() {
            [] => String::new(),
            reasons => format!("; left out: {}", reasons.join(", ")),
        };
        info!(
            "language model: {}{left_out}",
            counted(self.queries, "query", "queries")
        );
        // What comes behind as many as were asked for says nothing about the others.
        let is_unsound = |reason: &str| reason != "surplus";
        let unsound = self
            .left_out
            .iter()
            .filter(|(reason, _)| is_unsound(reason));
        if unsound.map(|(_, lines)| lines).sum::<u64>() > self.queries {
            warn!(
                "most of what the language model wrote is no query; see {}.parquet, and give \
                 --examples or take a larger model",
                Self::TABLE
            );
        }
        if failed > 0 {
            warn!(
                "{} no answer; the same command asks again",
                counted(failed, "passage has", "passages have")
            );
        }
        if not_asked > 0 {
            warn!(
                "{} not asked about, because --max-requests was reached; the same command goes on with them",
                counted(not_asked, "passage was", "passages were")
            );
        }
    }
}
