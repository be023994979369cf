use std::collections::HashMap;

use arrow::array::{Array, Float32Array};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use pairmill_schema::excerpt;
use pairmill_tables::{
    ColumnNames, Table, TableError, column_names, f32_column, open, passage, string_column,
};

use crate::input::EXCERPT;
use crate::labelling::ROUND;
use crate::{GenerateError, Result};

/// A passage of a query, judged.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judgement {
    pub query_id: String,
    pub corpus_id: String,
    pub is_relevant: bool,
    /// The round in which it was judged, where its table says so.
    pub round: Option<u32>,
}

/// Judgements by the ids of their query and passage.
pub(super) type Judgements = HashMap<(String, String), Judgement>;

/// Reads the passages, ordered by id.
pub(super) async fn passages(
    session: &SessionContext,
    input: &str,
) -> Result<Vec<(String, String)>> {
    let failed = |error| TableError::of_scan(input, error);
    let names = ColumnNames::default();
    let frame = open(session, input, Table::Corpus, &names, &[]).await?;
    let mut stream = frame.execute_stream().await.map_err(failed)?;
    let mut rows = Vec::new();
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(failed)?;
        let [ids, titles, texts] = ["id", "title", "text"].map(|name| string_column(&batch, name));
        rows.extend((0..batch.num_rows()).map(|at| {
            let text = passage(titles.value(at), texts.value(at)).into_owned();
            (ids.value(at).to_owned(), text)
        }));
    }
    rows.sort_unstable();
    let twice = rows.array_windows().find(|[one, other]| one.0 == other.0);
    match twice {
        Some([one, other]) => Err(GenerateError::DuplicateId {
            input: input.to_owned(),
            id: one.0.clone(),
            column: "text",
            first: excerpt(&one.1, EXCERPT),
            second: excerpt(&other.1, EXCERPT),
        }),
        None => Ok(rows),
    }
}

/// Reads what was judged before, as [`collect_pairs`](super::collect_pairs) writes it.
pub(super) async fn judged(session: &SessionContext, inputs: &[String]) -> Result<Judgements> {
    let mut judgements = Judgements::new();
    for input in inputs {
        let failed = |error| TableError::of_scan(input, error);
        let columns = column_names(session, input).await?;
        let extra: &[&str] = match columns.iter().any(|name| name == ROUND) {
            true => &[ROUND],
            false => &[],
        };
        let names = ColumnNames::default();
        let frame = open(session, input, Table::LabeledPairs, &names, extra).await?;
        let mut stream = frame.execute_stream().await.map_err(failed)?;
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(failed)?;
            let ids = ["sentence1_id", "sentence2_id"].map(|name| string_column(&batch, name));
            let scores: &Float32Array = f32_column(&batch, "score");
            let rounds = extra.first().map(|name| string_column(&batch, name));
            for at in 0..batch.num_rows() {
                let round = rounds.filter(|rounds| rounds.is_valid(at));
                let judgement = Judgement {
                    query_id: ids[0].value(at).to_owned(),
                    corpus_id: ids[1].value(at).to_owned(),
                    is_relevant: scores.value(at) >= 0.5,
                    round: round.and_then(|rounds| rounds.value(at).trim().parse().ok()),
                };
                add(&mut judgements, judgement, input)?;
            }
        }
    }
    Ok(judgements)
}

/// Takes in a judgement.
///
/// # Errors
/// If the same passage was judged otherwise for the same query.
pub(super) fn add(judgements: &mut Judgements, judgement: Judgement, input: &str) -> Result<()> {
    let key = (judgement.query_id.clone(), judgement.corpus_id.clone());
    match judgements.get(&key) {
        Some(other) if other.is_relevant != judgement.is_relevant => {
            Err(GenerateError::TwoJudgements {
                input: input.to_owned(),
                query: key.0,
                passage: key.1,
            })
        }
        _ => {
            judgements.insert(key, judgement);
            Ok(())
        }
    }
}
