//! Keys, tokens and passwords.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Check, Span, TextCheck};
use crate::kind::{Family, Fix, Kind, Severity};

pub(super) const CHECK: Check = Check::Text(&TextCheck {
    kind: &SECRET,
    find,
    mend: None,
});

/// Something that lets its holder in.
pub static SECRET: Kind = Kind {
    name: "secret",
    title: "texts with a key, a token or a password",
    family: Family::PersonalData,
    severity: Severity::Error,
    remedy: "revoke it, for others have read it; `--anonymise` puts a placeholder in its place",
    fix: Fix::None,
};

/// Forms that say by themselves what they are.
static FORMS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (
            r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
            "a private key",
        ),
        (r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", "a key of AWS"),
        (
            r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b",
            "a token of GitHub",
        ),
        (r"\bglpat-[A-Za-z0-9_-]{20,}", "a token of GitLab"),
        (r"\bxox[abeprs]-[A-Za-z0-9-]{10,}", "a token of Slack"),
        (r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}\b", "a key of Stripe"),
        (r"\bAIza[A-Za-z0-9_-]{35}\b", "a key of Google"),
        (r"\bsk-(?:[a-z]+-)*[A-Za-z0-9_-]{32,}", "a key of a model's interface"),
        (r"\bhf_[A-Za-z0-9]{30,}\b", "a token of Hugging Face"),
        (
            r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
            "a JSON web token",
        ),
    ]
    .map(|(pattern, what)| (Regex::new(pattern).expect("the pattern is sound"), what))
    .into()
});
/// What is said to be one.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?i)\b([\w-]*(?:api[_-]?key|secret|token|access[_-]?key|private[_-]?key|auth[_-]?key|key))"#,
        r#"["']?\s{0,2}(?::=|=>|[:=])\s{0,2}["'`]?([A-Za-z0-9_+/=.~-]{16,})"#,
        r#"|\b(bearer)\s+([A-Za-z0-9_+/=.~-]{20,})"#,
        r#"|\b(pass(?:word|wd|phrase)?|pwd|passwort|kennwort|contraseña|mot de passe)"#,
        r#"["']?\s{0,2}(?:[:=]|is|ist|est|es)\s{0,2}["'`]?([^\s"'`<>]{6,64})"#,
    ))
    .expect("the pattern is sound")
});
/// Bits a letter carries in a key at least: 16 random hexadecimal digits carry about 3.2, words of
/// English less than 3.
const ENTROPY: f64 = 3.0;

fn find(text: &str) -> Vec<Span> {
    if text.len() < 12 {
        return Vec::new();
    }
    let mut found: Vec<(Range<usize>, &str)> = Vec::new();
    for (form, what) in FORMS.iter() {
        found.extend(form.find_iter(text).map(|key| (key.range(), *what)));
    }
    for named in NAMED.captures_iter(text) {
        let key = [2, 4].into_iter().find_map(|group| named.get(group));
        if let Some(key) = key.filter(|key| is_random(key.as_str())) {
            found.push((key.range(), "a key or token"));
        }
        if let Some(password) = named.get(6).filter(|word| is_password(word.as_str())) {
            let length = password.as_str().trim_end_matches(['.', ',', ';', ')']).len();
            let range = password.start()..password.start() + length;
            found.push((range, "a password"));
        }
    }
    found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut spans: Vec<Span> = Vec::new();
    for (range, what) in found {
        if spans.last().is_none_or(|last| last.range.end <= range.start) {
            spans.push(Span::new(range, what));
        }
    }
    spans
}

/// Whether a value is drawn rather than written: letters and digits, and many different ones.
fn is_random(value: &str) -> bool {
    let has = |is_one: fn(&u8) -> bool| value.bytes().any(|byte| is_one(&byte));
    let mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    // `my-key-goes-here-1`, `example.com/path/to/v2`: words with marks between.
    let longest = value
        .split(['-', '_', '.', '/'])
        .map(str::len)
        .max()
        .unwrap_or(0);
    mixed && longest >= 12 && entropy(value) >= ENTROPY
}

/// Whether what stands behind `password:` is one: not a word of the sentence, not a stand-in.
fn is_password(value: &str) -> bool {
    let has = |is_one: fn(char) -> bool| value.contains(is_one);
    let is_stand_in = value.starts_with(['$', '%', '{', '[', '*', '(']) || value.contains("***");
    let is_mixed = has(|letter| letter.is_ascii_digit()) && has(char::is_alphabetic);
    is_mixed && !is_stand_in
}

/// Bits a letter, by how often each stands in the value (Shannon).
fn entropy(value: &str) -> f64 {
    let mut counts: HashMap<char, f64> = HashMap::new();
    for letter in value.chars() {
        *counts.entry(letter).or_default() += 1.0;
    }
    let all: f64 = counts.values().sum();
    counts
        .values()
        .map(|count| -count / all * (count / all).log2())
        .sum()
}

#[cfg(test)]
mod tests {
    use crate::testing::spans;

    /// Put together here, so that no scanner takes this file for a leak.
    fn key(parts: &[&str]) -> String {
        parts.concat()
    }

    #[test]
    fn keys_that_say_what_they_are_are_found() {
        let letters = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1eF3hJ5kL7";
        for key in [
            key(&["AKIA", "IOSFODNN7EXAMPLE"]),
            key(&["ghp_", &letters[..36]]),
            key(&["github_pat_", &letters[..30]]),
            key(&["eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0In0", ".dozjgNryP4J3jVmNHl0w5N"]),
            key(&["-----BEGIN RSA ", "PRIVATE KEY-----\nMIIE\n-----END RSA ", "PRIVATE KEY-----"]),
            key(&["hf_", &letters[..34]]),
        ] {
            assert_eq!(spans("secret", &format!("It is {key} here")), [key.as_str()]);
        }
    }

    #[test]
    fn keys_that_are_called_so_are_found() {
        for (text, value) in [
            ("api_key = \"9f8a7c6b5e4d3f2a1b0c\"", "9f8a7c6b5e4d3f2a1b0c"),
            ("X-Auth-Token: Zk8Q2vR5tY7uI1oP3aS6", "Zk8Q2vR5tY7uI1oP3aS6"),
            ("Authorization: Bearer Zk8Q2vR5tY7uI1oP3aS6dF", "Zk8Q2vR5tY7uI1oP3aS6dF"),
            ("my password is hunter42!", "hunter42!"),
            ("Passwort: geheim123.", "geheim123"),
        ] {
            assert_eq!(spans("secret", text), [value], "{text}");
        }
    }

    #[test]
    fn talk_of_keys_is_none() {
        for text in [
            "How do I reset my password?",
            "the password is required and expires",
            "password: ********",
            "key=value_of_the_attribute_name",
            "token: <your-token-1>",
            "api_key: ${API_KEY_1}",
            "primary key: customer_id_2024_table",
            "sk-learn and sk-something",
            "sort key: 1234567890123456",
        ] {
            assert_eq!(spans("secret", text), [""; 0], "{text}");
        }
    }
}
