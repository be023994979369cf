use std::path::PathBuf;

use pairmill_augment::AugmentError;
use pairmill_dense::DenseError;
use pairmill_hub::HubError;
use pairmill_inference::InferenceError;
use pairmill_language_model::LanguageModelError;
use pairmill_tables::TableError;

use crate::{Fractions, SkippedFiles, Split};

/// The result of generating.
pub type Result<T, E = GenerateError> = std::result::Result<T, E>;

/// Why nothing was generated.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// An input that cannot be read or an output that cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A table that cannot be checked.
    #[error(transparent)]
    Check(#[from] crate::check::error::CheckError),
    /// Two different rows of one id.
    #[error(
        "{input}: the id `{id}` stands for two rows that differ in `{column}` ({first:?} and {second:?}); give each row its own id"
    )]
    DuplicateId {
        /// The input as the user gave it.
        input: String,
        /// The id.
        id: String,
        /// The first column that differs.
        column: &'static str,
        /// Its text in one row, shortened.
        first: String,
        /// Its text in the other row, shortened.
        second: String,
    },
    /// Every row has an empty text.
    #[error("{input}: `{}` or `{}` is empty in every row of {rows}; nothing is left", columns[0], columns[1])]
    AllEmpty {
        /// The input as the user gave it.
        input: String,
        /// Rows read.
        rows: u64,
        /// The columns that must not be empty.
        columns: [&'static str; 2],
    },
    /// A label that is none.
    #[error(
        "{input}: `{column}` is {found:?} in row {row} (counted from 1, header not counted); expected a number from 0 (not relevant) to 1 (relevant): scale other scores first"
    )]
    Label {
        /// The input as the user gave it.
        input: String,
        /// The column of labels.
        column: String,
        /// Row number, from 1.
        row: u64,
        /// What stands there.
        found: String,
    },
    /// A split without a query.
    #[error(
        "{input}: no query is left for {split} of {found} (split {fractions}); bring more {more} or give {split} more with --split"
    )]
    EmptySplit {
        /// The input as the user gave it.
        input: String,
        /// The split.
        split: Split,
        /// How much there is to split.
        found: String,
        /// What to bring more of, plural.
        more: &'static str,
        /// The fractions asked for.
        fractions: Fractions,
    },
    /// A question whose id is also that of an answer in the corpus.
    #[error(
        "{input}: the question id `{id}` is also the id of an answer in the corpus, which evaluation takes for the query itself; give the row another id"
    )]
    IdOfAnswer {
        /// The input as the user gave it.
        input: String,
        /// The id.
        id: String,
    },
    /// Fewer than two categories: nothing is a negative.
    #[error(
        "{input}: every ticket has the category `{category}`; expected at least two categories"
    )]
    OneCategory {
        /// The input as the user gave it.
        input: String,
        /// The only category.
        category: String,
    },
    /// No category with two texts to pair.
    #[error(
        "{input}: no category of {categories} has two different texts in train, so there is no positive pair; bring more rows or check the category column"
    )]
    NoPairs {
        /// The input as the user gave it.
        input: String,
        /// Number of categories.
        categories: usize,
    },
    /// A file whose name tells no format of documents.
    #[error(
        "{path}: cannot tell the kind of document from the name; expected .md, .mdx, .rst, .html or .txt, or a table (.parquet, .csv, .jsonl …); convert it or give the folder it lies in"
    )]
    UnknownDocument {
        /// The offending file.
        path: String,
    },
    /// Several tables of documents, or tables beside files.
    #[error(
        "{inputs}: a table of documents is read alone; put several parts into one folder and give that"
    )]
    SeveralTables {
        /// The inputs as the user gave them.
        inputs: String,
    },
    /// Options of a table for files.
    #[error(
        "{input}: columns, --text-format and --where are of tables, and these are files; leave the options out"
    )]
    ColumnsOfFiles {
        /// The inputs as the user gave them.
        input: String,
    },
    /// Inputs without any document.
    #[error(
        "{input}: holds no document (files of other kinds: {others}); expected .md, .mdx, .rst, .html or .txt, or a table of documents (.parquet, .csv, .jsonl …); check the path or convert them"
    )]
    NoDocuments {
        /// The inputs as the user gave them.
        input: String,
        /// Number of files of other kinds.
        others: u64,
    },
    /// Documents none of which can be used.
    #[error(
        "{input}: no document can be used ({skipped}); expected UTF-8 text outside code, navigation and front matter; see the warnings above for each file"
    )]
    NoUsableDocument {
        /// The inputs as the user gave them.
        input: String,
        /// What was found instead.
        skipped: SkippedFiles,
    },
    /// Documents without anything that could be a query.
    #[error(
        "{input}: no document of {documents} has a title, a description or a heading of its own, or a passage of which one part shares a word with the rest, so there is no query; add headings or titles, or make queries by other means and use `generate qa`"
    )]
    NoAnchors {
        /// The inputs as the user gave them.
        input: String,
        /// Number of documents.
        documents: usize,
    },
    /// A folder without a data set for retrieval.
    #[error(
        "{input}: has no {part}; expected a data set in BEIR's form (corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv) or in tables (corpus.parquet, queries_SPLIT.parquet, qrels_SPLIT.parquet)"
    )]
    NoDataSet {
        /// The folder as the user gave it.
        input: String,
        /// What is missing.
        part: String,
    },
    /// A folder with data sets of both forms.
    #[error(
        "{input}: has both corpus.jsonl and corpus.parquet, so its form cannot be told; move one of the data sets"
    )]
    TwoDataSets {
        /// The folder as the user gave it.
        input: String,
    },
    /// A split without judgements.
    #[error("{input}: has no judgements of a split `{split}`; found {found}")]
    NoSuchSplit {
        /// The folder as the user gave it.
        input: String,
        /// The split asked for.
        split: String,
        /// The splits that are there.
        found: String,
    },
    /// A query id with two texts.
    #[error("{input}: the query id `{id}` has two texts; give each query its own id")]
    TwoTexts {
        /// The offending file.
        input: String,
        /// The id.
        id: String,
    },
    /// An output whose name tells no form that the table can have.
    #[error(
        "{output}: cannot hold a {table} table; expected a name that ends in .parquet, .csv, .jsonl or .arrow, in .trec, or for judgements in .tsv (BEIR's form)"
    )]
    NoSuchForm {
        /// The output.
        output: PathBuf,
        /// The table to write.
        table: &'static str,
    },
    /// A `tokenizer.json` that cannot be used.
    #[error("{path}: not a sound tokenizer ({detail}); expected a Hugging Face tokenizer.json")]
    Tokenizer {
        /// The offending file.
        path: PathBuf,
        /// What the reader found.
        detail: String,
    },
    /// A wording that cannot be made.
    #[error(transparent)]
    Augment(#[from] AugmentError),
    /// A language model that cannot be asked.
    #[error(transparent)]
    LanguageModel(#[from] LanguageModelError),
    /// A model that cannot be had.
    #[error(transparent)]
    Model(#[from] HubError),
    /// A model that cannot be loaded or run.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// Embeddings that cannot be computed or kept.
    #[error(transparent)]
    Embeddings(#[from] DenseError),
    /// A text whose embedding is not finite.
    #[error("{model}: the embedding of {text:?} is not finite; expected a sound model")]
    NoVector {
        /// The model's name.
        model: String,
        /// The text, shortened.
        text: String,
    },
    /// A folder for the time of the run that cannot be made.
    #[error("no temporary folder can be made; set TMPDIR to a folder that can be written to")]
    Temporary(#[source] std::io::Error),
    /// A pool that nothing is left of.
    #[error(
        "{input}: nothing is left to choose from: of {rows} rows {labelled} are labelled already and {empty} have no text; give more texts"
    )]
    EmptyPool {
        /// The pool as the user gave it.
        input: String,
        /// Rows read.
        rows: u64,
        /// Rows whose text is labelled.
        labelled: u64,
        /// Rows without text.
        empty: u64,
    },
    /// A task or record of an annotation tool's export without what is needed.
    #[error(
        "{input}: task {task} has neither `data.row_id` (Label Studio) nor `id` and `fields` (Argilla); expected an export of a sheet that `generate select` has made"
    )]
    NoSheetRow {
        /// The sheet as the user gave it.
        input: String,
        /// Its number, from 1.
        task: usize,
    },
    /// A row of a sheet that is not of the pool.
    #[error(
        "{sheet}: the id `{id}` is not in {pool}; give the pool that the sheet was made of, or correct the id"
    )]
    NotOfPool {
        /// The sheet as the user gave it.
        sheet: String,
        /// The pool as the user gave it.
        pool: String,
        /// The id.
        id: String,
    },
    /// A row with two categories.
    #[error(
        "{sheet}: the id `{id}` has the category `{second}`, and `{first}` in another row or sheet; keep one"
    )]
    TwoCategories {
        /// The sheet as the user gave it.
        sheet: String,
        /// The id.
        id: String,
        /// What was read first.
        first: String,
        /// What was read now.
        second: String,
    },
    /// Sheets in which no category stands.
    #[error(
        "{sheets}: none of the {rows} rows has a category; fill in the column `category` first"
    )]
    NothingFilledIn {
        /// The sheets as the user gave them.
        sheets: String,
        /// Their rows.
        rows: usize,
    },
    /// A passage that was judged in two ways.
    #[error(
        "{input}: the passage `{passage}` is judged relevant to the query `{query}` in one row and not relevant in another; keep one"
    )]
    TwoJudgements {
        /// The sheet or table as the user gave it.
        input: String,
        /// The id of the query.
        query: String,
        /// The id of the passage.
        passage: String,
    },
    /// A cell of a sheet that is neither yes nor no.
    #[error(
        "{sheet}: `{found}` in the column `{column}`, for the query `{query}` and the passage `{passage}`; write 1 (or yes) where the passage answers the query and 0 (or no) where it does not, and leave what is undecided blank"
    )]
    NotYesOrNo {
        /// The sheet as the user gave it.
        sheet: String,
        /// The id of the query.
        query: String,
        /// The id of the passage.
        passage: String,
        /// The column.
        column: &'static str,
        /// What stands there.
        found: String,
    },
    /// Sheets in which nothing is judged.
    #[error("{sheets}: none of the {rows} rows is judged; fill in the column `relevant` first")]
    NothingJudged {
        /// The sheets as the user gave them.
        sheets: String,
        /// Their rows.
        rows: usize,
    },
    /// A pool without a query to judge passages of.
    #[error(
        "{pool}: no query is left to judge passages of ({queries} queries, of which {answered} have a relevant passage already; {passages} passages in {corpus})"
    )]
    NothingToJudge {
        /// The pool as the user gave it.
        pool: String,
        /// Its queries.
        queries: u64,
        /// Those for which a relevant passage is known.
        answered: usize,
        /// The corpus as the user gave it.
        corpus: String,
        /// Its passages.
        passages: usize,
    },
    /// A table that holds the wordings of an earlier run.
    #[error(
        "{input}: has the columns source_id, method and similarity, as a table with wordings has them; give the table that it was made of"
    )]
    Augmented {
        /// The input as the user gave it.
        input: String,
    },
    /// A table that is neither of two kinds.
    #[error(
        "{input}: is neither a pairs table (no column `{pairs}`) nor a tickets table (no column `{tickets}`); found {found}; name its columns with --anchor-column and --positive-column, or --text-column and --category-column"
    )]
    NeitherPairsNorTickets {
        /// The input as the user gave it.
        input: String,
        /// The column that pairs lack.
        pairs: String,
        /// The column that tickets lack.
        tickets: String,
        /// The columns that are there.
        found: String,
    },
    /// A column named that a table of this kind does not have.
    #[error(
        "{input}: is read as a {kind} table, which has no column `{column}` to name; leave --{column}-column out or give another --kind"
    )]
    ColumnOfOtherKind {
        /// The input as the user gave it.
        input: String,
        /// The table that it is read as.
        kind: &'static str,
        /// The column of the contract.
        column: &'static str,
    },
    /// An id that a wording would get, and a row has.
    #[error(
        "{input}: the id `{id}`, which a wording would get, is that of a row; give the table without earlier wordings, or the row another id"
    )]
    IdOfVariant {
        /// The input as the user gave it.
        input: String,
        /// The id.
        id: String,
    },
}

impl From<datafusion::error::DataFusionError> for GenerateError {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        Self::Table(error.into())
    }
}
