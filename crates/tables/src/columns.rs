use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Field};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Cast, Expr, lit};
use datafusion::prelude::{coalesce, ident};
use serde::Serialize;
use tracing::info;

use crate::first_time::is_first_time;
use crate::known_names::others;
use crate::missing_column::hint;
use crate::{Result, Table, TableError, WantedFor};

/// Which column of the input stands for which column of the contract. A name of several columns,
/// parted by commas, stands for their texts joined by a blank line.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ColumnNames {
    named: BTreeMap<String, String>,
    optional: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
}

/// The column of an opened table that has the times, in microseconds since 1970 in UTC.
pub const TIME_COLUMN: &str = "time of the row";

impl ColumnNames {
    /// Takes contract column → name in the input, for the columns that the user named.
    pub fn new<'a>(names: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        Self {
            named: names
                .into_iter()
                .filter_map(|(column, name)| Some((column.to_owned(), name?.to_owned())))
                .collect(),
            ..Self::default()
        }
    }

    /// Lets an input do without this column, unless the user named one for it: it then reads as
    /// null in every row. A null in a column that is there stays an error.
    pub fn with_optional(mut self, column: impl Into<String>) -> Self {
        self.optional.push(column.into());
        self
    }

    /// Asks for the times in this column of the input: they stand in [`TIME_COLUMN`].
    pub fn with_time(self, column: Option<&str>) -> Self {
        Self {
            time: column.map(str::to_owned),
            ..self
        }
    }
}

/// Finds the columns of an input that a name stands for: the one of this name, or several whose
/// names are parted by commas. None if one of them is not there.
///
/// # Errors
/// If a name stands for several columns that differ in letter case alone.
pub fn columns_of_name(input: &str, name: &str, found: &[String]) -> Result<Option<Vec<String>>> {
    if let Some(name) = find(input, name, found)? {
        return Ok(Some(vec![name]));
    }
    match name.contains(',') {
        true => name
            .split(',')
            .map(|part| find(input, part, found))
            .collect(),
        false => Ok(None),
    }
}

/// A column of the contract with the column of the input that stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub field: Field,
    pub origin: Origin,
    /// Whether it is one that a stage asked for beside those of the contract.
    pub is_extra: bool,
}

/// Where the values of a column come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The column of this name in the input.
    Named(String),
    /// The columns of these names, whose texts are joined.
    Joined(Vec<String>),
    /// Nowhere: it is null in every row.
    Absent,
}

impl Column {
    /// Returns the column of the input, where there is one.
    pub fn source(&self) -> Option<&str> {
        match self.sources() {
            [name] => Some(name),
            _ => None,
        }
    }

    /// Returns the columns of the input: several where their texts are joined.
    pub fn sources(&self) -> &[String] {
        match &self.origin {
            Origin::Named(name) => std::slice::from_ref(name),
            Origin::Joined(names) => names,
            Origin::Absent => &[],
        }
    }

    pub fn may_be_empty(&self) -> bool {
        self.field.name() == "title"
    }

    pub fn must_not_be_null(&self) -> bool {
        !self.field.is_nullable() && !self.may_be_empty() && self.source().is_some()
    }
}

/// Finds the columns of a table, and `extra` ones, among those that an input has.
pub(crate) fn resolve(
    input: &str,
    table: Table,
    names: &ColumnNames,
    extra: &[&str],
    found: &[String],
) -> Result<Vec<Column>> {
    let schema = table.schema();
    let own = schema
        .fields()
        .iter()
        .map(|field| (field.as_ref().clone(), false));
    let extra = extra
        .iter()
        .map(|name| (Field::new(*name, DataType::Utf8, true), true));
    let time = names.time.iter();
    let time = time.map(|_| (Field::new(TIME_COLUMN, DataType::Int64, false), true));
    own.chain(extra)
        .chain(time)
        .map(|(field, is_extra)| {
            let origin = origin(input, table, names, &field, is_extra, found)?;
            let is_null = origin == Origin::Absent && field.name() != "title";
            Ok(Column {
                field: field.clone().with_nullable(field.is_nullable() || is_null),
                origin,
                is_extra,
            })
        })
        .collect()
}

