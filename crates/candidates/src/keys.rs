use pairmill_schema::{Sameness, TextKey, equivalent, hash_key};

/// Stands for an id or a text: 128 bits of its hash, so that sets of them stay small. Two
/// different ones share a key about as likely as a cosmic ray flips the answer.
pub type Key = u128;

/// Parts the keys of texts from those of ids, and of questions from those of passages.
const QUESTION: Key = 1;
const PASSAGE: Key = 2;

/// The key of an id.
pub fn id_key(id: &str) -> Key {
    Key::from_le_bytes(hash_key(id.as_bytes())) & !3
}

/// The key of a question, which all share that are the same.
pub fn question_key(text: &str, sameness: Sameness) -> Key {
    of_text(TextKey::new(text, sameness), QUESTION)
}

/// The key of a passage, which identical ones share.
pub fn passage_key(text: &str) -> Key {
    of_text(TextKey::identical(text), PASSAGE)
}

fn of_text(key: TextKey, kind: Key) -> Key {
    Key::from(key) & !3 | kind
}

/// A query, with what passages are compared with it by.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    pub id: &'a str,
    pub text: &'a str,
    /// The keys of both.
    pub keys: [Key; 2],
    same: TextKey,
    sameness: Sameness,
    letters: usize,
    first: Option<char>,
}

impl<'a> Query<'a> {
    pub fn new(id: &'a str, text: &'a str, sameness: Sameness) -> Self {
        let same = TextKey::new(text, sameness);
        Self {
            id,
            text,
            keys: [id_key(id), of_text(same, QUESTION)],
            same,
            sameness,
            letters: text.chars().count(),
            first: first_letter(text),
        }
    }

    /// Whether a passage is the same text.
    pub fn is(&self, passage: &str) -> bool {
        // Most passages begin otherwise.
        let may_be = match (self.first, first_letter(passage)) {
            (Some(a), Some(b)) => a == b || !a.is_ascii() || !b.is_ascii(),
            _ => true,
        };
        may_be
            && TextKey::unless_longer(passage, self.sameness, self.letters)
                .is_some_and(|same| same == self.same)
    }
}

/// The first letter or digit, in lower case, which folding a text leaves where it is in ASCII.
fn first_letter(text: &str) -> Option<char> {
    let first = text.chars().find(|letter| letter.is_alphanumeric());
    first.map(|letter| letter.to_ascii_lowercase())
}

/// Whether one of both texts holds the other, whatever their letter case and punctuation: a title
/// before it, say, or a first line left out.
pub(crate) fn holds(a: &str, b: &str) -> bool {
    let (a, b) = (equivalent(a), equivalent(b));
    let (longer, shorter) = if a.len() < b.len() { (b, a) } else { (a, b) };
    !shorter.is_empty() && longer.contains(&shorter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_compared_as_told_and_passages_as_they_are() {
        let equivalent = |text| question_key(text, Sameness::Equivalent);
        assert_eq!(
            equivalent("Reset the  PASSWORD?"),
            equivalent("reset the password")
        );
        let identical = |text| question_key(text, Sameness::Identical);
        assert_ne!(identical("Reset it?"), identical("reset it"));
        assert_eq!(
            passage_key("Cafe\u{301}\u{a0}Noir"),
            passage_key("Café Noir")
        );
        assert_ne!(passage_key("ls -R"), passage_key("ls -r"));
    }

    #[test]
    fn ids_are_taken_as_they_are_and_are_no_texts() {
        assert_ne!(id_key("a1"), id_key("A1"));
        let keys = [
            id_key("reset"),
            passage_key("reset"),
            question_key("reset", Sameness::Identical),
        ];
        assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
    }

    #[test]
    fn a_query_is_found_in_a_passage_of_its_own() {
        let query = |sameness| Query::new("q", "Reset it!", sameness);
        assert!(query(Sameness::Equivalent).is("(reset) it"));
        assert!(!query(Sameness::Equivalent).is("Preset it"));
        assert!(!query(Sameness::Equivalent).is(&"reset it ".repeat(50)));
        assert!(!query(Sameness::Identical).is("reset it"));
        assert!(query(Sameness::Identical).is(" Reset it!"));
        assert!(holds(
            "The printer jams",
            "Ticket: the PRINTER jams. Thanks"
        ));
        assert!(!holds("The printer jams", "The scanner jams"));
        assert!(!holds("", "The scanner jams"));
    }
}
