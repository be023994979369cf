//! What is looked for: one file for each kind of finding or family of them.
//!
//! A new kind is a file here with its [`Kind`] and a constant `CHECK`, and a line in the list
//! below; options, tables and the card follow from it.

use std::borrow::Cow;
use std::ops::Range;

use crate::finding::Found;
use crate::kind::Kind;
use crate::options::Options;
use crate::table::{Batch, Table};

pub(crate) use boilerplate::without as without_boilerplate;
pub(crate) use exact_duplicates::chief_column;
pub(crate) use label_noise::{LABEL_NOISE, finding as label_finding};
pub use paraphrase_leakage::TextPlace;
pub(crate) use paraphrase_leakage::{Paraphrase, add_all as add_paraphrases};

macro_rules! checks {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// Everything that can be looked for, in the order of the card.
        pub const CHECKS: &[Check] = &[$($name::CHECK),*];
    };
}

checks! {
    exact_duplicates,
    near_duplicates,
    trailing_word,
    leakage,
    paraphrase_leakage,
    conflicting_labels,
    label_noise,
    positive_as_negative,
    reused_id,
    two_ids,
    judgements,
    empty_text,
    mojibake,
    replacement_character,
    control_characters,
    html_markup,
    quoted_mail,
    mail_signature,
    boilerplate,
    length,
    language,
    class_balance,
    category_spelling,
    email,
    phone,
    card,
    iban,
    ip_address,
    secret,
    personal_column,
}

/// One thing to look for.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// In each text by itself.
    Text(&'static TextCheck),
    /// Over all rows.
    Table(&'static TableCheck),
}

/// A check that needs nothing but the text.
#[derive(Debug)]
pub struct TextCheck {
    /// What it finds.
    pub kind: &'static Kind,
    /// Finds the places, in order and without overlap.
    pub find: fn(&str) -> Vec<Span>,
    /// Puts something else in such a place, given the text and the place.
    pub mend: Option<fn(&str, &Span) -> String>,
}

/// Makes what watches the rows of tables; nothing where the tables are of no interest to it.
pub(crate) type Start = fn(&[Table], &Options) -> Option<Box<dyn Watch>>;

/// A check that needs more than one text.
#[derive(Debug)]
pub struct TableCheck {
    /// What it finds.
    pub kinds: &'static [&'static Kind],
    /// Starts to look, where these tables give reason to.
    pub start: Start,
}

/// A check underway.
pub trait Watch: Send {
    /// Takes in rows of a table. Batches come table by table and in order.
    fn add(&mut self, table: usize, info: &Table, batch: &Batch);

    /// Says what was found.
    fn finish(self: Box<Self>, tables: &[Table], found: &mut Found);
}

/// Stands for who finds what a model tells.
struct Elsewhere;

impl Watch for Elsewhere {
    fn add(&mut self, _: usize, _: &Table, _: &Batch) {}

    fn finish(self: Box<Self>, _: &[Table], _: &mut Found) {}
}

/// A place in a text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Where it is.
    pub range: Range<usize>,
    /// What is wrong there, in plain words.
    pub detail: Cow<'static, str>,
}

impl Span {
    /// Returns a place with what is wrong there.
    pub fn new(range: Range<usize>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            range,
            detail: detail.into(),
        }
    }
}

impl Check {
    /// Returns the kinds of its findings.
    pub fn kinds(&self) -> &[&'static Kind] {
        match self {
            Self::Text(check) => std::slice::from_ref(&check.kind),
            Self::Table(check) => check.kinds,
        }
    }
}

/// Returns every kind of finding, in the order of the card.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    CHECKS.iter().flat_map(|check| match check {
        Check::Text(check) => std::slice::from_ref(&check.kind).iter().copied(),
        Check::Table(check) => check.kinds.iter().copied(),
    })
}

/// Finds the kind of this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    kinds().find(|kind| kind.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::{Family, Fix};

    use std::collections::HashSet;

    #[test]
    fn every_kind_has_a_name_of_its_own_that_an_option_can_take() {
        let names: Vec<&str> = kinds().map(|kind| kind.name).collect();
        let distinct: HashSet<&str> = names.iter().copied().collect();
        assert_eq!(names.len(), distinct.len());
        for name in names {
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{name}"
            );
            assert_eq!(kind(name).map(|kind| kind.name), Some(name));
        }
    }

    #[test]
    fn what_changes_a_text_can_be_mended() {
        for check in CHECKS {
            if let Check::Text(check) = check {
                let changes = matches!(check.kind.fix, Fix::Change | Fix::ChangeSafely);
                let is_personal = check.kind.family == Family::PersonalData;
                assert_eq!(check.mend.is_some(), changes, "{}", check.kind.name);
                assert!(!(is_personal && changes), "{}", check.kind.name);
            }
        }
    }
}
