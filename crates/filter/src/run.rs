use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use pairmill_cli::Progress;
use pairmill_tables::{
    ColumnNames, Judged, Lineage, Table, TrainingOutput, TrainingRows, WholeQueries, f32_column,
    open, session, string_column,
};
use serde::Serialize;
use tracing::{info, warn};

use crate::decide::decide;
use crate::model::log_tally;
use crate::{Config, FilterError, Format, Result, plan};

/// What a run did.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whether there was nothing to do.
    pub up_to_date: bool,
    /// The output.
    pub output: PathBuf,
    /// What was decided, unless there was nothing to do.
    #[serde(flatten)]
    pub summary: Option<Summary>,
}

/// What was decided.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Rows read.
    pub candidates: u64,
    /// Distinct pairs of a query and a positive.
    pub pairs: u64,
    /// Pairs that kept no negative.
    pub pairs_without_negatives: u64,
    /// Pairs that have no row in the output.
    pub pairs_left_out: u64,
    /// Candidates by reason.
    pub reasons: BTreeMap<String, u64>,
    /// Pairs of texts that the model read; one that stands in many rows is read once or twice.
    pub scored: u64,
    /// Pairs of texts whose scores an earlier run has left.
    pub cached: u64,
    /// Pairs of texts that were longer than the model reads.
    pub truncated: u64,
    /// Rows written to the output.
    pub rows: u64,
    /// Scored candidates that the model ranks below the positive of their pair.
    pub below_positive: u64,
    /// Scored candidates.
    pub compared: u64,
}

impl Summary {
    /// The share of candidates that the model ranks below the positive: 0.5 is chance.
    fn share_below_positive(&self) -> f64 {
        self.below_positive as f64 / (self.compared as f64).max(1.0)
    }
}

/// Below this share of candidates under their positive, a model's decisions are near chance.
const TELLING_SHARE: f64 = 0.7;

/// Scores the candidates, decides on each and writes the output and the audit table, unless they
/// are up to date.
///
/// # Errors
/// If the candidates are unsound (see [`pairmill_tables::open`]), the model cannot be used (see
/// [`pairmill_inference::CrossEncoder::load`]), no training row can be made and [`Config::allow_empty`] is not set, or an
/// output cannot be written. The audit table is written even where no training row can be made.
pub fn run(config: &Config) -> Result<Report> {
    let (lineage, audit_lineage) = config.lineages()?;
    let report = |summary: Option<Summary>| Report {
        up_to_date: summary.is_none(),
        output: config.output.clone(),
        summary,
    };
    let audited = |path: &PathBuf| audit_lineage.is_carried_by(path);
    if !config.force
        && lineage.is_carried_by(&config.output)
        && config.audit.as_ref().is_none_or(audited)
    {
        info!("{} is up to date", config.output.display());
        return Ok(report(None));
    }
    let summary = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.model.threads.max(1))
        .enable_all()
        .build()
        .map_err(FilterError::Runtime)?
        .block_on(filter(config, &lineage, &audit_lineage))?;
    log(config, &summary);
    Ok(report(Some(summary)))
}

async fn filter(config: &Config, lineage: &Lineage, audit_lineage: &Lineage) -> Result<Summary> {
    // One partition keeps the order of a sort through the plan; the scoring is parallel inside.
    let session = session(1)?;
    let names = ColumnNames::default();
    let candidates = open(&session, &config.candidates, Table::Candidates, &names, &[]).await?;
    let model = config.model.load()?;
    let mut outputs = Outputs::create(config, lineage, audit_lineage)?;
    let open = match config.candidates.as_str() {
        // Standard input is read once and as it comes.
        "-" => None,
        _ => Some(plan::count_open(&candidates).await?),
    };
    info!(
        "scoring {} candidates with {} (pairs of up to {} tokens)",
        open.map_or("the".to_owned(), |open| open.to_string()),
        config.model.source,
        model.max_length()
    );
    let (model, scores) = config.model.cached(model, lineage, Some(&config.output))?;
    let model = Arc::new(model);
    let progress = Arc::new(Progress::new("scoring", "candidates", open));
    let scored = plan::scored(candidates, model.clone(), progress.clone()).await?;
    judge_all(scored, config, &mut outputs).await?;
    let seconds = progress.elapsed().as_secs_f64();
    drop(progress);
    let mut summary = outputs.finish(config)?;
    let tally = model.tally();
    model.flush_cache()?;
    drop(model);
    scores.finish();
    summary.scored = tally.scored;
    summary.cached = tally.cached;
    summary.truncated = tally.truncated;
    log_tally(tally, seconds);
    Ok(summary)
}

