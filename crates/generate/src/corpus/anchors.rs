use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use pairmill_schema::TextKey;

use super::options::QueryMaker;
use super::read::CutDocument;

/// Headings over links to other places, whose text answers nothing.
const OF_LINKS: &[&str] = &[
    "additional resources",
    "contents",
    "external links",
    "further reading",
    "in this article",
    "learn more",
    "links",
    "next steps",
    "on this page",
    "references",
    "related",
    "related articles",
    "related content",
    "related links",
    "related topics",
    "resources",
    "see also",
    "table of contents",
    "what's next",
];

/// Headings that say nothing without the title of their document.
const OF_PARTS: &[&str] = &[
    "about",
    "arguments",
    "background",
    "conclusion",
    "description",
    "details",
    "example",
    "examples",
    "faq",
    "general",
    "getting started",
    "installation",
    "introduction",
    "limitations",
    "note",
    "notes",
    "options",
    "overview",
    "parameters",
    "prerequisites",
    "properties",
    "remarks",
    "requirements",
    "return value",
    "returns",
    "setup",
    "summary",
    "syntax",
    "troubleshooting",
    "usage",
];

/// Knows what can stand as a query, and for which passage.
#[derive(Debug)]
pub(crate) struct Anchors {
    documents_with_anchor: HashMap<TextKey, u32>,
    documents_with_passage: HashMap<TextKey, u32>,
    max_documents: u32,
}

impl Anchors {
    /// Counts in how many documents each title, description, heading and first passage below a
    /// heading occurs; one that occurs in more than `max_documents` says nothing about any of them.
    pub fn new(documents: &[CutDocument], max_documents: u32) -> Self {
        let mut anchors = Self {
            documents_with_anchor: HashMap::new(),
            documents_with_passage: HashMap::new(),
            max_documents,
        };
        for document in documents {
            let sections = document.sections.iter();
            let headings = sections
                .clone()
                .filter_map(|section| section.headings.last());
            let texts = headings.chain(&document.title).chain(&document.description);
            count(
                texts.map(|text| key(text)),
                &mut anchors.documents_with_anchor,
            );
            let firsts = sections.filter_map(|section| section.passages.first());
            count(
                firsts.map(|text| TextKey::identical(text)),
                &mut anchors.documents_with_passage,
            );
        }
        anchors
    }

    /// Returns whether a passage is no answer to the heading above it, because it is one to so many
    /// others.
    pub fn is_common_passage(&self, text: TextKey) -> bool {
        let count = self.documents_with_passage.get(&text);
        count.is_some_and(|&documents| documents > self.max_documents)
    }

    /// Returns what asks for the first passage of a document: its description, else its title.
    pub fn of_document<'a>(&self, document: &'a CutDocument) -> Option<&'a str> {
        let texts = [&document.description, &document.title]
            .into_iter()
            .flatten();
        let mut texts = texts.map(String::as_str);
        texts.find(|text| !self.says_nothing(text))
    }

    /// Returns what asks for the first passage below a heading: the heading, behind the title of
    /// its document where it says nothing alone. Nothing where that is no help either.
    pub fn of_heading<'a>(&self, heading: &'a str, title: Option<&str>) -> Option<Cow<'a, str>> {
        if OF_LINKS.contains(&&*bare(heading)) {
            return None;
        }
        if !self.says_nothing(heading) {
            return Some(heading.into());
        }
        let title = title.filter(|title| !self.says_nothing(title))?;
        Some(format!("{title}: {heading}").into())
    }

    /// Returns whether anything that these makers use asks for a part of a document.
    pub fn ask_for(&self, document: &CutDocument, makers: &[QueryMaker]) -> bool {
        let title = document.title.as_deref();
        let mut headings = document
            .sections
            .iter()
            .filter_map(|section| section.headings.last());
        let (of_titles, of_headings) = (QueryMaker::Titles, QueryMaker::Headings);
        (makers.contains(&of_titles) && self.of_document(document).is_some())
            || (makers.contains(&of_headings)
                && headings.any(|heading| self.of_heading(heading, title).is_some()))
    }

    fn says_nothing(&self, text: &str) -> bool {
        let bare = bare(text);
        let count = self.documents_with_anchor.get(&TextKey::identical(&bare));
        let is_name_of_part = |text: &str| OF_PARTS.contains(&text) || OF_LINKS.contains(&text);
        !bare.contains(char::is_alphabetic)
            || is_name_of_part(&bare)
            || count.is_some_and(|&documents| documents > self.max_documents)
    }
}

