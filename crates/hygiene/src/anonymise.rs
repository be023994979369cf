//! Placeholders in place of personal data.

use std::collections::BTreeMap;
use std::ops::Range;

use pairmill_schema::{excerpt, hash_key};
use rustc_hash::FxHashMap;

use crate::checks::{CHECKS, Check};
use crate::finding::EXCERPT;
use crate::kind::{Family, Kind};

/// Bytes around a place that a finding shows.
const AROUND: usize = 80;
/// Letters of a personal value at least that it is looked for in texts.
const NAME: usize = 3;

/// Puts placeholders in the place of personal data: `<EMAIL_1>`, `<PHONE_2>`.
///
/// Equal values get equal placeholders, numbered by their first appearance, so that a text still
/// says who is who within one run, and no key has to be kept from which values could be guessed.
/// In another run a value may get another number.
#[derive(Debug, Default)]
pub struct Anonymiser {
    /// The number of each value, by the hash of its kind and its plain form.
    numbers: FxHashMap<[u8; 16], u32>,
    /// Different values of each kind.
    values: BTreeMap<String, u32>,
    /// Places of each kind where something was replaced.
    replaced: BTreeMap<String, u64>,
}

impl Anonymiser {
    /// Returns the text with placeholders, if it holds personal data. `names` are values that are
    /// personal in this row, each with the column that it stands in.
    pub fn text(&mut self, text: &str, names: &[(&str, &str)]) -> Option<String> {
        let places = labelled_places(text, names);
        if places.is_empty() {
            return None;
        }
        let mut masked = String::with_capacity(text.len());
        let mut end = 0;
        for (range, label) in places {
            masked.push_str(&text[end..range.start]);
            masked.push_str(&self.placeholder(&label, &text[range.clone()]));
            end = range.end;
        }
        masked.push_str(&text[end..]);
        Some(masked)
    }

    /// Returns the placeholder of a value of a personal column.
    pub fn value(&mut self, column: &str, value: &str) -> String {
        self.placeholder(&label(column), value)
    }

    /// Returns how many places of each kind were replaced, and how many different values they had.
    pub fn counts(&self) -> BTreeMap<String, (u64, u32)> {
        let counts = self.replaced.iter();
        counts
            .map(|(label, places)| (label.clone(), (*places, self.values[label])))
            .collect()
    }

    fn placeholder(&mut self, label: &str, value: &str) -> String {
        let key = hash_key(format!("{label}\0{}", plain_form(value)).as_bytes());
        let values = &mut self.values;
        let number = *self.numbers.entry(key).or_insert_with(|| {
            let count = values.entry(label.to_owned()).or_default();
            *count += 1;
            *count
        });
        *self.replaced.entry(label.to_owned()).or_default() += 1;
        format!("<{label}_{number}>")
    }
}

/// The name of a kind or column in a placeholder.
fn label(name: &str) -> String {
    let letters = name.chars().map(|letter| match letter.is_alphanumeric() {
        true => letter,
        false => '_',
    });
    letters.flat_map(char::to_uppercase).collect()
}

/// What a value is whatever its case, blanks and marks: `+49 30/12` is `4930 12`.
fn plain_form(value: &str) -> String {
    let letters = value
        .chars()
        .filter(|letter| letter.is_alphanumeric() || *letter == '@');
    letters.flat_map(char::to_lowercase).collect()
}

/// The places where a name stands as whole words, whatever its case.
fn whole_words<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    let name = name.trim();
    let is_long = name.chars().count() >= NAME;
    let folded = name.to_lowercase();
    // Offsets of the folded text are those of the text only where folding keeps lengths.
    let text_folded = text.to_lowercase();
    let keeps = text_folded.len() == text.len();
    let mut at = 0;
    std::iter::from_fn(move || {
        let haystack = if keeps { text_folded.as_str() } else { text };
        let needle = if keeps { folded.as_str() } else { name };
        while is_long && at <= haystack.len() {
            let start = at + haystack[at..].find(needle)?;
            let end = start + needle.len();
            at = end;
            let before = haystack[..start].chars().next_back();
            let after = haystack[end..].chars().next();
            let is_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
            if !is_word(before)
                && !is_word(after)
                && text.is_char_boundary(start)
                && text.is_char_boundary(end)
            {
                return Some(start..end);
            }
        }
        None
    })
}

