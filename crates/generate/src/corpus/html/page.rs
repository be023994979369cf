//! A page as it is read, tag by tag.

use std::collections::HashSet;

use html5ever::tokenizer::Tag;

use super::tags::{attribute, gap_at, heading_level, is_hidden, is_unfolding, left_out};
use crate::corpus::document::{Document, Gap, Writer};
use crate::corpus::preformatted::is_prose;
use crate::left_out::Piece;

/// What is known of the page where the tokenizer stands.
#[derive(Debug, Default)]
pub(super) struct Page {
    writer: Writer,
    /// Of the page, from `<title>`.
    title: String,
    is_whole: bool,
    in_title: bool,
    /// The element that is left out, until it ends.
    left_out: Option<Open>,
    /// The element that is a heading without being `<h1>` to `<h6>`.
    heading: Option<Open>,
    /// What stands in `<pre>` so far, and whether it is marked as code.
    preformatted: Option<(String, bool)>,
    /// What stands in `<dt>` so far.
    term: Option<String>,
    /// Ids of parts that a control unfolds.
    controlled: HashSet<String>,
    main: Main,
}

/// An element by its name, and how often one of that name is open.
#[derive(Debug)]
struct Open {
    name: String,
    depth: usize,
}

impl Open {
    fn new(tag: &Tag) -> Self {
        let name = tag.name.to_string();
        Self { name, depth: 1 }
    }

    fn start(&mut self, tag: &Tag) {
        self.depth += usize::from(*self.name == *tag.name && !tag.self_closing);
    }

