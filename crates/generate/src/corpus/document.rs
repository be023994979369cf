use pairmill_schema::identical;

use crate::left_out::{Piece, Pieces};

/// What the formats have in common: a text cut at its headings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Document {
    /// As its author gave it: in the front matter, as the only heading of level 1, or of the page.
    pub title: Option<String>,
    /// From the front matter or the page's description.
    pub description: Option<String>,
    /// Those that have a text, in order.
    pub sections: Vec<Section>,
    /// What is no text and stays out.
    pub left_out: Pieces,
}

#[cfg(test)]
impl Document {
    /// Returns the headings of each section, as a path, and its text.
    pub fn outline(self) -> Vec<(String, String)> {
        let sections = self.sections.into_iter();
        let parts = |section: Section| (section.headings.join(" > "), section.text);
        sections.map(parts).collect()
    }
}

/// The text between two headings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Section {
    /// Its heading behind those above it, without the one that is the document's title.
    pub headings: Vec<String>,
    /// A blank between words, a line break between items and rows, an empty line between
    /// paragraphs.
    pub text: String,
}

/// What stands between two pieces of text; of several, the widest counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gap {
    #[default]
    None,
    Blank,
    Line,
    Paragraph,
}

/// Makes a document of the pieces that a parser finds, in order.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    document: Document,
    /// All headings so far, each with its level.
    headings: Vec<(u8, String)>,
    /// Which of them are open.
    path: Vec<usize>,
    /// Text of the open section, or of the heading where `level` is set.
    text: String,
    gap: Gap,
    level: Option<u8>,
    /// Level of the last heading that is not a minor one; 0 before the first.
    major: u8,
}

impl Writer {
    pub fn set_title(&mut self, title: &str) {
        self.document.title = filled(title);
    }

    pub fn set_description(&mut self, description: &str) {
        self.document.description = filled(description);
    }

    /// Appends text; runs of white space become one blank.
    pub fn text(&mut self, text: &str) {
        for letter in text.chars() {
            if letter.is_whitespace() {
                self.gap(Gap::Blank);
            } else if !is_invisible(letter) {
                self.close_gap();
                self.text.push(letter);
            }
        }
    }

