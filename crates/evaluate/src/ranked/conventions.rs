//! Choices that the figures of a ranking depend on, as tasks declare them.

use pairmill_metrics::RetrievalMetric;
use pairmill_schema::{agreeing, counted};
use pairmill_tables::Qrels;

/// What a report says of the gain of the metrics that have one.
pub(crate) fn gain(metrics: &[RetrievalMetric]) -> String {
    let mut graded: Vec<&RetrievalMetric> = metrics.iter().collect();
    graded.sort_unstable();
    graded.dedup_by_key(|metric| metric.key());
    let graded = graded.iter();
    let gains: Vec<(&str, &str)> = graded
        .filter_map(|metric| Some((metric.key(), metric.gain()?)))
        .collect();
    match gains[..] {
        [] => String::new(),
        [(_, gain)] => format!("nDCG has {gain}. "),
        [(first, gain), ref others @ ..] => {
            let others = others.iter().map(|(key, gain)| format!(", `{key}` {gain}"));
            format!("`{first}` has {gain}{}. ", others.collect::<String>())
        }
    }
}

/// What becomes of a result that has the id of its query, as a convention.
pub(crate) fn identical_ids(ignored: bool) -> &'static str {
    match ignored {
        true => "ignored",
        false => "kept",
    }
}

/// How many judgements name documents that the corpus lacks, with a warning if any do.
pub(crate) fn of_unknown_documents(
    qrels: &Qrels,
    corpus: &str,
    is_known: impl Fn(&str) -> bool,
) -> usize {
    let judgements = qrels.pairs();
    let unknown = judgements
        .filter(|(_, document)| !is_known(document))
        .count();
    if unknown > 0 {
        tracing::warn!(
            "{unknown} of {} {} a document that {corpus} does not hold, which can never be found",
            counted(qrels.len(), "judgement", "judgements"),
            agreeing(unknown, "names", "name")
        );
    }
    unknown
}
