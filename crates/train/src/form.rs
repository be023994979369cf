//! Which columns of a training table are its texts, ids and labels.

use clap::Args;
use datafusion::prelude::{DataFrame, SessionContext};
use pairmill_schema::Sameness;
use pairmill_tables::{ColumnNames, Table, TableError, column_names, open};
use serde::Serialize;

use crate::error::{Result, TrainError};

/// What guides call whether two texts belong together, or how far.
const LABELS: [&str; 4] = ["label", "labels", "is_duplicate", "score"];
const SIMILARITIES: [&str; 5] = ["score", "similarity_score", "similarity", "label", "labels"];

/// How training tables are read, where that is not told from them.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub struct TableArgs {
    /// Column of anchors: queries, first sentences [default: anchor, query, question, sentence1, …]
    #[arg(long, value_name = "NAME")]
    anchor_column: Option<String>,
    /// Column of positives: documents, second sentences [default: positive, answer, document,
    /// sentence2, …]
    #[arg(long, value_name = "NAME")]
    positive_column: Option<String>,
    /// Column of hard negatives [default: negative, or negative_1, negative_2, …]
    #[arg(long, value_name = "NAME")]
    negative_column: Option<String>,
    /// Column of labels or similarities of pairs; an empty name reads none [default: label, score,
    /// …]
    #[arg(long, value_name = "NAME")]
    label_column: Option<String>,
    /// When two questions are the same one, so that the answers of one are no negatives of the
    /// other
    #[arg(long, value_enum, default_value_t = Sameness::Equivalent, value_name = "SAMENESS")]
    pub(crate) same_text: Sameness,
}

/// A training table among those that are read together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    pub file: &'a str,
    pub columns: &'a TableArgs,
    /// Whether it must have the columns that the user named; of several tables one may.
    pub is_only: bool,
}

/// What the rows of a training table are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A pair that belongs together, with the texts in these columns as hard negatives.
    Positives { negatives: Vec<String> },
    /// Two texts and the label in this column of the input.
    Labeled { label: String },
}

/// A training table with the columns that are read of it.
#[derive(Debug)]
pub(crate) struct Form {
    pub kind: Kind,
    table: Table,
    names: Vec<(String, String)>,
    /// A column of labels or scores that rows of this kind have no use for.
    pub unread: Option<String>,
}

/// What a loss makes of labels, which decides between two columns of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Whether two texts belong together.
    Labels,
    /// How far they do.
    Similarities,
}

impl Form {
    /// Finds the form of a table for losses over positives: pairs, triplets, n-tuples, or pairs
    /// with a label.
    ///
    /// # Errors
    /// If the table cannot be read, or is one of candidates.
    pub async fn of_positives(session: &SessionContext, input: Input<'_>) -> Result<Self> {
        let columns = Columns(column_names(session, input.file).await?);
        if columns.find("decision").is_some() {
            return Err(TrainError::Candidates {
                file: input.file.to_owned(),
            });
        }
        columns.of_positives(input)
    }

    /// Finds the form of a table of labelled pairs.
    ///
    /// # Errors
    /// If the table cannot be read, or has no column of labels.
    pub async fn of_labeled(
        session: &SessionContext,
        input: Input<'_>,
        wanted: Wanted,
    ) -> Result<Self> {
        let columns = Columns(column_names(session, input.file).await?);
        columns.of_labeled(input, wanted)
    }

    /// Returns the table of the contract that it is.
    pub fn table(&self) -> Table {
        self.table
    }

    /// Opens the table, whose ids may be absent.
    ///
    /// # Errors
    /// If it is unsound.
    pub async fn open(
        &self,
        session: &SessionContext,
        input: &str,
    ) -> Result<DataFrame, TableError> {
        let named = self.names.iter();
        let named = named.map(|(column, name)| (column.as_str(), Some(name.as_str())));
        let schema = self.table.schema();
        let columns = schema.fields().iter().map(|field| field.name());
        let ids = columns.filter(|name| name.ends_with("_id"));
        let names = ids.fold(ColumnNames::new(named), ColumnNames::with_optional);
        open(session, input, self.table, &names, &[]).await
    }
}

/// The columns of an input.
struct Columns(Vec<String>);

impl Columns {
    /// Returns the name of a column as the input writes it.
    fn find(&self, name: &str) -> Option<&str> {
        let exact = self.0.iter().find(|column| *column == name);
        let folded = name.trim().to_lowercase();
        let alike = |column: &&String| column.trim().to_lowercase() == folded;
        let found = exact.or_else(|| self.0.iter().find(alike));
        found.map(String::as_str)
    }

    fn of_positives(&self, input: Input<'_>) -> Result<Form> {
        let columns = input.columns;
        let numbered = (1..).take_while(|n| self.find(&format!("negative_{n}")).is_some());
        let named = self.named(input, columns.negative_column.as_deref())?;
        let negatives = match (&named, numbered.count()) {
            (Some(_), _) => vec!["negative".to_owned()],
            (None, 0) if self.find("negative").is_some() => vec!["negative".to_owned()],
            (None, count) => (1..=count).map(|n| format!("negative_{n}")).collect(),
        };
        let label = match (columns.label_column.as_deref(), negatives.is_empty()) {
            (Some(""), _) => None,
            (label, true) => match self.named(input, label)? {
                None => self.first_of(&LABELS),
                label => label,
            },
            (_, false) => self.first_of(&LABELS),
        };
        if let (Some(label), true) = (&label, negatives.is_empty()) {
            return self.labeled(input, label.clone());
        }
        let mut names = self.texts(input, "anchor", "positive")?;
        if let Some(named) = named {
            names.push(("negative".to_owned(), named));
        }
        let table = match negatives.as_slice() {
            [] => Table::Pairs,
            [one] if one == "negative" => Table::Triplets,
            several => Table::NTuples(several.len()),
        };
        Ok(Form {
            kind: Kind::Positives { negatives },
            table,
            names,
            unread: label,
        })
    }

