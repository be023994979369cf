use std::ops::Range;

use arrow::array::RecordBatch;
use pairmill_tables::string_column;

/// A document beside a query, by its row of the candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// The positive of the row.
    Positive(usize),
    /// The candidate of the row.
    Candidate(usize),
}

impl Document {
    /// The row, whose query is the one beside the document.
    pub fn row(self) -> usize {
        match self {
            Self::Positive(row) | Self::Candidate(row) => row,
        }
    }
}

/// A positive of a query, given or promoted, with the candidates beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The positive.
    pub positive: Document,
    /// Whether it may be used.
    pub positive_is_sound: bool,
    /// The rows of the pair's candidates; of a promoted positive, its own row.
    pub rows: Range<usize>,
    /// The rows of its negatives, in order of rank.
    pub negatives: Vec<usize>,
    /// The rows of its distinct candidates that have a score, in order of rank.
    pub scored: Vec<usize>,
}

impl Pair {
    /// The pair whose candidates are in these rows, before anything is decided.
    pub fn given(rows: Range<usize>) -> Self {
        Self {
            positive: Document::Positive(rows.start),
            positive_is_sound: true,
            rows,
            negatives: Vec::new(),
            scored: Vec::new(),
        }
    }

    /// A candidate that becomes a positive of its query.
    pub fn promoted(row: usize, negatives: Vec<usize>) -> Self {
        Self {
            positive: Document::Candidate(row),
            negatives,
            ..Self::given(row..row + 1)
        }
    }

    /// Whether the positive was a candidate.
    pub fn is_promoted(&self) -> bool {
        matches!(self.positive, Document::Candidate(_))
    }
}

/// A batch of the candidates table with decision and reason filled in.
#[derive(Debug, Clone)]
pub struct Decided {
    /// The candidates, sorted by `query_id`, `positive_id` and `rank`, no query of them cut.
    pub batch: RecordBatch,
    /// Its pairs, query by query.
    pub pairs: Vec<Pair>,
}

/// The rows of each (query, positive) pair of candidates that are sorted by them.
pub fn pairs_of(batch: &RecordBatch) -> Vec<Range<usize>> {
    let queries = string_column(batch, "query_id");
    let positives = string_column(batch, "positive_id");
    let pair = |row: usize| (queries.value(row), positives.value(row));
    let mut pairs = Vec::new();
    let mut start = 0;
    for end in 1..=batch.num_rows() {
        if end == batch.num_rows() || pair(end) != pair(start) {
            pairs.push(start..end);
            start = end;
        }
    }
    pairs
}
