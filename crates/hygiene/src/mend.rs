use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use crate::anonymise::Anonymiser;
use crate::checks::{CHECKS, Check, LABEL_NOISE, TextCheck, without_boilerplate};
use crate::finding::Found;
use crate::kind::{Family, Fix, Kind};
use crate::table::{Place, Role, Table};

/// Applies fixes to the rows of a table.
#[derive(Debug)]
pub struct Mender {
    table: Table,
    number: usize,
    dropped: HashMap<u32, (&'static Kind, String)>,
    texts: Vec<&'static TextCheck>,
    spellings: HashMap<String, String>,
    /// The categories that rows get, by their numbers.
    relabelled: HashMap<u32, String>,
    boilerplate: Vec<String>,
    anonymiser: Option<Anonymiser>,
    counts: BTreeMap<&'static str, u64>,
}

/// What becomes of a row.
#[derive(Debug, PartialEq, Eq)]
pub enum Mended<'a> {
    /// It is left out.
    Dropped {
        /// For what.
        kind: &'static str,
        /// Why.
        reason: String,
    },
    /// It stays, perhaps with other texts.
    Kept {
        /// Its texts, in the order of the columns.
        texts: Vec<Cow<'a, str>>,
        /// Its category.
        category: Option<Cow<'a, str>>,
        /// What was changed.
        changes: Vec<Change>,
    },
}

/// A change of a text or a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The column.
    pub column: String,
    /// The kind of finding that it mends.
    pub kind: &'static str,
    /// What stood there before; nothing where that is personal.
    pub before: Option<String>,
    /// What stands there now.
    pub after: String,
}

/// Stands for the kind in a change that puts placeholders.
const ANONYMISED: &str = "anonymised";
const BOILERPLATE: &str = "boilerplate";
const SPELLING: &str = "category_spelling";
const NEAR_DUPLICATE: &str = "near_duplicate";

impl Mender {
    /// Prepares to apply these fixes to table `number`, and to put placeholders in the place of
    /// personal data if wanted.
    pub fn new(
        table: &Table,
        number: usize,
        found: &Found,
        fixes: &[&'static Kind],
        anonymises: bool,
    ) -> Self {
        let is_wanted = |kind: &Kind| fixes.contains(&kind);
        let texts = CHECKS.iter().filter_map(|check| match check {
            Check::Text(check) if is_wanted(check.kind) && check.mend.is_some() => Some(*check),
            _ => None,
        });
        let has = |name: &str| fixes.iter().any(|kind| kind.name == name);
        Self {
            table: table.clone(),
            number,
            dropped: dropped(number, found, fixes),
            texts: texts.collect(),
            spellings: match has(SPELLING) {
                true => found.spellings.iter().cloned().collect(),
                false => HashMap::new(),
            },
            relabelled: HashMap::new(),
            boilerplate: match has(BOILERPLATE) {
                true => found.boilerplate.clone(),
                false => Vec::new(),
            },
            anonymiser: anonymises.then(Anonymiser::default),
            counts: BTreeMap::new(),
        }
    }

    /// Gives rows the categories that are suggested for them.
    #[must_use]
    pub fn with_relabelling(mut self, found: &Found) -> Self {
        let ours = found.findings.iter().filter(|finding| {
            let is_noise = *finding.kind == LABEL_NOISE;
            is_noise && finding.place.table as usize == self.number
        });
        self.relabelled = ours
            .filter_map(|finding| {
                let suggestion = finding.suggestion.as_ref()?;
                Some((finding.place.row, suggestion.category.clone()))
            })
            .collect();
        self
    }

    /// Decides on the row of this number, from 0. Rows come in order, so that placeholders are
    /// numbered in it.
    pub fn row<'a>(
        &mut self,
        row: usize,
        texts: &[&'a str],
        category: Option<&'a str>,
    ) -> Mended<'a> {
        let number = Place::new(self.number, row).row;
        if let Some((kind, reason)) = self.dropped.get(&number) {
            *self.counts.entry(kind.name).or_default() += 1;
            return Mended::Dropped {
                kind: kind.name,
                reason: reason.clone(),
            };
        }
        let mut changes = Vec::new();
        let mut mended: Vec<Cow<'a, str>> = Vec::with_capacity(texts.len());
        for (column, &text) in texts.iter().enumerate() {
            let text = match self.table.texts[column].role.is_read() {
                true => self.mend_text(column, text, &mut changes),
                false => Cow::Borrowed(text),
            };
            mended.push(text);
        }
        let suggested = self.relabelled.get(&number);
        let suggested = suggested.map(|name| (name, LABEL_NOISE.name));
        let category = category.map(|category| {
            let spelled = self.spellings.get(category);
            let spelled = spelled.map(|name| (name, SPELLING));
            match suggested.or(spelled) {
                Some((name, kind)) => {
                    let column = self.table.category.clone().unwrap_or_default();
                    changes.push(Change {
                        column,
                        kind,
                        before: Some(category.to_owned()),
                        after: name.clone(),
                    });
                    Cow::Owned(name.clone())
                }
                None => Cow::Borrowed(category),
            }
        });
        self.anonymise(texts, &mut mended, &mut changes);
        for change in &changes {
            *self.counts.entry(change.kind).or_default() += 1;
        }
        Mended::Kept {
            texts: mended,
            category,
            changes,
        }
    }

