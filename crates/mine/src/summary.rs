use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What was mined.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MineSummary {
    /// Passages in the corpus.
    pub passages: u64,
    /// Distinct anchors.
    pub queries: u64,
    /// Anchors that BM25 finds nothing by as they have no term: no words, or only stop words.
    pub queries_without_terms: u64,
    /// Anchors that find nothing though they have terms.
    pub queries_without_hits: u64,
    /// Distinct pairs of an anchor and a positive.
    pub pairs: u64,
    /// Pairs left out because their label says that they are no positives.
    pub pairs_labeled_negative: u64,
    /// Pairs that no candidate is kept for.
    pub pairs_without_negatives: u64,
    /// Passages that the judgements name and the corpus lacks.
    pub judged_outside_corpus: u64,
    /// Positives that the corpus has neither by id nor by text.
    pub positives_outside_corpus: u64,
    /// Positives whose id has another text in the corpus.
    pub positives_with_other_text: u64,
    /// Passages looked at, once for each pair.
    pub candidates: u64,
    /// Rows written to the output.
    pub rows: u64,
    /// Candidates by reason.
    pub reasons: BTreeMap<String, u64>,
}
