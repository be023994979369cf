use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Code, a role with its text, a reference or a phrase in back quotes; a footnote's number; strong
/// and emphasised text; a reference of one word; a substitution.
static MARKUP: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?x)
        ``(?P<code>.+?)``
        | (?::[\w.+:-]+:)?`(?P<quoted>[^`]+)`(?::[\w.+:-]+:)?_{0,2}
        | \[(?:\#[\w-]*|\d+|\*|[A-Z][\w]*)\]_
        | \*\*(?P<strong>[^*\s](?:[^*]*[^*\s])?)\*\*
        | \*(?P<emphasis>[^*\s](?:[^*]*[^*\s])?)\*
        | \|(?P<name>[^|\s](?:[^|]*[^|\s])?)\|_{0,2}
        | \b(?P<word>[\w-]*[A-Za-z0-9])__?(?P<after>$|[\s.,;:!?)])
        | \\(?P<escaped>.)
    ";
    Regex::new(pattern).expect("the pattern is sound")
});

/// Returns a line as it is shown: without roles, targets and stars.
pub(super) fn plain(line: &str) -> String {
    let shown = |found: &Captures| {
        if let Some(quoted) = found.name("quoted") {
            return without_target(quoted.as_str()).to_owned();
        }
        if let Some(word) = found.name("word") {
            return word.as_str().to_owned() + &found["after"];
        }
        let names = ["code", "strong", "emphasis", "name", "escaped"];
        let text = names.iter().find_map(|name| found.name(name));
        text.map_or("", |text| text.as_str()).to_owned()
    };
    MARKUP.replace_all(line, shown).into_owned()
}

/// Returns what is shown of `text <target>`, `~module.name` and `!name`.
fn without_target(quoted: &str) -> &str {
    if let Some((text, _)) = quoted
        .strip_suffix('>')
        .and_then(|quoted| quoted.rsplit_once('<'))
        && !text.trim().is_empty()
    {
        return text.trim();
    }
    match quoted.strip_prefix('~') {
        Some(path) => path.rsplit('.').next().unwrap_or(path),
        None => quoted.trim_start_matches('!'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_shown_without_its_markup() {
        for (line, shown) in [
            (
                "Use ``ls -l`` or :ref:`the list <list>`.",
                "Use ls -l or the list.",
            ),
            (
                "See `Quay <http://x>`_ and `Pier`_ and Post_.",
                "See Quay and Pier and Post.",
            ),
            (
                "*Mind* the **wide gap** [1]_ here",
                "Mind the wide gap  here",
            ),
            (":py:meth:`~boat.Winch.turn` of |name|", "turn of name"),
            (
                "snake_case and a * b * c, 2 \\* 3",
                "snake_case and a * b * c, 2 * 3",
            ),
        ] {
            assert_eq!(plain(line), shown);
        }
    }
}
