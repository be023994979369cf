use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::logical_expr::{Cast, Expr, ScalarUDF};
use datafusion::prelude::{DataFrame, ident};
use futures::StreamExt;
use pairmill_cli::Progress;
use pairmill_inference::CrossEncoderScore;
use pairmill_schema::{agreeing, counted};
use pairmill_tables::{Lineage, TableError, TableOutput, open_any, row_count, session};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::cache::ScoreFolder;
use crate::int8_agreement::compare_scores;
use crate::scorer::Scorer;
use crate::{Agreement, FilterError, Result, ScoreConfig};

/// The columns of text that are looked for where the user names none, in this order.
pub const KNOWN_COLUMNS: [[&str; 2]; 3] = [
    ["sentence1", "sentence2"],
    ["anchor", "positive"],
    ["query", "text"],
];

/// What a run did.
#[derive(Debug, Clone, Serialize)]
pub struct ScoreReport {
    /// Whether there was nothing to do.
    pub up_to_date: bool,
    /// The output.
    pub output: PathBuf,
    /// What was scored, now or by the run that wrote the output.
    #[serde(flatten)]
    pub summary: Option<ScoreSummary>,
}

/// What was scored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScoreSummary {
    /// Rows read and written.
    pub rows: u64,
    /// Rows without a score, because a text of theirs is null.
    pub rows_without_text: u64,
    /// Pairs of texts that the model read; one that stands in many rows may be read once.
    pub scored: u64,
    /// Pairs of texts whose scores an earlier run has left.
    pub cached: u64,
    /// Pairs of texts that were longer than the model reads.
    pub truncated: u64,
    /// How far int8 agrees with float32, where that is run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub int8: Option<Agreement>,
}

/// Adds a column with the score of each row's two texts to a table, unless the output is up to
/// date. All other columns and the order of the rows stay; a row with a null for a text has a null
/// for a score.
///
/// # Errors
/// If the table cannot be read, has no such columns of text or has the column to add already, the
/// model cannot be used (see [`pairmill_inference::CrossEncoder::load`]), or the output cannot be
/// written.
pub async fn score(config: &ScoreConfig) -> Result<ScoreReport> {
    let lineage = config.lineage()?;
    let is_done = lineage.is_done(&config.output, config.force)?;
    let summary = if is_done {
        info!("{} is up to date", config.output.display());
        let figures = Lineage::figures(&config.output);
        figures.and_then(|figures| serde_json::from_value(figures).ok())
    } else {
        Some(write_scores(config, &lineage).await?)
    };
    Ok(ScoreReport {
        up_to_date: is_done,
        output: config.output.clone(),
        summary,
    })
}

async fn write_scores(config: &ScoreConfig, lineage: &Lineage) -> Result<ScoreSummary> {
    // One partition keeps the order of the rows; the scoring is parallel inside.
    let session = session(1)?;
    let pairs = open_any(&session, &config.pairs).await?;
    let columns = text_columns(config, pairs.schema().as_arrow())?;
    let rows = match config.pairs.as_str() {
        "-" => None,
        input => Some(row_count(&session, input).await? as u64),
    };
    let mut scores = ScoreFolder::new(config.model.cache.as_deref(), &config.output)?;
    let scorer = Arc::new(Scorer::load(&config.model)?.cached(scores.path())?);
    let texts = pairs.clone().select(texts_of(&columns))?;
    let int8 = compare_scores(config, texts, &scorer, scores.path()).await?;
    scores.keep();
    let before = scorer.tally();
    info!(
        "scoring {} with {} by {} (pairs of up to {} tokens)",
        columns[0],
        columns[1],
        config.model.source,
        scorer.max_length()
    );
    let progress = Arc::new(Progress::new("scoring", "rows", rows));
    let schema = scored_schema(&pairs, &config.score_column);
    let mut sink = TableOutput::create(&config.output, schema, lineage)?;
    let with_progress = CrossEncoderScore::new(scorer.clone()).on_progress({
        let progress = progress.clone();
        move |rows| progress.inc(rows)
    });
    let scored = with_score(pairs, with_progress, &columns, &config.score_column)?;
    let mut batches = scored.execute_stream().await?;
    let mut summary = ScoreSummary::default();
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        summary.rows += batch.num_rows() as u64;
        let scores = batch.column_by_name(&config.score_column);
        summary.rows_without_text += scores.map_or(0, |scores| scores.null_count()) as u64;
        sink.write(&batch)?;
    }
    drop(batches);
    let seconds = progress.elapsed().as_secs_f64();
    drop(progress);
    let tally = scorer.tally() - before;
    summary.int8 = int8;
    summary.scored = tally.scored;
    summary.cached = tally.cached;
    summary.truncated = tally.truncated;
    // What goes with the output does not depend on what was in a cache.
    let figures = ScoreSummary {
        scored: tally.scored + tally.cached,
        cached: 0,
        ..summary.clone()
    };
    sink.finish_with(&figures)?;
    scorer.finish(scores, before, seconds)?;
    log(config, &summary);
    Ok(summary)
}

