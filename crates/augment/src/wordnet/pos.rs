/// A part of speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Pos {
    Noun,
    Verb,
    Adjective,
    Adverb,
}

impl Pos {
    pub const ALL: [Self; 4] = [Self::Noun, Self::Verb, Self::Adjective, Self::Adverb];

    /// How WordNet's files are called that hold it.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Noun => "noun",
            Self::Verb => "verb",
            Self::Adjective => "adj",
            Self::Adverb => "adv",
        }
    }

    /// The part of speech of a number in a sense key.
    pub fn of_key(number: &str) -> Option<Self> {
        match number {
            "1" => Some(Self::Noun),
            "2" => Some(Self::Verb),
            // 5 is an adjective that depends on another one.
            "3" | "5" => Some(Self::Adjective),
            "4" => Some(Self::Adverb),
            _ => None,
        }
    }
}
