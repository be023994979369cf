//! Documents, files or the rows of a table, to a retrieval set: passages, and the headings and
//! titles that ask for them.

mod anchors;
mod dialects;
mod document;
mod encoding;
mod files;
mod front_matter;
mod html;
mod markdown;
mod model_queries;
mod options;
mod passages;
mod plain;
mod preformatted;
mod read;
mod rst;
mod sentences;
mod shared_paragraphs;
mod templates;
mod terminal;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use anchors::Anchors;
use files::DocumentFile;
pub use files::DocumentFormat;
pub(crate) use files::{Files, is_table};
use model_queries::ModelQueries;
pub use model_queries::ModelQueryOptions;
pub use options::{CorpusOptions, DocumentTable, PassageTitles, QueryMaker};
use passages::Measure;
use read::{CutDocument, CutDocuments, CutSection, ReadDocuments};
use sentences::Sentences;
use tracing::warn;

use pairmill_schema::{TextKey, counted};
use pairmill_tables::KeptColumns;

use crate::input::{Found, Row};
use crate::retrieval::{Passage, Relevance, RetrievalSet};
use crate::skipped::SkippedFiles;
use crate::summary::{Facts, Rows, Summary};
use crate::write::Tables;
use crate::{GenerateError, Result, draw};

/// The column of the pairs that says what made the query.
const MAKER: &str = "maker";

/// What files make, with what there is to say about it.
pub(crate) struct Generated {
    pub set: RetrievalSet,
    pub rows: Rows,
    pub facts: Facts,
    /// What a language model wrote, where one was asked.
    written: Option<ModelQueries>,
}

impl Generated {
    /// Writes the tables.
    pub fn write(&self, tables: &Tables) -> Result<Summary> {
        if let Some(written) = &self.written {
            written.write(tables)?;
        }
        Ok(Summary {
            rows: self.rows.clone(),
            facts: self.facts.clone(),
            time: None,
            splits: self.set.write(tables)?,
        })
    }
}

/// Reads and cuts files and pairs their passages with headings and titles. A document's split is a
/// hash of its path.
pub(crate) fn of_files(
    files: Files,
    inputs: &[String],
    options: &CorpusOptions,
    seed: u64,
) -> Result<Generated> {
    let input = inputs.join(", ");
    let found = files.documents.len();
    let others = files.others;
    if found == 0 && files.skipped.is_empty() {
        return Err(GenerateError::NoDocuments { input, others });
    }
    if options.table.is_asked_for() {
        return Err(GenerateError::ColumnsOfFiles { input });
    }
    let chosen = sample(files.documents, options.limit, seed);
    let mut read = read::read_files(chosen);
    read.skipped.extend(files.skipped);
    generate(read, input, others, options, seed)
}

/// Does the same for the rows of a table. A document's split is a hash of its id.
pub(crate) fn of_rows(
    found: Found,
    input: &str,
    options: &CorpusOptions,
    seed: u64,
) -> Result<Generated> {
    let format = options.table.text_format;
    warn_of_markup(&found.rows, format);
    let blank = found.counts.dropped;
    if blank > 0 {
        let rows = counted(blank, "row has", "rows have");
        warn!("{input}: {rows} an empty text; left out");
    }
    let counts = found.counts;
    let read = read::read_rows(found.rows, format);
    let mut made = generate(read, input.to_owned(), 0, options, seed)?;
    if let Facts::Corpus { skipped, table, .. } = &mut made.facts {
        skipped.empty += blank;
        *table = Some(counts);
    }
    Ok(made)
}

/// Warns where texts that are read as plain look like pages.
fn warn_of_markup(rows: &[Row], format: DocumentFormat) {
    const TAGS: [&str; 6] = ["</p>", "</div>", "</li>", "<br>", "<br/>", "<br />"];
    if format != DocumentFormat::Plain {
        return;
    }
    let is_marked = |row: &&Row| TAGS.iter().any(|tag| row.texts[1].contains(tag));
    let marked = rows.iter().filter(is_marked).count();
    if let Some(first) = rows.iter().find(is_marked) {
        warn!(
            "{} of HTML, the first of {}; --text-format html reads their text alone",
            counted(marked as u64, "text has tags", "texts have tags"),
            first.id
        );
    }
}