fn origin(
    input: &str,
    table: Table,
    names: &ColumnNames,
    field: &Field,
    is_extra: bool,
    found: &[String],
) -> Result<Origin> {
    let column = field.name().as_str();
    let is_time = is_extra && column == TIME_COLUMN;
    let named = match is_time {
        true => names.time.as_ref(),
        false => names.named.get(column),
    };
    let wanted = named.map_or(column, String::as_str);
    if let Some(name) = find(input, wanted, found)? {
        return Ok(Origin::Named(name));
    }
    let is_named = named.is_some();
    if is_named && !is_extra && is_text(field) && wanted.contains(',') {
        return joined(input, table, wanted, found);
    }
    if !is_named && !is_extra {
        for other in others(table, column) {
            if let Some(name) = find(input, other, found)? {
                if !is_beir(&name) {
                    say_once(input, column, &name);
                }
                return Ok(Origin::Named(name));
            }
        }
        if table.may_lack(column) || names.optional.iter().any(|name| name == column) {
            return Ok(Origin::Absent);
        }
    }
    let hint = hint(table, column, is_extra, found);
    let wanted_for = match is_extra {
        false => WantedFor::Table(table),
        true => WantedFor::Extra(table),
    };
    Err(missing(input, wanted_for, wanted, found, hint))
}

fn missing(
    input: &str,
    wanted: WantedFor,
    column: &str,
    found: &[String],
    hint: String,
) -> TableError {
    TableError::MissingColumn {
        path: input.to_owned(),
        wanted,
        column: column.to_owned(),
        found: match found {
            [] => "none".to_owned(),
            found => found.join(", "),
        },
        hint,
    }
}

/// Finds the columns of several names, parted by commas.
fn joined(input: &str, table: Table, names: &str, found: &[String]) -> Result<Origin> {
    let parts = names.split(',').map(|name| {
        let wanted = WantedFor::Table(table);
        let missing = || missing(input, wanted, name.trim(), found, String::new());
        find(input, name, found)?.ok_or_else(missing)
    });
    Ok(Origin::Joined(parts.collect::<Result<_>>()?))
}

/// Returns whether a column of the contract holds texts, not ids or categories.
fn is_text(field: &Field) -> bool {
    let name = field.name();
    let is_id = name == "id" || name.ends_with("_id");
    *field.data_type() == DataType::Utf8 && !is_id && name != "category"
}

/// Returns a column of the contract by a plan over columns of the input that are near it.
pub(crate) fn expression(column: &Column) -> Expr {
    let kind = column.field.data_type();
    let Some(source) = column.source() else {
        if column.may_be_empty() {
            return lit("").alias(column.field.name());
        }
        return cast(lit(ScalarValue::Null), kind).alias(column.field.name());
    };
    let value = cast(ident(source), kind);
    let value = match kind == &DataType::Utf8 && column.may_be_empty() {
        true => coalesce(vec![value, lit("")]),
        false => value,
    };
    value.alias(column.field.name())
}

fn cast(value: Expr, kind: &DataType) -> Expr {
    Expr::Cast(Cast::new(Box::new(value), kind.clone()))
}

/// Returns the column of this name, also where only case and blanks around differ.
fn find(input: &str, wanted: &str, found: &[String]) -> Result<Option<String>> {
    let twice = |name: &str| TableError::AmbiguousColumn {
        path: input.to_owned(),
        column: name.to_owned(),
    };
    match found.iter().filter(|name| *name == wanted).count() {
        0 => {}
        1 => return Ok(Some(wanted.to_owned())),
        _ => return Err(twice(wanted)),
    }
    let folded = wanted.trim().to_lowercase();
    let mut alike = found
        .iter()
        .filter(|name| name.trim().to_lowercase() == folded);
    match (alike.next(), alike.next()) {
        (None, _) => Ok(None),
        (Some(name), None) => Ok(Some(name.clone())),
        (Some(_), Some(_)) => Err(twice(wanted)),
    }
}

/// Returns whether a name is one that BEIR's files are known by.
fn is_beir(name: &str) -> bool {
    matches!(name, "_id" | "query-id" | "corpus-id")
}