/// Returns the two columns of text.
fn text_columns(config: &ScoreConfig, schema: &Schema) -> Result<[String; 2]> {
    let path = || config.pairs.clone();
    let has = |name: &str| schema.field_with_name(name).is_ok();
    let found = || {
        let names = schema.fields().iter().map(|field| field.name().as_str());
        match schema.fields().is_empty() {
            true => "none".to_owned(),
            false => names.collect::<Vec<_>>().join(", "),
        }
    };
    if has(&config.score_column) {
        return Err(FilterError::ScoreColumn {
            path: path(),
            column: config.score_column.clone(),
        });
    }
    let columns = match &config.columns {
        Some(columns) => columns.clone(),
        None => KNOWN_COLUMNS
            .into_iter()
            .find(|columns| columns.iter().all(|column| has(column)))
            .ok_or_else(|| FilterError::NoTexts {
                path: path(),
                found: found(),
            })?
            .map(str::to_owned),
    };
    for column in &columns {
        let Ok(field) = schema.field_with_name(column) else {
            return Err(FilterError::NoColumn {
                path: path(),
                column: column.clone(),
                found: found(),
            });
        };
        let kind = match field.data_type() {
            DataType::Dictionary(_, value) => value,
            other => other,
        };
        if !kind.is_string() {
            return Err(TableError::WrongType {
                path: path(),
                column: column.clone(),
                found: kind.to_string(),
                expected: "text",
            }
            .into());
        }
    }
    Ok(columns)
}

fn texts_of(columns: &[String; 2]) -> Vec<Expr> {
    let text = |column: &String| Expr::Cast(Cast::new(Box::new(ident(column)), DataType::Utf8));
    columns.iter().map(text).collect()
}

fn with_score(
    pairs: DataFrame,
    score: CrossEncoderScore,
    columns: &[String; 2],
    name: &str,
) -> Result<DataFrame> {
    let score = ScalarUDF::from(score).call(texts_of(columns));
    let fields = pairs.schema().fields().iter();
    let mut all: Vec<Expr> = fields.map(|field| ident(field.name())).collect();
    all.push(score.alias(name));
    Ok(pairs.select(all)?)
}

/// Returns the schema of the output. What the input's says about the table as a whole, such as what
/// kinds of columns there are for another library, would not hold for it.
fn scored_schema(pairs: &DataFrame, score_column: &str) -> SchemaRef {
    let mut fields = pairs.schema().as_arrow().fields().to_vec();
    let score = arrow::datatypes::Field::new(score_column, DataType::Float32, true);
    fields.push(Arc::new(score));
    Arc::new(Schema::new(fields))
}

fn log(config: &ScoreConfig, summary: &ScoreSummary) {
    if summary.rows_without_text > 0 {
        warn!(
            "{} of {} {} a null for a text and therefore for a score",
            summary.rows_without_text,
            counted(summary.rows, "row", "rows"),
            agreeing(summary.rows_without_text, "has", "have")
        );
    }
    if summary.rows == 0 {
        warn!("{} has no rows, and nor has the output", config.pairs);
    }
    if config.to_file().is_some() {
        let rows = counted(summary.rows, "row", "rows");
        info!("wrote {}: {rows}", config.output.display());
    }
}
