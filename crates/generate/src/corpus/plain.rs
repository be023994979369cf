use super::document::{Document, Gap, Writer};

/// Words that a first line may have to be a title.
const TITLE_WORDS: usize = 15;

/// Reads plain text: empty lines part its paragraphs. A short first line that stands alone and
/// ends no sentence is the title.
pub(crate) fn read(text: &str) -> Document {
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
    for line in rest.lines() {
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
    fn a_first_paragraph_is_no_title() {
        for text in ["Dear all,\n\nhello", "One line", "two\nlines\n\nmore"] {
            assert_eq!(title_and_text(text).0, None, "{text}");
        }
        assert_eq!(title_and_text("two\nlines\n\nmore").1, "two lines\n\nmore");
    }
}
