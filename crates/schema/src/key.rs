use crate::sameness::Sameness;

/// Returns the blake3 hash of an id or a text, cut to 128 bits, which stand for it in memory. Two
/// that differ share a key about as likely as a cosmic ray flips the answer.
pub fn hash_key(bytes: &[u8]) -> [u8; 16] {
    let mut key = [0; 16];
    key.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    key
}

/// The blake3 hash of a text's form, cut to 128 bits: tables are compared by these, so that their
/// texts are held in memory once. Two texts that differ share a key about as likely as a cosmic
/// ray flips the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextKey([u8; 16]);

impl TextKey {
    /// Returns what texts share that are the same in this strength. Keys of different strengths are
    /// not to be compared.
    pub fn new(text: &str, sameness: Sameness) -> Self {
        Self(hash_key(sameness.form(text).as_bytes()))
    }

    /// Returns the key, unless the text is so much longer than one of `letters` that they cannot be
    /// the same, whatever is folded: so a long passage need not be to tell it from a question.
    pub fn unless_longer(text: &str, sameness: Sameness, letters: usize) -> Option<Self> {
        // A letter folds into three at most, and is composed of three at most.
        let most = letters.saturating_mul(9);
        let is_longer = text.len() > most
            && text
                .chars()
                .filter(|letter| letter.is_alphanumeric())
                .nth(most)
                .is_some();
        (!is_longer).then(|| Self::new(text, sameness))
    }

    /// Returns what [identical](Sameness::Identical) texts share.
    pub fn identical(text: &str) -> Self {
        Self::new(text, Sameness::Identical)
    }

    /// Returns what [equivalent](Sameness::Equivalent) texts share.
    pub fn equivalent(text: &str) -> Self {
        Self::new(text, Sameness::Equivalent)
    }

    /// Returns the key itself.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns `prefix` and the first 16 hexadecimal digits.
    pub fn id(&self, prefix: &str) -> String {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        let head = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        format!("{prefix}{head:016x}")
    }
}

impl From<TextKey> for u128 {
    fn from(key: TextKey) -> Self {
        Self::from_le_bytes(key.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::odd_text::odd_text;

    proptest! {
        #[test]
        fn what_is_the_same_is_never_too_long_to_have_a_key(text in odd_text()) {
            for sameness in [Sameness::Equivalent, Sameness::Identical] {
                let letters = sameness.form(&text).chars().count();
                prop_assert_eq!(
                    TextKey::unless_longer(&text, sameness, letters),
                    Some(TextKey::new(&text, sameness))
                );
            }
        }
    }

    #[test]
    fn what_is_much_longer_has_no_key() {
        let key = |text: &str| TextKey::unless_longer(text, Sameness::Equivalent, 2);
        assert_eq!(key("It!"), Some(TextKey::equivalent("it")));
        assert_eq!(
            key(&format!("it{}", "!".repeat(99))),
            Some(TextKey::equivalent("it"))
        );
        assert_eq!(key(&"a".repeat(19)), None);
    }

    #[test]
    fn an_id_is_made_of_the_first_digits_of_the_hash() {
        let hash = blake3::hash(b"reset it").to_hex();
        let key = TextKey::identical(" reset  it");
        assert_eq!(key.id("a-"), format!("a-{}", &hash[..16]));
    }

    #[test]
    fn keys_are_equal_where_texts_are_the_same() {
        assert_eq!(
            TextKey::equivalent("Reset it!"),
            TextKey::equivalent("reset it")
        );
        assert_ne!(
            TextKey::identical("Reset it!"),
            TextKey::identical("reset it")
        );
    }
}
