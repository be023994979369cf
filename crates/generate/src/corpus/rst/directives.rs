/// What of a directive is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing: it is code.
    Code,
    /// Nothing: it makes a page, or shows what is no text.
    None,
    /// What is indented below it.
    Text,
    /// Its argument as well.
    TextOf,
}

const CODE: [&str; 14] = [
    "code-block",
    "code",
    "sourcecode",
    "literalinclude",
    "parsed-literal",
    "highlight",
    "math",
    "doctest",
    "testcode",
    "testoutput",
    "testsetup",
    "prompt",
    "graphviz",
    "mermaid",
];

const NONE: [&str; 25] = [
    "toctree",
    "index",
    "contents",
    "image",
    "raw",
    "include",
    "meta",
    "currentmodule",
    "module",
    "py:module",
    "py:currentmodule",
    "automodule",
    "autoclass",
    "autofunction",
    "autosummary",
    "highlightlang",
    "tabularcolumns",
    "role",
    "default-role",
    "sectnum",
    "target-notes",
    "header",
    "footer",
    "replace",
    "date",
];

/// Their arguments are file names or the like, or a version.
const WITHOUT_ARGUMENT: [&str; 7] = [
    "only",
    "figure",
    "csv-table",
    "list-table",
    "container",
    "class",
    "tabs",
];

/// Returns what of a directive is text; of one that is not known everything.
pub(super) fn content_of(name: &str) -> Content {
    let name = name.to_ascii_lowercase();
    let is_among = |names: &[&str]| names.contains(&&*name);
    if is_among(&CODE) {
        Content::Code
    } else if is_among(&NONE) {
        Content::None
    } else if is_among(&WITHOUT_ARGUMENT) {
        Content::Text
    } else {
        Content::TextOf
    }
}