fn generate(
    read: ReadDocuments,
    input: String,
    others: u64,
    options: &CorpusOptions,
    seed: u64,
) -> Result<Generated> {
    let measure = match &options.tokenizer {
        Some(path) => Measure::from_file(path)?,
        None => Measure::Words,
    };
    let skipped = SkippedFiles::report(&read.skipped);
    let CutDocuments {
        documents,
        left_out,
    } = read::cut_all(read.documents, options.max_tokens, &measure);
    if documents.is_empty() {
        return Err(GenerateError::NoUsableDocument { input, skipped });
    }

    let used = documents.len();
    let mut pairing = Pairing::new(&documents, options, seed);
    for document in documents {
        pairing.add(document);
    }
    let written = pairing.ask_model()?;
    let kept = pairing.passages.len() as u64;
    let rows = Rows {
        read: pairing.cut,
        folded: pairing.cut - kept,
        dropped: 0,
        used: kept,
        ..Rows::default()
    };
    let (headings_prefixed, headings_left_out) = (pairing.prefixed, pairing.left_out);
    let sentences = pairing.taken_out;
    let negatives = options.negatives_per_anchor;
    let mut set = RetrievalSet::new(
        pairing.passages,
        pairing.relevances,
        negatives,
        options.same_text,
        seed,
    );
    set.kept = KeptColumns::Named(vec![MAKER.to_owned()]);
    if set.queries.is_empty() {
        let documents = used;
        return Err(GenerateError::NoAnchors { input, documents });
    }
    if let Some(split) = set.split_without_query() {
        return Err(GenerateError::EmptySplit {
            input,
            split,
            found: format!(
                "{} of {}",
                counted(kept, "passage", "passages"),
                counted(used, "document", "documents")
            ),
            more: "documents",
            fractions: options.split,
        });
    }
    let (queries_across_splits, pairs_left_out) = set.across_splits();
    let facts = Facts::Corpus {
        table: None,
        documents: used as u64,
        queries: set.queries.len() as u64,
        queries_respelled: set.respelled,
        headings_prefixed,
        headings_left_out,
        sentences,
        queries_across_splits,
        pairs_left_out,
        skipped,
        other_files: others,
        left_out,
        model: written
            .as_ref()
            .map(|written| Box::new(written.facts.clone())),
    };
    Ok(Generated {
        set,
        rows,
        facts,
        written,
    })
}

/// Keeps `limit` files by the hash of their path: a larger limit adds files and removes none.
fn sample(mut files: Vec<DocumentFile>, limit: Option<usize>, seed: u64) -> Vec<DocumentFile> {
    if let Some(limit) = limit.filter(|&limit| limit < files.len()) {
        files.sort_by_cached_key(|file| draw::number(seed, "limit", &[file.source.as_bytes()]));
        files.truncate(limit);
        files.sort_unstable_by(|a, b| a.source.cmp(&b.source));
    }
    files
}

/// Passages and what asks for them, document by document.
struct Pairing<'a> {
    options: &'a CorpusOptions,
    seed: u64,
    anchors: Anchors,
    /// Distinct ones.
    passages: Vec<Passage>,
    known: HashSet<TextKey>,
    /// Those of which each says something of its own.
    answers: Vec<u32>,
    relevances: Vec<Relevance>,
    /// Each query and passage in them.
    paired: HashSet<(TextKey, u32)>,
    /// Where documents are without any other query.
    sentences: Option<Sentences>,
    taken_out: u64,
    /// Passages cut, equal ones included.
    cut: u64,
    prefixed: u64,
    left_out: u64,
}

impl<'a> Pairing<'a> {
    fn new(documents: &[CutDocument], options: &'a CorpusOptions, seed: u64) -> Self {
        let anchors = Anchors::new(documents, options.max_documents_per_heading);
        let makers = &options.queries;
        let is_asked_for = |document: &CutDocument| anchors.ask_for(document, makers);
        let wants_sentences =
            makers.contains(&QueryMaker::Sentences) && !documents.iter().all(is_asked_for);
        let sections = documents.iter().flat_map(|document| &document.sections);
        let passages = sections.flat_map(|section| &section.passages);
        Self {
            options,
            seed,
            sentences: wants_sentences.then(|| Sentences::new(passages.map(String::as_str))),
            anchors,
            paired: HashSet::new(),
            taken_out: 0,
            passages: Vec::new(),
            known: HashSet::new(),
            answers: Vec::new(),
            relevances: Vec::new(),
            cut: 0,
            prefixed: 0,
            left_out: 0,
        }
    }

