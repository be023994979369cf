use saphyr_parser::{Event, Parser};
use serde_json::Value as Json;

/// What a Markdown file says of itself before its text: in YAML (`---`), TOML (`+++`) or JSON
/// (`{`), the three forms of Hugo.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FrontMatter {
    pub title: Option<String>,
    pub description: Option<String>,
}

impl FrontMatter {
    /// Takes the front matter off a Markdown text: what stands between a first line `---` and the
    /// next line `---` or `...`, between two lines `+++`, or an object of JSON at the beginning.
    pub fn split(text: &str) -> (Self, &str) {
        let first = text.lines().next().unwrap_or_default().trim_end();
        let found = match first {
            "---" => between(text, &["---", "..."], Self::of_yaml),
            "+++" => between(text, &["+++"], Self::of_toml),
            _ if first.starts_with('{') => Self::split_json(text),
            _ => None,
        };
        found.unwrap_or_else(|| (Self::default(), text))
    }

    /// Reads events rather than a tree, so that neither depth nor an unsound rest matter.
    fn of_yaml(yaml: &str) -> Self {
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

    /// Reads a table of TOML; an unsound one says nothing.
    fn of_toml(toml: &str) -> Self {
        let mut front_matter = Self::default();
        let table = toml.parse::<toml::Table>().unwrap_or_default();
        for (key, value) in table {
            if let toml::Value::String(text) = value {
                front_matter.set(&key, text);
            }
        }
        front_matter
    }

    fn split_json(text: &str) -> Option<(Self, &str)> {
        let mut objects = serde_json::Deserializer::from_str(text).into_iter::<Json>();
        let Some(Ok(Json::Object(object))) = objects.next() else {
            return None;
        };
        let rest = &text[objects.byte_offset()..];
        // Where text goes on in the line, it is a text that begins with braces.
        let is_alone = rest.lines().next().unwrap_or_default().trim().is_empty();
        let mut front_matter = Self::default();
        for (key, value) in object {
            if let Json::String(text) = value {
                front_matter.set(&key, text);
            }
        }
        is_alone.then_some((front_matter, rest.trim_start()))
    }

    fn set(&mut self, key: &str, value: String) {
        match key {
            "title" => self.title = Some(value),
            "description" => self.description = Some(value),
            _ => {}
        }
    }
}

/// Returns what a text's lines up to one of `ends` say, without the first, and the text behind it.
fn between<'t>(
    text: &'t str,
    ends: &[&str],
    read: impl Fn(&str) -> FrontMatter,
) -> Option<(FrontMatter, &'t str)> {
    let mut lines = text.split_inclusive('\n');
    let start = lines.next()?.len();
    let mut end = start;
    for line in lines {
        if ends.contains(&line.trim_end()) {
            return Some((read(&text[start..end]), &text[end + line.len()..]));
        }
        end += line.len();
    }
    None
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
    fn toml_and_json_are_read_like_yaml() {
        let expected = (front_matter("Set up", Some("How to")), "# Body\n");
        let toml = "+++\r\ntitle = 'Set up'\r\ndate = 2024-06-01\r\ntags = [\"title\"]\r\n\
                    description = \"How to\"\r\n[params]\r\ntitle = 'No'\r\n+++\r\n# Body\n";
        assert_eq!(FrontMatter::split(toml), expected);
        let json = "{\n  \"title\": \"Set up\", \"params\": {\"title\": \"No\"},\n\
                    \"description\": \"How to\"\n}\n\n# Body\n";
        assert_eq!(FrontMatter::split(json), expected);
        let unsound = FrontMatter::split("+++\ntitle = Set up\n+++\nx");
        assert_eq!(unsound, (FrontMatter::default(), "x"));
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
            "+++\ntitle = 1",
            "{name} is a variable\n",
            "{\"a\": 1} is JSON\n",
            "{\"a\": 1",
        ] {
            assert_eq!(FrontMatter::split(text), (FrontMatter::default(), text));
        }
        assert_eq!(
            FrontMatter::split("---\n---\nx"),
            (FrontMatter::default(), "x")
        );
    }
}
