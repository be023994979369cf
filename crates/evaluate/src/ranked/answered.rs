use std::collections::HashMap;

use pairmill_schema::counted;
use pairmill_tables::{JudgedDocuments, Qrels, TableReader};

use crate::error::{EvaluateError, Result};
use crate::ranked::run_table::{Listed, RunTable};

/// What a run has for the judged queries.
pub(crate) struct Answered<T> {
    /// The judged queries in ascending order of id; `None` for those without results.
    pub queries: Vec<(String, Option<T>)>,
    /// Queries of the run that are not judged.
    pub unjudged: usize,
}

/// Reads a run and keeps what `each` makes of the results of each judged query, if anything.
///
/// # Errors
/// If the run is unsound or has no judged query.
pub(crate) fn answered<T: Send>(
    run: &RunTable<'_>,
    reader: &TableReader,
    qrels: &Qrels,
    qrels_input: &str,
    each: impl Fn(&str, &JudgedDocuments, &[Listed<'_>]) -> Option<T> + Sync,
) -> Result<Answered<T>> {
    let ranked = run.for_each_query(reader, |query, results| {
        let judged = qrels.of(query)?;
        Some(each(query, judged, results))
    })?;
    let total = ranked.len();
    let mut found: HashMap<String, Option<T>> = ranked
        .into_iter()
        .filter_map(|(query, result)| Some((query, result?)))
        .collect();
    if found.is_empty() {
        return Err(nothing_judged(run.path, qrels_input));
    }
    let unjudged = total - found.len();
    let judged = qrels.judged_queries();
    Ok(Answered {
        queries: judged
            .map(|query| (query.to_owned(), found.remove(query).flatten()))
            .collect(),
        unjudged,
    })
}

impl<T> Answered<T> {
    pub fn and_then<U>(self, each: impl Fn(T) -> Option<U>) -> Answered<U> {
        let queries = self.queries.into_iter();
        Answered {
            queries: queries
                .map(|(query, found)| (query, found.and_then(&each)))
                .collect(),
            unjudged: self.unjudged,
        }
    }

    pub fn without_results(&self) -> usize {
        let queries = self.queries.iter();
        queries.filter(|(_, found)| found.is_none()).count()
    }

    /// Warns of queries that do not count; `consequence` says what becomes of those without
    /// results.
    pub fn warn(&self, run: &str, qrels: &str, consequence: &str) {
        let (judged, missing) = (self.queries.len(), self.without_results());
        if self.unjudged > 0 {
            tracing::warn!(
                "{} of {} of the run left out, without a relevant document in {qrels}",
                self.unjudged,
                counted(self.unjudged + judged - missing, "query", "queries"),
            );
        }
        if missing > 0 {
            tracing::warn!(
                "{missing} of {} without a result in {run}: {consequence}",
                counted(judged, "judged query", "judged queries")
            );
        }
    }

    /// Returns what there is to count, the number of judged queries first.
    pub fn counts(&self, qrels: &Qrels) -> [(&'static str, usize); 4] {
        [
            ("queries", self.queries.len()),
            ("queries_without_judgements", self.unjudged),
            ("queries_without_results", self.without_results()),
            ("judgements", qrels.len()),
        ]
    }
}

pub(crate) fn nothing_judged(run: &str, qrels: &str) -> EvaluateError {
    EvaluateError::NothingJudged {
        qrels: qrels.to_owned(),
        queries: run.to_owned(),
    }
}
