//! How rows are spread over categories.

use std::collections::BTreeMap;

use super::{Check, TableCheck, Watch};
use crate::finding::{Facts, Finding, Found};
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::Options;
use crate::table::{Batch, Place, Table};

pub(super) const CHECK: Check = Check::Table(&TableCheck {
    kinds: &[&ONE_MEMBER_CATEGORY, &IMBALANCE],
    start,
});

/// A category of one row, which has no pair.
pub static ONE_MEMBER_CATEGORY: Kind = Kind {
    name: "one_member_category",
    title: "categories of one row",
    family: Family::Categories,
    severity: Severity::Warning,
    remedy: "bring more rows, or file it elsewhere; `--fix one_member_category` drops the row",
    fix: Fix::Drop,
};

/// A category that has far more rows than most.
pub static IMBALANCE: Kind = Kind {
    name: "imbalance",
    title: "categories far larger than most",
    family: Family::Categories,
    severity: Severity::Note,
    remedy: "judge by figures that count each category alike (macro F1), and bring more rows of the \
             small ones",
    fix: Fix::None,
};

/// How many times the median category a large one has.
const TIMES: usize = 10;
/// Categories that the card lists at each end.
const LISTED: usize = 10;

fn start(tables: &[Table], _: &Options) -> Option<Box<dyn Watch>> {
    let has = |table: &Table| table.is_checked && table.category.is_some();
    let any = tables.iter().any(has);
    any.then(|| Box::<ClassBalance>::default() as Box<dyn Watch>)
}

#[derive(Default)]
struct ClassBalance {
    /// By table and category: the first row and how many there are.
    categories: BTreeMap<u32, BTreeMap<String, (Place, usize)>>,
}

impl Watch for ClassBalance {
    fn add(&mut self, table: usize, info: &Table, batch: &Batch) {
        let (Some(categories), true) = (&batch.category, info.is_checked) else {
            return;
        };
        let counts = self.categories.entry(table as u32).or_default();
        for (row, category) in categories.iter().enumerate() {
            let category = pairmill_schema::identical(category);
            let place = Place::new(table, batch.first + row);
            match counts.get_mut(&*category) {
                Some((_, count)) => *count += 1,
                None => {
                    counts.insert(category.into_owned(), (place, 1));
                }
            }
        }
    }

    fn finish(self: Box<Self>, _: &[Table], found: &mut Found) {
        for counts in self.categories.into_values() {
            let rows: usize = counts.values().map(|(_, count)| count).sum();
            let mut sizes: Vec<usize> = counts.values().map(|(_, count)| *count).collect();
            sizes.sort_unstable();
            let median = sizes[sizes.len() / 2];
            for (name, &(place, count)) in &counts {
                if count == 1 && counts.len() > 1 {
                    let detail = format!("`{name}` has no other row");
                    found
                        .findings
                        .push(Finding::new(&ONE_MEMBER_CATEGORY, place, detail));
                }
                if count > TIMES * median {
                    let detail = format!(
                        "`{name}` has {count} of {rows} rows, the category in the middle {median}"
                    );
                    found.findings.push(Finding::new(&IMBALANCE, place, detail));
                }
            }
            found.facts.push(facts(&counts, rows));
        }
    }
}

fn facts(counts: &BTreeMap<String, (Place, usize)>, rows: usize) -> Facts {
    let mut sorted: Vec<(&String, usize)> =
        counts.iter().map(|(name, (_, count))| (name, *count)).collect();
    sorted.sort_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
    let title = match sorted.len() > 2 * LISTED {
        true => format!("Categories: the {LISTED} largest and smallest of {}", sorted.len()),
        false => "Categories".to_owned(),
    };
    if sorted.len() > 2 * LISTED {
        sorted.drain(LISTED..sorted.len() - LISTED);
    }
    let row = |(name, count): (&String, usize)| {
        let share = 100.0 * count as f64 / rows as f64;
        vec![name.clone(), count.to_string(), format!("{share:.1} %")]
    };
    Facts {
        title,
        header: ["category", "rows", "share"].map(str::to_owned).to_vec(),
        rows: sorted.into_iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{findings, tickets};

    #[test]
    fn a_category_of_one_row_is_found() {
        let rows = tickets(&[("x", "a"), ("y", "b"), ("z", " a ")]);
        assert_eq!(findings(&rows, "one_member_category"), [(2, None)]);
    }

    #[test]
    fn a_category_far_larger_than_most_is_found() {
        let mut rows = vec![("a", "a"), ("b", "b"), ("c", "c"), ("c", "c")];
        rows.extend(vec![("d", "d"); 21]);
        // The middle one of 1, 1, 2 and 21 has 2.
        assert_eq!(findings(&tickets(&rows), "imbalance"), [(5, None)]);
        assert_eq!(findings(&tickets(&rows[..24]), "imbalance"), []);
    }

    #[test]
    fn one_category_alone_is_in_balance() {
        let rows = tickets(&[("x", "a")]);
        assert_eq!(findings(&rows, "one_member_category"), []);
        assert_eq!(findings(&rows, "imbalance"), []);
    }
}