/// Tells of a column that is read under another name, once for each input.
fn say_once(input: &str, column: &str, name: &str) {
    let line = format!("{input}: the column `{name}` is read as `{column}`");
    if is_first_time(&line) {
        info!("{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(table: Table, names: &ColumnNames, found: &[&str]) -> Result<Vec<Option<String>>> {
        let found: Vec<_> = found.iter().map(|&name| name.to_owned()).collect();
        let columns = resolve("x", table, names, &[], &found)?;
        let sources = columns
            .iter()
            .map(|column| column.source().map(str::to_owned));
        Ok(sources.collect())
    }

    fn named(names: &[&str]) -> Vec<Option<String>> {
        names.iter().map(|&name| Some(name.to_owned())).collect()
    }

    #[test]
    fn case_and_blanks_do_not_matter_where_one_column_is_left() {
        let names = ColumnNames::default();
        let found = sources(Table::Qa, &names, &["ID", " Question", "Answer "]);
        assert_eq!(found.unwrap(), named(&["ID", " Question", "Answer "]));
        let twice = sources(Table::Qa, &names, &["id", "Question", "QUESTION", "answer"]);
        let error = twice.unwrap_err().to_string();
        assert!(error.contains("several columns `question`"), "{error}");
    }

    #[test]
    fn the_guides_names_are_known() {
        let names = ColumnNames::default()
            .with_optional("anchor_id")
            .with_optional("positive_id");
        for found in [
            ["query", "answer"],
            ["question", "answer"],
            ["anchor", "positive"],
        ] {
            let sources = sources(Table::Pairs, &names, &found).unwrap();
            assert_eq!(sources[1], Some(found[0].to_owned()));
            assert_eq!(sources[3], Some(found[1].to_owned()));
            assert_eq!((&sources[0], &sources[2]), (&None, &None));
        }
        let found = sources(Table::Qrels, &names, &["query-id", "corpus-id", "score"]);
        assert_eq!(found.unwrap(), named(&["query-id", "corpus-id", "score"]));
    }

    #[test]
    fn a_file_without_names_of_columns_is_told_from_one_with_others() {
        let hint = |found: &[&str]| {
            let error = sources(Table::Qa, &ColumnNames::default(), found).unwrap_err();
            error.to_string().contains("is its first line a row?")
        };
        assert!(hint(&["1", "How do I pay?", "By card."]));
        assert!(hint(&[
            "Where is the key kept",
            "under the mat by the door"
        ]));
        assert!(!hint(&["nr", "first column", "Second 2"]));
    }

    #[test]
    fn a_name_of_several_columns_is_that_of_one_where_there_is_one() {
        let names = ColumnNames::new([
            ("text", Some("Subject, body")),
            ("category", Some("queue,kind")),
        ]);
        let origin = |found: &[&str]| {
            let found: Vec<_> = found.iter().map(|&name| name.to_owned()).collect();
            Ok::<_, TableError>(
                resolve("x", Table::Tickets, &names, &[], &found)?[1]
                    .origin
                    .clone(),
            )
        };
        let joined = origin(&["id", "subject", "body", "queue,kind"]).unwrap();
        assert_eq!(
            joined,
            Origin::Joined(vec!["subject".into(), "body".into()])
        );
        let one = origin(&["id", "subject, body", "queue,kind"]).unwrap();
        assert_eq!(one, Origin::Named("subject, body".into()));
        let error = origin(&["id", "subject", "queue,kind"]).unwrap_err();
        assert!(error.to_string().contains("no column `body`"), "{error}");
        let error = origin(&["id", "subject", "body", "queue", "kind"]).unwrap_err();
        assert!(
            error.to_string().contains("no column `queue,kind`"),
            "{error}"
        );
    }

    #[test]
    fn what_the_user_names_is_not_looked_for_elsewhere() {
        let names = ColumnNames::new([("question", Some("title"))]);
        let error = sources(Table::Qa, &names, &["id", "question", "answer"]).unwrap_err();
        assert!(error.to_string().contains("no column `title`"), "{error}");
    }
}