    /// Returns how many rows were dropped and texts changed so far, by kind.
    pub fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    /// Returns who puts the placeholders, if anybody does.
    pub fn anonymiser(&self) -> Option<&Anonymiser> {
        self.anonymiser.as_ref()
    }

    /// Puts placeholders into what an audit shows.
    pub fn shown(&mut self, text: &str) -> String {
        let masked = self.anonymiser.as_mut().and_then(|it| it.text(text, &[]));
        masked.unwrap_or_else(|| text.to_owned())
    }

    fn mend_text<'a>(
        &self,
        column: usize,
        text: &'a str,
        changes: &mut Vec<Change>,
    ) -> Cow<'a, str> {
        let mut mended = Cow::Borrowed(text);
        let mut change = |kind, before: &str, after: &str| {
            changes.push(Change {
                column: self.table.texts[column].name.clone(),
                kind,
                before: Some(before.to_owned()),
                after: after.to_owned(),
            });
        };
        for check in &self.texts {
            if let Some(after) = apply(check, &mended) {
                change(check.kind.name, &mended, &after);
                mended = Cow::Owned(after);
            }
        }
        if !self.boilerplate.is_empty()
            && let Some(after) = without_boilerplate(&mended, &self.boilerplate)
        {
            change(BOILERPLATE, &mended, &after);
            mended = Cow::Owned(after);
        }
        mended
    }

    fn anonymise(
        &mut self,
        texts: &[&str],
        mended: &mut [Cow<'_, str>],
        changes: &mut Vec<Change>,
    ) {
        let Some(anonymiser) = &mut self.anonymiser else {
            return;
        };
        let columns = &self.table.texts;
        let names: Vec<(&str, &str)> = (self.table.personal.iter())
            .map(|&column| (columns[column].name.as_str(), texts[column]))
            .filter(|(_, value)| !value.trim().is_empty())
            .collect();
        for (column, text) in mended.iter_mut().enumerate() {
            let name = &columns[column].name;
            let is_personal = self.table.personal.contains(&column);
            let after = match columns[column].role {
                Role::Id => None,
                _ if is_personal && text.trim().is_empty() => None,
                _ if is_personal => Some(anonymiser.value(name, text)),
                _ => anonymiser.text(text, &names),
            };
            if let Some(after) = after {
                changes.push(Change {
                    column: name.clone(),
                    kind: ANONYMISED,
                    before: None,
                    after: after.clone(),
                });
                *text = Cow::Owned(after);
            }
        }
        // What fixes of the same row say they changed is shown with placeholders too.
        for change in changes.iter_mut() {
            if let Some(before) = &mut change.before {
                if let Some(masked) = anonymiser.text(before, &names) {
                    *before = masked;
                }
                if let Some(masked) = anonymiser.text(&change.after, &names) {
                    change.after = masked;
                }
            }
        }
    }
}

/// The text with something else in each place that the check finds.
pub(crate) fn apply(check: &TextCheck, text: &str) -> Option<String> {
    let mend = check.mend?;
    let spans = (check.find)(text);
    if spans.is_empty() {
        return None;
    }
    let mut mended = String::with_capacity(text.len());
    let mut end = 0;
    for span in &spans {
        mended.push_str(&text[end..span.range.start]);
        mended.push_str(&mend(text, span));
        end = span.range.end;
    }
    mended.push_str(&text[end..]);
    (mended != text).then_some(mended)
}

