//! Telephone numbers.
//!
//! A number is taken for one only where it is written like one: with `+` and a country, in the
//! groups of a national plan, or behind a word that says so. Bare digits are orders and tickets.

use std::sync::LazyLock;

use regex::{Match, Regex};

use super::{Check, Span, TextCheck};
use crate::kind::{Family, Fix, Kind, Severity};

pub(super) const CHECK: Check = Check::Text(&TextCheck {
    kind: &PHONE,
    find,
    mend: None,
});

/// A telephone number.
pub static PHONE: Kind = Kind {
    name: "phone",
    title: "texts with a telephone number",
    family: Family::PersonalData,
    severity: Severity::Warning,
    remedy: "`--anonymise` puts a placeholder in its place",
    fix: Fix::None,
};

/// Digits of a number, the country's counted (ITU-T E.164: 15 at most).
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// With a country: `+49 30 123456`, `+1 (212) 555-0123`, `0044 20 7946 0958`.
static INTERNATIONAL: LazyLock<Regex> = LazyLock::new(|| {
    compile(r"(?:\+|\b00)[1-9]\d{0,2}(?:[ .\-/\u{a0}]{0,2}(?:\(\d{1,5}\)|\d{1,12})){1,6}")
});
/// North America: `(212) 555-0123`, `212-555-0123`, `212.555.0123`, `1-212-555-0123`.
static NORTH_AMERICA: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"(?:\b1[ .\-])?(?:\([2-9]\d{2}\)[ \-]?|\b[2-9]\d{2}[.\- ])[2-9]\d{2}[.\- ]\d{4}(?:,? ?(?:x|ext\.?) ?\d{1,6})?\b",
    )
});
/// Within a country whose numbers begin with 0: `030 123456`, `0171/1234567`, `01 23 45 67 89`.
static TRUNK: LazyLock<Regex> = LazyLock::new(|| {
    compile(r"(?:\(0[1-9]\d{0,4}\)|\b0[1-9]\d{0,4})(?: ?[ /.\-\u{2013}] ?\d{2,8}){1,5}\b")
});
/// Whatever stands behind a word that says what it is.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    compile(concat!(
        r"(?i)\b(?:tele?phone|phone|tel|mobile|cell(?:phone)?|whatsapp|fax|call (?:me|us)|call",
        r"|telefon|telefonnummer|handy(?:nummer)?|rufnummer|mobil(?:nummer)?|t[ée]l[ée]phone|portable",
        r"|tel[ée]fono|m[óo]vil|celular|telefone|telefoon)\b",
        r"(?:\s*(?:number|no|nr|num[ée]ro|is|ist|est|es|at|on|under|unter|au|al|back|[.:#=]))*\s*",
        r"(\+?\(?\d[\d .\-/()]{5,18}\d)",
    ))
});
/// Dates, which have such groups too.
static DATE: LazyLock<Regex> =
    LazyLock::new(|| compile(r"^0?\d{1,2}[./\-]\d{1,2}[./\-](?:19|20)?\d{2}\b"));

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is sound")
}

fn find(text: &str) -> Vec<Span> {
    if text.bytes().filter(u8::is_ascii_digit).count() < 7 {
        return Vec::new();
    }
    let mut ranges = Vec::new();
    let of = |pattern: &'static Regex, is_one: fn(&str) -> bool| {
        let found = pattern.find_iter(text);
        found.filter(move |found| is_one(found.as_str()) && is_alone(text, found))
    };
    let found = of(&INTERNATIONAL, is_international)
        .chain(of(&NORTH_AMERICA, |_| true))
        .chain(of(&TRUNK, is_national));
    // The end of an account's number has such groups too.
    let is_whole = |found: &Match| {
        found.as_str().starts_with('+') || !is_behind_digits(&text[..found.start()])
    };
    ranges.extend(found.filter(is_whole).map(|found| found.range()));
    let named = NAMED.captures_iter(text).filter_map(|found| found.get(1));
    let named = named.filter(|number| is_named(number.as_str()) && is_alone(text, number));
    ranges.extend(named.map(|number| number.range()));
    // The longest of those that begin first.
    ranges.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
    let mut spans: Vec<Span> = Vec::new();
    for range in ranges {
        if spans.last().is_none_or(|last| last.range.end <= range.start) {
            spans.push(Span::new(range, "a telephone number"));
        }
    }
    spans
}

fn digits(number: &str) -> usize {
    number.bytes().filter(u8::is_ascii_digit).count()
}

fn is_international(number: &str) -> bool {
    let has_groups = number[2..].contains([' ', '-', '.', '/', '(']);
    // Many counters begin with zeros.
    DIGITS.contains(&digits(number)) && (number.starts_with('+') || has_groups)
}

fn is_national(number: &str) -> bool {
    (9..=12).contains(&digits(number)) && !DATE.is_match(number)
}

fn is_named(number: &str) -> bool {
    (7..=15).contains(&digits(number)) && !DATE.is_match(number)
}

fn is_behind_digits(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '-', '.', '/', '(']);
    before.ends_with(|letter: char| letter.is_ascii_digit())
}

/// Whether what stands around does not belong to it: no digit, letter or sign of a longer number.
fn is_alone(text: &str, found: &Match) -> bool {
    let before = text[..found.start()].chars().next_back();
    let after: Vec<char> = text[found.end()..].chars().take(2).collect();
    let goes_on = match after[..] {
        [mark, digit] if ".,-/:".contains(mark) => digit.is_ascii_digit(),
        [letter, ..] => letter.is_alphanumeric() || letter == '_',
        [] => false,
    };
    let belongs = |letter: char| {
        letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-' | '/' | '#' | '=' | '$' | '€')
    };
    let is_parameter = found.as_str().starts_with('+') && before == Some('=');
    !goes_on && (is_parameter || !before.is_some_and(belongs))
}

#[cfg(test)]
mod tests {
    use crate::testing::spans;

    #[test]
    fn numbers_written_like_telephone_numbers_are_found() {
        for (text, number) in [
            ("Call +49 30 1234567 now", "+49 30 1234567"),
            ("+1 (212) 555-0123.", "+1 (212) 555-0123"),
            ("+441632960961", "+441632960961"),
            ("at 0044 20 7946 0958?", "0044 20 7946 0958"),
            ("(212) 555-0123 is mine", "(212) 555-0123"),
            ("212-555-0123", "212-555-0123"),
            ("1-800-555-0199", "1-800-555-0199"),
            ("Tel. 030 123 45 67 89", "030 123 45 67 89"),
            ("0171/1234567", "0171/1234567"),
            ("01 23 45 67 89 merci", "01 23 45 67 89"),
            ("020 7946 0958", "020 7946 0958"),
            ("my phone number is 5550123", "5550123"),
            ("mi teléfono: 612 345 678", "612 345 678"),
        ] {
            assert_eq!(spans("phone", text), [number], "{text}");
        }
    }

    #[test]
    fn other_numbers_are_none() {
        for text in [
            "order 12345678901",
            "invoice 2024-000123-4567",
            "01.02.2024 10:30",
            "01-02-2024",
            "2024-05-03 10:02:33",
            "ticket #0123 456 789",
            "version 10.0.19041.1234",
            "192.168.100.200",
            "call 3 times in 1990 and 2000",
            "4111 1111 1111 1111",
            "DE89 3704 0044 0532 0130 00",
            "0.123456789",
            "1,234,567,890 rows",
            "+1 2",
            "ISBN 978-3-16-148410-0",
            "00001234",
        ] {
            assert_eq!(spans("phone", text), [""; 0], "{text}");
        }
    }
}
