use unicode_normalization::UnicodeNormalization;

/// What makes two texts equal: Unicode NFC, each run of white space one blank, ends trimmed.
/// Letter case counts, because it does in code and product names.
pub(crate) fn normalise(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut gap = false;
    for letter in text.nfc() {
        if letter.is_whitespace() {
            gap = !folded.is_empty();
        } else {
            if std::mem::take(&mut gap) {
                folded.push(' ');
            }
            folded.push(letter);
        }
    }
    folded
}

/// The blake3 hash of a normalised text, cut to 128 bits: tables are compared by these, so that
/// their texts are held in memory once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TextKey([u8; 16]);

impl TextKey {
    pub fn of(text: &str) -> Self {
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(normalise(text).as_bytes()).as_bytes()[..16]);
        Self(key)
    }

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
    fn white_space_and_composition_do_not_tell_texts_apart() {
        assert_eq!(normalise("  reset\t\nmy \u{a0} router "), "reset my router");
        assert_eq!(
            TextKey::of("cafe\u{301} closed"),
            TextKey::of("caf\u{e9}  closed")
        );
        assert_ne!(TextKey::of("ls -R"), TextKey::of("ls -r"));
        assert_eq!(normalise(" \n\u{2003}"), "");
    }

    #[test]
    fn an_id_is_made_of_the_first_digits_of_the_hash() {
        let hash = blake3::hash(b"reset it").to_hex();
        assert_eq!(
            TextKey::of(" reset  it").id("a-"),
            format!("a-{}", &hash[..16])
        );
    }
}
