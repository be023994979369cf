use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{Expr, ScalarUDF, when};
use datafusion::prelude::{DataFrame, ident, lit};
use pairmill_cli::Progress;
use pairmill_inference::CrossEncoderScore;
use pairmill_schema::{Decision, Reason};
use pairmill_tables::Table;

use crate::Result;
use crate::scorer::Scorer;

/// The columns that tell rows apart, in the order of the output.
const KEYS: [&str; 4] = ["query_id", "positive_id", "rank", "corpus_id"];

/// Returns which candidates are scored: those that the miner has not dropped, or all that may
/// become positives.
fn is_to_score(with_promotion: bool) -> Expr {
    let is_open = ident("decision").not_eq(lit(Decision::Drop.name()));
    match with_promotion {
        true => {
            let settled = Reason::settled().map(|reason| lit(reason.name()));
            is_open.or(ident("reason").in_list(settled.collect(), true))
        }
        false => is_open,
    }
}

/// Returns the number of candidates to score.
pub(crate) async fn count_to_score(candidates: &DataFrame, with_promotion: bool) -> Result<u64> {
    let to_score = candidates.clone().filter(is_to_score(with_promotion))?;
    Ok(to_score.count().await? as u64)
}

/// Returns a candidate that lacks its own similarity or its positive's, if there is one.
pub(crate) async fn without_similarities(candidates: &DataFrame) -> Result<Vec<RecordBatch>> {
    let lacks = ident("dense")
        .is_null()
        .or(ident("positive_dense").is_null());
    let one = candidates.clone().filter(lacks)?.limit(0, Some(1))?;
    Ok(one.collect().await?)
}

/// Returns the candidates in the order of their keys, with the model's scores of (query,
/// candidate), null where there is nothing to decide, and of (query, positive).
pub(crate) async fn scored(
    candidates: DataFrame,
    kept: &[&str],
    with_promotion: bool,
    scorer: Arc<Scorer>,
    progress: Arc<Progress>,
) -> Result<SendableRecordBatchStream> {
    let score = CrossEncoderScore::new(scorer);
    let score_positive = ScalarUDF::from(score.clone());
    let score_candidate = ScalarUDF::from(score.on_progress(move |rows| progress.inc(rows)));
    let columns = Table::Candidates.schema();
    let columns = columns
        .fields()
        .iter()
        .map(|field| match field.name().as_str() {
            "score" => {
                let score = score_candidate.call(vec![ident("query"), ident("text")]);
                let score = when(is_to_score(with_promotion), score).end()?;
                Ok(score.alias("score"))
            }
            "positive_score" => {
                let score = score_positive.call(vec![ident("query"), ident("positive")]);
                Ok(score.alias("positive_score"))
            }
            name => Ok(ident(name)),
        });
    let mut columns = columns.collect::<Result<Vec<Expr>>>()?;
    columns.extend(kept.iter().copied().map(ident));
    // Sorted before it is scored: the candidates of a query are then in one batch, where its
    // positive is scored once.
    let keys = KEYS
        .iter()
        .map(|key| ident(*key).sort(true, false))
        .collect();
    Ok(candidates
        .sort(keys)?
        .select(columns)?
        .execute_stream()
        .await?)
}
