/// Least words of a preformatted text that is prose.
const FEWEST_WORDS: usize = 12;

/// Returns whether a preformatted text is read like any other: it has sentences, nearly all of it
/// is letters, and it lacks the signs of code. Letters, poems and notes stand in `<pre>` to keep
/// their lines.
pub(crate) fn is_prose(text: &str) -> bool {
    let words = text.split_whitespace().count();
    let ends = |word: &str| word.ends_with(['.', '!', '?', '。', '！', '？']);
    let sentences = text.split_whitespace().filter(|word| ends(word)).count();
    let (mut letters, mut signs) = (0, 0);
    for letter in text.chars() {
        if letter.is_alphabetic() || letter.is_whitespace() {
            letters += 1;
        } else if "{}[]<>=;$#|\\/_*&%@~^`".contains(letter) {
            signs += 1;
        }
    }
    let all = text.chars().count();
    words >= FEWEST_WORDS && sentences > 0 && letters * 10 >= all * 9 && signs * 50 <= all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_notes_are_prose_and_code_is_not() {
        let letter = "Dear keeper,\n\nthe pump on the north quay drips again. Please bring\nthe small \
                      spanner and two rings.\n\nYours, the ferry";
        assert!(is_prose(letter));
        for code in [
            "tar cf x",
            "for file in *.md; do\n  echo \"$file\" is a document of the folder and so on\ndone",
            "winch --slow --turns 3 drum and then one more word until there are twelve of them",
            "  PID TTY TIME CMD\n 2313 pts/0 00:00:00 bash\n 4242 pts/0 00:00:01 vim\n 5 . 6 7 8",
            "Short. Note.",
        ] {
            assert!(!is_prose(code), "{code}");
        }
    }
}
