use pairmill_tables::TableError;

use crate::{Fractions, Split};

/// The result of generating.
pub type Result<T, E = GenerateError> = std::result::Result<T, E>;

/// Why nothing was generated.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// An input that cannot be read or an output that cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
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
    #[error("{input}: in each of the {rows} rows `{}` or `{}` is empty; nothing is left", columns[0], columns[1])]
    AllEmpty {
        /// The input as the user gave it.
        input: String,
        /// Rows read.
        rows: u64,
        /// The columns that must not be empty.
        columns: [&'static str; 2],
    },
    /// A split without a query.
    #[error(
        "{input}: {rows} rows with {distinct} distinct {unit} leave {split} without a query (split {fractions}); bring more rows or give {split} more with --split"
    )]
    EmptySplit {
        /// The input as the user gave it.
        input: String,
        /// The split.
        split: Split,
        /// Rows used.
        rows: u64,
        /// Distinct texts that were split.
        distinct: usize,
        /// What these texts are, plural.
        unit: &'static str,
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
        "{input}: none of the {categories} categories has two different texts in train, so there is no positive pair; bring more rows or check the category column"
    )]
    NoPairs {
        /// The input as the user gave it.
        input: String,
        /// Number of categories.
        categories: usize,
    },
    /// The asynchronous runtime cannot be set up.
    #[error("the threads for reading cannot be started")]
    Runtime(#[source] std::io::Error),
}
