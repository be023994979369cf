use std::borrow::Cow;
use std::path::Path;

use arrow::array::StringArray;

/// What a spreadsheet takes for the beginning of a formula
/// (<https://owasp.org/www-community/attacks/CSV_Injection>).
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// How the cells of a sheet are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cells {
    /// Whether the sheet is likely opened in a spreadsheet.
    is_for_spreadsheets: bool,
}

impl Cells {
    /// The cells of a sheet of this name.
    pub fn of(sheet: &Path) -> Self {
        let ending = sheet.extension().and_then(|ending| ending.to_str());
        Self {
            is_for_spreadsheets: matches!(ending, Some("csv" | "tsv")),
        }
    }

    /// Returns what is written for a text.
    pub fn cell(self, text: &str) -> Cow<'_, str> {
        match self.is_for_spreadsheets {
            true => harmless(text),
            false => Cow::Borrowed(text),
        }
    }

    /// Returns a column of cells.
    pub fn column<'a>(self, texts: impl Iterator<Item = &'a str>) -> StringArray {
        StringArray::from_iter_values(texts.map(|text| self.cell(text)))
    }
}

/// Puts an apostrophe before a text that a spreadsheet would take for a formula, and before one
/// that looks as if that was done already.
fn harmless(text: &str) -> Cow<'_, str> {
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
