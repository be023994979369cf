//! UTF-8 that was read as Windows-1252: `Ã¼` for `ü`.

use super::{Check, Span, TextCheck};
use crate::kind::{Family, Fix, Kind, Severity};

pub(super) const CHECK: Check = Check::Text(&TextCheck {
    kind: &MOJIBAKE,
    find,
    mend: Some(mend),
});

/// Letters of a text that was read in the wrong encoding.
pub static MOJIBAKE: Kind = Kind {
    name: "mojibake",
    title: "texts with letters read in the wrong encoding, such as `Ã¼`",
    family: Family::Texts,
    severity: Severity::Warning,
    remedy: "read the source as UTF-8; `--fix mojibake` puts the letters right",
    fix: Fix::ChangeSafely,
};

/// What Windows-1252 has for the bytes 0x80 to 0x9F; a byte that it has nothing for stands for
/// itself, as in browsers.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The byte that Windows-1252, or Latin-1, reads as this letter.
fn byte(letter: char) -> Option<u8> {
    match letter {
        '\u{80}'..='\u{ff}' => Some(letter as u8),
        _ if letter.is_ascii() => None,
        _ => {
            let at = WINDOWS_1252.iter().position(|&known| known == letter)?;
            Some(0x80 + at as u8)
        }
    }
}

fn find(text: &str) -> Vec<Span> {
    // Every one begins with such a letter.
    if text.is_ascii() || !text.contains(|letter| matches!(letter, '\u{c2}'..='\u{f4}')) {
        return Vec::new();
    }
    let letters: Vec<(usize, char)> = text.char_indices().collect();
    let end_of = |at: usize| letters.get(at).map_or(text.len(), |(start, _)| *start);
    let mut spans: Vec<Span> = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let (meant, next) = meant_run(&letters, at);
        if is_damage(&meant) {
            let range = letters[at].0..end_of(next);
            let detail = format!("`{}` should be `{meant}`", &text[range.clone()]);
            spans.push(Span::new(range, detail));
        }
        at = next.max(at + 1);
    }
    spans
}

/// What was meant by the letters from here on, and where that ends.
fn meant_run(letters: &[(usize, char)], start: usize) -> (String, usize) {
    let mut meant = String::new();
    let mut at = start;
    while let Some((letter, length)) = meant_letter(&letters[at..]) {
        meant.push(letter);
        at += length;
    }
    (meant, at)
}

/// The letter that two to four letters were meant to be.
fn meant_letter(letters: &[(usize, char)]) -> Option<(char, usize)> {
    let length = match byte(letters.first()?.1)? {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let bytes: Option<Vec<u8>> = letters
        .get(..length)?
        .iter()
        .map(|&(_, letter)| byte(letter))
        .collect();
    let meant = std::str::from_utf8(&bytes?).ok()?.chars().next()?;
    Some((meant, length))
}

/// Whether letters that could have been meant are likely to have been: of those that Western texts
/// have one is enough, of others two in a row. `É»` at the end of a quotation is French.
fn is_damage(meant: &str) -> bool {
    let is_western = |letter: char| {
        matches!(letter,
            '\u{a0}'..='\u{ff}' | '\u{2010}'..='\u{203a}' | '€' | '™' | '\u{feff}' | '\u{fffd}'
            | '\u{1f300}'..='\u{1faff}')
    };
    meant.chars().any(is_western) || meant.chars().nth(1).is_some()
}

/// Puts right what was read wrongly, twice where it was read wrongly twice.
fn mend(text: &str, span: &Span) -> String {
    let mut meant = text[span.range.clone()].to_owned();
    for _ in 0..3 {
        let letters: Vec<(usize, char)> = meant.char_indices().collect();
        let (next, end) = meant_run(&letters, 0);
        if end < letters.len() || next.is_empty() {
            break;
        }
        meant = next;
    }
    meant.replace('\u{feff}', "")
}

#[cfg(test)]
mod tests {
    use crate::testing::{mended, spans};

    #[test]
    fn utf_8_read_as_windows_1252_is_put_right() {
        for (damaged, meant) in [
            ("MÃ¼ller fÃ¤hrt", "Müller fährt"),
            ("donâ€™t â€œquoteâ€\u{9d} itâ€¦", "don’t “quote” it…"),
            ("20Â°C for 5Â\u{a0}â‚¬", "20°C for 5\u{a0}€"),
            ("ÐŸÑ€Ð¸Ð²ÐµÑ‚", "Привет"),
            ("ðŸ˜€ ok", "😀 ok"),
            ("MÃƒÂ¼ller", "Müller"),
            ("ï»¿id", "id"),
        ] {
            assert_eq!(mended("mojibake", damaged), meant);
        }
        assert_eq!(spans("mojibake", "cafÃ© noir"), ["Ã©"]);
    }

    #[test]
    fn letters_that_are_meant_stay() {
        for text in [
            "Âge, À «CAFÉ», NÃO, Ça va ? Ñandú Ð",
            "„Ä“ ist ein Umlaut",
            "SÃO PAULO, ÅNGSTRÖM, ÐE",
            "Müller’s café – 20 °C … €5",
            "Привет, мир",
        ] {
            assert_eq!(spans("mojibake", text), [""; 0], "{text}");
        }
    }
}
