use std::collections::BTreeMap;

use pairmill_schema::agreeing;
use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;
use tracing::info;

/// What is no text of a document and stays out of its passages.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// Blocks of code.
    CodeBlock,
    /// Menus, footers and side bars.
    Navigation,
    /// Buttons and fields of forms.
    Control,
    /// What a page holds and does not show.
    Hidden,
    /// Notices that ask to accept cookies.
    CookieNotice,
    /// Tags of Jekyll, Hugo, Jinja and other makers of sites.
    TemplateTag,
    /// Lines of MDX that import or export.
    Import,
    /// Numbers of pages.
    PageNumber,
    /// Paragraphs that many documents share, but for the first document that has them.
    SharedParagraph,
}

impl Piece {
    fn names(self) -> [&'static str; 2] {
        match self {
            Self::CodeBlock => ["code block", "code blocks"],
            Self::Navigation => ["menu or footer", "menus and footers"],
            Self::Control => ["button or field", "buttons and fields"],
            Self::Hidden => ["hidden part", "hidden parts"],
            Self::CookieNotice => ["cookie notice", "cookie notices"],
            Self::TemplateTag => ["template tag", "template tags"],
            Self::Import => ["import of MDX", "imports of MDX"],
            Self::PageNumber => ["page number", "page numbers"],
            Self::SharedParagraph => [
                "paragraph that other documents share",
                "paragraphs that other documents share",
            ],
        }
    }
}

/// How many pieces a document leaves out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pieces(BTreeMap<Piece, u64>);

impl Pieces {
    pub fn add(&mut self, piece: Piece, number: u64) {
        if number > 0 {
            *self.0.entry(piece).or_default() += number;
        }
    }

    /// Returns how many of a kind.
    #[cfg(test)]
    pub fn number(&self, piece: Piece) -> u64 {
        self.0.get(&piece).copied().unwrap_or_default()
    }

    pub fn extend(&mut self, other: Self) {
        for (piece, number) in other.0 {
            self.add(piece, number);
        }
    }
}

/// The pieces of one kind that documents left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// How many.
    pub pieces: u64,
    /// Of how many documents.
    pub documents: u64,
    /// The first of these.
    pub first: String,
}

/// Adds up what documents left out.
#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<Piece, LeftOut>);

impl Tally {
    pub fn add(&mut self, source: &str, pieces: &Pieces) {
        for (&piece, &number) in &pieces.0 {
            let all = self.0.entry(piece).or_insert_with(|| LeftOut {
                pieces: 0,
                documents: 0,
                first: source.to_owned(),
            });
            all.pieces += number;
            all.documents += 1;
        }
    }

    /// Returns the kinds that were met.
    pub fn into_counts(self) -> BTreeMap<Piece, LeftOut> {
        self.0
    }
}

/// Says on the log what was left out, kind by kind.
pub(crate) fn log(left_out: &BTreeMap<Piece, LeftOut>) {
    for piece in Piece::iter() {
        let Some(LeftOut {
            pieces,
            documents,
            first,
        }) = left_out.get(&piece)
        else {
            continue;
        };
        let [one, many] = piece.names();
        let name = agreeing(*pieces, one, many);
        match documents {
            1 => info!("left out: {pieces} {name} of {first}"),
            _ => info!("left out: {pieces} {name} of {documents} documents, the first of {first}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_counted_by_kind_with_the_first_document() {
        let mut tally = Tally::default();
        let mut pieces = Pieces::default();
        pieces.add(Piece::CodeBlock, 2);
        pieces.add(Piece::Hidden, 0);
        tally.add("a.md", &pieces);
        pieces.add(Piece::CodeBlock, 1);
        tally.add("b.md", &pieces);
        let counts = tally.into_counts();
        assert_eq!(counts.len(), 1);
        let expected = LeftOut {
            pieces: 5,
            documents: 2,
            first: "a.md".to_owned(),
        };
        assert_eq!(counts[&Piece::CodeBlock], expected);
    }
}
