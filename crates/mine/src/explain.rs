use std::collections::BTreeSet;
use std::fmt;

use arrow::array::{Array, RecordBatch};
use datafusion::logical_expr::lit;
use datafusion::prelude::{DataFrame, ident};
use pairmill_candidates::pairs_of;
use pairmill_tables::{ColumnNames, Table, f32_column, i32_column, open, session, string_column};
use serde::Serialize;

use crate::batches::for_each_batch;
use crate::{MineError, Result};

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
    /// Its similarity to the query, where the miner wrote it.
    pub dense: Option<f32>,
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
    /// Its score by BM25, where that has found it.
    pub bm25: Option<f32>,
    /// Its similarity to the query, where embeddings were asked.
    pub dense: Option<f32>,
    /// Its rank by BM25 alone, where ranks were fused.
    pub bm25_rank: Option<i32>,
    /// Its rank by embeddings alone, where ranks were fused.
    pub dense_rank: Option<i32>,
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
pub async fn explain(config: &ExplainConfig) -> Result<Explanation> {
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
        let number = |name: &str, row: usize| {
            let column = f32_column(batch, name);
            column.is_valid(row).then(|| column.value(row))
        };
        let rank = |name: &str, row: usize| {
            let column = i32_column(batch, name);
            column.is_valid(row).then(|| column.value(row))
        };
        for rows in pairs_of(batch) {
            let candidates = rows.clone().map(|row| ExplainedCandidate {
                rank: i32_column(batch, "rank").value(row),
                corpus_id: text("corpus_id", row),
                bm25: number("bm25", row),
                dense: number("dense", row),
                bm25_rank: rank("bm25_rank", row),
                dense_rank: rank("dense_rank", row),
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
                    dense: number("positive_dense", rows.start),
                    score: number("positive_score", rows.start),
                    candidates,
                }),
            }
            self.query = text("query", rows.start);
        }
    }
}

/// A column of figures, shown where one of them is there.
struct Figures {
    name: &'static str,
    values: Vec<Option<String>>,
}

impl ExplainedPositive {
    fn figures(&self) -> Vec<Figures> {
        let column = |name, value: &dyn Fn(&ExplainedCandidate) -> Option<String>| Figures {
            name,
            values: self.candidates.iter().map(value).collect(),
        };
        let columns = [
            column("rank", &|of| Some(of.rank.to_string())),
            column("bm25", &|of| of.bm25.map(decimals)),
            column("bm25_rank", &|of| of.bm25_rank.map(|rank| rank.to_string())),
            column("dense", &|of| of.dense.map(decimals)),
            column("dense_rank", &|of| {
                of.dense_rank.map(|rank| rank.to_string())
            }),
        ];
        let is_shown = |column: &Figures| column.values.iter().any(Option::is_some);
        let mut shown: Vec<Figures> = columns.into_iter().filter(is_shown).collect();
        shown.push(column("score", &|of| of.score.map(decimals)));
        shown
    }
}

fn decimals(value: f32) -> String {
    format!("{value:.3}")
}

fn or_dash(value: Option<&str>) -> &str {
    value.unwrap_or("-")
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "query {}: {}", self.query_id, short(&self.query))?;
        for positive in &self.positives {
            positive.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for ExplainedPositive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scores = [
            ("bm25", self.bm25),
            ("dense", self.dense),
            ("score", self.score),
        ];
        let scores = scores.into_iter().filter_map(|(name, value)| match value {
            // Whoever looks for a score is told that there is none yet.
            None if name != "score" => None,
            value => Some(format!(
                "{name} {}",
                or_dash(value.map(decimals).as_deref())
            )),
        });
        writeln!(
            f,
            "\npositive {} ({}): {}\n",
            self.positive_id,
            scores.collect::<Vec<_>>().join(", "),
            short(&self.positive)
        )?;
        let all = || self.candidates.iter();
        let ids = all().map(|candidate| candidate.corpus_id.chars().count());
        let id_width = ids.max().unwrap_or(0).max("passage".len());
        let reasons = all().map(|candidate| candidate.reason.len());
        let reason_width = reasons.max().unwrap_or(0).max("reason".len());
        let figures = self.figures();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let cells = cells
                .zip(&figures)
                .enumerate()
                .map(|(number, (cell, column))| {
                    let width = column.name.len().max(if number == 0 { 4 } else { 6 });
                    format!("{cell:>width$}")
                });
            cells.collect::<Vec<_>>().join("  ")
        };
        writeln!(
            f,
            "{}  decision  {:reason_width$}  {:id_width$}  text",
            line(&mut figures.iter().map(|column| column.name)),
            "reason",
            "passage"
        )?;
        for (row, candidate) in all().enumerate() {
            let cells = figures.iter().map(|column| column.values[row].as_deref());
            writeln!(
                f,
                "{}  {:8}  {:reason_width$}  {:id_width$}  {}",
                line(&mut cells.map(or_dash)),
                candidate.decision,
                candidate.reason,
                candidate.corpus_id,
                short(&candidate.text)
            )?;
        }
        Ok(())
    }
}

/// Returns the beginning of a text, on one line.
fn short(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
