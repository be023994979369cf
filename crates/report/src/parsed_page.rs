//! What a browser makes of a page, for the tests of the crates that make pages.

#![allow(dead_code)]

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// A page as its tags and texts.
#[derive(Debug, Default)]
pub(crate) struct ParsedPage {
    /// Name and attributes of each element.
    elements: Vec<(String, Vec<(String, String)>)>,
    open: Vec<String>,
    pub text: String,
    style: String,
    faults: Vec<String>,
}

impl ParsedPage {
    pub fn read(html: &str) -> Self {
        let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
        let queue = BufferQueue::default();
        queue.push_back(StrTendril::from(html));
        let _ = tokenizer.feed(&queue);
        tokenizer.end();
        tokenizer.sink.0.into_inner()
    }

    fn tag(&mut self, tag: &Tag) {
        let name = tag.name.to_string();
        if tag.kind == TagKind::EndTag {
            let opened = self.open.pop();
            if opened.as_ref() != Some(&name) {
                self.faults.push(format!("</{name}> closes {opened:?}"));
            }
            return;
        }
        if name != "meta" {
            self.open.push(name.clone());
        }
        let attributes = tag.attrs.iter();
        let attributes = attributes.map(|attribute| {
            (
                attribute.name.local.to_string(),
                attribute.value.to_string(),
            )
        });
        self.elements.push((name, attributes.collect()));
    }

    pub fn values(&self, attribute: &str) -> Vec<&str> {
        let attributes = self.elements.iter().flat_map(|(_, attributes)| attributes);
        let named = attributes.filter(|(name, _)| name == attribute);
        named.map(|(_, value)| value.as_str()).collect()
    }

    pub fn count(&self, element: &str) -> usize {
        self.elements
            .iter()
            .filter(|(name, _)| name == element)
            .count()
    }

    pub fn sections(&self) -> Vec<&str> {
        let sections = self.elements.iter().filter(|(name, _)| name == "section");
        sections
            .map(|(_, attributes)| attributes[0].1.as_str())
            .collect()
    }

    /// The content of the meta tag of this name.
    fn meta(&self, name: &str) -> &str {
        let has = |attributes: &[(String, String)], attribute: &str, value: &str| {
            attributes
                .iter()
                .any(|(key, found)| key == attribute && found == value)
        };
        let metas = self
            .elements
            .iter()
            .filter(|(element, _)| element == "meta");
        let named = metas.map(|(_, attributes)| attributes).find(|attributes| {
            has(attributes, "name", name) || has(attributes, "http-equiv", name)
        });
        let content = named.and_then(|attributes| {
            let content = attributes.iter().find(|(key, _)| key == "content");
            content.map(|(_, value)| value.as_str())
        });
        content.unwrap_or_else(|| panic!("no meta tag {name}"))
    }

    /// Whether it is made for a phone's width and for dark and light, and may load nothing.
    fn assert_fit_for_any_screen(&self) {
        assert!(self.meta("viewport").contains("width=device-width"));
        assert_eq!(self.meta("color-scheme"), "light dark");
        assert!(self.style.contains("@media (prefers-color-scheme: dark)"));
        assert!(self.style.contains("@media (max-width:"));
        let policy = self.meta("Content-Security-Policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
    }

    /// Whether a browser reads the page as it is meant, and loads nothing.
    pub fn assert_sound(&self) {
        assert_eq!(self.faults, [""; 0]);
        assert_eq!(self.open, [""; 0], "every element is closed");
        for forbidden in ["script", "img", "link", "iframe", "image", "use", "object"] {
            assert_eq!(self.count(forbidden), 0, "<{forbidden}>");
        }
        for loading in [
            "src",
            "srcset",
            "xlink:href",
            "data",
            "poster",
            "background",
        ] {
            assert_eq!(self.values(loading), [""; 0], "{loading}");
        }
        assert!(
            self.values("href")
                .iter()
                .all(|target| target.starts_with('#'))
        );
        for css in self.values("style").into_iter().chain([&*self.style]) {
            assert!(!css.contains("url(") && !css.contains("@import"), "{css}");
        }
        self.assert_fit_for_any_screen();
        let ids = self.values("id");
        for target in self.values("href") {
            assert_eq!(
                ids.iter().filter(|id| **id == &target[1..]).count(),
                1,
                "{target}"
            );
        }
        for (name, attributes) in &self.elements {
            for (attribute, value) in attributes {
                let numeric = [
                    "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height", "points",
                ];
                if numeric.contains(&attribute.as_str()) {
                    for number in value.split([',', ' ']).filter(|number| !number.is_empty()) {
                        let number: f64 = number.parse().unwrap_or(f64::NAN);
                        assert!(
                            number.is_finite() && number.abs() < 5_000.0,
                            "<{name} {attribute}={value}>"
                        );
                    }
                }
            }
        }
        for (name, attributes) in &self.elements {
            let labeled = attributes
                .iter()
                .any(|(name, value)| name == "aria-label" && !value.is_empty());
            assert!(name != "svg" || labeled, "every chart has a label");
        }
    }
}

#[derive(Default)]
struct Sink(RefCell<ParsedPage>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut page = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => page.tag(&tag),
            Token::CharacterTokens(text) if page.open.last().is_some_and(|it| it == "style") => {
                page.style.push_str(&text);
            }
            Token::CharacterTokens(text) => page.text.push_str(&text),
            Token::ParseError(error) => page.faults.push(error.into_owned()),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}
