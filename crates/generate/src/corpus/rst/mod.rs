//! reStructuredText, as Docutils and Sphinx read it.

mod directives;
mod inline;

use std::sync::LazyLock;

use regex::Regex;

use super::document::{Document, Gap, Writer};
use crate::left_out::Piece;
use directives::{Content, content_of};
use inline::plain;

/// Fewest signs under a title; of a shorter title as many as it has letters.
const FEWEST_SIGNS: usize = 3;

static DIRECTIVE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\.\.\s+(?:\|[^|]+\|\s+)?([\w.+-]+(?::[\w.+-]+)*)::(?:\s+(.*))?$"));
static FOOTNOTE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\.\.\s+\[[^\]]+\]\s+(.*)$"));
static ITEM: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:[-*+•]|\(?(?:\d{1,3}|[a-zA-Z]|#)[.)])\s+(.*)$"));
static FIELD: LazyLock<Regex> = LazyLock::new(|| pattern(r"^:([^:`]+):(?:\s+(.*))?$"));
static GRID_BORDER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\+[-=+]+\+$"));
static TABLE_BORDER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^=+(?: +=+)+$"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is sound")
}

/// Reads sections, paragraphs, lists, tables and the text of directives. Code, images, comments and
/// what only makes pages (`toctree`, `index`) are left out.
///
/// The reference is <https://docutils.sourceforge.io/docs/ref/rst/restructuredtext.html>.
pub(crate) fn read(text: &str) -> Document {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut reader = Reader::default();
    reader.block(without_bibliography(&lines), true);
    reader.writer.finish("")
}

/// Returns the lines behind the fields at the beginning, which are about the file.
fn without_bibliography<'t, 'l>(mut lines: &'l [&'t str]) -> &'l [&'t str] {
    while let Some((line, rest)) = lines.split_first()
        && (line.is_empty() || FIELD.is_match(line))
    {
        lines = rest;
    }
    lines
}

#[derive(Default)]
struct Reader {
    writer: Writer,
    /// Signs of titles, and whether they stand above as well, from the highest level down.
    styles: Vec<(char, bool)>,
}

impl Reader {
    /// Reads lines; titles stand only at the top level.
    fn block(&mut self, lines: &[&str], is_top: bool) {
        let mut at = 0;
        while at < lines.len() {
            let rest = &lines[at..];
            at += match self.title(rest, is_top) {
                0 => self.part(rest),
                read => read,
            };
        }
        self.writer.gap(Gap::Paragraph);
    }

    /// Reads a title, if the lines begin with one. Returns how many lines it takes.
    fn title(&mut self, lines: &[&str], is_top: bool) -> usize {
        let line = |at: usize| lines.get(at).copied().unwrap_or_default();
        let (title, sign, is_framed) = match (sign_of(line(0)), sign_of(line(1))) {
            (Some(sign), None) if !line(1).is_empty() && sign_of(line(2)) == Some(sign) => {
                (line(1), sign, true)
            }
            (None, Some(sign)) if !line(0).is_empty() && !line(0).starts_with([' ', '.']) => {
                (line(0), sign, false)
            }
            _ => return 0,
        };
        let signs = line(usize::from(!is_framed)).chars().count();
        let letters = title.trim().chars().count();
        if !is_top || signs < letters.min(FEWEST_SIGNS) {
            return 0;
        }
        let style = (sign, is_framed);
        let known = self.styles.iter().position(|known| *known == style);
        let level = known.unwrap_or_else(|| {
            self.styles.push(style);
            self.styles.len() - 1
        });
        self.writer.start_heading(level.min(5) as u8 + 1);
        self.writer.text(&plain(title));
        self.writer.end_heading();
        2 + usize::from(is_framed)
    }

    /// Reads what is no title. Returns how many lines it takes.
    fn part(&mut self, lines: &[&str]) -> usize {
        let line = lines[0].trim_start();
        if line.is_empty() || sign_of(line).is_some() && line.len() > 3 {
            self.writer.gap(Gap::Paragraph);
            return 1;
        }
        if line == ".." || line.starts_with(".. ") {
            return 1 + self.explicit(line, indented(lines));
        }
        if line.starts_with("__ ") {
            return 1;
        }
        if line.starts_with(">>>") {
            self.writer.leave_out(Piece::CodeBlock);
            return lines.iter().take_while(|line| !line.is_empty()).count();
        }
        if GRID_BORDER.is_match(line) || TABLE_BORDER.is_match(line) {
            return self.table(lines);
        }
        self.paragraph_line(line, indented(lines))
    }

    /// Reads a line of a paragraph, with the literal block that it announces.
    fn paragraph_line(&mut self, line: &str, below: &[&str]) -> usize {
        let (gap, text) = match (ITEM.captures(line), FIELD.captures(line)) {
            (Some(item), _) => (Gap::Line, item.get(1).map_or("", |text| text.as_str())),
            (None, Some(field)) => {
                self.writer.gap(Gap::Line);
                self.writer.text(&plain(&field[1]));
                (Gap::Blank, field.get(2).map_or("", |text| text.as_str()))
            }
            // A line block keeps its lines.
            (None, None) => match line.strip_prefix("| ") {
                Some(text) => (Gap::Line, text),
                None => (Gap::Blank, line),
            },
        };
        self.writer.gap(gap);
        let announces = text.ends_with("::") && below.iter().any(|line| !line.is_empty());
        if !announces {
            self.writer.text(&plain(text));
            return 1;
        }
        let text = text.trim_end_matches(':').trim_end();
        if !text.is_empty() {
            self.writer.text(&plain(text));
            self.writer.text(":");
        }
        self.writer.gap(Gap::Paragraph);
        self.writer.leave_out(Piece::CodeBlock);
        1 + below.len()
    }

