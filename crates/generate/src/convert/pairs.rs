use datafusion::common::JoinType;
use datafusion::error::Result;
use datafusion::logical_expr::{Operator, binary_expr, lit, when};
use datafusion::prelude::{DataFrame, Expr, ident};

/// Returns the pairs that judgements call relevant, ordered by their ids, once each.
pub(super) fn relevant(
    qrels: DataFrame,
    queries: DataFrame,
    corpus: DataFrame,
) -> Result<DataFrame> {
    let queries = queries.select(vec![
        ident("id").alias("anchor_id"),
        ident("text").alias("anchor"),
    ])?;
    let corpus = corpus.select(vec![
        ident("id").alias("positive_id"),
        passage()?.alias("positive"),
    ])?;
    // The first table of a join is the one held in memory.
    qrels
        .filter(ident("score").gt(lit(0)))?
        .select(vec![ident("query_id"), ident("corpus_id")])?
        .distinct()?
        .join(
            queries.distinct()?,
            JoinType::Inner,
            &["query_id"],
            &["anchor_id"],
            None,
        )?
        .join(
            corpus,
            JoinType::Inner,
            &["corpus_id"],
            &["positive_id"],
            None,
        )?
        .select(["anchor_id", "anchor", "positive_id", "positive"].map(ident))?
        .sort(vec![
            ident("anchor_id").sort(true, false),
            ident("positive_id").sort(true, false),
        ])
}

/// Returns the passage as the later stages read it from the corpus: title, blank, text.
fn passage() -> Result<Expr> {
    let (title, text) = (ident("title"), ident("text"));
    let joined = |left, right| binary_expr(left, Operator::StringConcat, right);
    let both = joined(joined(title.clone(), lit(" ")), text.clone());
    when(title.clone().eq(lit("")), text.clone())
        .when(text.eq(lit("")), title)
        .otherwise(both)
}
