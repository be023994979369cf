use std::collections::BTreeSet;
use std::fmt;

use arrow::array::{Array, Float32Array, RecordBatch};
use datafusion::logical_expr::lit;
use datafusion::prelude::{DataFrame, ident};
use pairmill_tables::{
    ColumnNames, Table, f32_column, i32_column, open, pairs_of, session, string_column,
};
use serde::Serialize;

use crate::plan::for_each_batch;
use crate::{Frame, MineError, Result};

/// Queries named where the one asked for is not there.
const SOME: usize = 3;
/// Characters shown of a text.
const WIDTH: usize = 72;

/// Which query to explain.
#[derive(Debug, Clone)]
pub struct ExplainConfig {
    /// The candidates: a path, folder or glob in any supported format.
    pub candidates: String,
    /// The query.
    pub query_id: String,
    /// Threads to work with.
    pub threads: usize,
}

/// What was decided on the candidates of a query, for each of its positives.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The query's id.
    pub query_id: String,
    /// The query.
    pub query: String,
    /// Its positives.
    pub positives: Vec<ExplainedPositive>,
}

/// A positive and the candidates beside it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedPositive {
    /// Its id.
    pub positive_id: String,
    /// Its text.
    pub positive: String,
    /// Its score by BM25, where the miner wrote it.
    pub bm25: Option<f32>,
    /// Its score by the cross-encoder, where one has scored it.
    pub score: Option<f32>,
    /// The candidates, by rank.
    pub candidates: Vec<ExplainedCandidate>,
}

/// A candidate with its scores and what was decided on it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExplainedCandidate {
    /// Its rank, from 1.
    pub rank: i32,
    /// Its id.
    pub corpus_id: String,
    /// Its score by BM25.
    pub bm25: f32,
    /// Its score by the cross-encoder, where one has scored it.
    pub score: Option<f32>,
    /// `keep` or `drop`.
    pub decision: String,
    /// Why.
    pub reason: String,
    /// Its text.
    pub text: String,
}

/// Reads what was decided on a query's candidates.
///
/// # Errors
/// If the candidates are unsound (see [`pairmill_tables::open`]) or none is of the query.
pub fn explain(config: &ExplainConfig) -> Result<Explanation> {
    Frame::runtime(config.threads)?.block_on(read(config))
}

async fn read(config: &ExplainConfig) -> Result<Explanation> {
    let session = session(config.threads)?;
    let names = ColumnNames::default();
    let path = &config.candidates;
    let candidates = open(&session, path, Table::Candidates, &names, &[]).await?;
    let of_query = candidates
        .clone()
        .filter(ident("query_id").eq(lit(&*config.query_id)))?
        .sort_by(vec![ident("positive_id"), ident("rank")])?;
    let mut found = Explanation {
        query_id: config.query_id.clone(),
        query: String::new(),
        positives: Vec::new(),
    };
    for_each_batch(of_query, |batch| found.add(batch)).await?;
    if found.positives.is_empty() {
        return Err(MineError::NoSuchQuery {
            path: path.clone(),
            query_id: config.query_id.clone(),
            some: some_queries(candidates).await?,
        });
    }
    Ok(found)
}

async fn some_queries(candidates: DataFrame) -> Result<String> {
    let mut ids = BTreeSet::new();
    let first = candidates
        .select(vec![ident("query_id")])?
        .limit(0, Some(1_000))?;
    for_each_batch(first, |batch| {
        ids.extend(
            string_column(batch, "query_id")
                .iter()
                .flatten()
                .map(str::to_owned),
        );
    })
    .await?;
    Ok(ids.into_iter().take(SOME).collect::<Vec<_>>().join(", "))
}

impl Explanation {
    fn add(&mut self, batch: &RecordBatch) {
        let text = |name: &str, row: usize| string_column(batch, name).value(row).to_owned();
        let number = |name: &str, row: usize| value(f32_column(batch, name), row);
        for rows in pairs_of(batch) {
            let candidates = rows.clone().map(|row| ExplainedCandidate {
                rank: i32_column(batch, "rank").value(row),
                corpus_id: text("corpus_id", row),
                bm25: f32_column(batch, "bm25").value(row),
                score: number("score", row),
                decision: text("decision", row),
                reason: text("reason", row),
                text: text("text", row),
            });
            let candidates: Vec<_> = candidates.collect();
            let positive_id = text("positive_id", rows.start);
            match self.positives.last_mut() {
                // The pair began in the batch before.
                Some(last) if last.positive_id == positive_id => last.candidates.extend(candidates),
                _ => self.positives.push(ExplainedPositive {
                    positive_id,
                    positive: text("positive", rows.start),
                    bm25: number("positive_bm25", rows.start),
                    score: number("positive_score", rows.start),
                    candidates,
                }),
            }
            self.query = text("query", rows.start);
        }
    }
}

fn value(column: &Float32Array, row: usize) -> Option<f32> {
    column.is_valid(row).then(|| column.value(row))
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "query {}: {}", self.query_id, short(&self.query))?;
        let number =
            |value: Option<f32>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
        for positive in &self.positives {
            let all = || positive.candidates.iter();
            let ids = all().map(|candidate| candidate.corpus_id.chars().count());
            let id_width = ids.max().unwrap_or(0).max("passage".len());
            let reasons = all().map(|candidate| candidate.reason.len());
            let reason_width = reasons.max().unwrap_or(0).max("reason".len());
            writeln!(
                f,
                "\npositive {} (bm25 {}, score {}): {}\n",
                positive.positive_id,
                number(positive.bm25),
                number(positive.score),
                short(&positive.positive)
            )?;
            writeln!(
                f,
                "rank    bm25   score  decision  {:reason_width$}  {:id_width$}  text",
                "reason", "passage"
            )?;
            for candidate in all() {
                writeln!(
                    f,
                    "{:>4}  {:>6}  {:>6}  {:8}  {:reason_width$}  {:id_width$}  {}",
                    candidate.rank,
                    number(Some(candidate.bm25)),
                    number(candidate.score),
                    candidate.decision,
                    candidate.reason,
                    candidate.corpus_id,
                    short(&candidate.text)
                )?;
            }
        }
        Ok(())
    }
}

/// The beginning of a text, on one line.
fn short(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
