use std::borrow::Cow;

/// What a spreadsheet takes for the beginning of a formula
/// (<https://owasp.org/www-community/attacks/CSV_Injection>).
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Puts an apostrophe before a text that a spreadsheet would take for a formula, and before one
/// that looks as if that was done already.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    match text.trim_start_matches('\'').starts_with(FORMULA) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

/// Takes away the apostrophe that [`harmless`] has put before a text.
pub(crate) fn original(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if text.trim_start_matches('\'').starts_with(FORMULA) => text,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_made_harmless_and_come_back() {
        for text in [
            "=1+1", "+49 30", "-", "@me", "\tx", "'=1", "it's", "'tis", "", "a=b", "''-",
        ] {
            let cell = harmless(text);
            assert!(!cell.starts_with(FORMULA), "{cell}");
            assert_eq!(original(&cell), text);
        }
        assert_eq!(harmless("a=b"), "a=b");
        assert_eq!(harmless("'tis"), "'tis");
    }
}