async fn judge_all(
    mut scored: SendableRecordBatchStream,
    config: &Config,
    outputs: &mut Outputs,
) -> Result<()> {
    let mut queries = WholeQueries::default();
    while let Some(batch) = scored.next().await {
        for batch in queries.push(&batch?)? {
            outputs.write(&decide(&batch, &config.rules)?)?;
        }
    }
    if let Some(batch) = queries.finish()? {
        outputs.write(&decide(&batch, &config.rules)?)?;
    }
    Ok(())
}

/// The files under way and what went into them.
struct Outputs {
    files: TrainingOutput,
    format: Format,
    negatives: usize,
    summary: Summary,
}

impl Outputs {
    fn create(config: &Config, lineage: &Lineage, audit_lineage: &Lineage) -> Result<Self> {
        let rows = TrainingRows {
            format: config.format,
            negatives: config.rules.num_negatives,
            drop_ids: config.drop_ids,
        };
        let audit = config.audit.as_deref().map(|path| (path, audit_lineage));
        Ok(Self {
            files: TrainingOutput::create(rows, (&config.output, lineage), audit)?,
            format: config.format,
            negatives: config.rules.num_negatives,
            summary: Summary::default(),
        })
    }

    fn write(&mut self, judged: &Judged) -> Result<()> {
        self.count(judged);
        self.summary.rows += self.files.write(judged)?;
        Ok(())
    }

    fn count(&mut self, judged: &Judged) {
        let summary = &mut self.summary;
        summary.candidates += judged.batch.num_rows() as u64;
        summary.pairs += judged.pairs.len() as u64;
        for pair in &judged.pairs {
            summary.pairs_without_negatives += u64::from(pair.negatives.is_empty());
            summary.pairs_left_out += u64::from(!self.format.uses(pair, self.negatives));
        }
        let scores = f32_column(&judged.batch, "score").iter();
        let positives = f32_column(&judged.batch, "positive_score");
        for (score, positive) in scores.zip(positives).filter_map(|(a, b)| a.zip(b)) {
            summary.compared += 1;
            summary.below_positive += u64::from(score < positive);
        }
        for reason in string_column(&judged.batch, "reason").iter().flatten() {
            match summary.reasons.get_mut(reason) {
                Some(count) => *count += 1,
                None => _ = summary.reasons.insert(reason.to_owned(), 1),
            }
        }
    }

    fn finish(self, config: &Config) -> Result<Summary> {
        let output = self.files.finish_audit()?;
        if self.summary.rows == 0 && !config.allow_empty {
            return Err(FilterError::NothingLeft {
                output: config.output.clone(),
                rows: self.format.rows_name(),
                candidates: config.candidates.clone(),
                pairs: self.summary.pairs,
                reasons: reasons(&self.summary),
            });
        }
        output.finish()?;
        Ok(self.summary)
    }
}

fn reasons(summary: &Summary) -> String {
    let counts = summary.reasons.iter();
    counts
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn log(config: &Config, summary: &Summary) {
    if summary.pairs_without_negatives > 0 {
        warn!(
            "{} of {} pairs kept no negative",
            summary.pairs_without_negatives, summary.pairs
        );
    }
    if summary.rows == 0 {
        warn!(
            "no {} are left: the output is an empty table",
            config.format.rows_name()
        );
    }
    if config.format == Format::NTuple && summary.pairs_left_out > 0 {
        warn!(
            "{} of {} pairs kept fewer than {} negatives and are left out",
            summary.pairs_left_out, summary.pairs, config.rules.num_negatives
        );
    }
    let share = summary.share_below_positive();
    info!(
        "the model ranks {:.1} % of the candidates below their positive (chance: 50 %)",
        100.0 * share
    );
    if summary.compared > 0 && share < TELLING_SHARE {
        warn!(
            "so it hardly tells right from wrong here and its decisions are near chance; train it on more pairs, for more epochs or at another rate"
        );
    }
    info!("decided: {}", reasons(summary));
    info!(
        "wrote {}: {} {} from {} pairs",
        config.output.display(),
        summary.rows,
        config.format.rows_name(),
        summary.pairs - summary.pairs_left_out
    );
}
