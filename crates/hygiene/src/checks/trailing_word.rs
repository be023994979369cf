//! Answers that differ in their last word alone.

use pairmill_schema::{TextKey, identical};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::{Check, TableCheck, Watch};
use crate::finding::{Finding, Found};
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::Options;
use crate::table::{Batch, Place, Role, Table, TableKind};

pub(super) const CHECK: Check = Check::Table(&TableCheck {
    kinds: &[&TRAILING_WORD],
    start,
});

/// An answer that differs from another one in its last word alone.
pub static TRAILING_WORD: Kind = Kind {
    name: "trailing_word",
    title: "answers that differ from another in their last word alone",
    family: Family::Duplicates,
    severity: Severity::Warning,
    remedy: "if the word is a leftover, take it away: both are then one answer",
    fix: Fix::None,
};

/// Words that both share at least: shorter answers differ in a word on purpose.
const SHARED: usize = 5;

fn start(tables: &[Table], _: &Options) -> Option<Box<dyn Watch>> {
    let has_answers = |table: &Table| table.is_checked && table.kind != TableKind::Corpus;
    let any = tables.iter().any(has_answers);
    any.then(|| Box::<TrailingWord>::default() as Box<dyn Watch>)
}

/// An answer, without its last word and whole.
#[derive(Clone, Copy)]
struct Answer {
    whole: TextKey,
    stem: Option<TextKey>,
}

#[derive(Default)]
struct TrailingWord {
    /// The first place of each answer.
    whole: FxHashMap<TextKey, (Place, usize)>,
    /// The first answer with this beginning, and its place.
    stems: FxHashMap<TextKey, (TextKey, Place, usize)>,
    /// Answers in order.
    answers: Vec<(Answer, Place, usize)>,
}

impl Watch for TrailingWord {
    fn add(&mut self, table: usize, info: &Table, batch: &Batch) {
        if !info.is_checked || info.kind == TableKind::Corpus {
            return;
        }
        for column in info.columns_of(Role::Passage) {
            let answers: Vec<Answer> = batch.texts[column]
                .par_iter()
                .map(|text| answer(text))
                .collect();
            for (row, answer) in answers.into_iter().enumerate() {
                let place = Place::new(table, batch.first + row);
                if self.whole.contains_key(&answer.whole) {
                    continue;
                }
                self.whole.insert(answer.whole, (place, column));
                if let Some(stem) = answer.stem {
                    let first = (answer.whole, place, column);
                    self.stems.entry(stem).or_insert(first);
                    self.answers.push((answer, place, column));
                }
            }
        }
    }

    fn finish(self: Box<Self>, _: &[Table], found: &mut Found) {
        for (answer, place, column) in self.answers {
            let Some(stem) = answer.stem else { continue };
            // Either the other one ends where this one's last word begins, or in another word.
            let shorter = self.whole.get(&stem).copied();
            let (other, detail) = match (shorter, self.stems.get(&stem)) {
                (Some(other), _) => (other, "has the same words but for the last one"),
                (None, Some(&(whole, other, column))) if whole != answer.whole => {
                    ((other, column), "has the same words but for the last one")
                }
                _ => continue,
            };
            let detail = format!("row {} {detail}", other.0.row + 1);
            let finding = Finding::new(&TRAILING_WORD, place, detail);
            found
                .findings
                .push(finding.in_column(column).beside(other.0, other.1));
        }
    }
}

fn answer(text: &str) -> Answer {
    let text = identical(text);
    // A mark alone is no word: without it the answer is the same.
    let stem = text
        .rsplit_once(' ')
        .filter(|(_, last)| last.contains(char::is_alphanumeric))
        .map(|(stem, _)| stem);
    let is_long = |stem: &&str| stem.split(' ').count() >= SHARED;
    Answer {
        whole: TextKey::equivalent(&text),
        stem: stem.filter(is_long).map(TextKey::equivalent),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{findings, qa};

    #[test]
    fn a_word_more_or_another_word_at_the_end_is_found() {
        let rows = qa(&[
            ("a", "Hold the button for ten seconds."),
            ("b", "Hold the button for ten seconds. Yes"),
            ("c", "Hold the button for ten minutes."),
            ("d", "Press the button for ten seconds."),
        ]);
        let expected = [(2, Some(1)), (3, Some(1))];
        assert_eq!(findings(&rows, "trailing_word"), expected);
    }

    #[test]
    fn short_and_equal_answers_are_as_they_should_be() {
        let rows = qa(&[
            ("a", "ls -l foo"),
            ("b", "ls -l bar"),
            ("c", "Wait for a full minute first."),
            ("d", "wait for a full minute first"),
        ]);
        assert_eq!(findings(&rows, "trailing_word"), []);
    }

    #[test]
    fn a_mark_behind_a_blank_is_no_word() {
        let rows = qa(&[("a", "Call the desk and then hold the line ."), ("b", "Else.")]);
        assert!(findings(&rows, "trailing_word").is_empty());
    }
}
