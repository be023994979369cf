//! `generate check`: looks through tables for what spoils them, mends what can be mended, and
//! writes a data card.

pub(crate) mod error;
mod findings_table;
mod mended_table;
mod options;
mod reader;
mod sources;
mod table_kind;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pairmill_checkpoint::Checkpoint;
use pairmill_hygiene::{
    Batch, Card, Excerpts, Found, Hygiene, KindCard, MendedCard, Options, SampleRow, Severity,
    TableCard,
};
use pairmill_report::format::count;
use pairmill_tables::{FolderOutput, Lineage, TableError, session};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tracing::{info, warn};

pub use error::CheckError;
pub use options::{CheckColumns, CheckConfig, CheckOptions, TableFormat};
pub use table_kind::named_kind;

use crate::Result;
use sources::Source;

/// Rows of each kind of finding on the card.
const SAMPLE: usize = 20;

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
    if let Some(model) = &config.model {
        let tokenizer = model.join("tokenizer.json");
        if tokenizer.is_file() {
            lineage = lineage.with_input("tokenizer", &tokenizer.to_string_lossy())?;
        }
    }
    let report = |up_to_date, summary| CheckReport {
        up_to_date,
        output: config.output.clone(),
        summary,
    };
    let figures = || serde_json::from_value(Lineage::figures(&config.output)?).ok();
    if lineage.is_done(&config.output, config.force)?
        && let Some(summary) = figures()
    {
        info!("{} is up to date", config.output.display());
        return Ok(report(true, summary));
    }
    let folder = FolderOutput::create(&config.output)?;
    let summary = look_through(config, &session, &sources, &lineage, folder.path()).await?;
    folder.commit_with(&lineage, &summary)?;
    info!("wrote {}; read card.html there", config.output.display());
    Ok(report(false, summary))
}

async fn look_through(
    config: &CheckConfig,
    session: &datafusion::prelude::SessionContext,
    sources: &[Source],
    lineage: &Lineage,
    folder: &Path,
) -> Result<CheckSummary> {
    let options = hygiene_options(config)?;
    let tables = sources.iter().map(|source| source.info.clone()).collect();
    let mut hygiene = Hygiene::new(tables, &options, &config.options.kinds());
    let mut frames = Vec::with_capacity(sources.len());
    for (number, source) in sources.iter().enumerate() {
        info!("reading {}", source.path);
        let frame = source.open(session).await?;
        let add = |batch: &Batch| {
            hygiene.add(number, batch);
            true
        };
        source.read(&frame, add).await?;
        frames.push(frame);
    }
    let rows = hygiene.rows().to_vec();
    let kinds = hygiene.kinds().to_vec();
    let tables = hygiene.tables().to_vec();
    info!("comparing");
    let found = hygiene.finish();
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
            mended_table::write(config, &sources[0], &frames[0], &found, lineage, folder).await?,
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
    log(&card);
    Ok(summary)
}

