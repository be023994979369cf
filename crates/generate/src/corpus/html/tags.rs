//! What an element is by its name and attributes.

use html5ever::tokenizer::Tag;

use crate::corpus::document::Gap;
use crate::left_out::Piece;

/// Returns an attribute's value; empty where there is none.
pub(super) fn attribute<'a>(tag: &'a Tag, name: &str) -> &'a str {
    let mut attributes = tag.attrs.iter();
    attributes
        .find(|attribute| &*attribute.name.local == name)
        .map_or("", |attribute| &attribute.value)
}

fn has_attribute(tag: &Tag, name: &str) -> bool {
    let mut attributes = tag.attrs.iter();
    attributes.any(|attribute| &*attribute.name.local == name)
}

/// Returns whether a class or id of the element has one of these words in it.
fn is_named(tag: &Tag, words: &[&str]) -> bool {
    let names = [attribute(tag, "class"), attribute(tag, "id")];
    let names = names.map(str::to_ascii_lowercase);
    words
        .iter()
        .any(|word| names.iter().any(|name| name.contains(word)))
}

/// Returns the level of a heading, if the element is one.
pub(super) fn heading_level(tag: &Tag) -> Option<u8> {
    match tag.name.as_bytes() {
        [b'h', level @ b'1'..=b'6'] => Some(level - b'0'),
        _ if attribute(tag, "role") == "heading" && !tag.self_closing => {
            let level = attribute(tag, "aria-level").parse().unwrap_or(2);
            Some(level).filter(|level| (1..=6).contains(level))
        }
        _ => None,
    }
}

/// Returns whether what the element holds is a heading for what it unfolds: a `<summary>`, or a
/// button of an accordion.
pub(super) fn is_unfolding(tag: &Tag) -> bool {
    const MENU: [&str; 5] = ["nav", "menu", "dropdown", "hamburger", "search"];
    match &*tag.name {
        "summary" => true,
        "button" => {
            let toggles = ["data-toggle", "data-bs-toggle"].map(|name| attribute(tag, name));
            let unfolds = has_attribute(tag, "aria-expanded")
                || toggles.contains(&"collapse")
                || is_named(tag, &["accordion", "faq"]);
            unfolds && !has_attribute(tag, "aria-haspopup") && !is_named(tag, &MENU)
        }
        _ => false,
    }
}

/// Returns what an element that opens outside of a heading is, if it is no text. Scripts and the
/// like have no name.
pub(super) fn left_out(tag: &Tag, is_in_main: bool) -> Option<Option<Piece>> {
    match &*tag.name {
        "script" | "style" | "template" | "noscript" | "iframe" | "noframes" | "svg" | "canvas"
        | "audio" | "video" | "object" => Some(None),
        "nav" | "footer" => Some(Some(Piece::Navigation)),
        // Within the main text it is a note.
        "aside" if !is_in_main => Some(Some(Piece::Navigation)),
        "button" | "select" | "textarea" => Some(Some(Piece::Control)),
        "div" | "section" | "ul" | "header" if is_navigation(tag) => Some(Some(Piece::Navigation)),
        _ if is_cookie_notice(tag) => Some(Some(Piece::CookieNotice)),
        _ => None,
    }
}

fn is_navigation(tag: &Tag) -> bool {
    const ROLES: [&str; 5] = [
        "navigation",
        "banner",
        "contentinfo",
        "search",
        "complementary",
    ];
    ROLES.contains(&attribute(tag, "role"))
}

/// Returns whether an element asks to accept cookies. The id of a section is made of its heading,
/// which may be about such notices.
fn is_cookie_notice(tag: &Tag) -> bool {
    const OF_VENDORS: [&str; 4] = ["onetrust", "cookiebot", "cookieconsent", "cc-window"];
    const SUBJECT: [&str; 3] = ["cookie", "consent", "gdpr"];
    const FORM: [&str; 9] = [
        "banner", "notice", "bar", "popup", "modal", "dialog", "overlay", "alert", "message",
    ];
    let is_section = &*tag.name == "section" || attribute(tag, "class").contains("section");
    matches!(&*tag.name, "div" | "aside" | "dialog" | "form")
        && !is_section
        && (is_named(tag, &OF_VENDORS)
            || is_named(tag, &SUBJECT)
                && (is_named(tag, &FORM) || attribute(tag, "role") == "dialog"))
}

/// Returns whether an element is there and not shown. Parts that a control unfolds are shown later,
/// so they count as text.
pub(super) fn is_hidden(tag: &Tag, is_controlled: impl Fn(&str) -> bool) -> bool {
    // Others may be left without an end.
    const ENDED: [&str; 22] = [
        "div", "section", "span", "ul", "ol", "table", "dialog", "aside", "article", "form", "a",
        "i", "b", "header", "figure", "label", "h1", "h2", "h3", "h4", "h5", "h6",
    ];
    let style = attribute(tag, "style")
        .to_ascii_lowercase()
        .replace(' ', "");
    let hidden = has_attribute(tag, "hidden") && attribute(tag, "hidden") != "until-found";
    let is_hidden = hidden
        || attribute(tag, "aria-hidden") == "true"
        || style.contains("display:none")
        || style.contains("visibility:hidden");
    let unfolds = matches!(attribute(tag, "role"), "region" | "tabpanel")
        || has_attribute(tag, "aria-labelledby")
        || is_named(tag, &["accordion", "collapse", "panel", "faq", "tab"])
        || is_controlled(attribute(tag, "id"));
    is_hidden && !unfolds && ENDED.contains(&&*tag.name)
}

/// Returns what stands between the text before and behind a tag.
pub(super) fn gap_at(name: &str) -> Gap {
    match name {
        "li" | "tr" | "dt" | "dd" | "br" | "option" => Gap::Line,
        "td" | "th" | "img" | "input" => Gap::Blank,
        "p" | "div" | "section" | "article" | "main" | "header" | "aside" | "ul" | "ol" | "dl"
        | "table" | "caption" | "blockquote" | "figure" | "figcaption" | "details" | "summary"
        | "fieldset" | "legend" | "form" | "address" | "hr" | "body" | "center" => Gap::Paragraph,
        _ => Gap::None,
    }
}
