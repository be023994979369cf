//! The data card: what a table is and what is wrong with it, on a page, in Markdown and as data.

mod croissant;
mod markdown;
mod page;

use serde::Serialize;

use crate::finding::Facts;
use crate::kind::{Family, Severity};
use crate::table::{Split, TableKind};

/// Rows of each kind of finding that the card shows.
pub(crate) const SHOWN: usize = 20;

/// A data card.
#[derive(Debug, Clone, Serialize)]
pub struct Card {
    /// What to call the data.
    pub title: String,
    /// Program and version.
    pub created_by: String,
    /// The name of the table of findings, beside the card.
    pub findings_file: String,
    /// The tables that were read.
    pub tables: Vec<TableCard>,
    /// How many findings there are.
    pub findings: u64,
    /// Each kind that was looked for, those that were not found too.
    pub kinds: Vec<KindCard>,
    /// Tables of figures.
    pub facts: Vec<Facts>,
    /// What the reader should know of the checks themselves.
    pub remarks: Vec<String>,
    /// What was mended, if anything was to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mended: Option<MendedCard>,
}

/// A table that was read.
#[derive(Debug, Clone, Serialize)]
pub struct TableCard {
    /// Its path as the user gave it.
    pub name: String,
    /// What its rows say.
    pub kind: TableKind,
    /// The part of the data that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// Whether it was looked through, or only compared with.
    pub is_checked: bool,
    /// How many rows it has.
    pub rows: u64,
    /// Its columns of texts.
    pub columns: Vec<String>,
    /// The file's content hash, where it is a file: SHA-256 in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// A kind that was looked for.
#[derive(Debug, Clone, Serialize)]
pub struct KindCard {
    /// Its name.
    pub kind: &'static str,
    /// What to call it.
    pub title: &'static str,
    /// The part of the card that it belongs to.
    pub family: Family,
    /// How bad it is.
    pub severity: Severity,
    /// What to do about it.
    pub remedy: &'static str,
    /// How many findings there are.
    pub findings: u64,
    /// How many rows have one.
    pub rows: u64,
    /// The rows of the table of findings that hold them, from 1, both ends included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_findings: Option<(u64, u64)>,
    /// The first of them.
    #[serde(skip)]
    pub sample: Vec<SampleRow>,
}

/// A finding as the card shows it.
#[derive(Debug, Clone)]
pub struct SampleRow {
    /// The table, where there are several.
    pub table: String,
    /// The id of the row.
    pub id: String,
    /// What stands there.
    pub excerpt: String,
    /// Why it is listed.
    pub detail: String,
    /// The id of the row that it is found beside, and what stands there.
    pub other: Option<(String, String)>,
}

/// What was mended.
#[derive(Debug, Clone, Serialize)]
pub struct MendedCard {
    /// The mended table, beside the card.
    pub file: String,
    /// What was dropped and changed, row by row, beside the card.
    pub audit_file: String,
    /// Rows that are left.
    pub rows: u64,
    /// Rows that were dropped.
    pub dropped: u64,
    /// Texts and categories that were changed.
    pub changed: u64,
    /// Rows dropped and texts changed, by kind.
    pub by_kind: std::collections::BTreeMap<String, u64>,
    /// Places that got a placeholder, and different values, by kind.
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub placeholders: std::collections::BTreeMap<String, (u64, u32)>,
}

impl Card {
    /// The kinds of a family that were looked for.
    fn of(&self, family: Family) -> Vec<&KindCard> {
        self.kinds
            .iter()
            .filter(|kind| kind.family == family)
            .collect()
    }

    /// The families, in order.
    fn families(&self) -> Vec<Family> {
        let mut families: Vec<Family> = self.kinds.iter().map(|kind| kind.family).collect();
        families.sort_unstable();
        families.dedup();
        families
    }

    /// The findings of each severity.
    fn by_severity(&self, severity: Severity) -> u64 {
        let kinds = self.kinds.iter().filter(|kind| kind.severity == severity);
        kinds.map(|kind| kind.findings).sum()
    }

    /// What is to be seen first, in a sentence.
    fn verdict(&self) -> String {
        let count = |count: u64, one: &str, more: &str| match count {
            1 => format!("1 {one}"),
            _ => format!("{} {more}", pairmill_report::format::count(count)),
        };
        let [errors, warnings, notes] =
            [Severity::Error, Severity::Warning, Severity::Note].map(|one| self.by_severity(one));
        if self.findings == 0 {
            return "Nothing was found.".to_owned();
        }
        format!(
            "{}, {} and {}.",
            count(errors, "error", "errors"),
            count(warnings, "warning", "warnings"),
            count(notes, "note", "notes")
        )
    }

    /// Writes the card as JSON.
    ///
    /// # Panics
    /// Never: a card is plain data.
    pub fn json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("a card is plain data");
        text + "\n"
    }
}

impl KindCard {
    /// Where its rows are in the table of findings.
    fn place(&self) -> String {
        match self.in_findings {
            Some((first, last)) if first == last => format!("row {first}"),
            Some((first, last)) => format!("rows {first} to {last}"),
            None => String::new(),
        }
    }
}

#[cfg(test)]
pub(crate) fn example() -> Card {
    let kind = |name: &str, findings: u64, in_findings| {
        let kind = crate::kind(name).expect("a kind");
        KindCard {
            kind: kind.name,
            title: kind.title,
            family: kind.family,
            severity: kind.severity,
            remedy: kind.remedy,
            findings,
            rows: findings,
            in_findings,
            sample: (0..findings.min(2))
                .map(|n| SampleRow {
                    table: "t.csv".to_owned(),
                    id: format!("<{n}>|"),
                    excerpt: "a | b <b>".to_owned(),
                    detail: "row 1 has `it`".to_owned(),
                    other: Some(("1".to_owned(), "other *text*".to_owned())),
                })
                .collect(),
        }
    };
    Card {
        title: "t <b>.csv".to_owned(),
        created_by: "pairmill-generate 0".to_owned(),
        findings_file: "findings.parquet".to_owned(),
        tables: vec![TableCard {
            name: "t.csv".to_owned(),
            kind: TableKind::Tickets,
            split: Some(Split::Train),
            is_checked: true,
            rows: 1200,
            columns: vec!["text".to_owned()],
            sha256: Some("ab".repeat(32)),
        }],
        findings: 1004,
        kinds: vec![
            kind("exact_duplicate", 4, Some((1, 4))),
            kind("near_duplicate", 0, None),
            kind("email", 1000, Some((5, 1004))),
        ],
        facts: vec![Facts {
            title: "Categories".to_owned(),
            header: vec!["category".to_owned(), "rows".to_owned()],
            rows: vec![vec!["a|b".to_owned(), "3".to_owned()]],
        }],
        remarks: vec!["a & b".to_owned()],
        mended: None,
    }
}

#[cfg(test)]
mod tests {
    use super::example;

    #[test]
    fn counts_lead_to_their_rows_in_the_table_of_findings() {
        let card: serde_json::Value = serde_json::from_str(&example().json()).unwrap();
        assert_eq!(
            card["kinds"][2]["in_findings"],
            serde_json::json!([5, 1004])
        );
        assert_eq!(card["kinds"][2]["findings"], 1000);
        assert_eq!(card["kinds"][1]["findings"], 0);
        assert_eq!(example().verdict(), "0 errors, 1,004 warnings and 0 notes.");
    }
}
