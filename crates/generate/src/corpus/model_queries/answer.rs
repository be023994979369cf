//! What a model's answer holds: a query on each line, some of which are none.

use std::collections::HashSet;
use std::sync::LazyLock;

use pairmill_language_model::Answer;
use pairmill_schema::{Sameness, TextKey, equivalent, is_unspaced};
use regex::Regex;

/// Words of a query at most.
const MOST_WORDS: usize = 40;
/// Words in a row from which on a query that stands in its passage is a copy. Names of products
/// and commands are shorter.
const COPIED_WORDS: usize = 8;
/// The same in letters, for scripts without blanks.
const COPIED_LETTERS: usize = 20;

/// Why a line of an answer is no query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(super) enum Defect {
    /// The answer has no line.
    Empty,
    /// The answer reached its greatest length within it.
    Cut,
    /// It leads to queries, or has no letter.
    NoQuery,
    /// One word.
    TooShort,
    TooLong,
    /// It speaks of `the passage`.
    OfThePassage,
    /// A sentence of the passage.
    Copied,
    /// One of the user's examples.
    Example,
    /// An earlier one of the same passage.
    Repeated,
    /// Behind as many queries as were asked for.
    Surplus,
    /// In another language than the passage.
    OtherLanguage,
    /// It asks for passages of more documents than say anything of one.
    Common,
}

/// Splits an answer into queries, each with what is wrong with it.
pub(super) fn queries(
    answer: &Answer,
    passage: &str,
    most: usize,
    examples: &HashSet<TextKey>,
    sameness: Sameness,
) -> Vec<(String, Option<Defect>)> {
    let lines = lines(&answer.text);
    if lines.is_empty() {
        return vec![(String::new(), Some(Defect::Empty))];
    }
    let of_passage = Passage::new(passage);
    let mut known = HashSet::new();
    let mut sound = 0;
    let last = lines.len() - 1;
    let judged = lines.into_iter().enumerate().map(|(at, line)| {
        let key = TextKey::new(&line, sameness);
        let defect = if answer.is_cut && at == last {
            Some(Defect::Cut)
        } else if sound == most {
            Some(Defect::Surplus)
        } else if examples.contains(&key) {
            Some(Defect::Example)
        } else if !known.insert(key) {
            Some(Defect::Repeated)
        } else {
            of_passage.defect(&line)
        };
        sound += usize::from(defect.is_none());
        (line, defect)
    });
    judged.collect()
}

/// Returns the lines of an answer without numbers, marks and quotes around them.
fn lines(answer: &str) -> Vec<String> {
    // Models that think aloud do so before they answer.
    let answer = answer.rsplit("</think>").next().unwrap_or_default().trim();
    let listed: Option<Vec<String>> = serde_json::from_str(answer).ok();
    let lines = listed.unwrap_or_else(|| answer.lines().map(str::to_owned).collect());
    let lines = lines.iter().map(|line| bare(line));
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("```"));
    lines.map(str::to_owned).collect()
}

/// Returns a line without its number or bullet, a name such as `Query:`, and quotes.
fn bare(line: &str) -> &str {
    static LEAD: LazyLock<Regex> = LazyLock::new(|| {
        let lead = r"(?i)^[\s>*#•–-]*(?:(?:query|question|q)?\s*\d*\s*[.):]\s+)?";
        Regex::new(lead).expect("it is sound")
    });
    let line = line.trim();
    let lead = LEAD.find(line).map_or(0, |lead| lead.end());
    let line = line[lead..].trim();
    let line = line.trim_matches(|letter| matches!(letter, '*' | '_' | '`'));
    line.trim_matches(|letter| matches!(letter, '"' | '“' | '”' | '„' | '«' | '»'))
        .trim()
}

/// What a query is held against.
struct Passage {
    /// Without letter case and punctuation.
    folded: String,
    language: Option<whatlang::Info>,
}

impl Passage {
    fn new(text: &str) -> Self {
        Self {
            folded: equivalent(text),
            language: whatlang::detect(text),
        }
    }

