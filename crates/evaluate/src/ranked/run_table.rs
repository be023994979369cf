use std::cmp::Ordering;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use arrow::array::{Array, RecordBatch};
use pairmill_schema::counted;
use pairmill_tables::{
    ColumnNames, Table, TableError, TableReader, WholeQueries, f32_column, i32_column,
    string_column,
};
use rustc_hash::FxHashSet;
use serde::Serialize;

use crate::error::{EvaluateError, Result};

/// Batches that may wait for a thread; with more, the reader handles the next one itself.
const AHEAD: usize = 64;

/// What ranks the results of a query in a run, and so which of two equal ones stands first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Ties {
    /// Falling score; equal scores go by the column `rank`, if there is one, then by ascending id.
    Score,
    /// The column `rank`; equal ranks go by falling score, then by ascending id.
    Rank,
    /// Falling score, then descending id, as trec_eval does; the column `rank` is not looked at.
    Trec,
    /// Falling score, then ascending id, as `retrieval` does and sentence-transformers with a
    /// corpus in order of id; the column `rank` is not looked at.
    St,
}

impl Ties {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Rank => "rank",
            Self::Trec => "trec",
            Self::St => "st",
        }
    }

    fn order(self, a: &Listed<'_>, b: &Listed<'_>) -> Ordering {
        let by_score = || b.score.partial_cmp(&a.score).unwrap_or(Ordering::Equal);
        match self {
            Self::Score => by_score().then_with(|| a.rank.cmp(&b.rank)),
            Self::Rank => a.rank.cmp(&b.rank).then_with(by_score),
            Self::Trec | Self::St => by_score(),
        }
        .then_with(|| match self {
            Self::Trec => b.document.cmp(a.document),
            Self::Score | Self::Rank | Self::St => a.document.cmp(b.document),
        })
    }
}

/// A result as a run lists it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listed<'a> {
    pub document: &'a str,
    /// `None` where the run has no column of ranks.
    pub rank: Option<i32>,
    pub score: f32,
}

/// A run table, which is read query by query.
pub(crate) struct RunTable<'a> {
    pub path: &'a str,
    ties: Ties,
    seen: Mutex<Seen>,
}

/// What of a run speaks against its order.
#[derive(Debug, Default)]
struct Seen {
    queries: usize,
    /// Queries whose ranks contradict their scores, and the first of them by id.
    contrary: usize,
    first: Option<String>,
    /// Queries of several results without ranks, and those among them whose scores are all the
    /// same.
    unranked: usize,
    alike: usize,
}

impl Seen {
    /// Takes in the results of a query, in their order.
    fn take(&mut self, query: &str, results: &[Listed<'_>], ties: Ties) {
        self.queries += 1;
        let pairs = || results.windows(2).map(|pair| (pair[0], pair[1]));
        let is_contrary = match ties {
            Ties::Score => pairs().any(|(a, b)| a.score > b.score && a.rank > b.rank),
            Ties::Rank => pairs().any(|(a, b)| a.rank < b.rank && a.score < b.score),
            Ties::Trec | Ties::St => false,
        };
        if is_contrary {
            self.contrary += 1;
            if self.first.as_deref().is_none_or(|first| query < first) {
                self.first = Some(query.to_owned());
            }
        }
        if results.len() > 1 && results.iter().all(|result| result.rank.is_none()) {
            self.unranked += 1;
            self.alike += usize::from(pairs().all(|(a, b)| a.score == b.score));
        }
    }
}

impl<'a> RunTable<'a> {
    pub fn new(path: &'a str, ties: Ties) -> Self {
        Self {
            path,
            ties,
            seen: Mutex::default(),
        }
    }

