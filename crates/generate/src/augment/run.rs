use std::path::Path;

use pairmill_tables::{Lineage, session};
use tracing::info;

use super::config::AugmentConfig;
use super::nearest::refuse_by_model;
use super::report::AugmentReport;
use super::rows::{Sources, held_out};
use super::vectors::Encoder;
use super::wordings::{refuse_held_out, refuse_other_texts, refuse_repeated, wordings};
use super::write::{write_audit, write_table};
use crate::Result;

/// Writes a table with other wordings of its texts, unless it is up to date.
///
/// # Errors
/// If the input, the dictionary or a model is unsound, or an output cannot be written.
pub async fn augment(config: &AugmentConfig) -> Result<AugmentReport> {
    let dictionary = config.dictionary()?;
    let lineage = config.lineage(dictionary.as_deref())?;
    let outputs = std::iter::once(config.output.as_path()).chain(config.audit.as_deref());
    let mut is_done = true;
    for output in outputs {
        is_done &= lineage.is_done(output, config.force)?;
    }
    if is_done
        && let Some(report) = Lineage::figures(&config.output)
        && let Ok(report) = serde_json::from_value::<AugmentReport>(report)
    {
        info!("{} is up to date", config.output.display());
        return Ok(AugmentReport {
            up_to_date: true,
            output: config.output.clone(),
            ..report
        });
    }
    make(config, dictionary.as_deref(), &lineage).await
}

async fn make(
    config: &AugmentConfig,
    dictionary: Option<&Path>,
    lineage: &Lineage,
) -> Result<AugmentReport> {
    let methods = config.build(dictionary)?;
    let kept = config.kept_words()?;
    let encoder = match &config.model {
        Some(model) => Some(Encoder::load(model, config.threads)?),
        None => None,
    };
    let session = session(config.threads)?;
    let sources = Sources::read(&session, config).await?;
    let held_out = held_out(&session, &config.against).await?;
    info!(
        "{} texts in {} rows",
        sources.sources.len(),
        sources.rows.len()
    );
    let mut found = wordings(&sources, &methods, &kept, (config.seed, config.per_row))?;
    refuse_other_texts(&sources, &methods, &mut found);
    refuse_held_out(&held_out, &methods, &mut found);
    if let Some(encoder) = &encoder {
        refuse_by_model(&sources, &mut found, encoder, config.min_similarity)?;
    }
    refuse_repeated(&sources, &methods, &mut found);
    let mut report = AugmentReport::new(config, &sources, &methods, &found);
    if let Some(audit) = &config.audit {
        write_audit(audit, &sources, &methods, &found, lineage)?;
    }
    write_table(config, &sources, &methods, &found, lineage, &mut report)?;
    report.tell();
    Ok(report)
}