    pub fn gap(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    fn close_gap(&mut self) {
        let gap = std::mem::take(&mut self.gap);
        if self.text.is_empty() {
            return;
        }
        self.text.push_str(match gap {
            Gap::None => "",
            Gap::Line if self.level.is_none() => "\n",
            Gap::Paragraph if self.level.is_none() => "\n\n",
            _ => " ",
        });
    }

    /// Counts what is no text.
    pub fn leave_out(&mut self, piece: Piece) {
        self.document.left_out.add(piece, 1);
    }

    pub fn extend_left_out(&mut self, pieces: Pieces) {
        self.document.left_out.extend(pieces);
    }

    /// Returns whether what comes next is text of a heading.
    pub fn is_in_heading(&self) -> bool {
        self.level.is_some()
    }

    /// Opens a heading of level 1 to 6; what comes until [`end_heading`](Self::end_heading) is its
    /// text.
    pub fn start_heading(&mut self, level: u8) {
        self.start(level);
        self.major = level;
    }

    /// Opens a heading one level below the last one that [`start_heading`](Self::start_heading)
    /// opened, so that several in a row stand side by side. None is of level 1, as a title is.
    pub fn start_minor_heading(&mut self) {
        self.start(self.major.max(1) + 1);
    }

    /// Appends the term of a list of definitions: a heading, if it is a question, else a line.
    pub fn term(&mut self, term: &str) {
        if term.trim_end().ends_with(['?', '？']) {
            self.start_minor_heading();
            self.text(term);
            self.end_heading();
        } else {
            self.gap(Gap::Line);
            self.text(term);
            self.gap(Gap::Line);
        }
    }

    /// Lets the next text stand below the last heading that is not a minor one.
    pub fn end_minor_headings(&mut self) {
        self.end_heading();
        let major = self.major.max(1);
        let is_minor = |at: &usize| self.headings[*at].0 > major;
        if self.path.iter().any(is_minor) {
            self.end_section();
            let headings = &self.headings;
            self.path.retain(|&at| headings[at].0 <= major);
        }
    }

    fn start(&mut self, level: u8) {
        self.end_heading();
        self.end_section();
        self.level = Some(level);
    }

    pub fn end_heading(&mut self) {
        let Some(level) = self.level.take() else {
            return;
        };
        self.gap = Gap::None;
        let text = std::mem::take(&mut self.text);
        let heading = without_permalink(&text);
        if heading.is_empty() {
            return;
        }
        let headings = &mut self.headings;
        self.path.retain(|&above| headings[above].0 < level);
        self.path.push(headings.len());
        headings.push((level, heading.to_owned()));
    }

    fn end_section(&mut self) {
        self.gap = Gap::None;
        if !self.text.is_empty() {
            self.document.sections.push(Section {
                headings: self
                    .path
                    .iter()
                    .map(|&at| self.headings[at].1.clone())
                    .collect(),
                text: std::mem::take(&mut self.text),
            });
        }
    }

    /// Forgets the text so far, but not the description of the page nor what was left out.
    pub fn restart(&mut self) {
        let description = self.document.description.take();
        let left_out = std::mem::take(&mut self.document.left_out);
        *self = Self::default();
        self.document.description = description;
        self.document.left_out = left_out;
    }

    /// Returns the document; `page_title` stands in where it has no title of its own.
    pub fn finish(mut self, page_title: &str) -> Document {
        self.end_heading();
        self.end_section();
        let heading = self.title_heading(page_title).map(str::to_owned);
        let mut document = self.document;
        if let Some(heading) = &heading {
            for section in &mut document.sections {
                if section.headings.first() == Some(heading) {
                    section.headings.remove(0);
                }
            }
        }
        document.title = document.title.or(heading).or(filled(page_title));
        document
    }

    /// Returns the heading that is the document's title: one that repeats the title given before,
    /// else the only one of level 1, else a first one that the title of the page begins with.
    fn title_heading(&self, page_title: &str) -> Option<&str> {
        let mut headings = self.headings.iter().map(|(_, text)| text.as_str());
        if let Some(title) = &self.document.title {
            let title = title.to_lowercase();
            return headings.find(|heading| heading.to_lowercase() == title);
        }
        let of_top = self.headings.iter().filter(|(level, _)| *level == 1);
        match of_top.collect::<Vec<_>>()[..] {
            [(_, text)] => Some(text),
            _ => headings
                .next()
                .filter(|first| identical(page_title).starts_with(first)),
        }
    }
}

fn filled(text: &str) -> Option<String> {
    Some(identical(text).into_owned()).filter(|text| !text.is_empty())
}

/// Returns whether a letter is not shown: zero-width spaces, byte order marks and soft hyphens,
/// which tell equal texts apart.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}' | '\u{feff}' | '\u{ad}') || letter.is_control()
}