/// The rows that are dropped, each for the first reason.
fn dropped(
    table: usize,
    found: &Found,
    fixes: &[&'static Kind],
) -> HashMap<u32, (&'static Kind, String)> {
    let mut dropped: HashMap<u32, (&'static Kind, String)> = HashMap::new();
    let is_ours = |place: Place| place.table as usize == table;
    for finding in &found.findings {
        let kind = finding.kind;
        let drops = matches!(kind.fix, Fix::Drop | Fix::DropSafely) && fixes.contains(&kind);
        if !drops || !is_ours(finding.place) {
            continue;
        }
        // A row that is like a dropped one alone is the only one of its kind that is left.
        let is_like_dropped = kind.name == NEAR_DUPLICATE
            && finding
                .other
                .is_some_and(|(other, _)| is_ours(other) && dropped.contains_key(&other.row));
        if !is_like_dropped {
            let reason = || (kind, finding.detail.clone());
            dropped.entry(finding.place.row).or_insert_with(reason);
        }
    }
    for (place, kind, reason) in &found.also_dropped {
        if is_ours(*place) && fixes.contains(kind) {
            let reason = || (*kind, reason.clone());
            dropped.entry(place.row).or_insert_with(reason);
        }
    }
    debug_assert!(
        dropped
            .values()
            .all(|(kind, _)| kind.family != Family::PersonalData)
    );
    dropped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Rows, found, tickets, with_personal_column};

    fn mended(rows: &[Rows], fixes: &[&str], anonymises: bool) -> Vec<Option<Vec<String>>> {
        let found = found(rows);
        let fixes: Vec<&'static Kind> = fixes
            .iter()
            .map(|name| crate::kind(name).unwrap())
            .collect();
        let mut mender = Mender::new(&rows[0].table, 0, &found, &fixes, anonymises);
        (0..rows[0].len())
            .map(|row| {
                let texts: Vec<&str> = rows[0]
                    .texts
                    .iter()
                    .map(|column| column[row].as_str())
                    .collect();
                let category = rows[0].category.as_ref().map(|column| column[row].as_str());
                match mender.row(row, &texts, category) {
                    Mended::Dropped { .. } => None,
                    Mended::Kept {
                        texts, category, ..
                    } => {
                        let texts = texts.into_iter().chain(category);
                        Some(texts.map(Cow::into_owned).collect())
                    }
                }
            })
            .collect()
    }

    fn kept(row: &[&str]) -> Option<Vec<String>> {
        Some(row.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn only_named_fixes_are_applied() {
        let rows = tickets(&[
            ("MÃ¼ller &amp; Sons", "Shop"),
            ("MÃ¼ller &amp; Sons", "Shop"),
            ("other", "shop"),
        ]);
        let first = kept(&["MÃ¼ller &amp; Sons", "Shop"]);
        let third = kept(&["other", "shop"]);
        assert_eq!(
            mended(&rows, &[], false),
            [first.clone(), first.clone(), third.clone()]
        );
        assert_eq!(
            mended(&rows, &["exact_duplicate"], false),
            [first, None, third]
        );
        assert_eq!(
            mended(
                &rows,
                &["mojibake", "html_markup", "category_spelling"],
                false
            ),
            [
                kept(&["Müller & Sons", "Shop"]),
                kept(&["Müller & Sons", "Shop"]),
                kept(&["other", "Shop"])
            ]
        );
    }

    #[test]
    fn a_row_gets_the_category_that_is_suggested_for_it_or_goes() {
        let rows = tickets(&[("one", "a"), ("two", "b")]);
        let mut found = found(&rows);
        let suggestion = crate::Suggestion {
            category: "b".to_owned(),
            probability: 0.9,
        };
        let finding = crate::checks::label_finding(Place::new(0, 0), ("a", 0.05), suggestion);
        assert_eq!(
            finding.detail,
            "labelled `a` (probability 0.05), more likely `b` (0.90)"
        );
        found.findings.push(finding);
        let category = |mender: &mut Mender, row| match mender.row(row, &["one"], Some("a")) {
            Mended::Dropped { kind, .. } => kind.to_owned(),
            Mended::Kept { category, .. } => category.unwrap().into_owned(),
        };
        let mender = || Mender::new(&rows[0].table, 0, &found, &[], false);
        let mut relabels = mender().with_relabelling(&found);
        assert_eq!(category(&mut relabels, 0), "b");
        assert_eq!(category(&mut relabels, 1), "a");
        assert_eq!(relabels.counts()["label_noise"], 1);
        let mut drops = Mender::new(&rows[0].table, 0, &found, &[&LABEL_NOISE], false);
        assert_eq!(category(&mut drops, 0), "label_noise");
    }

    #[test]
    fn of_near_duplicates_those_stay_that_are_like_none_that_stays() {
        // Each is nearly the one before, and not the one before that.
        let words = |changed: &[usize]| {
            let words = (0..10).map(|n| match changed.contains(&n) {
                true => format!("x{n}"),
                false => format!("w{n}"),
            });
            words.collect::<Vec<_>>().join(" ")
        };
        let texts = [words(&[]), words(&[1]), words(&[1, 2])];
        let rows: Vec<(&str, &str)> = texts.iter().map(|text| (text.as_str(), "a")).collect();
        let left: Vec<bool> = mended(&tickets(&rows), &["near_duplicate"], false)
            .iter()
            .map(Option::is_some)
            .collect();
        assert_eq!(left, [true, false, true]);
    }

    #[test]
    fn personal_data_is_replaced_everywhere_in_the_row() {
        let rows = with_personal_column(&[
            ("I am Ann Example, ann@example.org", "Ann Example"),
            ("Ann Example again", "ann example"),
            ("nobody", ""),
        ]);
        assert_eq!(
            mended(&rows, &[], true),
            [
                kept(&["I am <CUSTOMER_1>, <EMAIL_1>", "<CUSTOMER_1>"]),
                kept(&["<CUSTOMER_1> again", "<CUSTOMER_1>"]),
                kept(&["nobody", ""]),
            ]
        );
    }
}