    /// Returns what a reader of the figures has to know of the run's order, now that it was read.
    pub fn warnings(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut warnings = Vec::new();
        if let Some(first) = &seen.first {
            let order = match self.ties {
                Ties::Rank => {
                    "results count by rank, where every other tool goes by score (--ties trec)"
                }
                _ => {
                    "results count by falling score, as every other tool has it; if a low score is \
                     a good one, give --ties rank"
                }
            };
            warnings.push(format!(
                "the ranks of {} of {} of {} contradict the scores (the first: `{first}`); {order}",
                seen.contrary,
                counted(seen.queries, "query", "queries"),
                self.path
            ));
        }
        if seen.unranked > 0 && seen.alike == seen.unranked {
            warnings.push(format!(
                "{} has no ranks, and all scores of each of its queries are the same, so ids alone \
                 order its results; check that it is a run and no table of judgements",
                self.path
            ));
        }
        warnings
    }
}

impl RunTable<'_> {
    /// Calls `each` with every query of the run and its results, best first, and returns what it
    /// gives in ascending order of query id. Queries are handled in parallel while the run is
    /// read. A run whose rows of a query lie apart is sorted first.
    ///
    /// # Errors
    /// If the table is unsound, a score is NaN or a query lists a document twice.
    pub fn for_each_query<T: Send>(
        &self,
        reader: &TableReader,
        each: impl Fn(&str, &[Listed<'_>]) -> T + Sync,
    ) -> Result<Vec<(String, T)>> {
        let found = match self.read(reader, None, &each)? {
            Some(found) => Some(found),
            None => self.read(reader, Some("query_id"), &each)?,
        };
        let mut found = found.ok_or_else(|| EvaluateError::Changed {
            path: self.path.to_owned(),
        })?;
        found.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(found)
    }

    /// `None` if the rows of some query lie apart.
    fn read<T: Send>(
        &self,
        reader: &TableReader,
        order: Option<&str>,
        each: &(impl Fn(&str, &[Listed<'_>]) -> T + Sync),
    ) -> Result<Option<Vec<(String, T)>>> {
        let columns = ["query_id", "corpus_id", "rank", "score"];
        let names = ColumnNames::default().with_optional("rank");
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen::default();
        let found = Mutex::new(Vec::new());
        let waiting = AtomicUsize::new(0);
        let handle = |number: usize, queries: &RecordBatch| {
            let results = self.results_of(queries, each);
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.push((number, results));
        };
        let (handle, waiting) = (&handle, &waiting);
        let mut gone = Gone::default();
        rayon::in_place_scope(|scope| -> Result<()> {
            let mut number = 0;
            let mut hand_on = |queries: RecordBatch| {
                if !gone.has_none_of(&queries) {
                    return;
                }
                number += 1;
                let number = number;
                if waiting.fetch_add(1, Relaxed) < AHEAD {
                    scope.spawn(move |_| {
                        handle(number, &queries);
                        waiting.fetch_sub(1, Relaxed);
                    });
                } else {
                    handle(number, &queries);
                    waiting.fetch_sub(1, Relaxed);
                }
            };
            let mut whole = WholeQueries::default();
            reader.for_each_by(
                order,
                self.path,
                Table::Run,
                &names,
                &columns,
                |batch| -> Result<()> {
                    whole
                        .push(batch)
                        .map_err(too_long)?
                        .into_iter()
                        .for_each(&mut hand_on);
                    Ok(())
                },
            )?;
            whole
                .finish()
                .map_err(too_long)?
                .into_iter()
                .for_each(hand_on);
            Ok(())
        })?;
        if gone.came_back {
            return Ok(None);
        }
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_unstable_by_key(|&(number, _)| number);
        let mut all = Vec::new();
        for (_, queries) in found {
            all.extend(queries?);
        }
        Ok(Some(all))
    }

    fn results_of<T>(
        &self,
        batch: &RecordBatch,
        each: &impl Fn(&str, &[Listed<'_>]) -> T,
    ) -> Result<Vec<(String, T)>> {
        let queries = string_column(batch, "query_id");
        let documents = string_column(batch, "corpus_id");
        let ranks = i32_column(batch, "rank");
        let scores = f32_column(batch, "score");
        let mut found = Vec::new();
        let mut results = Vec::new();
        let mut seen = FxHashSet::default();
        let mut row = 0;
        while row < batch.num_rows() {
            let query = queries.value(row);
            results.clear();
            seen.clear();
            while row < batch.num_rows() && queries.value(row) == query {
                let result = Listed {
                    document: documents.value(row),
                    rank: ranks.is_valid(row).then(|| ranks.value(row)),
                    score: scores.value(row),
                };
                if result.score.is_nan() {
                    return Err(EvaluateError::NanScore {
                        path: self.path.to_owned(),
                        query: query.to_owned(),
                        document: result.document.to_owned(),
                    });
                }
                if !seen.insert(result.document) {
                    return Err(EvaluateError::DuplicateResult {
                        path: self.path.to_owned(),
                        query: query.to_owned(),
                        document: result.document.to_owned(),
                    });
                }
                results.push(result);
                row += 1;
            }
            results.sort_unstable_by(|a, b| self.ties.order(a, b));
            self.seen
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(query, &results, self.ties);
            found.push((query.to_owned(), each(query, &results)));
        }
        Ok(found)
    }
}

/// The queries that were read to their end.
#[derive(Default)]
struct Gone {
    queries: FxHashSet<String>,
    came_back: bool,
}

impl Gone {
    /// Takes note of the queries of a batch, unless one has come back.
    fn has_none_of(&mut self, batch: &RecordBatch) -> bool {
        let queries = string_column(batch, "query_id");
        let mut last = None;
        for query in queries.iter().flatten() {
            if self.came_back {
                break;
            }
            if last != Some(query) {
                self.came_back = !self.queries.insert(query.to_owned());
                last = Some(query);
            }
        }
        !self.came_back
    }
}

fn too_long(error: arrow::error::ArrowError) -> EvaluateError {
    TableError::Query(Box::new(error.into())).into()
}