/// Returns a heading without the sign that links to it, which generators of pages put beside it.
fn without_permalink(heading: &str) -> &str {
    let is_sign = |letter: char| letter.is_whitespace() || "¶§🔗".contains(letter);
    let heading = heading.trim_matches(is_sign);
    heading.strip_suffix(" #").unwrap_or(heading).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(headings: &[&str], text: &str) -> Section {
        Section {
            headings: headings.iter().map(|&heading| heading.to_owned()).collect(),
            text: text.to_owned(),
        }
    }

    fn write(writer: &mut Writer, pieces: &[(u8, &str)]) {
        for &(level, text) in pieces {
            match level {
                0 => {
                    writer.text(text);
                    writer.gap(Gap::Paragraph);
                }
                _ => {
                    writer.start_heading(level);
                    writer.text(text);
                    writer.end_heading();
                }
            }
        }
    }

    #[test]
    fn a_section_stands_below_the_headings_of_lower_level() {
        let mut writer = Writer::default();
        write(
            &mut writer,
            &[
                (0, "before"),
                (1, "Guide"),
                (0, "intro"),
                (0, "more"),
                (2, "Install"),
                (4, "Linux"),
                (0, "apt"),
                (3, "Windows"),
                (0, "exe"),
                (2, "Empty"),
                (2, "Run ¶"),
                (0, "go"),
            ],
        );
        let document = writer.finish("");
        assert_eq!(document.title.as_deref(), Some("Guide"));
        let expected = [
            section(&[], "before"),
            section(&[], "intro\n\nmore"),
            section(&["Install", "Linux"], "apt"),
            section(&["Install", "Windows"], "exe"),
            section(&["Run"], "go"),
        ];
        assert_eq!(document.sections, expected);
    }

    fn titled(title: &str, page_title: &str, pieces: &[(u8, &str)]) -> (String, Vec<Section>) {
        let mut writer = Writer::default();
        writer.set_title(title);
        write(&mut writer, pieces);
        let document = writer.finish(page_title);
        (document.title.unwrap_or_default(), document.sections)
    }

    #[test]
    fn a_heading_that_repeats_the_title_given_before_is_the_title() {
        let pieces = [(1, "Set Up"), (0, "a"), (1, "Other"), (0, "b")];
        let sections = vec![section(&[], "a"), section(&["Other"], "b")];
        let expected = ("Set up".to_owned(), sections);
        assert_eq!(titled(" Set  up ", "Page", &pieces), expected);
        let (title, sections) = titled("Guide", "Page", &pieces[..2]);
        assert_eq!(
            (&*title, sections),
            ("Guide", vec![section(&["Set Up"], "a")])
        );
    }

    #[test]
    fn of_several_headings_of_level_1_none_is_the_title() {
        let pieces = [
            (1, "2.0"),
            (0, "a"),
            (2, "Fixed"),
            (0, "b"),
            (1, "1.0"),
            (0, "c"),
        ];
        let sections = vec![
            section(&["2.0"], "a"),
            section(&["2.0", "Fixed"], "b"),
            section(&["1.0"], "c"),
        ];
        assert_eq!(titled("", "", &pieces), (String::new(), sections.clone()));
        assert_eq!(titled("", "Log", &pieces), ("Log".to_owned(), sections));
    }

    #[test]
    fn the_title_of_the_page_is_cut_to_the_first_heading_it_begins_with() {
        let pieces = [(2, "Traits"), (0, "a"), (3, "Use"), (0, "b")];
        let (title, sections) = titled("", "Traits - The  Book", &pieces);
        assert_eq!(title, "Traits");
        assert_eq!(sections, [section(&[], "a"), section(&["Use"], "b")]);
    }

    #[test]
    fn white_space_collapses_and_the_widest_gap_counts() {
        let mut writer = Writer::default();
        writer.gap(Gap::Paragraph);
        for piece in [" a\t\nb", "c ", "\u{200b}"] {
            writer.text(piece);
        }
        writer.gap(Gap::Line);
        writer.gap(Gap::Blank);
        writer.text("d\u{a0}e ");
        let document = writer.finish("the page");
        assert_eq!(document.sections, [section(&[], "a bc\nd e")]);
        assert_eq!(document.title.as_deref(), Some("the page"));
    }

    #[test]
    fn only_a_permalink_is_cut_off_a_heading() {
        for (heading, expected) in [
            ("Setup¶", "Setup"),
            ("Setup #", "Setup"),
            ("C#", "C#"),
            ("§Setup", "Setup"),
            ("🔗", ""),
        ] {
            assert_eq!(without_permalink(heading), expected);
        }
    }
}