/// Counts each of a document's texts once.
fn count(texts: impl Iterator<Item = TextKey>, documents_with: &mut HashMap<TextKey, u32>) {
    for text in texts.collect::<HashSet<_>>() {
        *documents_with.entry(text).or_default() += 1;
    }
}

fn key(text: &str) -> TextKey {
    TextKey::identical(&bare(text))
}

/// Returns a heading without number, letter case and closing punctuation.
fn bare(heading: &str) -> String {
    let is_number = |letter: char| letter.is_numeric() || ".)( ".contains(letter);
    let heading = heading.to_lowercase().replace('’', "'");
    let heading = heading.trim_start_matches(is_number);
    heading
        .trim_end_matches([':', '.', '?', '!', ' '])
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::read::CutSection;

    fn document(title: Option<&str>, headings: &[&str]) -> CutDocument {
        let sections = headings.iter().map(|heading| CutSection {
            headings: vec!["above".to_owned(), (*heading).to_owned()],
            passages: vec!["text".to_owned()],
        });
        CutDocument {
            source: "a.md".to_owned(),
            title: title.map(str::to_owned),
            description: None,
            sections: sections.collect(),
        }
    }

    #[test]
    fn a_heading_of_many_documents_stands_behind_the_title() {
        let documents = [
            document(Some("Red"), &["Limits", "1. Limits:", "Paint"]),
            document(Some("Green"), &["limits", "Paint"]),
            document(Some("Home"), &["Limits"]),
            document(Some("Home"), &[]),
            document(Some("Home"), &[]),
        ];
        let anchors = Anchors::new(&documents, 2);
        let of = |heading, title| anchors.of_heading(heading, title);
        assert_eq!(of("Limits", Some("Red")).as_deref(), Some("Red: Limits"));
        assert_eq!(of("Limits", None), None);
        assert_eq!(of("Limits", Some("Home")), None, "the title is as common");
        assert_eq!(of("Paint", None).as_deref(), Some("Paint"));
        assert_eq!(anchors.of_document(&documents[0]), Some("Red"));
        assert_eq!(anchors.of_document(&documents[2]), None);
        assert!(anchors.is_common_passage(TextKey::identical("text")));
        assert!(!anchors.is_common_passage(TextKey::identical("another")));
    }

    #[test]
    fn headings_that_never_say_anything_are_known() {
        let anchors = Anchors::new(&[], 3);
        let of = |heading| anchors.of_heading(heading, Some("Red"));
        assert_eq!(of("2. Overview").as_deref(), Some("Red: 2. Overview"));
        assert_eq!(of("1.0.3").as_deref(), Some("Red: 1.0.3"));
        assert_eq!(of("See also:"), None);
        assert_eq!(of("What’s next?"), None);
        assert_eq!(of("Mix red and blue").as_deref(), Some("Mix red and blue"));
    }

    #[test]
    fn a_description_comes_before_the_title() {
        let described = CutDocument {
            description: Some("How to paint".to_owned()),
            ..document(Some("Paint"), &[])
        };
        let anchors = Anchors::new(&[], 3);
        assert_eq!(anchors.of_document(&described), Some("How to paint"));
        assert_eq!(anchors.of_document(&document(Some("Overview"), &[])), None);
    }
}
