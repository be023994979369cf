use strum::{IntoStaticStr, VariantArray};

/// Why a wording does not count. Where several hold, the first in this order is given. Tables name
/// them in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Refusal {
    /// The text has nothing that the method may change.
    NothingToChange,
    /// It is the same as its source.
    Identical,
    /// Something is gone that must stay: a name, code, a word of the user's list.
    KeptWordLost,
    /// It is the same as an earlier wording.
    Repeated,
    /// It is the same as the text of another source.
    OtherText,
    /// It is the same as a text that is held out.
    HeldOut,
    /// The model finds it too far from its source.
    LowSimilarity,
    /// Its source is not nearest to its own answer or category, so nothing can be told.
    SourceNotNearest,
    /// It is no longer nearest to its own answer or category.
    NotNearest,
}

impl Refusal {
    /// Returns the reason as it stands in a table.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
