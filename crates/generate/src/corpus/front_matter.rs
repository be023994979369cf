use saphyr_parser::{Event, Parser};

/// What a Markdown file says of itself in YAML before its text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FrontMatter {
    pub title: Option<String>,
    pub description: Option<String>,
}

impl FrontMatter {
    /// Takes the front matter off a Markdown text: what stands between a first line `---` and the
    /// next line `---` or `...`.
    pub fn split(text: &str) -> (Self, &str) {
        let mut lines = text.split_inclusive('\n');
        let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else {
            return (Self::default(), text);
        };
        let mut end = first.len();
        for line in lines {
            if matches!(line.trim_end(), "---" | "...") {
                let rest = &text[end + line.len()..];
                return (Self::read(&text[first.len()..end]), rest);
            }
            end += line.len();
        }
        (Self::default(), text)
    }

    /// Reads events rather than a tree, so that neither depth nor an unsound rest matter.
    fn read(yaml: &str) -> Self {
        let mut front_matter = Self::default();
        let mut depth = 0;
        let mut key: Option<String> = None;
        // A value counts once something sound follows: in `a: b: c` an error follows `b`.
        let mut value: Option<(String, String)> = None;
        for event in Parser::new_from_str(yaml) {
            let Ok((event, _)) = event else { break };
            if let Some((key, value)) = value.take() {
                front_matter.set(&key, value);
            }
            match event {
                Event::MappingStart(..) | Event::SequenceStart(..) => depth += 1,
                Event::MappingEnd | Event::SequenceEnd => {
                    depth -= 1;
                    key = None;
                }
                Event::Scalar(text, ..) if depth == 1 => match key.take() {
                    None => key = Some(text.into_owned()),
                    Some(key) => value = Some((key, text.into_owned())),
                },
                Event::Alias(_) if depth == 1 => key = None,
                _ => {}
            }
        }
        front_matter
    }

    fn set(&mut self, key: &str, value: String) {
        match key {
            "title" => self.title = Some(value),
            "description" => self.description = Some(value),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn front_matter(title: &str, description: Option<&str>) -> FrontMatter {
        FrontMatter {
            title: Some(title.to_owned()),
            description: description.map(str::to_owned),
        }
    }

    #[test]
    fn title_and_description_are_found_among_other_keys() {
        let text = "---\r\ntags: [title, description]\r\nseo: {title: No}\r\ntitle: \"Set: up\"\r\n\
                    description: >\r\n  How to\r\n  set up\r\n---\r\n# Body\r\n";
        let (found, rest) = FrontMatter::split(text);
        assert_eq!(found.title.as_deref(), Some("Set: up"));
        assert_eq!(
            found.description.as_deref().map(str::trim),
            Some("How to set up")
        );
        assert_eq!(rest, "# Body\r\n");
    }

    #[test]
    fn what_stands_before_an_error_counts() {
        let (found, rest) = FrontMatter::split("---\ntitle: One\ndescription: a: b: c\n...\nx");
        assert_eq!((found, rest), (front_matter("One", None), "x"));
    }

    #[test]
    fn a_text_without_front_matter_is_left_alone() {
        for text in [
            "",
            "---",
            "---\n",
            "---\ntitle: open",
            "# T\n---\na: b\n---\n",
            "----\nx\n---\n",
        ] {
            assert_eq!(FrontMatter::split(text), (FrontMatter::default(), text));
        }
        assert_eq!(
            FrontMatter::split("---\n---\nx"),
            (FrontMatter::default(), "x")
        );
    }
}