    /// Reads what begins with two dots, with what is indented below it. Returns how many lines that
    /// is.
    fn explicit(&mut self, line: &str, below: &[&str]) -> usize {
        self.writer.gap(Gap::Paragraph);
        if let Some(directive) = DIRECTIVE.captures(line) {
            let argument = directive.get(2).map_or("", |argument| argument.as_str());
            let content = content_of(&directive[1]);
            let body = dedented(below);
            match content {
                Content::Code => self.writer.leave_out(Piece::CodeBlock),
                Content::None => {}
                Content::Text | Content::TextOf => {
                    if content == Content::TextOf {
                        self.writer.text(&plain(argument));
                        self.writer.gap(Gap::Paragraph);
                    }
                    self.block(without_bibliography(&body), false);
                }
            }
        } else if let Some(footnote) = FOOTNOTE.captures(line) {
            self.writer.text(&plain(&footnote[1]));
            self.block(&dedented(below), false);
        }
        self.writer.gap(Gap::Paragraph);
        below.len()
    }

    /// Reads a table, row by row. Returns how many lines it takes.
    fn table(&mut self, lines: &[&str]) -> usize {
        let is_grid = lines[0].trim_start().starts_with('+');
        let is_border = |line: &str| match is_grid {
            true => GRID_BORDER.is_match(line),
            false => TABLE_BORDER.is_match(line),
        };
        let end = match is_grid {
            true => lines.iter().take_while(|line| !line.is_empty()).count(),
            // A simple table may have empty lines before its last border.
            false => {
                let borders = lines
                    .iter()
                    .enumerate()
                    .filter(|(_, line)| is_border(line.trim()));
                borders.take(3).last().map_or(1, |(at, _)| at + 1)
            }
        };
        self.writer.gap(Gap::Paragraph);
        for line in lines[..end].iter().map(|line| line.trim()) {
            if !is_border(line) {
                self.writer.text(&plain(&line.replace('|', " ")));
            }
            self.writer.gap(Gap::Line);
        }
        self.writer.gap(Gap::Paragraph);
        end
    }
}

/// Returns the sign that a line repeats under or over a title.
fn sign_of(line: &str) -> Option<char> {
    let sign = line.chars().next().filter(char::is_ascii_punctuation)?;
    (line.len() > 1 && line.chars().all(|letter| letter == sign) && line != "..").then_some(sign)
}

/// Returns the lines below the first that are indented deeper or empty; those at the end are not
/// empty.
fn indented<'t, 'l>(lines: &'l [&'t str]) -> &'l [&'t str] {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let below = &lines[1..];
    let belongs = |line: &&&str| line.is_empty() || depth(line) > depth(lines[0]);
    let mut end = below.iter().take_while(belongs).count();
    while end > 0 && below[end - 1].is_empty() {
        end -= 1;
    }
    &below[..end]
}

/// Returns lines without the blanks that all begin with.
fn dedented<'t>(lines: &[&'t str]) -> Vec<&'t str> {
    let depth = |line: &&str| line.len() - line.trim_start().len();
    let filled = lines.iter().filter(|line| !line.is_empty());
    let least = filled.map(depth).min().unwrap_or_default();
    let cut = |line: &&'t str| line.get(least..).unwrap_or_default();
    lines.iter().map(cut).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sections(text: &str) -> Vec<(String, String)> {
        read(text).outline()
    }

    fn pair(path: &str, text: &str) -> (String, String) {
        (path.to_owned(), text.to_owned())
    }

    #[test]
    fn titles_have_their_levels_by_their_signs() {
        let text = ":orphan:\n\n=====\nBoats\n=====\n\nOf boats.\n\nQuay\n----\n\nThe quay.\n\nPost\n^^^^\n\
                    It\nstands.\n\nPier\n----\nThe pier.\n\n----\n\nMore.\n";
        assert_eq!(read(text).title.as_deref(), Some("Boats"));
        let expected = [
            pair("", "Of boats."),
            pair("Quay", "The quay."),
            pair("Quay > Post", "It stands."),
            pair("Pier", "The pier.\n\nMore."),
        ];
        assert_eq!(sections(text), expected);
    }

    #[test]
    fn code_and_what_makes_pages_is_left_out() {
        let text = ".. _boats:\n\n.. a comment\n   in two lines\n\nRun::\n\n    winch --slow\n\n    x\n\nThen:\n\n\
                    .. code-block:: sh\n   :linenos:\n\n   ls\n\n.. toctree::\n\n   a\n   b\n\n\
                    >>> 1 + 1\n2\n\n.. image:: a.png\n   :alt: no\n\nEnd.";
        assert_eq!(sections(text), [pair("", "Run:\n\nThen:\n\nEnd.")]);
        assert_eq!(read(text).left_out.number(Piece::CodeBlock), 3);
    }

    #[test]
    fn boxes_lists_and_tables_are_text() {
        let text = ".. note:: Mind it.\n\n   The gap.\n\n.. py:function:: winch(turns)\n\n   Turns it.\n\n\
                    \x20  :param turns: how often\n\n- one\n  more\n- two\n\n===== =====\n\
                    A     B\n===== =====\n1     2\n===== =====\n\n+---+---+\n| x | y |\n+---+---+\n\nTail [1]_.\n\n.. [1] The note.\n";
        let expected = "Mind it.\n\nThe gap.\n\nwinch(turns)\n\nTurns it.\n\nparam turns how often\n\n\
                        one more\ntwo\n\nA B\n1 2\n\nx y\n\nTail .\n\nThe note.";
        assert_eq!(sections(text), [pair("", expected)]);
    }
}