/// Where personal data stands in a text, in order; of two that overlap the longer one.
pub(crate) fn personal_places(text: &str) -> Vec<(Range<usize>, &'static Kind)> {
    let mut places: Vec<(Range<usize>, &'static Kind)> = Vec::new();
    for check in CHECKS {
        let Check::Text(check) = check else { continue };
        if check.kind.family == Family::PersonalData {
            let spans = (check.find)(text).into_iter();
            places.extend(spans.map(|span| (span.range, check.kind)));
        }
    }
    places.sort_by_key(|(range, _)| (std::cmp::Reverse(range.len()), range.start));
    let mut kept: Vec<(Range<usize>, &'static Kind)> = Vec::new();
    for (range, kind) in places {
        let overlaps =
            |(other, _): &(Range<usize>, &Kind)| other.start < range.end && range.start < other.end;
        if !kept.iter().any(overlaps) {
            kept.push((range, kind));
        }
    }
    kept.sort_by_key(|(range, _)| range.start);
    kept
}

/// Returns where personal data stands in a text, the row's own names too, each with the label of
/// its kind or column, in order and without overlap.
fn labelled_places(text: &str, names: &[(&str, &str)]) -> Vec<(Range<usize>, String)> {
    let mut places: Vec<(Range<usize>, String)> = personal_places(text)
        .into_iter()
        .map(|(range, kind)| (range, label(kind.name)))
        .collect();
    for (column, name) in names {
        let free = |range: &Range<usize>| {
            let overlaps = |(other, _): &(Range<usize>, String)| {
                other.start < range.end && range.start < other.end
            };
            !places.iter().any(overlaps)
        };
        let found: Vec<Range<usize>> = whole_words(text, name).filter(free).collect();
        places.extend(found.into_iter().map(|range| (range, label(column))));
    }
    places.sort_by_key(|(range, _)| range.start);
    places
}

/// Returns a text with labels in the place of personal data, as a finding shows it.
fn masked(text: &str, from: Range<usize>, places: &[(Range<usize>, String)]) -> String {
    let mut shown = String::new();
    let mut at = from.start;
    for (range, label) in places {
        if range.end <= at || range.start >= from.end {
            continue;
        }
        shown.push_str(&text[at..range.start.max(at)]);
        shown.push_str(&format!("<{label}>"));
        at = range.end;
    }
    if at < from.end {
        shown.push_str(&text[at..from.end]);
    }
    shown
}

/// Returns what stands around a place, without personal data. `names` are as in
/// [`Anonymiser::text`].
pub(crate) fn shown_around(text: &str, place: &Range<usize>, names: &[(&str, &str)]) -> String {
    let start = text.floor_char_boundary(place.start.saturating_sub(AROUND));
    let end =
        text.floor_char_boundary((place.end.min(place.start + AROUND) + AROUND).min(text.len()));
    let shown = masked(text, start..end, &labelled_places(text, names));
    let lead = if start > 0 { "…" } else { "" };
    let trail = if end < text.len() { "…" } else { "" };
    format!("{lead}{}{trail}", excerpt(&shown, 2 * EXCERPT))
}

/// Returns what is shown of a value of a personal column.
pub(crate) fn hidden(column: &str) -> String {
    format!("<{}>", label(column))
}

/// Returns the beginning of a text, without personal data. `names` are as in [`Anonymiser::text`].
pub(crate) fn shown(text: &str, names: &[(&str, &str)]) -> String {
    // Enough that no value is cut in the part that is shown.
    let end = text.floor_char_boundary(8 * EXCERPT);
    let head = &text[..end];
    excerpt(
        &masked(head, 0..end, &labelled_places(head, names)),
        EXCERPT,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_get_equal_placeholders() {
        let mut anonymiser = Anonymiser::default();
        let mut masked = |text: &str| anonymiser.text(text, &[]).unwrap();
        assert_eq!(
            masked("ann@example.org, bob@example.org"),
            "<EMAIL_1>, <EMAIL_2>"
        );
        assert_eq!(
            masked("Call +49 30 1234567, write to Ann@Example.org"),
            "Call <PHONE_1>, write to <EMAIL_1>"
        );
        assert_eq!(masked("+49-30-1234567"), "<PHONE_1>");
        let counts = anonymiser.counts();
        assert_eq!(counts["EMAIL"], (3, 2));
        assert_eq!(counts["PHONE"], (2, 1));
        assert_eq!(anonymiser.text("nothing here", &[]), None);
    }

    #[test]
    fn names_of_the_row_are_replaced_as_whole_words() {
        let mut anonymiser = Anonymiser::default();
        let names = [("customer name", "Ann Example"), ("city", "Ro")];
        let masked = anonymiser.text("ANN EXAMPLE and Ann Examples of Ro, ann example", &names);
        assert_eq!(
            masked.unwrap(),
            "<CUSTOMER_NAME_1> and Ann Examples of Ro, <CUSTOMER_NAME_1>"
        );
        assert_eq!(
            anonymiser.value("customer name", "Ann Example"),
            "<CUSTOMER_NAME_1>"
        );
    }

    #[test]
    fn of_two_kinds_at_one_place_the_longer_counts() {
        let text = "https://10.20.130.40/ DE89 3704 0044 0532 0130 00 ann@10.20.130.40.example.org";
        let kinds: Vec<&str> = personal_places(text)
            .iter()
            .map(|(_, kind)| kind.name)
            .collect();
        assert_eq!(kinds, ["ip_address", "iban", "email"]);
    }

    #[test]
    fn what_a_finding_shows_has_no_personal_data_at_its_ends() {
        let text = format!("{} ann@example.org", "x".repeat(155));
        assert!(!shown(&text, &[]).contains("ann"));
        let around = shown_around(&text, &(100..101), &[]);
        assert!(!around.contains("ann"), "{around}");
        let named = shown("Ann Example is here", &[("customer", "ann example")]);
        assert_eq!(named, "<CUSTOMER> is here");
    }
}
