use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag};

use crate::left_out::{Piece, Pieces};

/// Longest tag, in bytes: what is not closed by then is no tag.
const LONGEST: usize = 4096;

/// Tags between which code stands.
const OF_CODE: [&str; 6] = [
    "highlight",
    "codeblock",
    "code",
    "prism",
    "mermaid",
    "comment",
];

/// How tags begin and end, of two beginnings alike the longer first: Hugo's two kinds of shortcode,
/// the statements, comments and values of Liquid and Jinja, comments of MDX, and the attributes of
/// kramdown.
const TAGS: [(&str, &str); 7] = [
    ("{{<", ">}}"),
    ("{{%", "%}}"),
    ("{%", "%}"),
    ("{#", "#}"),
    ("{{", "}}"),
    ("{/*", "*/}"),
    ("{:", "}"),
];

/// Takes the tags of site generators out of a Markdown text, with the code between two tags that
/// frame code. What stands in Markdown's own code, or between `raw` and `endraw`, is no tag.
pub(crate) fn strip<'t>(text: &'t str, pieces: &mut Pieces) -> Cow<'t, str> {
    if !TAGS.iter().any(|(start, _)| text.contains(start)) {
        return Cow::Borrowed(text);
    }
    let code = code_ranges(text);
    let mut stripped = String::with_capacity(text.len());
    // Up to where the text is copied or left out.
    let mut done = 0;
    let mut at = 0;
    while let Some(tag) = next_tag(text, at, &code) {
        at = tag.range.end;
        stripped.push_str(&text[done..tag.range.start]);
        done = at;
        pieces.add(Piece::TemplateTag, 1);
        if tag.name == "raw" {
            let end = end_of(text, at, "endraw").unwrap_or(text.len()..text.len());
            stripped.push_str(&text[at..end.start]);
            (at, done) = (end.end, end.end);
        } else if OF_CODE.contains(&tag.name)
            && let Some(end) = end_of(text, at, &format!("end{}", tag.name))
                .or_else(|| end_of(text, at, &format!("/{}", tag.name)))
        {
            pieces.add(Piece::CodeBlock, u64::from(tag.name != "comment"));
            (at, done) = (end.end, end.end);
        }
    }
    stripped.push_str(&text[done..]);
    Cow::Owned(stripped)
}

struct FoundTag<'t> {
    range: Range<usize>,
    /// Its first word.
    name: &'t str,
}

/// Returns the first tag from `from` on that does not begin in code.
fn next_tag<'t>(text: &'t str, from: usize, code: &[Range<usize>]) -> Option<FoundTag<'t>> {
    let mut at = from;
    loop {
        at += text[at..].find('{')?;
        let next_range = code.partition_point(|range| range.end <= at);
        match code.get(next_range) {
            Some(range) if range.contains(&at) => at = range.end,
            _ => match tag_at(text, at) {
                Some(tag) => return Some(tag),
                None => at += 1,
            },
        }
    }
}

fn tag_at(text: &str, at: usize) -> Option<FoundTag<'_>> {
    let rest = &text[at..];
    let (start, end) = TAGS.iter().find(|(start, _)| rest.starts_with(start))?;
    let reach = rest.floor_char_boundary(LONGEST);
    let inside = &rest[start.len()..reach];
    let inside = &inside[..inside.find(end)?];
    // Attributes stand in one line; a colon and a blank may be anything else in braces.
    let is_tag = match *start {
        "{:" => {
            inside.starts_with(['.', '#', ':', ' ']) && !inside.contains('\n') || inside == "toc"
        }
        _ => true,
    };
    let is_sign = |letter: char| letter.is_whitespace() || letter == '-';
    let words = inside.trim_start_matches(is_sign);
    let name_end = words.find(|letter: char| !(letter.is_alphanumeric() || letter == '/'));
    is_tag.then(|| FoundTag {
        range: at..at + start.len() + inside.len() + end.len(),
        name: &words[..name_end.unwrap_or(words.len())],
    })
}

/// Returns where the next tag of this name stands.
fn end_of(text: &str, from: usize, name: &str) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        let tag = next_tag(text, at, &[])?;
        if tag.name == name {
            return Some(tag.range);
        }
        at = tag.range.end;
    }
}

/// Returns where Markdown's code stands, in order: blocks and spans.
fn code_ranges(text: &str) -> Vec<Range<usize>> {
    let events = Parser::new(text).into_offset_iter();
    let mut ranges: Vec<Range<usize>> = events
        .filter(|(event, _)| matches!(event, Event::Start(Tag::CodeBlock(_)) | Event::Code(_)))
        .map(|(_, range)| range)
        .collect();
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(text: &str) -> (String, u64) {
        let mut pieces = Pieces::default();
        let text = strip(text, &mut pieces).into_owned();
        (text, pieces.number(Piece::TemplateTag))
    }

    #[test]
    fn tags_of_site_generators_go() {
        for (text, expected, tags) in [
            ("{% include toc.html %}\n\n# A\n", "\n\n# A\n", 1),
            ("Text\n{: .lead }\n{:toc}", "Text\n\n", 2),
            (
                "{{< figure src=\"a.png\" >}}a {{% notice %}}b{{% /notice %}}",
                "a b",
                3,
            ),
            ("[x]({{ site.url }}/y) {# note #}z", "[x](/y) z", 2),
            ("a {%- if x -%}b{%- endif -%}", "a b", 2),
            ("a{/* no */}b", "ab", 1),
        ] {
            assert_eq!(stripped(text), (expected.to_owned(), tags), "{text}");
        }
    }

    #[test]
    fn code_between_tags_goes_with_them() {
        let text = "a\n{% highlight sh %}\n# no heading {{ x }}\n```\n{% endhighlight %}\nb";
        assert_eq!(stripped(text).0, "a\n\nb");
        assert_eq!(
            stripped("a {{< highlight go >}}x{{< /highlight >}} b").0,
            "a  b"
        );
        assert_eq!(stripped("a {% highlight sh %} b").0, "a  b", "never closed");
    }

    #[test]
    fn what_stands_in_code_or_raw_is_no_tag() {
        let text = "Write `{{ name }}`:\n\n```\n{% if %}\n```\n\n    {% code %}\n";
        assert_eq!(stripped(text), (text.to_owned(), 0));
        let text = "{% raw %}Write {{ name }}{% endraw %}.";
        assert_eq!(stripped(text).0, "Write {{ name }}.");
    }

    #[test]
    fn other_braces_stay() {
        for text in [
            "{a} {\"b\": 1} {",
            "f {x: 1}",
            "{{ open",
            "{:x: y}\n:}",
            "## A {#id}",
        ] {
            assert_eq!(stripped(text), (text.to_owned(), 0), "{text}");
        }
    }
}