    /// Returns whether this end is the element's own.
    fn ends_at(&mut self, name: &str) -> bool {
        self.depth -= usize::from(self.name == name);
        self.depth == 0
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Main {
    #[default]
    NotSeen,
    Open,
    Closed,
}

impl Page {
    /// Begins a page.
    pub fn whole() -> Self {
        Self {
            is_whole: true,
            ..Self::default()
        }
    }

    /// Goes on in a document of another format.
    pub fn within(writer: Writer) -> Self {
        Self {
            writer,
            ..Self::default()
        }
    }

    pub fn finish(mut self) -> Document {
        self.end_open_parts();
        self.writer.finish(&self.title)
    }

    pub fn into_writer(mut self) -> Writer {
        self.end_open_parts();
        self.writer
    }

    /// Ends what was never closed.
    fn end_open_parts(&mut self) {
        self.end_preformatted();
        self.end_term();
    }

    pub fn text(&mut self, text: &str) {
        if self.in_title {
            return self.title.push_str(text);
        }
        if self.left_out.is_some() || self.main == Main::Closed {
            return;
        }
        if let Some((preformatted, _)) = &mut self.preformatted {
            preformatted.push_str(text);
        } else if let Some(term) = &mut self.term {
            term.push_str(text);
        } else {
            self.writer.text(text);
        }
    }

    pub fn start(&mut self, tag: &Tag) {
        let name = &*tag.name;
        if let Some(left_out) = &mut self.left_out {
            return left_out.start(tag);
        }
        if let Some((_, is_code)) = &mut self.preformatted {
            *is_code |= name == "code";
            return;
        }
        if let Some(heading) = &mut self.heading {
            heading.start(tag);
        }
        self.note_controlled(tag);
        if self.leaves_out(tag) || self.starts_heading(tag) {
            return;
        }
        match name {
            // A vector graphic may have a title as well.
            "title" => self.in_title = self.title.is_empty(),
            "meta" if attribute(tag, "name").eq_ignore_ascii_case("description") => {
                self.writer.set_description(attribute(tag, "content"));
            }
            "main" if self.is_whole && self.main == Main::NotSeen => {
                self.writer.restart();
                self.main = Main::Open;
            }
            "pre" => self.preformatted = Some((String::new(), is_marked_as_code(tag))),
            "dt" => {
                self.end_term();
                self.term = Some(String::new());
            }
            "dd" => self.end_term(),
            // A heading that was never closed.
            "p" if self.heading.is_none() => self.writer.end_heading(),
            _ => {}
        }
        self.gap(gap_at(name));
    }

    /// Leaves an element out, if it is no text.
    fn leaves_out(&mut self, tag: &Tag) -> bool {
        // The words of a heading often stand in a button.
        let is_heading = self.writer.is_in_heading() || is_unfolding(tag);
        let hidden = is_hidden(tag, |id| self.controlled.contains(id));
        let piece = match left_out(tag, self.main != Main::NotSeen) {
            Some(Some(Piece::Control)) if is_heading && &*tag.name == "button" => None,
            None if hidden => Some(Some(Piece::Hidden)),
            left_out => left_out,
        };
        let Some(piece) = piece else {
            return false;
        };
        // A sign beside a heading is no part of the text.
        if let Some(piece) = piece.filter(|_| !self.writer.is_in_heading()) {
            self.writer.leave_out(piece);
        }
        self.left_out = (!tag.self_closing).then(|| Open::new(tag));
        self.gap(Gap::Blank);
        true
    }

    fn starts_heading(&mut self, tag: &Tag) -> bool {
        if let Some(level) = heading_level(tag) {
            self.end_term();
            self.writer.start_heading(level);
            // `<h2>` and its like end by their name.
            if !tag.name.starts_with('h') {
                self.heading = Some(Open::new(tag));
            }
            return true;
        }
        if self.writer.is_in_heading() || !is_unfolding(tag) {
            return false;
        }
        self.end_term();
        self.writer.start_minor_heading();
        self.heading = Some(Open::new(tag));
        true
    }

    fn note_controlled(&mut self, tag: &Tag) {
        for name in ["aria-controls", "data-target", "data-bs-target"] {
            let ids = attribute(tag, name).split_whitespace();
            let ids = ids.map(|id| id.trim_start_matches('#').to_owned());
            self.controlled.extend(ids);
        }
    }

    pub fn end(&mut self, name: &str) {
        if let Some(left_out) = &mut self.left_out {
            if left_out.ends_at(name) {
                self.left_out = None;
            }
            return;
        }
        if self.preformatted.is_some() {
            if name == "pre" {
                self.end_preformatted();
            }
            return;
        }
        if let Some(heading) = &mut self.heading
            && heading.ends_at(name)
        {
            self.heading = None;
            self.writer.end_heading();
        }
        match name {
            "title" => self.in_title = false,
            "main" if self.main == Main::Open => self.main = Main::Closed,
            "dt" | "dl" => self.end_term(),
            "details" => self.writer.end_minor_headings(),
            _ => {}
        }
        match name.as_bytes() {
            [b'h', b'1'..=b'6'] => self.writer.end_heading(),
            _ => self.gap(gap_at(name)),
        }
    }

    /// Writes what `<pre>` holds, unless it is code.
    fn end_preformatted(&mut self) {
        let Some((text, is_code)) = self.preformatted.take() else {
            return;
        };
        self.writer.gap(Gap::Paragraph);
        if is_code || !is_prose(&text) {
            self.writer.leave_out(Piece::CodeBlock);
            return;
        }
        for line in text.lines() {
            match line.trim() {
                "" => self.writer.gap(Gap::Paragraph),
                line => self.writer.text(line),
            }
            self.writer.gap(Gap::Blank);
        }
        self.writer.gap(Gap::Paragraph);
    }

    /// Writes what `<dt>` holds.
    fn end_term(&mut self) {
        if let Some(term) = self.term.take() {
            self.writer.term(&term);
        }
    }

    fn gap(&mut self, gap: Gap) {
        match &mut self.term {
            Some(term) if gap > Gap::None => term.push(' '),
            Some(_) => {}
            None => self.writer.gap(gap),
        }
    }
}

fn is_marked_as_code(tag: &Tag) -> bool {
    let class = attribute(tag, "class");
    [
        "code",
        "highlight",
        "language-",
        "brush",
        "prettyprint",
        "sourceCode",
    ]
    .iter()
    .any(|word| class.contains(word))
}
