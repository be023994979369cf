use serde::Serialize;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; often as it should be.
    Note,
    /// Costs quality, or may concern a person.
    Warning,
    /// Makes figures wrong, or teaches what is wrong.
    Error,
}

impl Severity {
    /// Returns the severity as it stands in a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What kinds of findings have in common: the parts of a data card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// The same text, or nearly, more than once.
    Duplicates,
    /// Texts of one split in another.
    Leakage,
    /// Labels, ids and judgements that contradict each other.
    Contradictions,
    /// What texts are made of: damage, markup, mail, length, language.
    Texts,
    /// How rows are spread over categories.
    Categories,
    /// What tells who somebody is, or lets somebody in.
    PersonalData,
}

impl Family {
    /// Returns the heading of this part.
    pub fn title(self) -> &'static str {
        match self {
            Self::Duplicates => "Duplicates",
            Self::Leakage => "Leakage between splits",
            Self::Contradictions => "Contradictions",
            Self::Texts => "Texts",
            Self::Categories => "Categories",
            Self::PersonalData => "Personal data",
        }
    }
}

/// What can be done about findings of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fix {
    /// Nothing by itself: a person has to look.
    None,
    /// The row is dropped. Loses something, so it is done where it is named.
    Drop,
    /// The row is dropped; what it says is said elsewhere.
    DropSafely,
    /// The text or category is changed. Loses something, so it is done where it is named.
    Change,
    /// The text or category is changed to what it was meant to be.
    ChangeSafely,
}

impl Fix {
    /// Whether the fix loses nothing, so that it is done where no kinds are named.
    pub fn is_safe(self) -> bool {
        matches!(self, Self::DropSafely | Self::ChangeSafely)
    }

    /// Whether rows are dropped.
    pub fn drops(self) -> bool {
        matches!(self, Self::Drop | Self::DropSafely)
    }
}

/// A kind of finding. Each one stands in the file that looks for it.
#[derive(Debug)]
pub struct Kind {
    /// Its name in tables and options.
    pub name: &'static str,
    /// What to call it in a sentence, plural.
    pub title: &'static str,
    /// The part of the card that it belongs to.
    pub family: Family,
    /// How bad it is.
    pub severity: Severity,
    /// What to do about it.
    pub remedy: &'static str,
    /// What `--fix` does about it.
    pub fix: Fix,
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
