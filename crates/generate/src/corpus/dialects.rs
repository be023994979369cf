use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use crate::left_out::{Piece, Pieces};

/// Blanks by which MkDocs indents what belongs to a box or a tab.
const INDENT: usize = 4;

/// `!!! note "Title"`, `??? note`, `???+ note` and `=== "Tab"` of MkDocs.
static INDENTED_BOX: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"^(?:!!!|\?\?\?\+?)[ \t]+[\w -]+?(?:"([^"]*)")?[ \t]*$|^===[!+]?[ \t]+"([^"]*)"[ \t]*$"#,
    )
});
/// `:::tip Title`, `:::tip[Title]`, `::: {.note}` and the closing `:::` of Docusaurus and Pandoc.
static FENCED_BOX: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^ {0,3}:{3,}[ \t]*(?:[\w-]*(?:\[([^\]]*)\])?[ \t]*(?:\{[^}]*\})?(.*))?$")
});
static IMPORT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r#"^(?:import[ \t]+(?:.+?[ \t]from[ \t]+)?['"][^'"]+['"];?"#,
        r"|export[ \t]+(?:(?:const|let|var)[ \t]+[\w${][^=]*=.*|(?:async[ \t]+)?function[ \t]+\w+\(.*",
        r"|default[ \t]+(?:[\w$]+;|[^;]*[({]|[\w$.]+\(.*\);?)))[ \t]*$"
    ))
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is sound")
}

/// Turns what MkDocs, Docusaurus, Pandoc and MDX add to Markdown into plain Markdown: boxes and
/// tabs become their titles and texts, imports go.
pub(crate) fn to_markdown<'t>(text: &'t str, pieces: &mut Pieces) -> Cow<'t, str> {
    let has_dialect = [
        "!!! ", "???", "===", ":::", "import ", "export ", "toc]", "TOC]", "TOC_]",
    ];
    if !has_dialect.iter().any(|sign| text.contains(sign)) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut fence: Option<&str> = None;
    // By how many blanks what belongs to the open boxes is indented.
    let mut indent = 0;
    for whole in text.split_inclusive('\n') {
        let line = whole.trim_end_matches(['\n', '\r']);
        let blanks = line.len() - line.trim_start_matches(' ').len();
        let is_blank = line.trim().is_empty();
        while !is_blank && fence.is_none() && blanks < indent {
            indent -= INDENT;
        }
        let line = &line[blanks.min(indent)..];
        if let Some(open) = fence {
            if line.trim().starts_with(open) {
                fence = None;
            }
            push(&mut plain, line);
            continue;
        }
        fence = opened_fence(line);
        if let Some(found) = INDENTED_BOX.captures(line) {
            indent += INDENT;
            let title = found.get(1).or(found.get(2));
            push_title(&mut plain, title.map_or("", |title| title.as_str()));
        } else if let Some(found) = FENCED_BOX.captures(line) {
            let title = [1, 2].map(|at| found.get(at).map_or("", |title| title.as_str().trim()));
            push_title(
                &mut plain,
                title.iter().find(|title| !title.is_empty()).unwrap_or(&""),
            );
        } else if IMPORT.is_match(line) {
            pieces.add(Piece::Import, 1);
            plain.push('\n');
        } else if is_place_of_contents(line) {
            pieces.add(Piece::Navigation, 1);
            plain.push('\n');
        } else {
            push(&mut plain, line);
        }
    }
    Cow::Owned(plain)
}

/// Returns whether a generator puts the table of contents in the place of a line.
fn is_place_of_contents(line: &str) -> bool {
    const SIGNS: [&str; 4] = ["[toc]", "[[toc]]", "[[_toc_]]", "@[toc]"];
    SIGNS.contains(&&*line.trim().to_ascii_lowercase())
}

/// Returns the sign of a fence of code that a line opens.
fn opened_fence(line: &str) -> Option<&'static str> {
    let line = line.trim_start();
    ["```", "~~~"]
        .into_iter()
        .find(|fence| line.starts_with(fence))
}

fn push(plain: &mut String, line: &str) {
    plain.push_str(line);
    plain.push('\n');
}

/// Makes a title a paragraph of its own.
fn push_title(plain: &mut String, title: &str) {
    plain.push('\n');
    plain.push_str(title);
    plain.push_str("\n\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines that are not empty.
    fn lines(text: &str) -> Vec<String> {
        let plain = to_markdown(text, &mut Pieces::default());
        let lines = plain.lines().filter(|line| !line.trim().is_empty());
        lines.map(str::to_owned).collect()
    }

    #[test]
    fn boxes_of_mkdocs_are_no_code() {
        let text = "a\n\n!!! note \"Mind\"\n    The gap.\n\n    - x\n\n    ??? tip\n        In.\n\nb\n\n\
                    === \"Linux\"\n\n    apt\n\n    ```sh\n    ls\n    ```\n\n=== \"Mac\"\n\n    brew\n";
        let expected = [
            "a", "Mind", "The gap.", "- x", "In.", "b", "Linux", "apt", "```sh", "ls", "```",
            "Mac", "brew",
        ];
        assert_eq!(lines(text), expected);
    }

    #[test]
    fn boxes_of_docusaurus_and_pandoc_leave_title_and_text() {
        let text =
            ":::tip Mind it\n\nText.\n\n:::\n\n:::note[Other]\nx\n:::\n::: {.warning}\ny\n::::\n";
        assert_eq!(lines(text), ["Mind it", "Text.", "Other", "x", "y"]);
    }

    #[test]
    fn imports_of_mdx_go_and_sentences_stay() {
        let text = "import Tabs from '@theme/Tabs';\nexport const x = 1;\n\nimport the key from 'a' file\n\
                    ```js\nimport x from 'y';\n```\n";
        let expected = [
            "import the key from 'a' file",
            "```js",
            "import x from 'y';",
            "```",
        ];
        assert_eq!(lines(text), expected);
        let code = "export default Page;\nexport default function Page() {\nexport let x = 2;\n\
                    export function f(x) {\n";
        assert!(lines(code).is_empty());
        let prose = [
            "export default values first.",
            "export let us see",
            "export functions",
        ];
        assert_eq!(lines(&prose.join("\n")), prose);
    }

    #[test]
    fn plain_markdown_is_left_alone() {
        for text in ["a\n===\nb", "# A\n\n    code\n", "x ::: y\n", "Wait???\n"] {
            assert_eq!(
                lines(text).join("\n"),
                text.replace("\n\n", "\n").trim_end()
            );
        }
    }
}
