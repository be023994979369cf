//! Numbers of payment cards.

use std::sync::LazyLock;

use regex::Regex;

use super::{Check, Span, TextCheck};
use crate::kind::{Family, Fix, Kind, Severity};

pub(super) const CHECK: Check = Check::Text(&TextCheck {
    kind: &CARD,
    find,
    mend: None,
});

/// A number of a payment card.
pub static CARD: Kind = Kind {
    name: "card",
    title: "texts with the number of a payment card",
    family: Family::PersonalData,
    severity: Severity::Error,
    remedy: "`--anonymise` puts a placeholder in its place; such numbers may hardly ever be kept",
    fix: Fix::None,
};

static DIGITS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b\d(?:[ \-]?\d){12,18}\b").expect("the pattern is sound"));

fn find(text: &str) -> Vec<Span> {
    if text.bytes().filter(u8::is_ascii_digit).count() < 13 {
        return Vec::new();
    }
    let is_alone = |start: usize, end: usize| {
        let before = text[..start].chars().next_back();
        let after = text[end..].chars().next();
        !matches!(before, Some('.' | '-' | '_' | '+')) && !matches!(after, Some('-' | '_'))
    };
    let found = DIGITS.find_iter(text).filter(|found| {
        let digits: Vec<u8> = found.as_str().bytes().filter(u8::is_ascii_digit).collect();
        is_card(&digits) && is_alone(found.start(), found.end())
    });
    found
        .map(|found| Span::new(found.range(), "the number of a payment card"))
        .collect()
}

/// Whether digits are those of a card: of an issuer's range and length (ISO/IEC 7812), with the
/// right last one.
fn is_card(digits: &[u8]) -> bool {
    let number = |count: usize| {
        let head = digits[..count].iter();
        head.fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'))
    };
    let is_issued = match (number(4), digits.len()) {
        // Visa, Mastercard, American Express, Discover.
        (4000..=4999, 13 | 16 | 19) => true,
        (5100..=5599 | 2221..=2720, 16) => true,
        (3400..=3499 | 3700..=3799, 15) => true,
        (6011 | 6440..=6599, 16 | 19) => true,
        // Diners Club, JCB, UnionPay, Maestro.
        (3000..=3059 | 3600..=3699 | 3800..=3999, 14 | 16) => true,
        (3528..=3589, 16..=19) => true,
        (6200..=6299, 16..=19) => true,
        (5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763, 13..=19) => true,
        _ => false,
    };
    is_issued && has_luhn_digit(digits)
}

/// The check of ISO/IEC 7812-1, annex B: every second digit from the right is doubled.
fn has_luhn_digit(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            match place % 2 {
                0 => digit,
                _ if digit > 4 => 2 * digit - 9,
                _ => 2 * digit,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use crate::testing::spans;

    #[test]
    fn numbers_of_the_issuers_ranges_with_the_right_last_digit_are_found() {
        for card in [
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "5555555555554444",
            "3782 822463 10005",
            "6011111111111117",
            "30569309025904",
        ] {
            assert_eq!(spans("card", &format!("It is {card}.")), [card]);
        }
    }

    #[test]
    fn other_numbers_are_none() {
        for text in [
            "4111 1111 1111 1112",
            "order 1234567890123456",
            "0000000000000000",
            "9999 1111 1111 1111",
            "tracking 94001118992231974280",
            "41111111111111111111111",
        ] {
            assert_eq!(spans("card", text), [""; 0], "{text}");
        }
    }
}
