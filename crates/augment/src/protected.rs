//! What is no prose: code, paths, addresses of pages and of people.

use std::ops::Range;

/// Signs that stand in code, options and amounts, and not within words.
const SIGNS: &[char] = &[
    '/', '\\', '@', '_', '=', '<', '>', '{', '}', '[', ']', '$', '#', '%', '*', '|', '&', '~', '^',
    '+', '€', '£', '¥',
];

/// Returns what stands between backticks, these included.
pub(crate) fn code(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text[from..].find('`').map(|at| from + at) {
        let ticks = run(&text[start..]);
        match closing(text, start + ticks, ticks) {
            Some(end) => {
                found.push(start..end);
                from = end;
            }
            None => from = start + ticks,
        }
    }
    found
}

/// How many backticks a text begins with.
fn run(text: &str) -> usize {
    text.len() - text.trim_start_matches('`').len()
}

/// The end of the next run of exactly so many backticks.
fn closing(text: &str, from: usize, ticks: usize) -> Option<usize> {
    let mut at = from;
    while let Some(start) = text[at..].find('`').map(|found| at + found) {
        let found = run(&text[start..]);
        at = start + found;
        if found == ticks {
            return Some(at);
        }
    }
    None
}

/// Whether what stands between white space, without the punctuation around it, is no prose: a
/// path, an address, an option, code, an amount.
pub(crate) fn is_no_prose(chunk: &str) -> bool {
    let is_option = chunk.starts_with('-') && chunk.len() > 1;
    is_option || chunk.contains(SIGNS) || chunk.contains("::") || chunk.contains("()") || {
        let letters: Vec<char> = chunk.chars().collect();
        letters.windows(3).any(|around| {
            let is_parted = matches!(around[1], '.' | ':');
            is_parted && around[0].is_alphanumeric() && around[2].is_alphanumeric()
        }) || chunk.starts_with('.')
    }
}

/// Returns a chunk without the punctuation that is around it and no part of it.
pub(crate) fn bare(text: &str, chunk: Range<usize>) -> Range<usize> {
    let is_around = |letter: char| ",;:!?\"'()“”‘’«»…¿¡".contains(letter);
    let all = &text[chunk.clone()];
    let from_start = all.trim_start_matches(is_around);
    let start = chunk.start + all.len() - from_start.len();
    let rest = from_start.trim_end_matches(|letter| is_around(letter) || letter == '.');
    // The brackets of a call belong to it.
    let calls = from_start[rest.len()..].starts_with("()");
    start..start + rest.len() + if calls { 2 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_ends_at_as_many_backticks_as_it_began_with() {
        let text = "run `ls -l` or ``a`b`` now ` alone";
        let found: Vec<&str> = code(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["`ls -l`", "``a`b``"]);
        assert!(code("``` x").is_empty());
    }

    #[test]
    fn prose_is_told_from_code_paths_and_addresses() {
        for chunk in [
            "/etc/hosts",
            "C:\\temp",
            "me@example.org",
            "https://example.org/a",
            "www.example.org",
            "snake_case",
            "a=b",
            "main.rs",
            ".NET",
            "--force",
            "-v",
            "$5",
            "100%",
            "C++",
            "std::fs",
            "run()",
            "10:30",
            "<b>",
        ] {
            assert!(is_no_prose(chunk), "{chunk}");
        }
        for chunk in ["card", "e-mail", "don't", "end", "Card"] {
            assert!(!is_no_prose(chunk), "{chunk}");
        }
    }

    #[test]
    fn punctuation_around_is_no_part() {
        let text = "(main.rs), \"run()\"?";
        let of = |range| &text[bare(text, range)];
        assert_eq!(of(0..10), "main.rs");
        assert_eq!(of(11..19), "run()");
        assert_eq!(bare("?!", 0..2).len(), 0);
    }
}
