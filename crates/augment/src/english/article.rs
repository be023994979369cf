/// Beginnings of words whose vowel is not spoken as one, and of words with a silent `h`.
const NOT_SPOKEN: [&str; 9] = [
    "eu", "ewe", "one", "once", "ubi", "uni", "usa", "use", "uti",
];
const SILENT_H: [&str; 4] = ["heir", "honest", "hono", "hour"];

/// Returns the article that goes before a word in place of another one, where it is another:
/// `a` or `an`, with its capital.
pub(crate) fn article(article: &str, word: &str) -> Option<&'static str> {
    let has_capital = article.starts_with('A');
    let is_an = article.eq_ignore_ascii_case("an");
    if !is_an && !article.eq_ignore_ascii_case("a") {
        return None;
    }
    let word = word.to_ascii_lowercase();
    let begins = |with: &[&str]| with.iter().any(|with| word.starts_with(with));
    let wants_an = match word.starts_with(['a', 'e', 'i', 'o', 'u']) {
        true => !begins(&NOT_SPOKEN) || word.starts_with("unin") || word.starts_with("unim"),
        false => begins(&SILENT_H),
    };
    match (wants_an, has_capital) {
        _ if wants_an == is_an => None,
        (true, true) => Some("An"),
        (true, false) => Some("an"),
        (false, true) => Some("A"),
        (false, false) => Some("a"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_follows_the_sound() {
        assert_eq!(article("a", "error"), Some("an"));
        assert_eq!(article("An", "fault"), Some("A"));
        assert_eq!(article("a", "unit"), None);
        assert_eq!(article("a", "uninteresting"), Some("an"));
        assert_eq!(article("a", "honest"), Some("an"));
        assert_eq!(article("an", "error"), None);
        assert_eq!(article("the", "error"), None);
    }
}