    fn add(&mut self, document: CutDocument) {
        let makers = &self.options.queries;
        let anchor = self.anchors.of_document(&document).map(str::to_owned);
        let anchor = anchor.filter(|_| makers.contains(&QueryMaker::Titles));
        let has_headings = makers.contains(&QueryMaker::Headings);
        let is_asked_for = self.anchors.ask_for(&document, makers);
        let title = document.title.as_deref();
        let source: Arc<str> = document.source.into();
        let split = self
            .options
            .split
            .split_of(self.seed, TextKey::identical(&source));
        let mut number = 0;
        let mut first = None;
        for CutSection { headings, passages } in document.sections {
            let mut first_of_section = None;
            for (at, text) in passages.into_iter().enumerate() {
                number += 1;
                let taken = match &self.sentences {
                    Some(sentences) if !is_asked_for => sentences.take_out(&text),
                    _ => None,
                };
                let (sentence, text) = taken.map_or((None, text), |(one, rest)| (Some(one), rest));
                let passage = Passage {
                    id: format!("{source}#{number}"),
                    title: self.options.passage_titles.of(title, &headings),
                    text,
                    source: Some(source.clone()),
                    split,
                };
                let answer = self.passage(passage);
                if let Some((sentence, passage)) = sentence.zip(answer) {
                    self.taken_out += 1;
                    self.pair(sentence, passage, QueryMaker::Sentences);
                }
                if at == 0 {
                    first_of_section = answer;
                }
                if number == 1 {
                    first = answer;
                }
            }
            let Some(heading) = headings.last().filter(|_| has_headings) else {
                continue;
            };
            match first_of_section.zip(self.anchors.of_heading(heading, title)) {
                Some((passage, anchor)) => {
                    self.prefixed += u64::from(matches!(anchor, Cow::Owned(_)));
                    self.pair(anchor.into_owned(), passage, QueryMaker::Headings);
                }
                None => self.left_out += 1,
            }
        }
        if let (Some(anchor), Some(passage)) = (anchor, first) {
            self.pair(anchor, passage, QueryMaker::Titles);
        }
    }

    /// Keeps a passage unless one of equal text is there, whose title would then answer for
    /// another document. Returns its index if it can answer.
    fn passage(&mut self, passage: Passage) -> Option<u32> {
        self.cut += 1;
        let text = TextKey::identical(&passage.text);
        if !self.known.insert(text) {
            return None;
        }
        self.passages.push(passage);
        let at = self.passages.len() as u32 - 1;
        if self.anchors.is_common_passage(text) {
            return None;
        }
        self.answers.push(at);
        Some(at)
    }

    /// Lets a language model ask for passages, if there is one.
    fn ask_model(&mut self) -> Result<Option<ModelQueries>> {
        let Some(options) = &self.options.language_model else {
            return Ok(None);
        };
        let made = options.queries(
            &self.passages,
            &self.answers,
            self.options.max_documents_per_heading,
            self.options.same_text,
            self.seed,
        )?;
        for one in made.written.iter().filter(|one| one.is_query()) {
            self.pair(one.query.clone(), one.passage, QueryMaker::Model);
        }
        Ok(Some(made))
    }

    /// Notes that a query asks for a passage, by the first maker that says so.
    fn pair(&mut self, query: String, passage: u32, maker: QueryMaker) {
        let key = TextKey::new(&query, self.options.same_text);
        if !self.paired.insert((key, passage)) {
            return;
        }
        let maker: &str = maker.into();
        self.relevances.push(Relevance {
            query_id: TextKey::identical(&query).id("q-"),
            query,
            passage,
            kept: Box::new([Some(maker.to_owned())]),
        });
    }
}