    fn of_labeled(&self, input: Input<'_>, wanted: Wanted) -> Result<Form> {
        let file = input.file;
        let known: &[&str] = match wanted {
            Wanted::Labels => &LABELS,
            Wanted::Similarities => &SIMILARITIES,
        };
        let label = match input.columns.label_column.as_deref() {
            Some("") => None,
            named => match self.named(input, named)? {
                None => self.first_of(known),
                named => return self.labeled(input, named.unwrap_or_default()),
            },
        };
        let Some(label) = label else {
            return Err(TrainError::NoLabelColumn {
                file: file.to_owned(),
                found: self.0.join(", "),
            });
        };
        let mut labels = ["label", "score"].iter().filter_map(|name| self.find(name));
        if let Some(other) = labels.rfind(|name| **name != label) {
            tracing::warn!(
                "{file}: has two columns that may be labels; `{label}` is read and `{other}` is not (--label-column {other} would read it)"
            );
        }
        self.labeled(input, label)
    }

    fn labeled(&self, input: Input<'_>, label: String) -> Result<Form> {
        let mut names = self.texts(input, "sentence1", "sentence2")?;
        names.push(("score".to_owned(), label.clone()));
        Ok(Form {
            kind: Kind::Labeled { label },
            table: Table::LabeledPairs,
            names,
            unread: None,
        })
    }

    fn first_of(&self, names: &[&str]) -> Option<String> {
        names
            .iter()
            .find_map(|name| self.find(name))
            .map(str::to_owned)
    }

    /// Returns a column that the user has named, as the input writes it.
    fn named(&self, input: Input<'_>, name: Option<&str>) -> Result<Option<String>> {
        let Some(name) = name else {
            return Ok(None);
        };
        match self.find(name) {
            None if input.is_only => Err(TrainError::NoColumn {
                file: input.file.to_owned(),
                name: name.to_owned(),
                found: self.0.join(", "),
            }),
            found => Ok(found.map(str::to_owned)),
        }
    }

    /// Returns the two texts under the contract's names, where the user has named them.
    fn texts(&self, input: Input<'_>, first: &str, second: &str) -> Result<Vec<(String, String)>> {
        let TableArgs {
            anchor_column,
            positive_column,
            ..
        } = input.columns;
        let mut names = Vec::new();
        for (column, name) in [(first, anchor_column), (second, positive_column)] {
            if let Some(name) = self.named(input, name.as_deref())? {
                names.push((column.to_owned(), name));
            }
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &[&str]) -> Columns {
        Columns(names.iter().map(|&name| name.to_owned()).collect())
    }

    fn input(columns: &TableArgs) -> Input<'_> {
        Input {
            file: "a.csv",
            columns,
            is_only: true,
        }
    }

    #[test]
    fn pairs_with_a_label_are_told_from_pairs_and_triplets() {
        let args = TableArgs::default();
        let form = |names: &[&str]| columns(names).of_positives(input(&args)).unwrap();
        let label = |names: &[&str]| match form(names).kind {
            Kind::Labeled { label } => Some(label),
            Kind::Positives { .. } => None,
        };
        assert_eq!(label(&["anchor", "positive"]), None);
        assert_eq!(label(&["query", "document", "Label"]).unwrap(), "Label");
        assert_eq!(
            label(&["question1", "question2", "is_duplicate"]).unwrap(),
            "is_duplicate"
        );
        let triplets = form(&["anchor", "positive", "negative", "score"]);
        assert_eq!(triplets.table, Table::Triplets);
        assert_eq!(triplets.unread.as_deref(), Some("score"));
        assert_eq!(
            form(&["a", "negative_1", "negative_2"]).table,
            Table::NTuples(2)
        );
    }

    #[test]
    fn a_label_goes_by_what_the_loss_wants_of_it() {
        let both = columns(&["sentence1", "sentence2", "score", "Label"]);
        let args = TableArgs::default();
        let label =
            |args: &TableArgs, wanted| match both.of_labeled(input(args), wanted).unwrap().kind {
                Kind::Labeled { label } => label,
                Kind::Positives { .. } => String::new(),
            };
        assert_eq!(label(&args, Wanted::Labels), "Label");
        assert_eq!(label(&args, Wanted::Similarities), "score");
        let named = TableArgs {
            label_column: Some("score".to_owned()),
            ..TableArgs::default()
        };
        assert_eq!(label(&named, Wanted::Labels), "score");
    }

    #[test]
    fn a_name_that_the_only_table_lacks_is_refused() {
        let args = TableArgs {
            anchor_column: Some("titel".to_owned()),
            ..TableArgs::default()
        };
        let found = columns(&["anchor", "positive"]);
        let error = found.of_positives(input(&args)).unwrap_err().to_string();
        assert_eq!(error, "a.csv: no column `titel`; found anchor, positive");
        let one_of_several = Input {
            is_only: false,
            ..input(&args)
        };
        assert!(found.of_positives(one_of_several).is_ok());
    }

    #[test]
    fn an_empty_name_reads_no_labels() {
        let args = TableArgs {
            label_column: Some(String::new()),
            ..TableArgs::default()
        };
        let found = columns(&["anchor", "positive", "score"]);
        let form = found.of_positives(input(&args)).unwrap();
        assert_eq!((form.table, form.unread), (Table::Pairs, None));
    }
}
