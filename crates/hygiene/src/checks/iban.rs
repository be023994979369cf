//! Numbers of bank accounts: IBAN.

use std::sync::LazyLock;

use regex::Regex;

use super::{Check, Span, TextCheck};
use crate::kind::{Family, Fix, Kind, Severity};

pub(super) const CHECK: Check = Check::Text(&TextCheck {
    kind: &IBAN,
    find,
    mend: None,
});

/// A number of a bank account.
pub static IBAN: Kind = Kind {
    name: "iban",
    title: "texts with the number of a bank account (IBAN)",
    family: Family::PersonalData,
    severity: Severity::Warning,
    remedy: "`--anonymise` puts a placeholder in its place",
    fix: Fix::None,
};

/// How long the numbers of each country are (SWIFT, IBAN registry).
const LENGTHS: &str = "\
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 \
    DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 \
    IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 \
    MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SD18 SE24 SI19 \
    SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20";

static START: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i-u)\b[A-Z]{2}[0-9]{2}").expect("the pattern is sound"));

fn find(text: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    if text.bytes().filter(u8::is_ascii_digit).count() < 10 {
        return spans;
    }
    for start in START.find_iter(text).map(|start| start.start()) {
        if spans.last().is_some_and(|last| last.range.end > start) {
            continue;
        }
        if let Some(end) = end_of(text, start) {
            let detail = "the number of a bank account";
            spans.push(Span::new(start..end, detail));
        }
    }
    spans
}

/// Where the number that begins here ends, if it is one.
fn end_of(text: &str, start: usize) -> Option<usize> {
    let country = text[start..start + 2].to_ascii_uppercase();
    let mut known = LENGTHS.split_whitespace();
    let length: usize = known.find_map(|known| known.strip_prefix(&*country)?.parse().ok())?;
    let mut number = Vec::with_capacity(length);
    let mut end = start;
    let mut gap = 0;
    for (at, letter) in text[start..].char_indices() {
        match letter {
            _ if letter.is_ascii_alphanumeric() => {
                number.push(letter.to_ascii_uppercase() as u8);
                end = start + at + 1;
                gap = 0;
            }
            ' ' | '-' | '\u{a0}' if gap == 0 => gap = 1,
            _ => break,
        }
        if number.len() == length {
            break;
        }
    }
    let goes_on = text[end..].starts_with(|letter: char| letter.is_alphanumeric());
    (number.len() == length && !goes_on && is_sound(&number)).then_some(end)
}

/// The check of ISO 7064, MOD 97-10: the country and its digits moved to the end, letters as
/// numbers from 10 on, the rest of a division by 97 is 1.
fn is_sound(number: &[u8]) -> bool {
    let moved = number[4..].iter().chain(&number[..4]);
    let rest = moved.fold(0_u32, |rest, letter| match letter {
        b'0'..=b'9' => (rest * 10 + u32::from(letter - b'0')) % 97,
        _ => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
    });
    rest == 1
}

#[cfg(test)]
mod tests {
    use crate::testing::spans;

    #[test]
    fn sound_numbers_are_found_with_and_without_blanks() {
        for (text, iban) in [
            ("IBAN: DE89 3704 0044 0532 0130 00 please", "DE89 3704 0044 0532 0130 00"),
            ("GB29NWBK60161331926819.", "GB29NWBK60161331926819"),
            ("fr14 2004 1010 0505 0001 3M02 606", "fr14 2004 1010 0505 0001 3M02 606"),
            ("ES91-2100-0418-4502-0005-1332 A", "ES91-2100-0418-4502-0005-1332"),
            ("(NO9386011117947)", "NO9386011117947"),
        ] {
            assert_eq!(spans("iban", text), [iban], "{text}");
        }
    }

    #[test]
    fn other_numbers_are_none() {
        for text in [
            "DE89 3704 0044 0532 0130 01",
            "DE89 3704 0044 0532",
            "ZZ89 3704 0044 0532 0130 00",
            "XDE89370400440532013000",
            "DE893704004405320130001",
            "model AB12 CD34 EF56 1234567890",
        ] {
            assert_eq!(spans("iban", text), [""; 0], "{text}");
        }
    }
}
