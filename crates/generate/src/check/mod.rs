//! `generate check`: looks through tables for what spoils them, mends what can be mended, and
//! writes a data card.

mod by_model;
mod cards;
pub(crate) mod error;
mod findings_table;
mod label_noise;
mod mended_table;
mod options;
mod paraphrases;
mod reader;
mod sources;
mod table_kind;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use datafusion::prelude::{DataFrame, SessionContext};
use pairmill_checkpoint::Checkpoint;
use pairmill_hygiene::{Batch, Card, Excerpts, Hygiene, Options, Place, Severity};
use pairmill_tables::{FolderOutput, Lineage, session};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

pub use error::CheckError;
pub use options::{CheckColumns, CheckConfig, CheckOptions, TableFormat};
pub use table_kind::named_kind;

use crate::Result;
use by_model::{ByModel, has_categories};
use cards::{kind_cards, log, summary, table_cards, write_card};
use paraphrases::Paraphrases;
use sources::Source;

/// What a run found.
#[derive(Debug, Clone, Serialize)]
pub struct CheckReport {
    /// Whether there was nothing to do.
    pub up_to_date: bool,
    /// The output folder.
    pub output: PathBuf,
    /// What was read and found.
    #[serde(flatten)]
    pub summary: CheckSummary,
}

/// What was read and found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckSummary {
    /// Rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// Findings of all kinds.
    pub findings: u64,
    /// Findings of each kind that was looked for.
    pub counts: BTreeMap<String, u64>,
    /// Findings of each severity.
    pub severities: BTreeMap<String, u64>,
    /// What was mended, if anything was to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mended: Option<MendedSummary>,
}

/// What was mended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MendedSummary {
    /// Rows that are left.
    pub rows: u64,
    /// Rows that were dropped.
    pub dropped: u64,
    /// Texts and categories that were changed.
    pub changed: u64,
    /// Rows dropped and texts changed, by kind.
    pub by_kind: BTreeMap<String, u64>,
}

impl CheckReport {
    /// Whether something was found that is at least as bad.
    pub fn has(&self, least: Severity) -> bool {
        let bad = [Severity::Note, Severity::Warning, Severity::Error];
        let bad = bad.into_iter().filter(|severity| *severity >= least);
        let count = |severity: Severity| self.summary.severities.get(severity.name()).copied();
        bad.filter_map(count).sum::<u64>() > 0
    }
}

/// Looks through the tables and writes the output folder, whole or not at all, unless it is up to
/// date.
///
/// # Errors
/// If a table is unsound (see [`pairmill_tables::open`]), its kind cannot be told, a fix is asked
/// for that needs one table, or the output cannot be written.
pub async fn check(config: &CheckConfig) -> Result<CheckReport> {
    // One partition: rows are numbered in the order of the files.
    let session = session(1)?;
    let sources = sources::find(&session, config).await?;
    let mut lineage = Lineage::new("generate check", &config.options, config.seed);
    for (number, source) in sources.iter().enumerate() {
        let role = match number {
            0 => "input".to_owned(),
            _ => format!("table {number}"),
        };
        lineage = lineage.with_input(&role, &source.path)?;
    }
    let by_model = ByModel::new(config, &sources)?;
    if let Some(by_model) = by_model {
        lineage = by_model.model.add_to(lineage)?;
    } else if let Some(model) = &config.model {
        let tokenizer = model.model.folder()?.join("tokenizer.json");
        if tokenizer.is_file() {
            lineage = lineage.with_input("tokenizer", &tokenizer.to_string_lossy())?;
        }
    }
    let report = |up_to_date, summary| CheckReport {
        up_to_date,
        output: config.output.clone(),
        summary,
    };
    if let Some(summary) = lineage.report_of_done(&config.output, config.force)? {
        return Ok(report(true, summary));
    }
    let folder = FolderOutput::create(&config.output)?;
    let look = Look {
        config,
        session: &session,
        sources: &sources,
        lineage: &lineage,
        by_model,
    };
    let summary = look.through(folder.path()).await?;
    folder.commit_with(&lineage, &summary)?;
    info!("wrote {}; read card.html there", config.output.display());
    Ok(report(false, summary))
}

/// What is looked through, and with what.
struct Look<'a> {
    config: &'a CheckConfig,
    session: &'a SessionContext,
    sources: &'a [Source],
    lineage: &'a Lineage,
    /// What a model is asked for, if anything.
    by_model: Option<ByModel<'a>>,
}

