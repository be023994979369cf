//! What programs for terminals and printers leave in text files.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// Escape sequences of terminals: colours and the like, and titles and links.
static ESCAPE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])";
    Regex::new(pattern).expect("the pattern is sound")
});

/// A line that holds the number of a page alone: `12`, `- 12 -`, `Page 12`, `Page 12 of 40`.
static PAGE_NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?i)^[\s\x0c]*(?:[-–—]\s*)?(?:page\s+)?(\d{1,4})(?:\s*(?:of|/)\s*\d{1,4})?(?:\s*[-–—])?\s*$";
    Regex::new(pattern).expect("the pattern is sound")
});

/// Fewest numbers in a row that are those of pages.
const FEWEST_PAGES: usize = 3;

/// Takes overstrikes (`_\bx` and `x\bx`, by which man pages underline and embolden) and escape
/// sequences out of a text.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(['\u{8}', '\u{1b}']) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for letter in ESCAPE.replace_all(text, "").chars() {
        match letter {
            '\u{8}' => {
                plain.pop();
            }
            letter => plain.push(letter),
        }
    }
    Cow::Owned(plain)
}

/// Returns the indices of the lines that are numbers of pages: numbers alone in their lines that
/// count up by one, at least three of them, or beside a form feed.
pub(crate) fn page_numbers(lines: &[&str]) -> Vec<usize> {
    let number = |line: &str| -> Option<u32> { PAGE_NUMBER.captures(line)?[1].parse().ok() };
    let numbers: Vec<(usize, u32)> = lines
        .iter()
        .enumerate()
        .filter_map(|(at, line)| Some((at, number(line)?)))
        .collect();
    let counts_up = |run: &[(usize, u32)]| run.windows(2).all(|two| two[1].1 == two[0].1 + 1);
    let are_far = |run: &[(usize, u32)]| run.windows(2).all(|two| two[1].0 > two[0].0 + 2);
    if numbers.len() >= FEWEST_PAGES && counts_up(&numbers) && are_far(&numbers) {
        return numbers.into_iter().map(|(at, _)| at).collect();
    }
    let feeds = |at: usize| lines.get(at).is_some_and(|line| line.contains('\u{c}'));
    let begins_page = |at: usize| feeds(at) && lines[at].trim().is_empty();
    let beside = |at: usize| feeds(at) || feeds(at + 1) || at > 0 && begins_page(at - 1);
    let numbers = numbers.into_iter().map(|(at, _)| at);
    numbers.filter(|&at| beside(at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overstrikes_and_escapes_leave_their_letters() {
        let text = "N\u{8}NA\u{8}AM\u{8}ME\u{8}E _\u{8}f_\u{8}i \u{1b}[1;31mred\u{1b}[0m \
                    \u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{7}";
        assert_eq!(plain(text), "NAME fi red link");
        assert_eq!(plain("\u{8}a"), "a");
        assert!(matches!(plain("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn numbers_of_pages_are_told_from_other_numbers() {
        let of = |text: &str| page_numbers(&text.lines().collect::<Vec<_>>());
        assert_eq!(of("a\n\n1\n\nb\n\n- 2 -\n\nc\n\nPage 3 of 3\n"), [2, 6, 10]);
        assert!(of("a\n\n12\n\nb\n\n40\n").is_empty());
        assert!(of("1\n2\n3\n").is_empty(), "a list");
        assert_eq!(of("a\n12\n\u{c}b\n40\nc"), [1]);
    }
}
