//! Characters that show nothing and part nothing.

use super::{Check, Span, TextCheck};
use crate::kind::{Family, Fix, Kind, Severity};

pub(super) const CHECK: Check = Check::Text(&TextCheck {
    kind: &CONTROL_CHARACTER,
    find,
    mend: Some(|_, _| String::new()),
});

/// A character that is no part of a text.
pub static CONTROL_CHARACTER: Kind = Kind {
    name: "control_character",
    title: "texts with control characters",
    family: Family::Texts,
    severity: Severity::Warning,
    remedy: "`--fix control_character` takes them away",
    fix: Fix::ChangeSafely,
};

/// Control characters but for tabs and line breaks, those that turn the direction of writing, and
/// a byte order mark within a text.
fn is_control(letter: char) -> bool {
    match letter {
        '\t' | '\n' | '\r' | '\u{85}' => false,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => true,
        _ => letter.is_control(),
    }
}

fn find(text: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (start, letter) in text.char_indices().filter(|(_, letter)| is_control(*letter)) {
        let end = start + letter.len_utf8();
        match spans.last_mut() {
            Some(last) if last.range.end == start => last.range.end = end,
            _ => {
                let detail = format!("the character U+{:04X}", u32::from(letter));
                spans.push(Span::new(start..end, detail));
            }
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use crate::testing::{mended, spans};

    #[test]
    fn control_characters_are_taken_away_and_line_breaks_stay() {
        let text = "a\u{0}\u{1b}b\tc\r\nd\u{9f}\u{202e}e\u{200d}f";
        assert_eq!(mended("control_character", text), "ab\tc\r\nde\u{200d}f");
        let found = spans("control_character", text);
        assert_eq!(found, ["\u{0}\u{1b}", "\u{9f}\u{202e}"]);
        assert_eq!(spans("control_character", "a\nb 👩‍🔬"), [""; 0]);
    }
}
