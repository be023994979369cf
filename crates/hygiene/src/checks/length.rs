//! Texts of which a model reads a part.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::{Check, TableCheck, Watch};
use crate::finding::{Facts, Finding, Found};
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::{CountTokens, Options};
use crate::table::{Batch, Place, Table};

pub(super) const CHECK: Check = Check::Table(&TableCheck {
    kinds: &[&TOO_LONG],
    start,
});

/// A text that is cut.
pub static TOO_LONG: Kind = Kind {
    name: "too_long",
    title: "texts longer than the model reads",
    family: Family::Texts,
    severity: Severity::Note,
    remedy: "cut it into passages (`generate corpus`), put what matters first, or take a model that \
             reads more",
    fix: Fix::None,
};

fn start(_: &[Table], options: &Options) -> Option<Box<dyn Watch>> {
    Some(Box::new(Lengths {
        limit: options.max_length,
        count: options.count_tokens.clone(),
        lengths: BTreeMap::new(),
        found: Vec::new(),
    }))
}

struct Lengths {
    limit: usize,
    count: Option<CountTokens>,
    /// By table and column.
    lengths: BTreeMap<(usize, usize), Vec<u32>>,
    found: Vec<(Place, usize, u32)>,
}

impl Watch for Lengths {
    fn add(&mut self, table: usize, info: &Table, batch: &Batch) {
        if !info.is_checked {
            return;
        }
        for (column, texts) in batch.texts.iter().enumerate() {
            if !info.texts[column].role.is_read() {
                continue;
            }
            let lengths: Vec<u32> = texts
                .par_iter()
                .map(|text| match &self.count {
                    Some(count) => count(text) as u32,
                    None => text.split_whitespace().count() as u32,
                })
                .collect();
            for (row, &length) in lengths.iter().enumerate() {
                if length as usize > self.limit {
                    let place = Place::new(table, batch.first + row);
                    self.found.push((place, column, length));
                }
            }
            self.lengths
                .entry((table, column))
                .or_default()
                .extend(lengths);
        }
    }

    fn finish(self: Box<Self>, tables: &[Table], found: &mut Found) {
        let unit = match self.count {
            Some(_) => "tokens",
            None => "words",
        };
        let limit = self.limit;
        for (place, column, length) in self.found {
            let cut = 100.0 * (1.0 - limit as f64 / f64::from(length));
            let detail = format!(
                "{length} {unit}, of which {limit} are read: the last {cut:.0} % are cut"
            );
            let finding = Finding::new(&TOO_LONG, place, detail);
            found.findings.push(finding.in_column(column));
        }
        let title = format!("Length of texts, in {unit}");
        let header = ["column", "texts", "median", "95 %", "longest", "cut", "share cut"];
        let rows = self.lengths.into_iter().map(|((table, column), lengths)| {
            let name = &tables[table].texts[column].name;
            row_of(name, lengths, limit)
        });
        found.facts.push(Facts {
            title,
            header: header.map(str::to_owned).to_vec(),
            rows: rows.collect(),
        });
    }
}

/// The lengths of a column: how many, quantiles, how many are cut, and the share of all that is.
fn row_of(name: &str, mut lengths: Vec<u32>, limit: usize) -> Vec<String> {
    lengths.sort_unstable();
    let quantile = |share: f64| {
        let at = ((lengths.len() as f64 * share).ceil() as usize).clamp(1, lengths.len());
        lengths[at - 1].to_string()
    };
    let all: u64 = lengths.iter().map(|&length| u64::from(length)).sum();
    let long = lengths.partition_point(|&length| length as usize <= limit);
    let cut: u64 = lengths[long..]
        .iter()
        .map(|&length| u64::from(length) - limit as u64)
        .sum();
    vec![
        name.to_owned(),
        lengths.len().to_string(),
        quantile(0.5),
        quantile(0.95),
        quantile(1.0),
        (lengths.len() - long).to_string(),
        format!("{:.1} %", 100.0 * cut as f64 / all.max(1) as f64),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{findings, tickets};

    #[test]
    fn what_is_longer_than_the_limit_is_found() {
        let long = "word ".repeat(201);
        let rows = tickets(&[(&long[..999], "a"), (&long, "a"), ("short", "a")]);
        assert_eq!(findings(&rows, "too_long"), [(2, None)]);
    }

    #[test]
    fn the_share_that_is_cut_is_counted_over_all_texts() {
        let row = row_of("text", vec![10, 30, 20, 40], 25);
        assert_eq!(row, ["text", "4", "20", "40", "40", "2", "20.0 %"]);
    }
}
