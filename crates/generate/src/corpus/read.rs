use std::collections::BTreeMap;
use std::path::Path;

use pairmill_cli::Progress;
use pairmill_schema::identical;
use rayon::prelude::*;

use super::document::Document;
use super::encoding::decode;
use super::files::{DocumentFile, DocumentFormat};
use super::passages::{self, Measure};
use super::{html, markdown, plain, rst, shared_paragraphs};
use crate::input::Row;
use crate::left_out::{LeftOut, Piece, Tally};
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

/// Documents by their source, and files or rows that make none.
#[derive(Debug, Default)]
pub(crate) struct ReadDocuments {
    pub documents: Vec<(String, Document)>,
    pub skipped: Vec<Skipped>,
}

impl FromIterator<Result<(String, Document), Skipped>> for ReadDocuments {
    fn from_iter<T: IntoIterator<Item = Result<(String, Document), Skipped>>>(results: T) -> Self {
        let mut read = Self::default();
        for result in results {
            match result {
                Ok(document) => read.documents.push(document),
                Err(skipped) => read.skipped.push(skipped),
            }
        }
        read
    }
}

/// Reads files, each thread one at a time.
pub(crate) fn read_files(files: Vec<DocumentFile>) -> ReadDocuments {
    let progress = Progress::new("reading", "documents", Some(files.len() as u64));
    let results: Vec<_> = files
        .into_par_iter()
        .map(|file| {
            let document = read(&file.path, file.format);
            progress.inc(1);
            match document {
                Ok(document) => Ok((file.source, document)),
                Err(why) => Err(Skipped::new(file.source, why)),
            }
        })
        .collect();
    results.into_iter().collect()
}

/// Reads the rows of a table of documents: an id, a title, which may be empty, and a text.
pub(crate) fn read_rows(rows: Vec<Row>, format: DocumentFormat) -> ReadDocuments {
    let results: Vec<_> = rows
        .into_par_iter()
        .map(|row| {
            let [title, text] = row.texts;
            match parse_titled(&title, &text, format) {
                Ok(document) => Ok((row.id, document)),
                Err(why) => Err(Skipped::new(row.id, why)),
            }
        })
        .collect();
    results.into_iter().collect()
}

/// What is left of documents when they are cut.
#[derive(Debug)]
pub(crate) struct CutDocuments {
    pub documents: Vec<CutDocument>,
    pub left_out: BTreeMap<Piece, LeftOut>,
}

/// Takes out what many documents share and cuts the rest.
pub(crate) fn cut_all(
    mut documents: Vec<(String, Document)>,
    max_tokens: usize,
    measure: &Measure,
) -> CutDocuments {
    shared_paragraphs::leave_out(documents.iter_mut().map(|(_, document)| document));
    let mut tally = Tally::default();
    for (source, document) in &documents {
        tally.add(source, &document.left_out);
    }
    let cut = |(source, document)| cut(source, document, max_tokens, measure);
    CutDocuments {
        documents: documents.into_par_iter().map(cut).collect(),
        left_out: tally.into_counts(),
    }
}

fn read(path: &Path, format: DocumentFormat) -> Result<Document, Why> {
    let bytes = std::fs::read(path).map_err(|error| Why::Unreadable(error.to_string()))?;
    parse_titled("", &decode(&bytes, format)?, format)
}

/// Reads a document; its own title is one where none is given.
fn parse_titled(title: &str, text: &str, format: DocumentFormat) -> Result<Document, Why> {
    let mut document = parse(text, format);
    if !title.trim().is_empty() {
        document.title = Some(identical(title).into_owned());
    }
    match document.sections.is_empty() {
        true => Err(Why::Empty),
        false => Ok(document),
    }
}

fn parse(text: &str, format: DocumentFormat) -> Document {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match format {
        DocumentFormat::Markdown => markdown::read(text),
        DocumentFormat::Html => html::read(text),
        DocumentFormat::Rst => rst::read(text),
        DocumentFormat::Plain => plain::read(text),
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
    use clap::ValueEnum;
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
        "+++\n",
        ".. note:: a\n",
        ".. code::\n",
        "   ",
        "::\n",
        "====\n",
        "== ==\n",
        "+--+\n",
        ":a: ",
        ">>> ",
        ":ref:`",
        "`_",
        "**",
        "|",
        "{\"title\": \"x\"}\n",
        "{% highlight %}",
        "{% endhighlight %}",
        "{{",
        "}}",
        "{: .a }",
        "{% raw %}",
        "!!! note \"a\"\n",
        ":::",
        "=== \"b\"\n",
        "import x from 'y'\n",
        ": ",
        "[[a|b]]",
        "\u{8}",
        "\u{1b}[1m",
        "\u{c}",
        "12\n",
        "<dt>",
        "<dd>",
        "<summary>",
        "</summary>",
        "</details>",
        "<button aria-expanded>",
        "</button>",
        "<div hidden>",
        "</div>",
        "<div role=heading>",
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
            start in prop::sample::select(&["", "---\n", "+++\n", "{"][..]),
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60),
        ) {
            let text = start.to_owned() + &pieces.concat();
            for &format in DocumentFormat::value_variants() {
                let document = cut("odd".to_owned(), parse(&text, format), 5, &Measure::Words);
                for passage in document.sections.iter().flat_map(|section| &section.passages) {
                    prop_assert!(!passage.trim().is_empty());
                    prop_assert!(passage.split_whitespace().count() <= 5, "{passage}");
                }
            }
        }
    }
}
