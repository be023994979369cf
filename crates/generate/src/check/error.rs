use pairmill_checkpoint::CheckpointError;

/// Why nothing was checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Columns that belong to no kind of table.
    #[error(
        "{input}: cannot tell from its columns what its rows say; found {found}; name it with --kind (tickets, qa, pairs, labeled, triplets, corpus, queries or qrels)"
    )]
    UnknownKind {
        /// The input as the user gave it.
        input: String,
        /// The columns that are there.
        found: String,
    },
    /// A stream, whose columns are not known before it is read.
    #[error("standard input cannot be looked at before it is read; name what it holds with --kind")]
    KindOfStream,
    /// A folder of several tables that is to be mended.
    #[error(
        "{input}: a folder of several splits cannot be mended at once; give one of its tables as --input and the others as --against"
    )]
    SeveralTables {
        /// The input as the user gave it.
        input: String,
    },
    /// Findings of a model that cannot be told.
    #[error("{kind}: {reason}; {needs}: name one with --model (`pairmill-train export` makes it)")]
    NotTold {
        /// The kind of the findings.
        kind: &'static str,
        /// What is missing.
        reason: &'static str,
        /// What tells them.
        needs: &'static str,
    },
    /// A folder of several tables of which rows are to be left out.
    #[error(
        "{input}: --where is over the columns of one table, and this is a folder of several; give one of them as --input"
    )]
    FilterOfFolder {
        /// The input as the user gave it.
        input: String,
    },
    /// A personal column that the table is read by.
    #[error(
        "{input}: the column `{column}` is read as a text; --personal-columns takes columns beside those, such as a customer's name"
    )]
    PersonalText {
        /// The input as the user gave it.
        input: String,
        /// The column.
        column: String,
    },
    /// A model whose texts cannot be counted.
    #[error("the model's tokenizer cannot be used")]
    Model(#[source] CheckpointError),
}
