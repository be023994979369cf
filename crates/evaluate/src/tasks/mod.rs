//! The tasks: a file or folder for each, with what it reads, computes and keeps.

mod classification;
mod compare;
mod embed;
mod figure;
mod pairs;
mod paraphrases;
mod ranked_run;
mod rerank;
mod retrieval;
mod sentence_pairs;
mod similarity;
mod triplets;

pub use classification::Classification;
pub use compare::{Compare, Comparison, Contender};
pub use embed::{Embed, EmbedReport};
pub use pairs::Pairs;
pub use paraphrases::Paraphrases;
pub use ranked_run::{RankedRun, WithoutResults};
pub use rerank::Rerank;
pub use retrieval::Retrieval;
pub use similarity::Similarity;
pub use triplets::{Margin, Triplets};

use pairmill_metrics::RetrievalMetric;

use crate::error::Result;
use crate::results::contenders::Contenders;
use crate::results::evaluation::Evaluation;
use crate::results::run_options::RunOptions;

/// What is evaluated.
#[derive(Debug, Clone)]
pub enum Task {
    /// Search over a corpus.
    Retrieval(Retrieval),
    /// Similarity of sentences against human scores.
    Similarity(Similarity),
    /// Pairs of sentences of the same or another meaning.
    Pairs(Pairs),
    /// An anchor nearer to its positive than to its negative.
    Triplets(Triplets),
    /// Categories of tickets.
    Classification(Classification),
    /// A ranked run, whoever made it.
    RankedRun(RankedRun),
    /// A ranked run that a cross-encoder ranks anew.
    Rerank(Rerank),
    /// Paraphrases mined from a list of sentences.
    Paraphrases(Paraphrases),
}

impl Task {
    /// Returns the metrics in which a fall is a regression: all that are the better the higher they
    /// are.
    pub fn metrics(&self) -> Vec<String> {
        match self {
            Self::Retrieval(task) => higher_is_better(&task.metrics),
            Self::RankedRun(task) => higher_is_better(&task.metrics),
            Self::Rerank(task) => higher_is_better(&task.metrics),
            Self::Similarity(_) => similarity::metrics(),
            Self::Pairs(_) => pairs::metrics(),
            Self::Triplets(_) => triplets::metrics(),
            Self::Classification(_) => classification::predictions::metrics(),
            Self::Paraphrases(_) => paraphrases::metrics(),
        }
    }

    /// Evaluates.
    ///
    /// # Errors
    /// If an input or a model is at fault, or the output cannot be written.
    pub fn run(&self, run_options: &RunOptions) -> Result<Evaluation> {
        let evaluation = match self {
            Self::Retrieval(task) => task.run(run_options),
            Self::Similarity(task) => task.run(run_options),
            Self::Pairs(task) => task.run(run_options),
            Self::Triplets(task) => task.run(run_options),
            Self::Classification(task) => task.run(run_options),
            Self::RankedRun(task) => task.run(run_options),
            Self::Rerank(task) => task.run(run_options),
            Self::Paraphrases(task) => task.run(run_options),
        };
        // Not kept with the figures, which are the same wherever the models lie.
        evaluation.map(|evaluation| Evaluation {
            contenders: self.contenders(),
            ..evaluation
        })
    }

    fn contenders(&self) -> Option<Contenders> {
        match self {
            Self::Retrieval(task) => Contenders::of_encoders(&task.models),
            Self::Similarity(task) => Contenders::of_encoders(&task.models),
            Self::Pairs(task) => Contenders::of_encoders(&task.models),
            Self::Triplets(task) => Contenders::of_encoders(&task.models),
            Self::Classification(task) => Contenders::of_encoders(&task.models),
            Self::Paraphrases(task) => Contenders::of_encoders(&task.models),
            Self::Rerank(task) => Some(Contenders::of_reranker(&task.model, &task.run)),
            Self::RankedRun(_) => None,
        }
    }
}

fn higher_is_better(metrics: &[RetrievalMetric]) -> Vec<String> {
    let metrics = metrics.iter().filter(|metric| metric.higher_is_better());
    metrics.map(ToString::to_string).collect()
}
