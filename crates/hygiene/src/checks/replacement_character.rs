//! Letters that were lost when the text was decoded: U+FFFD.

use super::{Check, Span, TextCheck};
use crate::kind::{Family, Fix, Kind, Severity};

pub(super) const CHECK: Check = Check::Text(&TextCheck {
    kind: &REPLACEMENT_CHARACTER,
    find,
    mend: None,
});

/// A letter that was lost.
pub static REPLACEMENT_CHARACTER: Kind = Kind {
    name: "replacement_character",
    title: "texts with letters lost in decoding (U+FFFD)",
    family: Family::Texts,
    severity: Severity::Warning,
    remedy: "read the source again in its encoding (`--encoding`): what is lost cannot be mended",
    fix: Fix::None,
};

const LOST: char = '\u{fffd}';

fn find(text: &str) -> Vec<Span> {
    let Some(start) = text.find(LOST) else {
        return Vec::new();
    };
    let detail = match text.matches(LOST).count() {
        1 => "a letter is lost".to_owned(),
        letters => format!("{letters} letters are lost"),
    };
    vec![Span::new(start..start + LOST.len_utf8(), detail)]
}

#[cfg(test)]
mod tests {
    use crate::testing::spans;

    #[test]
    fn a_lost_letter_is_found_once_for_each_text() {
        let found = spans("replacement_character", "M\u{fffd}ller f\u{fffd}hrt");
        assert_eq!(found, ["\u{fffd}"]);
        assert_eq!(spans("replacement_character", "Müller? fährt"), [""; 0]);
    }
}
