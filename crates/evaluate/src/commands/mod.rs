mod classification;
mod compare;
mod pairs;
mod paraphrases;
mod ranked_run;
mod rerank;
mod retrieval;
mod similarity;
mod triplets;

pub use classification::Classification;
pub use compare::{Compare, Comparison, Contender};
pub use pairs::Pairs;
pub use paraphrases::Paraphrases;
pub(crate) use paraphrases::Sentence;
pub use ranked_run::{RankedRun, WithoutResults};
pub use rerank::Rerank;
pub use retrieval::Retrieval;
pub use similarity::Similarity;
pub use triplets::{Margin, Triplets};

use pairmill_metrics::RetrievalMetric;

use crate::qrels::Qrels;
use crate::{Evaluation, Frame, Result, predictions};

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
    /// The metrics in which a fall is a regression: all that are the better the higher they are.
    pub fn metrics(&self) -> Vec<String> {
        match self {
            Self::Retrieval(task) => higher_is_better(&task.metrics),
            Self::RankedRun(task) => higher_is_better(&task.metrics),
            Self::Rerank(task) => higher_is_better(&task.metrics),
            Self::Similarity(_) => similarity::metrics(),
            Self::Pairs(_) => pairs::metrics(),
            Self::Triplets(_) => triplets::metrics(),
            Self::Classification(_) => predictions::metrics(),
            Self::Paraphrases(_) => paraphrases::metrics(),
        }
    }

    /// Evaluates.
    ///
    /// # Errors
    /// If an input or a model is at fault, or the output cannot be written.
    pub fn run(&self, frame: &Frame) -> Result<Evaluation> {
        match self {
            Self::Retrieval(task) => task.run(frame),
            Self::Similarity(task) => task.run(frame),
            Self::Pairs(task) => task.run(frame),
            Self::Triplets(task) => task.run(frame),
            Self::Classification(task) => task.run(frame),
            Self::RankedRun(task) => task.run(frame),
            Self::Rerank(task) => task.run(frame),
            Self::Paraphrases(task) => task.run(frame),
        }
    }
}

fn higher_is_better(metrics: &[RetrievalMetric]) -> Vec<String> {
    let metrics = metrics.iter().filter(|metric| metric.higher_is_better());
    metrics.map(ToString::to_string).collect()
}

/// What a report says of the gain of the metrics that have one.
fn gain(metrics: &[RetrievalMetric]) -> &'static str {
    let has = |wanted: fn(&RetrievalMetric) -> bool| metrics.iter().any(wanted);
    let linear = has(|metric| matches!(metric, RetrievalMetric::Ndcg(_)));
    let exponential = has(|metric| matches!(metric, RetrievalMetric::NdcgExp(_)));
    match (linear, exponential) {
        (false, false) => "",
        (true, false) => "nDCG has linear gain. ",
        (false, true) => "nDCG has exponential gain, 2^grade - 1. ",
        (true, true) => "`ndcg` has linear gain, `ndcg_exp` exponential gain, 2^grade - 1. ",
    }
}

/// What becomes of a result that has the id of its query, as a convention.
fn identical_ids(ignored: bool) -> &'static str {
    match ignored {
        true => "ignored",
        false => "kept",
    }
}

/// How many judgements name documents that the corpus lacks, with a warning if any do.
fn of_unknown_documents(qrels: &Qrels, corpus: &str, is_known: impl Fn(&str) -> bool) -> usize {
    let judgements = qrels.pairs();
    let unknown = judgements
        .filter(|(_, document)| !is_known(document))
        .count();
    if unknown > 0 {
        tracing::warn!(
            "{unknown} of {} judgements name documents that {corpus} does not hold; these can never be found",
            qrels.len()
        );
    }
    unknown
}
