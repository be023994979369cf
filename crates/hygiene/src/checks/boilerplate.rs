//! Lines that many rows share.

use pairmill_schema::{TextKey, excerpt, identical};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::{Check, TableCheck, Watch};
use crate::finding::{EXCERPT, Finding, Found};
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::Options;
use crate::table::{Batch, Place, Role, Table};

pub(super) const CHECK: Check = Check::Table(&TableCheck {
    kinds: &[&BOILERPLATE],
    start,
});

/// A line that many rows share.
pub static BOILERPLATE: Kind = Kind {
    name: "boilerplate",
    title: "lines that many rows share",
    family: Family::Texts,
    severity: Severity::Note,
    remedy: "a line that says nothing of its row makes rows alike: `--fix boilerplate` takes such \
             lines away",
    fix: Fix::Change,
};

/// Rows that share a line at least, however small the table.
const ROWS: u32 = 5;
/// Words of such a line at least: shorter ones (`Steps:`) are a part of how people write.
const WORDS: usize = 3;

fn start(_: &[Table], options: &Options) -> Option<Box<dyn Watch>> {
    Some(Box::new(Boilerplate {
        share: options.boilerplate_share,
        lines: FxHashMap::default(),
        rows: FxHashMap::default(),
    }))
}

struct Boilerplate {
    share: f64,
    /// By table, column and line: the rows that have it, and the first of them.
    lines: FxHashMap<(u32, u8, TextKey), Line>,
    rows: FxHashMap<u32, u32>,
}

struct Line {
    rows: u32,
    first: Place,
    /// What stands there; held from the second row on.
    text: Option<Box<str>>,
}

impl Watch for Boilerplate {
    fn add(&mut self, table: usize, info: &Table, batch: &Batch) {
        if !info.is_checked {
            return;
        }
        *self.rows.entry(table as u32).or_default() += batch.rows() as u32;
        for (column, texts) in batch.texts.iter().enumerate() {
            if !info.texts[column].role.is_read() || info.texts[column].role == Role::Title {
                continue;
            }
            let lines: Vec<Vec<(TextKey, &str)>> =
                texts.par_iter().map(|text| lines_of(text)).collect();
            for (row, lines) in lines.into_iter().enumerate() {
                let place = Place::new(table, batch.first + row);
                for (key, text) in lines {
                    let key = (table as u32, column as u8, key);
                    let line = self.lines.entry(key).or_insert(Line {
                        rows: 0,
                        first: place,
                        text: None,
                    });
                    line.rows += 1;
                    if line.rows > 1 && line.text.is_none() {
                        line.text = Some(text.into());
                    }
                }
            }
        }
    }

    fn finish(self: Box<Self>, _: &[Table], found: &mut Found) {
        let mut lines: Vec<((u32, u8, TextKey), Line)> = self.lines.into_iter().collect();
        lines.sort_unstable_by_key(|((table, column, key), line)| {
            (*table, *column, std::cmp::Reverse(line.rows), *key)
        });
        for ((table, column, _), line) in lines {
            let rows = self.rows[&table];
            let least = (f64::from(rows) * self.share).ceil() as u32;
            let (Some(text), true) = (&line.text, line.rows >= least.max(ROWS)) else {
                continue;
            };
            let detail = format!("this line stands in {} of {rows} rows", line.rows);
            let finding = Finding::new(&BOILERPLATE, line.first, detail);
            found.findings.push(Finding {
                excerpt: excerpt(text, EXCERPT),
                ..finding.in_column(column.into())
            });
            found.boilerplate.push(identical(text).into_owned());
        }
    }
}

/// The lines of a text of several, each once.
fn lines_of(text: &str) -> Vec<(TextKey, &str)> {
    // A text of one line that many rows share is a duplicate.
    if !text.contains('\n') {
        return Vec::new();
    }
    let has_words = |line: &&str| line.split_whitespace().count() >= WORDS;
    let lines = text.lines().map(str::trim).filter(has_words);
    let mut lines: Vec<(TextKey, &str)> = lines
        .map(|line| (TextKey::identical(line), line))
        .collect();
    lines.sort_unstable();
    lines.dedup_by_key(|(key, _)| *key);
    lines
}

/// Returns the text without the lines that stand in `boilerplate`; nothing where none does.
pub(crate) fn without(text: &str, boilerplate: &[String]) -> Option<String> {
    let is_kept = |line: &&str| {
        let line = identical(line);
        !boilerplate.iter().any(|known| *known == line)
    };
    let kept: Vec<&str> = text.split('\n').filter(is_kept).collect();
    let kept = kept.join("\n");
    (kept.len() < text.len()).then(|| kept.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::without;
    use crate::testing::{findings, tickets};

    #[test]
    fn a_line_of_many_rows_is_found_once() {
        let texts: Vec<String> = (0..20)
            .map(|n| match n % 2 {
                0 => format!("Ticket {n}\nSent by the web form of our shop\nThanks"),
                _ => format!("Ticket {n}\nnothing {n} else {n}"),
            })
            .collect();
        let rows: Vec<(&str, &str)> = texts.iter().map(|text| (text.as_str(), "a")).collect();
        assert_eq!(findings(&tickets(&rows), "boilerplate"), [(1, None)]);
        assert_eq!(findings(&tickets(&rows[..6]), "boilerplate"), []);
    }

    #[test]
    fn lines_are_taken_away_whole() {
        let known = ["Sent by the form".to_owned()];
        let text = "Hello\n Sent by  the form \nmore";
        assert_eq!(without(text, &known).unwrap(), "Hello\nmore");
        assert_eq!(without("Sent by the form, they said", &known), None);
    }
}
