//! HTML that was left in: tags and entities.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::LazyLock;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use regex::Regex;

use super::{Check, Span, TextCheck};
use crate::kind::{Family, Fix, Kind, Severity};

pub(super) const CHECK: Check = Check::Text(&TextCheck {
    kind: &HTML_MARKUP,
    find,
    mend: Some(mend),
});

/// A tag or an entity.
pub static HTML_MARKUP: Kind = Kind {
    name: "html_markup",
    title: "texts with HTML left in",
    family: Family::Texts,
    severity: Severity::Warning,
    remedy: "`--fix html_markup` takes tags away and puts letters in the place of entities",
    fix: Fix::Change,
};

/// Scripts and styles with what is in them, comments, and the tags that pages and mails are made
/// of. Each is found by itself, so that it does not matter whether tags are closed; `a<b` and
/// `Vec<T>` are none.
static TAG: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?is)<script\b[^>]*>.*?</script\s*>|<style\b[^>]*>.*?</style\s*>|<!--.*?-->",
        r"|<!doctype\b[^>]*>",
        r#"|</?(?:a|abbr|article|b|blockquote|body|br|center|code|dd|div|dl|dt|em|font|footer|form"#,
        r#"|h[1-6]|head|header|hr|html|i|iframe|img|input|label|li|link|main|meta|nav|ol|p|pre"#,
        r#"|section|small|span|strong|sub|sup|table|tbody|td|th|thead|tr|u|ul)"#,
        // Attributes, in which a quoted value may hold any mark.
        r#"(?:\s+[a-z][\w:-]*(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))?)*\s*/?>"#,
    ))
    .expect("the pattern is sound")
});
/// What may be an entity; whether it is one is told by its being decoded.
static ENTITY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"&(?:[a-zA-Z][a-zA-Z0-9]{1,30}|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});")
        .expect("the pattern is sound")
});
/// Tags that part what stands before and after them.
const BLOCKS: &str = " article blockquote br center dd div dl dt footer form h1 h2 h3 h4 h5 h6 \
                      header hr li main nav ol p pre section table tbody td th thead tr ul ";

fn find(text: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    if text.contains('<') {
        spans.extend(TAG.find_iter(text).map(|tag| {
            Span::new(tag.range(), Cow::Borrowed("a tag of HTML"))
        }));
    }
    if text.contains('&') {
        let entities = ENTITY.find_iter(text).filter(|entity| {
            let is_in_tag = |span: &Span| span.range.contains(&entity.start());
            !spans.iter().any(is_in_tag) && decoded(entity.as_str()).is_some()
        });
        let entities: Vec<Span> = entities
            .map(|entity| Span::new(entity.range(), Cow::Borrowed("an entity of HTML")))
            .collect();
        spans.extend(entities);
        spans.sort_unstable_by_key(|span| span.range.start);
    }
    spans
}

fn mend(text: &str, span: &Span) -> String {
    let markup = &text[span.range.clone()];
    if markup.starts_with('&') {
        return decoded(markup).unwrap_or_else(|| markup.to_owned());
    }
    let before = &text[..span.range.start];
    // Of an opening and a closing tag one parts enough.
    let tag_before = before.rfind('<').filter(|_| before.ends_with('>'));
    let follows_block = tag_before.is_some_and(|at| is_block(&before[at..]));
    let is_at_end = before.trim().is_empty() || text[span.range.end..].trim().is_empty();
    match is_block(markup) && !follows_block && !is_at_end {
        true => "\n".to_owned(),
        false => String::new(),
    }
}

/// Whether a tag parts what stands before and after it.
fn is_block(tag: &str) -> bool {
    let name = tag[1..].trim_start_matches('/');
    let end = name.find(|letter: char| !letter.is_ascii_alphanumeric());
    let name = name[..end.unwrap_or(name.len())].to_ascii_lowercase();
    !name.is_empty() && BLOCKS.contains(&format!(" {name} "))
}

/// The letters that an entity stands for, if it is one.
fn decoded(entity: &str) -> Option<String> {
    let tokenizer = Tokenizer::new(Letters::default(), TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from_slice(entity));
    let _ = tokenizer.feed(&queue);
    tokenizer.end();
    let letters = tokenizer.sink.0.into_inner();
    (letters != entity).then_some(letters)
}

#[derive(Default)]
struct Letters(RefCell<String>);

impl TokenSink for Letters {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        if let Token::CharacterTokens(text) = token {
            self.0.borrow_mut().push_str(&text);
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{mended, spans};

    #[test]
    fn tags_go_and_entities_become_letters() {
        for (html, text) in [
            ("<p>Hello <b>you</b></p><p>there</p>", "Hello you\nthere"),
            ("one<br/>two<BR>three", "one\ntwo\nthree"),
            ("Tom &amp; Jerry &#39;s &eacute;&nbsp;&#x20AC;", "Tom & Jerry 's é\u{a0}€"),
            ("a<script>var a = '<p>';</script>b<!-- x -->c", "abc"),
            ("<a href=\"x?a=1&amp;b=>\">link</a>", "link"),
        ] {
            assert_eq!(mended("html_markup", html), text);
        }
    }

    #[test]
    fn malformed_html_loses_nothing_but_its_tags() {
        for (html, text) in [
            ("<div><p>open <b>never closed", "open never closed"),
            ("</p></p>closed <p", "closed <p"),
            ("<script>no end", "<script>no end"),
            ("<p class=\"open>text</p>", "<p class=\"open>text"),
            ("<!-- no end", "<!-- no end"),
        ] {
            assert_eq!(mended("html_markup", html), text);
        }
    }

    #[test]
    fn what_only_looks_like_html_stays() {
        for text in [
            "if a<b && c>d then List<String> x = Map<K, V>",
            "AT&T; R&D and &foo; &",
            "<your name> <T> <id>",
            "5 < 6 > 4",
        ] {
            assert_eq!(spans("html_markup", text), [""; 0], "{text}");
        }
    }
}
