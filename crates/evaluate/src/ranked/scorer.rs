use pairmill_metrics::RetrievalMetric;
use pairmill_tables::{JudgedDocuments, Qrels};
use rustc_hash::FxHashSet;

use crate::ranked::judgements::judged_documents;

/// Scores the results of queries against their judgements.
pub(crate) struct QueryScorer<'a> {
    metrics: &'a [RetrievalMetric],
    /// The documents judged for any query, where a metric asks for what nobody has judged.
    judged_for_any: Option<FxHashSet<&'a str>>,
    /// Results below it change no metric.
    depth: usize,
}

impl<'a> QueryScorer<'a> {
    pub fn new(qrels: &'a Qrels, metrics: &'a [RetrievalMetric]) -> Self {
        Self {
            metrics,
            judged_for_any: metrics
                .iter()
                .any(|one| one.needs_unjudged())
                .then(|| judged_documents(qrels)),
            depth: metrics.iter().map(|one| one.cut_off()).max().unwrap_or(0),
        }
    }

    /// Returns the value of each metric for a query. `documents` are its results, best first.
    pub fn row<'d>(
        &self,
        judged: &JudgedDocuments,
        documents: impl IntoIterator<Item = &'d str>,
    ) -> Vec<f64> {
        let grade = |document: &str| {
            let elsewhere = || {
                let known = self.judged_for_any.as_ref()?;
                known.contains(document).then_some(0)
            };
            judged.get(document).or_else(elsewhere)
        };
        let documents = documents.into_iter().take(self.depth);
        let ranked: Vec<Option<i32>> = documents.map(grade).collect();
        let grades = judged.grades();
        let scores = self.metrics.iter();
        scores
            .map(|metric| metric.score(&ranked, &grades))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranked::judgements::tests::qrels;

    #[test]
    fn a_document_judged_for_another_query_is_no_hole() {
        let rows = [("q1", "a", 1), ("q2", "b", 1), ("q3", "c", 0)];
        let qrels = qrels(rows);
        let metrics = ["hole@4", "mrr@4"].map(|metric| metric.parse().unwrap());
        let scorer = QueryScorer::new(&qrels, &metrics);
        let judged = qrels.of("q1").unwrap();
        assert_eq!(scorer.row(judged, ["b", "c", "a", "d"]), [0.25, 1.0 / 3.0]);
    }
}
