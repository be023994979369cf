use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::dialects;
use super::document::{Document, Gap, Writer};
use super::front_matter::FrontMatter;
use super::html;
use super::templates;
use crate::left_out::{Piece, Pieces};

/// Reads CommonMark with the tables, footnotes and alerts of GitHub, lists of definitions and links
/// of wikis, and the boxes and tabs of documentation generators. Code blocks, images and the tags
/// of site generators are left out, HTML blocks read as HTML.
pub(crate) fn read(text: &str) -> Document {
    let (front_matter, text) = FrontMatter::split(text);
    let mut pieces = Pieces::default();
    let text = templates::strip(text, &mut pieces);
    let text = dialects::to_markdown(&text, &mut pieces);
    let mut writer = Writer::default();
    writer.extend_left_out(pieces);
    writer.set_title(&front_matter.title.unwrap_or_default());
    writer.set_description(&front_matter.description.unwrap_or_default());
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_DEFINITION_LIST
        | Options::ENABLE_WIKILINKS
        | Options::ENABLE_GFM;
    let mut html_block = String::new();
    let mut term: Option<String> = None;
    // Inside this many code blocks or images.
    let mut left_out = 0_usize;
    for event in Parser::new_ext(&text, options) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => {
                left_out += 1;
                writer.leave_out(Piece::CodeBlock);
            }
            Event::Start(Tag::Image { .. }) => left_out += 1,
            Event::End(TagEnd::CodeBlock | TagEnd::Image) => left_out -= 1,
            _ if left_out > 0 => {}
            Event::Start(Tag::Heading { level, .. }) => writer.start_heading(level as u8),
            Event::End(TagEnd::Heading(_)) => writer.end_heading(),
            Event::Start(Tag::DefinitionListTitle) => term = Some(String::new()),
            Event::End(TagEnd::DefinitionListTitle) => {
                writer.term(&term.take().unwrap_or_default());
            }
            Event::Html(html) => html_block.push_str(&html),
            Event::End(TagEnd::HtmlBlock) => {
                writer.gap(Gap::Paragraph);
                html::read_block(&html_block, &mut writer);
                writer.gap(Gap::Paragraph);
                html_block.clear();
            }
            Event::Text(text) | Event::Code(text) => match &mut term {
                Some(term) => term.push_str(&text),
                None => writer.text(&text),
            },
            event => match &mut term {
                Some(term) if gap_at(&event) > Gap::None => term.push(' '),
                Some(_) => {}
                None => writer.gap(gap_at(&event)),
            },
        }
    }
    writer.finish("")
}

fn gap_at(event: &Event) -> Gap {
    match event {
        Event::Start(Tag::List(_) | Tag::Item | Tag::TableRow | Tag::DefinitionListDefinition)
        | Event::End(TagEnd::List(_) | TagEnd::Item | TagEnd::TableHead | TagEnd::TableRow)
        | Event::HardBreak => Gap::Line,
        Event::End(TagEnd::TableCell) | Event::SoftBreak => Gap::Blank,
        // `a<br>b` are two words.
        Event::InlineHtml(tag) if tag.starts_with("<br") => Gap::Blank,
        Event::Start(
            Tag::Paragraph
            | Tag::BlockQuote(_)
            | Tag::Table(_)
            | Tag::FootnoteDefinition(_)
            | Tag::DefinitionList,
        )
        | Event::End(
            TagEnd::Paragraph
            | TagEnd::BlockQuote(_)
            | TagEnd::Table
            | TagEnd::FootnoteDefinition
            | TagEnd::DefinitionList,
        )
        | Event::Rule => Gap::Paragraph,
        _ => Gap::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let sections = read(text).sections.into_iter();
        sections.map(|section| section.text).collect()
    }

    #[test]
    fn headings_and_front_matter_make_the_outline() {
        let document = read(
            "---\ntitle: Server guide\ndescription: Run a server.\n---\nBefore.\n\n## Set `up` *it* {#a}\n\nDo\nit.\n\nSetext\n------\nEnd",
        );
        assert_eq!(document.title.as_deref(), Some("Server guide"));
        assert_eq!(document.description.as_deref(), Some("Run a server."));
        let sections: Vec<_> = document
            .sections
            .iter()
            .map(|section| (section.headings.join(" > "), section.text.as_str()))
            .collect();
        let expected = [("", "Before."), ("Set up it", "Do it."), ("Setext", "End")];
        assert_eq!(
            sections,
            expected.map(|(path, text)| (path.to_owned(), text))
        );
    }

    #[test]
    fn code_blocks_and_images_go_and_inline_code_stays() {
        let text = "Run `ls -l`:\n\n```sh\nls\n```\n\n    indented\n\n![a `b` c](x.png)See [the *docs*](http://x).\n\n# H\n\n```\nonly code\n```\n";
        assert_eq!(texts(text), ["Run ls -l:\n\nSee the docs."]);
    }

    #[test]
    fn items_and_rows_are_lines() {
        let text = "One:\n- a\n  - b\n- c\n\n| x | y |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\n> [!NOTE]\n> Mind.\n";
        assert_eq!(texts(text), ["One:\n\na\nb\nc\n\nx y\n1 2\n3 4\n\nMind."]);
    }

    #[test]
    fn html_blocks_are_read_and_comments_are_not() {
        let text = "<!-- hidden -->\n\n<h2 align=\"center\">In &amp; out</h2>\n\na<br>b <kbd>Ctrl</kbd><!-- x -->\n\n<script>\nvar x;\n</script>\n\n<p>\nlast\n</p>\n";
        let document = read(text);
        assert_eq!(document.sections.len(), 1);
        assert_eq!(document.sections[0].headings, ["In & out"]);
        assert_eq!(document.sections[0].text, "a b Ctrl\n\nlast");
    }

    #[test]
    fn what_generators_of_documentation_add_is_read_as_they_show_it() {
        let text = "+++\ntitle = \"Boats\"\n+++\n{% include toc.html %}\n\nSee [[Quay|the quay]] and \
                    [[Pier]].[^1]\n\n!!! note \"Mind\"\n    The gap.\n\nDo they float?\n: They do.\n\n\
                    ![[boat.png]]\n\n[^1]: Both are old.\n";
        let document = read(text);
        assert_eq!(document.title.as_deref(), Some("Boats"));
        let sections: Vec<_> = document
            .sections
            .iter()
            .map(|section| (section.headings.join(" > "), section.text.as_str()))
            .collect();
        let first = "See the quay and Pier.\n\nMind\n\nThe gap.";
        let expected = [("", first), ("Do they float?", "They do.\n\nBoth are old.")];
        assert_eq!(
            sections,
            expected.map(|(path, text)| (path.to_owned(), text))
        );
    }
}
