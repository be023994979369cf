use std::path::Path;

use pairmill_cli::Progress;
use rayon::prelude::*;

use super::document::Document;
use super::files::{DocumentFile, Format};
use super::passages::{self, Measure};
use super::{html, markdown, plain};
use crate::skipped::{Skipped, Why};

/// A document cut into passages.
#[derive(Debug)]
pub(crate) struct CutDocument {
    pub source: String,
    pub title: Option<String>,
    pub description: Option<String>,
    /// Each has a passage.
    pub sections: Vec<CutSection>,
}

/// The passages between two headings.
#[derive(Debug)]
pub(crate) struct CutSection {
    /// Its heading behind those above it.
    pub headings: Vec<String>,
    pub passages: Vec<String>,
}

/// Reads and cuts documents, each thread one at a time, so that few are held whole.
pub(crate) fn read_all(
    files: Vec<DocumentFile>,
    max_tokens: usize,
    measure: &Measure,
) -> (Vec<CutDocument>, Vec<Skipped>) {
    let progress = Progress::new("reading", "documents", Some(files.len() as u64));
    let results: Vec<Result<CutDocument, Skipped>> = files
        .into_par_iter()
        .map(|file| {
            let document = read(&file.path, file.format);
            progress.inc(1);
            match document {
                Ok(document) => Ok(cut(file.source, document, max_tokens, measure)),
                Err(why) => Err(Skipped::new(file.source, why)),
            }
        })
        .collect();
    let (mut documents, mut skipped) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(document) => documents.push(document),
            Err(file) => skipped.push(file),
        }
    }
    (documents, skipped)
}

fn read(path: &Path, format: Format) -> Result<Document, Why> {
    let bytes = std::fs::read(path).map_err(|error| Why::Unreadable(error.to_string()))?;
    let text = std::str::from_utf8(&bytes).map_err(|error| Why::NotUtf8 {
        at: error.valid_up_to(),
    })?;
    let document = parse(text, format);
    match document.sections.is_empty() {
        true => Err(Why::Empty),
        false => Ok(document),
    }
}

fn parse(text: &str, format: Format) -> Document {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match format {
        Format::Markdown => markdown::read(text),
        Format::Html => html::read(text),
        Format::Plain => plain::read(text),
    }
}

fn cut(source: String, document: Document, max_tokens: usize, measure: &Measure) -> CutDocument {
    let sections = document.sections.into_iter().map(|section| CutSection {
        headings: section.headings,
        passages: passages::cut(&section.text, max_tokens, measure)
            .into_iter()
            .map(str::to_owned)
            .collect(),
    });
    CutDocument {
        source,
        title: document.title,
        description: document.description,
        sections: sections.collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the formats give a meaning to, and what they do not expect.
    const PIECES: &[&str] = &[
        "---\n",
        "title: ",
        "description: >\n ",
        "- ",
        "{",
        "[",
        "&a ",
        "*a ",
        "!!x ",
        "\"",
        "'",
        ": ",
        "? ",
        "|",
        "# ",
        "## ",
        "\n",
        "\n\n",
        "\r\n",
        "    ",
        "```\n",
        "> [!NOTE]\n",
        "| a | b |\n|---|---|\n",
        "](x)",
        "![",
        "[^1]",
        "<nav>",
        "</nav>",
        "<main>",
        "</main>",
        "<h2>",
        "</h2>",
        "<p>",
        "<pre>",
        "</pre>",
        "<script>",
        "</script>",
        "<title>",
        "<!--",
        "-->",
        "<![CDATA[",
        "<br/>",
        "<svg/>",
        "&amp;",
        "&#0;",
        "&",
        "word",
        "Two. ",
        "é",
        "\u{0}",
        "\u{feff}",
        "\u{1f517}",
        "\t",
        "1. ",
        "***",
        "`",
        "\\",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn no_text_is_too_odd_to_be_read_and_cut(
            start in prop::sample::select(&["", "---\n"][..]),
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60),
        ) {
            let text = start.to_owned() + &pieces.concat();
            for format in [Format::Markdown, Format::Html, Format::Plain] {
                let document = cut("odd".to_owned(), parse(&text, format), 5, &Measure::Words);
                for passage in document.sections.iter().flat_map(|section| &section.passages) {
                    prop_assert!(!passage.trim().is_empty());
                    prop_assert!(passage.split_whitespace().count() <= 5, "{passage}");
                }
            }
        }
    }
}
