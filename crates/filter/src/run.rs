use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use pairmill_candidates::{Decided, TrainingOutput, decide};
use pairmill_cli::Progress;
use pairmill_tables::{
    ColumnNames, Lineage, Table, WholeQueries, f32_column, open, session, string_column,
};
use tracing::info;

use crate::cache::ScoreFolder;
use crate::int8_agreement::compare_decisions;
use crate::scorer::Scorer;
use crate::{Config, FilterError, Format, Output, Report, Result, Summary, plan, scale};

/// Scores the candidates, decides on each and writes the outputs, unless they are up to date.
///
/// # Errors
/// If the candidates are unsound (see [`pairmill_tables::open`]), the model cannot be used (see
/// [`pairmill_inference::CrossEncoder::load`]), a table has no training row and
/// [`Config::allow_empty`] is not set, or an output cannot be written. Decided candidates are
/// written even where no training row can be made.
pub async fn run(config: &Config) -> Result<Report> {
    let lineages = config.lineages()?;
    let report = |up_to_date, summary| Report {
        up_to_date,
        output: config.output.path.clone(),
        summary,
    };
    let mut is_done = true;
    for (output, lineage) in config.outputs().zip(&lineages) {
        is_done &= lineage.is_done(&output.path, config.force)?;
    }
    if is_done {
        info!("{} is up to date", config.output.path.display());
        let figures = Lineage::figures(&config.output.path);
        let summary = figures.and_then(|figures| serde_json::from_value(figures).ok());
        return Ok(report(true, summary));
    }
    let summary = filter(config, &lineages).await?;
    summary.log(config);
    Ok(report(false, Some(summary)))
}

async fn filter(config: &Config, lineages: &[Lineage]) -> Result<Summary> {
    // One partition keeps the order of a sort through the plan; the scoring is parallel inside.
    let session = session(1)?;
    let names = ColumnNames::default();
    let config = &config.with_kept(&session, &names).await?;
    let kept = config.kept.names();
    let path = &config.candidates;
    let candidates = open(&session, path, Table::Candidates, &names, &kept).await?;
    // Standard input is read once, and seen to as it comes.
    if config.rules.need_similarities() && config.candidates != "-" {
        for batch in plan::without_similarities(&candidates).await? {
            sound(&batch, config)?;
        }
    }
    let mut scores = ScoreFolder::new(config.model.cache.as_deref(), &config.output.path)?;
    let scorer = Scorer::load(&config.model)?;
    let activation = scale::activation(config, scorer.activation());
    let scorer = scorer.with_activation(activation);
    let scorer = Arc::new(scorer.cached(scores.path())?);
    let mut outputs = Outputs::create(config, lineages)?;
    let int8 = compare_decisions(config, &candidates, &scorer, scores.path()).await?;
    scores.keep();
    let before = scorer.tally();
    let with_promotion = config.rules.promotion.is_some();
    let to_score = match config.candidates.as_str() {
        // Standard input is read once and as it comes.
        "-" => None,
        _ => Some(plan::count_to_score(&candidates, with_promotion).await?),
    };
    info!(
        "scoring {} candidates with {} (pairs of up to {} tokens)",
        to_score.map_or("the".to_owned(), |number| number.to_string()),
        config.model.source,
        scorer.max_length()
    );
    let progress = Arc::new(Progress::new("scoring", "candidates", to_score));
    let scored = plan::scored(
        candidates,
        &kept,
        with_promotion,
        scorer.clone(),
        progress.clone(),
    )
    .await?;
    decide_all(scored, config, &mut outputs).await?;
    let seconds = progress.elapsed().as_secs_f64();
    drop(progress);
    let tally = scorer.tally() - before;
    outputs.summary.int8 = int8;
    outputs.summary.scored = tally.scored;
    outputs.summary.cached = tally.cached;
    outputs.summary.truncated = tally.truncated;
    let summary = outputs.finish()?;
    scorer.finish(scores, before, seconds)?;
    Ok(summary)
}

async fn decide_all(
    mut scored: SendableRecordBatchStream,
    config: &Config,
    outputs: &mut Outputs<'_>,
) -> Result<()> {
    let mut queries = WholeQueries::default();
    while let Some(batch) = scored.next().await {
        for batch in queries.push(&batch?)? {
            outputs.write(&decide(sound(&batch, config)?, &config.rules)?)?;
        }
    }
    if let Some(batch) = queries.finish()? {
        outputs.write(&decide(sound(&batch, config)?, &config.rules)?)?;
    }
    Ok(())
}

/// Returns the batch, if it has what the rules ask for.
fn sound<'a>(batch: &'a RecordBatch, config: &Config) -> Result<&'a RecordBatch> {
    let columns = ["dense", "positive_dense"].map(|name| f32_column(batch, name));
    let has_none = |row: &usize| columns.iter().any(|column| column.is_null(*row));
    match (0..batch.num_rows()).find(has_none) {
        Some(row) if config.rules.need_similarities() => Err(FilterError::NoSimilarity {
            candidates: config.candidates.clone(),
            query: string_column(batch, "query_id").value(row).to_owned(),
        }),
        _ => Ok(batch),
    }
}

/// The files under way and what went into them.
struct Outputs<'a> {
    config: &'a Config,
    /// In the order of [`Config::outputs`], with the number of their rows.
    tables: Vec<(&'a Output, TrainingOutput, u64)>,
    summary: Summary,
}

impl<'a> Outputs<'a> {
    fn create(config: &'a Config, lineages: &[Lineage]) -> Result<Self> {
        let tables = config.outputs().zip(lineages);
        let tables = tables.map(|(output, lineage)| {
            let rows = config.rows(output.format);
            let table = TrainingOutput::create(rows, &output.path, lineage)?;
            Ok((output, table, 0))
        });
        Ok(Self {
            config,
            tables: tables.collect::<Result<_>>()?,
            summary: Summary::default(),
        })
    }

    fn write(&mut self, decided: &Decided) -> Result<()> {
        let rows = self.config.rows(self.config.output.format);
        self.summary.count(decided, &rows);
        for (_, table, rows) in &mut self.tables {
            *rows += table.write(decided)?;
        }
        Ok(())
    }

    /// Gives the files their names: first those of candidates, which are to be seen even where a
    /// table would be empty, and the main one last, so that where it is new all are.
    fn finish(mut self) -> Result<Summary> {
        let is_empty = |(output, _, rows): &(&Output, TrainingOutput, u64)| {
            *rows == 0 && output.format != Format::CANDIDATES
        };
        let empty = self.tables.iter().find(|table| is_empty(table));
        let failure = empty
            .filter(|_| !self.config.allow_empty)
            .map(|(output, ..)| FilterError::NothingLeft {
                output: output.path.clone(),
                rows: output.format.rows_name(),
                candidates: self.config.candidates.clone(),
                pairs: self.summary.pairs,
                reasons: self.summary.reasons(),
            });
        self.tables
            .sort_by_key(|(output, ..)| output.format != Format::CANDIDATES);
        let is_main = |output: &Output| *output == self.config.output;
        self.tables.sort_by_key(|(output, ..)| is_main(output));
        for (output, table, rows) in self.tables {
            if failure.is_some() && output.format != Format::CANDIDATES {
                continue;
            }
            if is_main(output) {
                self.summary.rows = rows;
                table.finish_with(&self.summary.figures())?;
            } else {
                table.finish()?;
                let path = output.path.display().to_string();
                self.summary.also.insert(path, rows);
            }
        }
        match failure {
            Some(failure) => Err(failure),
            None => Ok(self.summary),
        }
    }
}
