use crate::kind::Kind;
use crate::table::Place;

/// Letters of a text that a finding shows.
pub const EXCERPT: usize = 160;

/// Something that is wrong with a row, or worth knowing.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What it is.
    pub kind: &'static Kind,
    /// Where it is.
    pub place: Place,
    /// The column of texts, by its number; none where it concerns the whole row.
    pub column: Option<usize>,
    /// The row that it is found beside, with its column.
    pub other: Option<(Place, usize)>,
    /// How alike the two are, from 0 to 1.
    pub similarity: Option<f64>,
    /// The category that is likelier than the row's own.
    pub suggestion: Option<Suggestion>,
    /// Why, in plain words.
    pub detail: String,
    /// What stands there, shortened; filled in later where it is empty.
    pub excerpt: String,
}

/// A category for a row that has another one.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The category.
    pub category: String,
    /// How likely it is, from 0 to 1.
    pub probability: f64,
}

impl Finding {
    /// Starts a finding about a row.
    pub fn new(kind: &'static Kind, place: Place, detail: impl Into<String>) -> Self {
        Self {
            kind,
            place,
            column: None,
            other: None,
            similarity: None,
            suggestion: None,
            detail: detail.into(),
            excerpt: String::new(),
        }
    }

    /// Names the column.
    #[must_use]
    pub fn in_column(self, column: usize) -> Self {
        Self {
            column: Some(column),
            ..self
        }
    }

    /// Names the row that it is found beside.
    #[must_use]
    pub fn beside(self, other: Place, column: usize) -> Self {
        Self {
            other: Some((other, column)),
            ..self
        }
    }
}

/// What the checks found, and what they counted on the way.
#[derive(Debug, Default)]
pub struct Found {
    /// The findings.
    pub findings: Vec<Finding>,
    /// Rows to drop beside those that have a finding: the other side of a leakage.
    pub also_dropped: Vec<(Place, &'static Kind, String)>,
    /// What a category is to be called, by its spelling.
    pub spellings: Vec<(String, String)>,
    /// Lines that many rows share.
    pub boilerplate: Vec<String>,
    /// Tables of figures for the card.
    pub facts: Vec<Facts>,
    /// What the reader should know of the checks themselves.
    pub remarks: Vec<String>,
}

/// A table of figures for the card.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Facts {
    /// The heading.
    pub title: String,
    /// Names of the columns.
    pub header: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}
