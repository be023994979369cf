mod page;
mod tags;

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, CharacterTokens, TagKind, TagToken, Token, TokenSink, TokenSinkResult, Tokenizer,
    TokenizerOpts,
};

use super::document::{Document, Writer};
use page::Page;

/// Reads a page: its `<main>` where it has one, else all of it. Code blocks, navigation, scripts,
/// styles, controls, notices about cookies and what is not shown are left out. What a reader
/// unfolds (a `<summary>`, a button that expands a part, a question of a `<dl>`) is a heading.
///
/// Tokens tell blocks and headings apart as well as a tree does, and neither the depth nor the
/// size of a page matters to them.
pub(crate) fn read(text: &str) -> Document {
    tokenize(text, Page::whole()).finish()
}

/// Reads a piece of HTML into a document of another format.
pub(crate) fn read_block(text: &str, writer: &mut Writer) {
    let page = Page::within(std::mem::take(writer));
    *writer = tokenize(text, page).into_writer();
}

fn tokenize(text: &str, page: Page) -> Page {
    let tokenizer = Tokenizer::new(Sink(RefCell::new(page)), TokenizerOpts::default());
    let queue = BufferQueue::default();
    for piece in pieces(text) {
        queue.push_back(StrTendril::from_slice(piece));
        let _ = tokenizer.feed(&queue);
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

/// Returns the text in pieces of at most a megabyte: the tokenizer's strings have a largest size.
fn pieces(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (piece, rest) = text.split_at(text.floor_char_boundary(1 << 20));
        text = rest;
        Some(piece).filter(|piece| !piece.is_empty())
    })
}

struct Sink(RefCell<Page>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut page = self.0.borrow_mut();
        match token {
            CharacterTokens(text) => page.text(&text),
            TagToken(tag) if tag.kind == TagKind::StartTag => {
                page.start(&tag);
                // So that the content of these is text and holds no tags.
                return match &*tag.name {
                    _ if tag.self_closing => TokenSinkResult::Continue,
                    "script" => TokenSinkResult::RawData(RawKind::ScriptData),
                    "style" | "iframe" | "noframes" => TokenSinkResult::RawData(RawKind::Rawtext),
                    "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
                    _ => TokenSinkResult::Continue,
                };
            }
            TagToken(tag) => page.end(&tag.name),
            _ => {}
        }
        TokenSinkResult::Continue
    }
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
    fn a_page_is_read_without_code_navigation_scripts_and_styles() {
        let page = "<!doctype html><html><head><title>Back up &mdash; Acme</title>\
            <meta name=Description content='How to back up'><style>p { color: red }</style></head>\
            <body><nav><ul><li>Home<nav>x</nav><li>Docs</ul></nav><div role=navigation>Menu</div>\
            <h1>Back up<a href=#b>¶</a></h1><p>First <code>tar</code>\n it.<p>Then&nbsp;copy.\
            <script>if (a < b) { document.write('<p>no</p>') }</script>\
            <pre><code>tar cf x</code></pre>\
            <h2>Restore</h2><ul><li>a</li><li>b</li></ul><table><tr><td>1<td>2<tr><td>3</table>\
            <aside>ads</aside><footer>legal</footer></body></html>";
        let document = read(page);
        assert_eq!(document.title.as_deref(), Some("Back up"));
        assert_eq!(document.description.as_deref(), Some("How to back up"));
        let expected = [
            pair("", "First tar it.\n\nThen copy."),
            pair("Restore", "a\nb\n\n1 2\n3"),
        ];
        assert_eq!(sections(page), expected);
    }

    #[test]
    fn of_a_page_with_a_main_part_only_that_is_read() {
        let page = "<title>The page</title><h1>Site</h1><p>menu<main><aside>A note.</aside><p>text</main><p>after";
        assert_eq!(sections(page), [pair("", "A note.\n\ntext")]);
        assert_eq!(read(page).title.as_deref(), Some("The page"));
    }

    #[test]
    fn unclosed_and_stray_tags_do_no_harm() {
        assert_eq!(
            sections("<h2>Open<p>text</h2></div></nav>more"),
            [pair("Open", "text\n\nmore")]
        );
        assert_eq!(sections("<h2>A<h3>B</h3>c"), [pair("A > B", "c")]);
        assert_eq!(
            sections("a<svg><title>icon</title></svg>b"),
            [pair("", "a b")]
        );
        assert_eq!(sections("a<nav>never closed"), [pair("", "a")]);
        assert_eq!(sections("a < b & c <"), [pair("", "a < b & c <")]);
        assert_eq!(sections("<script>x"), []);
    }

    #[test]
    fn neither_size_nor_depth_matters() {
        let deep = "<div>".repeat(200_000) + "é";
        assert_eq!(sections(&deep), [pair("", "é")]);
        let long = "é ".repeat(1 << 20);
        assert_eq!(sections(&long)[0].1.chars().count(), (2 << 20) - 1);
    }
}
