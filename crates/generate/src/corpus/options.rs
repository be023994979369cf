use std::path::PathBuf;

use clap::ValueEnum;
use pairmill_schema::Sameness;
use pairmill_tables::{ColumnNames, KeptColumns, Table};
use serde::Serialize;

use super::files::DocumentFormat;
use super::model_queries::ModelQueryOptions;
use crate::input::Input;
use crate::{Fractions, IntakeOptions};

/// The options that shape what is made of files.
#[derive(Debug, Clone, Serialize)]
pub struct CorpusOptions {
    /// Tokens of a passage at most, its title not counted.
    pub max_tokens: usize,
    /// A Hugging Face `tokenizer.json` to count tokens by; without one, words are counted.
    #[serde(skip)]
    pub tokenizer: Option<PathBuf>,
    /// What asks for passages.
    pub queries: Vec<QueryMaker>,
    /// A language model that asks for passages too.
    pub language_model: Option<Box<ModelQueryOptions>>,
    /// What stands in the column `title`.
    pub passage_titles: PassageTitles,
    /// Documents beyond which a heading, or the passage below it, says nothing of its own.
    pub max_documents_per_heading: u32,
    /// Random negatives for each anchor in the labelled pairs.
    pub negatives_per_anchor: usize,
    /// Fractions of the documents.
    pub split: Fractions,
    /// When two headings or titles are one query.
    pub same_text: Sameness,
    /// Documents to use at most.
    pub limit: Option<usize>,
    /// How a table of documents is read.
    pub table: DocumentTable,
}

/// Columns of a table of documents, and what its texts are.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DocumentTable {
    /// The column of the ids instead of `id`.
    pub id_column: Option<String>,
    /// The column of the titles instead of `title`.
    pub title_column: Option<String>,
    /// The column of the texts instead of `text`.
    pub text_column: Option<String>,
    /// What the texts are.
    pub text_format: DocumentFormat,
    /// The rows that are used.
    #[serde(flatten)]
    pub intake: IntakeOptions,
}

impl DocumentTable {
    /// Returns whether anything was asked for that only a table can have.
    pub(crate) fn is_asked_for(&self) -> bool {
        let columns = [&self.id_column, &self.title_column, &self.text_column];
        columns.into_iter().any(Option::is_some)
            || self.text_format != DocumentFormat::default()
            || self.intake.filter.is_some()
    }

    pub(crate) fn input<'a>(&'a self, path: &'a str, kept: &'a KeptColumns) -> Input<'a> {
        Input {
            path,
            table: Table::Corpus,
            columns: ["title", "text"],
            names: ColumnNames::new([
                ("id", self.id_column.as_deref()),
                ("title", self.title_column.as_deref()),
                ("text", self.text_column.as_deref()),
            ]),
            kept,
            intake: &self.intake,
        }
    }
}

impl Default for CorpusOptions {
    fn default() -> Self {
        Self {
            max_tokens: 200,
            tokenizer: None,
            queries: QueryMaker::WITHOUT_MODEL.to_vec(),
            language_model: None,
            passage_titles: PassageTitles::default(),
            max_documents_per_heading: 3,
            negatives_per_anchor: 1,
            split: Fractions::default(),
            same_text: Sameness::default(),
            limit: None,
            table: DocumentTable::default(),
        }
    }
}

/// What asks for a passage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum QueryMaker {
    /// Each heading, for what follows it
    Headings,
    /// The title or description of a document, for its beginning
    Titles,
    /// Of documents that headings and titles make no query of: a sentence of each passage, taken
    /// out of it
    Sentences,
    /// A language model, for passages of all documents in turn (needs --endpoint)
    Model,
}

impl QueryMaker {
    /// Those that need nothing but the documents.
    pub const WITHOUT_MODEL: [Self; 3] = [Self::Headings, Self::Titles, Self::Sentences];
}

/// What the title of a passage is. The later stages read a passage as its title and its text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum PassageTitles {
    /// The document's title and the headings above the passage's own, which is left to be its query
    #[default]
    Above,
    /// The document's title and all headings: for search as such, because queries then stand in
    /// what they are to find
    Full,
    /// Nothing
    None,
}

impl PassageTitles {
    /// Returns the title of a passage below these headings, of which the last is its own.
    pub(crate) fn of(self, title: Option<&str>, headings: &[String]) -> String {
        let headings = match self {
            Self::None => return String::new(),
            Self::Full => headings,
            Self::Above => headings.split_last().map_or(headings, |(_, above)| above),
        };
        let parts = title.into_iter().chain(headings.iter().map(String::as_str));
        parts.collect::<Vec<_>>().join(" > ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_way_to_the_passage() {
        let headings = ["Security", "TLS"].map(str::to_owned);
        let of = |titles: PassageTitles| titles.of(Some("Guide"), &headings);
        assert_eq!(of(PassageTitles::Full), "Guide > Security > TLS");
        assert_eq!(of(PassageTitles::Above), "Guide > Security");
        assert_eq!(of(PassageTitles::None), "");
        assert_eq!(PassageTitles::Above.of(Some("Guide"), &[]), "Guide");
        assert_eq!(PassageTitles::Above.of(None, &headings[..1]), "");
    }
}
