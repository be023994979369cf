use super::document::{Document, Gap, Writer};
use super::terminal;
use crate::left_out::Piece;

/// Words that a first line may have to be a title.
const TITLE_WORDS: usize = 15;

/// Reads plain text: empty lines part its paragraphs. A short first line that stands alone and
/// ends no sentence is the title. Numbers of pages and what only terminals read are left out.
pub(crate) fn read(text: &str) -> Document {
    let text = terminal::plain(text);
    let text = text.trim();
    let mut writer = Writer::default();
    let mut rest = text;
    if let Some((first, after)) = text.split_once('\n')
        && after
            .lines()
            .next()
            .is_some_and(|line| line.trim().is_empty())
        && first.split_whitespace().count() <= TITLE_WORDS
        && !first.trim_end().ends_with(['.', '!', ':', ';', ','])
    {
        writer.set_title(first);
        rest = after;
    }
    let lines: Vec<&str> = rest.lines().collect();
    let mut page_numbers = terminal::page_numbers(&lines).into_iter().peekable();
    for (at, line) in lines.into_iter().enumerate() {
        if page_numbers.next_if_eq(&at).is_some() {
            writer.leave_out(Piece::PageNumber);
            continue;
        }
        let gap = match line.trim() {
            "" => Gap::Paragraph,
            _ => Gap::Blank,
        };
        writer.gap(gap);
        writer.text(line);
    }
    writer.finish("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title_and_text(text: &str) -> (Option<String>, String) {
        let document = read(text);
        let sections = document.sections.into_iter();
        (
            document.title,
            sections.map(|section| section.text).collect(),
        )
    }

    #[test]
    fn a_first_line_that_stands_alone_is_the_title() {
        let text = "\r\nHow to  reset\r\n\r\nHold the\r\nbutton.\r\n \r\nWait.\r\n";
        let title = Some("How to reset".to_owned());
        assert_eq!(
            title_and_text(text),
            (title, "Hold the button.\n\nWait.".to_owned())
        );
    }

    #[test]
    fn pages_and_man_pages_are_read_without_their_signs() {
        let text =
            "N\u{8}NO\u{8}OT\u{8}TE\u{8}E\n\nOne\n\n1\n\u{c}\ntwo.\n\n2\n\u{c}\nthree.\n\n3\n";
        let title = Some("NOTE".to_owned());
        assert_eq!(
            title_and_text(text),
            (title, "One\n\ntwo.\n\nthree.".to_owned())
        );
    }

    #[test]
    fn a_first_paragraph_is_no_title() {
        for text in ["Dear all,\n\nhello", "One line", "two\nlines\n\nmore"] {
            assert_eq!(title_and_text(text).0, None, "{text}");
        }
        assert_eq!(title_and_text("two\nlines\n\nmore").1, "two lines\n\nmore");
    }
}
