//! What stands for texts in memory, so that the texts themselves need not be held.

use pairmill_schema::{Sameness, TextKey, hash_key, identical};

use crate::table::Role;

/// The key of several things in a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Joint([u8; 16]);

impl Joint {
    /// Adds a thing.
    pub fn push(&mut self, thing: &[u8]) {
        let mut both = Vec::with_capacity(16 + thing.len());
        both.extend_from_slice(&self.0);
        both.extend_from_slice(thing);
        self.0 = hash_key(&both);
    }

    /// Returns the key of two things.
    pub fn of(first: &[u8], second: &[u8]) -> Self {
        let mut key = Self::default();
        key.push(first);
        key.push(second);
        key
    }
}

/// Returns when two texts of this role are the same: queries whatever their case and punctuation,
/// all others as they stand.
pub(crate) fn sameness(role: Role) -> Sameness {
    match role {
        Role::Query => Sameness::Equivalent,
        _ => Sameness::Identical,
    }
}

/// Returns what texts of this role share that are the same.
pub(crate) fn text_key(text: &str, role: Role) -> TextKey {
    TextKey::new(text, sameness(role))
}

/// Returns what texts share that differ in letter case and white space alone. This is what people
/// mean by a text that stands in two splits; what differs in punctuation too is nearly the same.
pub(crate) fn letters_key(text: &str) -> TextKey {
    TextKey::identical(&identical(text).to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_border_between_things_counts() {
        assert_eq!(Joint::of(b"a", b"b"), Joint::of(b"a", b"b"));
        assert_ne!(Joint::of(b"a", b"bc"), Joint::of(b"ab", b"c"));
    }

    #[test]
    fn case_and_blanks_do_not_count_among_letters() {
        assert_eq!(letters_key(" Cancel  Order"), letters_key("cancel order"));
        assert_ne!(letters_key("cancel order!"), letters_key("cancel order"));
    }
}