    fn defect(&self, query: &str) -> Option<Defect> {
        static OF_PASSAGE: LazyLock<Regex> = LazyLock::new(|| {
            let words = r"(?i)\b(?:this|the|given|above)\s+(?:passage|text|article|excerpt|paragraph|author)\b";
            Regex::new(words).expect("it is sound")
        });
        let has_blanks = !query.chars().any(is_unspaced);
        let words = query.split_whitespace().count();
        let letters = query
            .chars()
            .filter(|letter| letter.is_alphabetic())
            .count();
        let (length, least_copied) = match has_blanks {
            true => (words, COPIED_WORDS),
            false => (letters, COPIED_LETTERS),
        };
        if letters == 0 || query.ends_with([':', '：']) {
            Some(Defect::NoQuery)
        } else if has_blanks && words < 2 {
            Some(Defect::TooShort)
        } else if words > MOST_WORDS {
            Some(Defect::TooLong)
        } else if OF_PASSAGE.is_match(query) {
            Some(Defect::OfThePassage)
        } else if length >= least_copied && self.folded.contains(&equivalent(query)) {
            Some(Defect::Copied)
        } else if self.is_of_other_language(query) {
            Some(Defect::OtherLanguage)
        } else {
            None
        }
    }

    /// Returns whether the script is another one, or the language certainly is.
    fn is_of_other_language(&self, query: &str) -> bool {
        let (Some(own), Some(script)) = (&self.language, whatlang::detect_script(query)) else {
            return false;
        };
        let language = whatlang::detect(query);
        let differs = language.is_some_and(|told| {
            told.is_reliable() && own.is_reliable() && told.lang() != own.lang()
        });
        script != own.script() || differs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSAGE: &str = "Tar keeps the owner of each file that it packs into an archive. With \
                           --no-same-owner it gives the files to the one who unpacks them.";

    fn read(text: &str, is_cut: bool) -> Vec<(String, Option<Defect>)> {
        let answer = Answer {
            text: text.to_owned(),
            is_cut,
            prompt_tokens: 0,
            completion_tokens: 0,
        };
        let examples = HashSet::from([TextKey::new("how do I log in?", Sameness::Equivalent)]);
        queries(&answer, PASSAGE, 3, &examples, Sameness::Equivalent)
    }

    fn defects(text: &str) -> Vec<Option<Defect>> {
        read(text, false)
            .into_iter()
            .map(|(_, defect)| defect)
            .collect()
    }

    #[test]
    fn numbers_marks_and_quotes_are_no_part_of_a_query() {
        for line in [
            "1. who owns unpacked files?",
            "2) who owns unpacked files?",
            "- who owns unpacked files?",
            "* **who owns unpacked files?**",
            "\"who owns unpacked files?\"",
            "Query 3: who owns unpacked files?",
            "Q: who owns unpacked files?",
            "<think>they want queries\nso</think>\nwho owns unpacked files?",
            "[\"who owns unpacked files?\"]",
            "```\nwho owns unpacked files?\n```",
        ] {
            let expected = [("who owns unpacked files?".to_owned(), None)];
            assert_eq!(read(line, false), expected, "{line}");
        }
        let numbers = read("3 ways to keep owners\n2024.1 release of tar", false);
        assert_eq!(numbers[0].0, "3 ways to keep owners");
        assert_eq!(numbers[1].0, "2024.1 release of tar");
    }

    #[test]
    fn what_is_no_query_is_told_with_its_reason() {
        for (line, defect) in [
            ("Here are three queries:", Defect::NoQuery),
            ("???", Defect::NoQuery),
            ("tar", Defect::TooShort),
            (
                "what does the passage say about owners",
                Defect::OfThePassage,
            ),
            (
                "tar keeps the owner of each file that it packs",
                Defect::Copied,
            ),
            ("How do I log in", Defect::Example),
            ("谁拥有解压缩的文件", Defect::OtherLanguage),
        ] {
            assert_eq!(defects(line), [Some(defect)], "{line}");
        }
        assert_eq!(defects(&"owner ".repeat(41)), [Some(Defect::TooLong)]);
        assert_eq!(
            defects("owner of files?\nOwner of files"),
            [None, Some(Defect::Repeated)]
        );
        assert_eq!(
            defects("owner of files\nfiles unpacked\narchive owner\nkeep owners")[3],
            Some(Defect::Surplus)
        );
        assert_eq!(
            read("owner of files\nwhat becomes of th", true)[1].1,
            Some(Defect::Cut)
        );
        assert_eq!(
            defects("--no-same-owner archive"),
            [None],
            "as it stands there"
        );
        assert_eq!(defects(" \n"), [Some(Defect::Empty)]);
    }
}
