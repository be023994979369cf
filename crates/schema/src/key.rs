use crate::Sameness;

/// The blake3 hash of a text's form, cut to 128 bits: tables are compared by these, so that their
/// texts are held in memory once. Two texts that differ share a key about as likely as a cosmic
/// ray flips the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextKey([u8; 16]);

impl TextKey {
    /// What texts share that are the same in this strength. Keys of different strengths are not
    /// to be compared.
    pub fn new(text: &str, sameness: Sameness) -> Self {
        let mut key = [0; 16];
        let hash = blake3::hash(sameness.form(text).as_bytes());
        key.copy_from_slice(&hash.as_bytes()[..16]);
        Self(key)
    }

    /// What [identical](Sameness::Identical) texts share.
    pub fn identical(text: &str) -> Self {
        Self::new(text, Sameness::Identical)
    }

    /// What [equivalent](Sameness::Equivalent) texts share.
    pub fn equivalent(text: &str) -> Self {
        Self::new(text, Sameness::Equivalent)
    }

    /// The key itself.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// `prefix` and the first 16 hexadecimal digits.
    pub fn id(&self, prefix: &str) -> String {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        let head = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        format!("{prefix}{head:016x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
