//! Which columns of a training table are its texts, ids and labels: the forms in which guides write
//! pairs.

use anyhow::{Result, bail};
use datafusion::prelude::SessionContext;
use pairmill_tables::{ColumnNames, Table, column_names};

/// What guides call the two texts of a pair.
const PAIRS: [(&str, &str); 10] = [
    ("anchor", "positive"),
    ("sentence1", "sentence2"),
    ("query", "positive"),
    ("question", "positive"),
    ("query", "document"),
    ("query", "passage"),
    ("query", "answer"),
    ("question", "answer"),
    ("question", "document"),
    ("question", "passage"),
];
/// What they call whether the texts belong together, or how far.
const LABELS: [&str; 2] = ["label", "score"];

/// What the rows of a training table are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A pair that belongs together, with the texts in these columns as hard negatives.
    Positives { negatives: Vec<String> },
    /// Two texts and a label.
    Labeled,
}

/// A training table with the columns that are read of it.
#[derive(Debug)]
pub(crate) struct Form {
    pub kind: Kind,
    pub table: Table,
    pub names: ColumnNames,
    /// The column of labels, of labelled rows.
    pub label: Option<String>,
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
    /// The form of a table for losses over positives: pairs, triplets, n-tuples, or pairs with a
    /// label. `label_column` is the one that the user has named; an empty name is none.
    ///
    /// # Errors
    /// If the table cannot be read, or is one of candidates.
    pub async fn of_positives(
        session: &SessionContext,
        input: &str,
        label_column: Option<&str>,
    ) -> Result<Self> {
        let columns = Columns(column_names(session, input).await?);
        if columns.has("decision") {
            bail!(
                "{input}: is a table of candidates, not of pairs; write training rows of it with `pairmill-filter --format triplet` (or n-tuple)"
            );
        }
        let numbered = (1..).take_while(|n| columns.has(&format!("negative_{n}")));
        let negatives = match numbered.count() {
            0 if columns.has("negative") => vec!["negative".to_owned()],
            count => (1..=count).map(|n| format!("negative_{n}")).collect(),
        };
        let label = columns.label(label_column, Wanted::Labels);
        if negatives.is_empty() && label.is_some() {
            return Ok(columns.labeled(label));
        }
        let pair = columns.pair();
        let mut naming = Naming::default();
        naming.add_text(&columns, "anchor", pair.0);
        naming.add_text(&columns, "positive", pair.1);
        for negative in &negatives {
            naming.add_text(&columns, negative, negative);
        }
        let table = match negatives.as_slice() {
            [] => Table::Pairs,
            [one] if one == "negative" => Table::Triplets,
            several => Table::NTuples(several.len()),
        };
        Ok(Self {
            names: naming.finish(),
            kind: Kind::Positives { negatives },
            table,
            label: None,
            unread: label,
        })
    }

    /// The form of a table of labelled pairs.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn of_labeled(
        session: &SessionContext,
        input: &str,
        label_column: Option<&str>,
        wanted: Wanted,
    ) -> Result<Self> {
        let columns = Columns(column_names(session, input).await?);
        let label = columns.label(label_column, wanted);
        let (first, second) = columns.pair();
        if label.is_none() && columns.has(first) && columns.has(second) {
            bail!(
                "{input}: has pairs without a label (columns {}), and this loss needs one; name the column with --label-column, or use --loss mnrl for pairs that belong together",
                columns.0.join(", ")
            );
        }
        if label.is_some() {
            let other = LABELS.iter().filter_map(|name| columns.find(name));
            let other: Vec<&str> = other
                .filter(|name| Some(*name) != label.as_deref())
                .collect();
            if let (None, [other], Some(read)) = (label_column, other.as_slice(), &label) {
                tracing::warn!(
                    "{input}: has two columns that may be labels; `{read}` is read and `{other}` is not (--label-column {other} would read it)"
                );
            }
        }
        Ok(columns.labeled(label))
    }
}

/// The columns of an input.
struct Columns(Vec<String>);

impl Columns {
    /// The name of a column as the input writes it.
    fn find(&self, name: &str) -> Option<&str> {
        let alike = |column: &&String| column.eq_ignore_ascii_case(name);
        let exact = self.0.iter().find(|column| *column == name);
        exact
            .or_else(|| self.0.iter().find(alike))
            .map(String::as_str)
    }

    fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn label(&self, named: Option<&str>, wanted: Wanted) -> Option<String> {
        match named {
            Some("") => None,
            Some(name) => Some(self.find(name).unwrap_or(name).to_owned()),
            None => {
                let mut names = LABELS;
                if wanted == Wanted::Similarities {
                    names.reverse();
                }
                names
                    .iter()
                    .find_map(|name| self.find(name))
                    .map(str::to_owned)
            }
        }
    }

    /// What the input calls the two texts of a pair.
    fn pair(&self) -> (&'static str, &'static str) {
        let is_there = |(first, second): &(&str, &str)| self.has(first) && self.has(second);
        PAIRS.into_iter().find(is_there).unwrap_or(PAIRS[0])
    }

    fn labeled(&self, label: Option<String>) -> Form {
        let pair = self.pair();
        let mut naming = Naming::default();
        naming.add_text(self, "sentence1", pair.0);
        naming.add_text(self, "sentence2", pair.1);
        if let Some(label) = &label {
            naming.add("score", label);
        }
        Form {
            kind: Kind::Labeled,
            table: Table::LabeledPairs,
            names: naming.finish(),
            label,
            unread: None,
        }
    }
}

/// What the input calls columns of the contract.
#[derive(Default)]
struct Naming {
    named: Vec<(String, String)>,
    optional: Vec<String>,
}

impl Naming {
    fn add(&mut self, column: &str, found: &str) {
        if found != column {
            self.named.push((column.to_owned(), found.to_owned()));
        }
    }

    /// A text, and its id, which an input may lack.
    fn add_text(&mut self, columns: &Columns, column: &str, name: &str) {
        if let Some(found) = columns.find(name) {
            self.add(column, found);
        }
        let id = format!("{column}_id");
        match columns.find(&format!("{name}_id")) {
            Some(found) => self.add(&id, found),
            None => self.optional.push(id),
        }
    }

    fn finish(self) -> ColumnNames {
        let named = self.named.iter();
        let named = named.map(|(column, found)| (column.as_str(), Some(found.as_str())));
        let optional = self.optional.into_iter();
        optional.fold(ColumnNames::new(named), ColumnNames::with_optional)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &[&str]) -> Columns {
        Columns(names.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn pairs_are_found_under_the_names_of_the_guides() {
        let pair = |names: &[&str]| columns(names).pair();
        assert_eq!(
            pair(&["sentence1", "sentence2", "label"]),
            ("sentence1", "sentence2")
        );
        assert_eq!(
            pair(&["id", "Query", "document", "label"]),
            ("query", "document")
        );
        assert_eq!(
            pair(&["query", "positive", "negative"]),
            ("query", "positive")
        );
        assert_eq!(pair(&["left", "right"]), ("anchor", "positive"));
    }

    #[test]
    fn a_label_goes_by_what_the_loss_wants_of_it() {
        let both = columns(&["score", "Label"]);
        assert_eq!(both.label(None, Wanted::Labels).unwrap(), "Label");
        assert_eq!(both.label(None, Wanted::Similarities).unwrap(), "score");
        assert_eq!(both.label(Some("same"), Wanted::Labels).unwrap(), "same");
        assert_eq!(both.label(Some(""), Wanted::Labels), None);
    }
}
