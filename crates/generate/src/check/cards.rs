//! What was found, as a card and in numbers.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pairmill_hygiene::{
    Card, Excerpts, Fix, Found, KindCard, MendedCard, SampleRow, TableCard, kind,
};
use pairmill_report::format::count;
use pairmill_schema::counted;
use pairmill_tables::TableError;
use sha2::{Digest, Sha256};
use tracing::info;

use super::sources::Source;
use super::{CheckConfig, CheckSummary, MendedSummary};
use crate::Result;

/// Rows of each kind of finding on the card.
const SAMPLE: usize = 20;

/// Returns what the card says of each table.
pub(super) fn table_cards(sources: &[Source], rows: &[u64]) -> Result<Vec<TableCard>> {
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

/// Returns what the card says of each kind, with its first rows.
pub(super) fn kind_cards(
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

/// Writes the card in all its forms.
pub(super) fn write_card(card: &Card, folder: &Path) -> Result<()> {
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

/// Kinds that are named where there is but a line.
const NAMED: usize = 4;

/// Returns the worst of what was found, and of that the most.
fn in_short<'a>(found: impl Iterator<Item = &'a KindCard>) -> String {
    let mut kinds: Vec<&KindCard> = found.collect();
    kinds.sort_by_key(|kind| (Reverse(kind.severity), Reverse(kind.findings)));
    let named = kinds.iter().take(NAMED).map(|kind| {
        let (name, found) = (kind.kind, count(kind.findings));
        format!("{name} {found} ({})", kind.severity.name())
    });
    let named = named.collect::<Vec<_>>().join(", ");
    let more = match kinds.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {}", counted(more, "other kind", "other kinds")),
    };
    format!("found: {named}{more}")
}

/// Returns how what was found can be mended, if some of it can.
fn advice<'a>(found: impl Iterator<Item = &'a KindCard>) -> Option<String> {
    let (mut safe, mut other) = (0, Vec::new());
    for card in found {
        match kind(card.kind).map(|kind| kind.fix) {
            Some(fix) if fix.is_safe() => safe += card.findings,
            Some(Fix::Drop | Fix::Change) => other.push(card.kind),
            _ => {}
        }
    }
    let safe = (safe > 0).then(|| format!("`check --fix` mends {safe} of them and loses nothing"));
    let other = (!other.is_empty()).then(|| {
        let named = other.join(",");
        format!("look at the rows before you name others: --fix {named}")
    });
    let advice: Vec<String> = safe.into_iter().chain(other).collect();
    (!advice.is_empty()).then(|| format!("to mend: {}", advice.join("; ")))
}

/// Returns the counts of a card.
pub(super) fn summary(card: &Card) -> CheckSummary {
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

/// Says it for people, on the log: a line for each kind, or the worst and most of it in one.
pub(super) fn log(card: &Card, config: &CheckConfig) {
    let found = || card.kinds.iter().filter(|kind| kind.findings > 0);
    if card.findings == 0 {
        info!("nothing was found");
    } else if config.brief {
        info!("{}", in_short(found()));
    } else {
        for kind in found() {
            let (name, found, title) = (kind.kind, count(kind.findings), kind.title);
            info!("{name} ({title}): {found}");
        }
    }
    if card.mended.is_none()
        && let Some(advice) = advice(found())
    {
        info!("{advice}");
    }
    if let Some(mended) = &card.mended {
        info!(
            "mended: {} rows left, {} dropped, {} texts changed, each with its reason in {}",
            mended.rows, mended.dropped, mended.changed, mended.audit_file
        );
    }
}