impl Look<'_> {
    /// Reads all tables into the checks.
    async fn read(&self, hygiene: &mut Hygiene) -> Result<(Vec<DataFrame>, Vec<String>)> {
        let Self {
            config,
            lineage,
            by_model,
            ..
        } = *self;
        let (mut frames, mut remarks) = (Vec::new(), Vec::new());
        let mut paraphrases = Paraphrases::default();
        for (number, source) in self.sources.iter().enumerate() {
            info!("reading {}", source.path);
            let (frame, taken) = source.open(self.session).await?;
            let add = |batch: &Batch| {
                hygiene.add(number, batch);
                if by_model.is_some_and(|by| by.paraphrases) {
                    paraphrases.add(number, &source.info, batch);
                }
                true
            };
            source.read(&frame, add).await?;
            if taken.left_out > 0 {
                remarks.push(format!(
                    "{}: {} rows were left out by --where; rows are counted without them",
                    source.path, taken.left_out
                ));
            }
            if let Some(by) = by_model
                && by.label_noise
                && has_categories(&source.info)
            {
                let suspects = label_noise::suspects(config, source, &frame, by.model, lineage);
                for suspect in suspects.await? {
                    let (given, share) = &suspect.given;
                    let place = Place::new(number, suspect.row);
                    hygiene.suggest(place, (given, *share), suspect.suggestion);
                }
            }
            frames.push(frame);
        }
        if let Some(by) = by_model
            && by.paraphrases
        {
            paraphrases.find(config, by.model, lineage, hygiene)?;
        }
        Ok((frames, remarks))
    }

    async fn through(&self, folder: &Path) -> Result<CheckSummary> {
        let Self {
            config,
            sources,
            lineage,
            ..
        } = *self;
        let mut options = hygiene_options(config)?;
        options.has_suggestions = self.by_model.is_some_and(|by| by.label_noise);
        options.has_paraphrases = self.by_model.is_some_and(|by| by.paraphrases);
        let tables = sources.iter().map(|source| source.info.clone()).collect();
        let mut hygiene = Hygiene::new(tables, &options, &config.options.kinds());
        let (frames, remarks) = self.read(&mut hygiene).await?;
        let rows = hygiene.rows().to_vec();
        let kinds = hygiene.kinds().to_vec();
        let tables = hygiene.tables().to_vec();
        info!("comparing");
        let mut found = hygiene.finish();
        found.remarks.extend(remarks);
        for remark in &found.remarks {
            warn!("{remark}");
        }
        let mut excerpts = Excerpts::new(&found, &tables);
        for (number, (source, frame)) in sources.iter().zip(&frames).enumerate() {
            if excerpts.is_done(number, 0) {
                continue;
            }
            let gather = |batch: &Batch| {
                excerpts.add(number, &tables[number], batch);
                !excerpts.is_done(number, batch.first + batch.rows())
            };
            source.read(frame, gather).await?;
        }
        let ending = config.options.format.ending();
        let findings_file = format!("findings.{ending}");
        findings_table::write(
            &folder.join(&findings_file),
            &found,
            &tables,
            &excerpts,
            lineage,
        )?;
        let mended = match config.mends() {
            true => Some(
                mended_table::write(config, &sources[0], &frames[0], &found, lineage, folder)
                    .await?,
            ),
            false => None,
        };
        let card = Card {
            title: format!("Data card of {}", name_of(&config.input)),
            created_by: concat!("pairmill-generate ", env!("CARGO_PKG_VERSION")).to_owned(),
            findings_file,
            tables: table_cards(sources, &rows)?,
            findings: found.findings.len() as u64,
            kinds: kind_cards(&kinds, &found, &tables, &excerpts),
            facts: found.facts.clone(),
            remarks: found.remarks.clone(),
            mended,
        };
        write_card(&card, folder)?;
        let summary = summary(&card);
        log(&card, config);
        Ok(summary)
    }
}

fn hygiene_options(config: &CheckConfig) -> Result<Options> {
    let given = &config.options;
    let mut options = Options {
        near_duplicates: given.near_duplicates,
        languages: given.languages.clone(),
        boilerplate_share: given.boilerplate_share,
        ..Options::default()
    };
    if let Some(model) = &config.model {
        let folder = model.model.folder()?;
        let checkpoint = Checkpoint::of_encoder(folder).map_err(CheckError::Model)?;
        let mut tokenizer = checkpoint.tokenizer().map_err(CheckError::Model)?;
        options.max_length = tokenizer.max_length();
        tokenizer.set_max_length(usize::MAX);
        options.count_tokens = Some(std::sync::Arc::new(move |text: &str| {
            // A text that makes no token is not cut either.
            tokenizer.encode(text).map_or(0, |tokens| tokens.len())
        }));
    }
    if let Some(length) = given.max_length {
        options.max_length = length;
    }
    Ok(options)
}

fn name_of(input: &str) -> String {
    let name = Path::new(input).file_name();
    name.map_or_else(
        || input.to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}