fn hygiene_options(config: &CheckConfig) -> Result<Options> {
    let given = &config.options;
    let mut options = Options {
        near_duplicates: given.near_duplicates,
        languages: given.languages.clone(),
        boilerplate_share: given.boilerplate_share,
        ..Options::default()
    };
    if let Some(folder) = &config.model {
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

fn table_cards(sources: &[Source], rows: &[u64]) -> Result<Vec<TableCard>> {
    let card = |(source, rows): (&Source, &u64)| {
        let info = &source.info;
        Ok(TableCard {
            name: info.name.clone(),
            kind: info.kind,
            split: info.split,
            is_checked: info.is_checked,
            rows: *rows,
            columns: info
                .texts
                .iter()
                .map(|column| column.name.clone())
                .collect(),
            sha256: match Path::new(&source.path).is_file() {
                true => Some(sha256(&source.path)?),
                false => None,
            },
        })
    };
    sources.iter().zip(rows).map(card).collect()
}

/// The hash that Croissant asks for.
fn sha256(path: &str) -> Result<String> {
    let unreadable = |source| TableError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut hasher = Sha256::new();
    let mut file = fs::File::open(path).map_err(unreadable)?;
    std::io::copy(&mut file, &mut hasher).map_err(unreadable)?;
    let bytes = hasher.finalize();
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn kind_cards(
    kinds: &[&'static pairmill_hygiene::Kind],
    found: &Found,
    tables: &[pairmill_hygiene::Table],
    excerpts: &Excerpts,
) -> Vec<KindCard> {
    let mut first = 0;
    let mut cards = Vec::with_capacity(kinds.len());
    for kind in kinds {
        // They are ordered by kind.
        let rest = &found.findings[first..];
        let count = rest.partition_point(|finding| finding.kind == *kind);
        let own = &rest[..count];
        let mut places: Vec<_> = own.iter().map(|finding| finding.place).collect();
        places.dedup();
        let sample = own.iter().take(SAMPLE).map(|finding| {
            let table = &tables[finding.place.table as usize];
            let row = excerpts.get(table, finding.place, finding.column);
            let row = row.cloned().unwrap_or_default();
            let other = finding.other.and_then(|(place, column)| {
                excerpts.get(&tables[place.table as usize], place, Some(column))
            });
            SampleRow {
                table: table.name.clone(),
                id: row.id,
                excerpt: match finding.excerpt.is_empty() {
                    true => row.text,
                    false => finding.excerpt.clone(),
                },
                detail: finding.detail.clone(),
                other: other.map(|other| (other.id.clone(), other.text.clone())),
            }
        });
        cards.push(KindCard {
            kind: kind.name,
            title: kind.title,
            family: kind.family,
            severity: kind.severity,
            remedy: kind.remedy,
            findings: count as u64,
            rows: places.len() as u64,
            in_findings: (count > 0).then_some((first as u64 + 1, (first + count) as u64)),
            sample: sample.collect(),
        });
        first += count;
    }
    cards
}

fn write_card(card: &Card, folder: &Path) -> Result<()> {
    for (name, text) in [
        ("card.html", card.html()),
        ("card.md", card.markdown()),
        ("card.json", card.json()),
        ("croissant.json", card.croissant()),
    ] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|source| TableError::Unwritable { path, source })?;
    }
    Ok(())
}

fn summary(card: &Card) -> CheckSummary {
    let mut severities: BTreeMap<String, u64> = BTreeMap::new();
    for kind in &card.kinds {
        *severities
            .entry(kind.severity.name().to_owned())
            .or_default() += kind.findings;
    }
    let of_kind = |kind: &KindCard| (kind.kind.to_owned(), kind.findings);
    let of_table = |table: &TableCard| (table.name.clone(), table.rows);
    CheckSummary {
        rows: card.tables.iter().map(of_table).collect(),
        findings: card.findings,
        counts: card.kinds.iter().map(of_kind).collect(),
        severities,
        mended: card
            .mended
            .as_ref()
            .map(|mended: &MendedCard| MendedSummary {
                rows: mended.rows,
                dropped: mended.dropped,
                changed: mended.changed,
                by_kind: mended.by_kind.clone(),
            }),
    }
}

/// Says it for people, on the log.
fn log(card: &Card) {
    for kind in card.kinds.iter().filter(|kind| kind.findings > 0) {
        let (name, found, title) = (kind.kind, count(kind.findings), kind.title);
        info!("{name}: {found} {title}");
    }
    if card.findings == 0 {
        info!("nothing was found");
    }
    if let Some(mended) = &card.mended {
        info!(
            "mended: {} rows left, {} dropped, {} texts changed, each with its reason in {}",
            mended.rows, mended.dropped, mended.changed, mended.audit_file
        );
    }
}

fn name_of(input: &str) -> String {
    let name = Path::new(input).file_name();
    name.map_or_else(
        || input.to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}
