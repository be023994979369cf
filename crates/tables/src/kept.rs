use std::str::FromStr;

use arrow::datatypes::{DataType, Field};
use datafusion::prelude::SessionContext;
use serde::Serialize;
use tracing::info;

use crate::columns::{Column, ColumnNames, resolve};
use crate::{Result, Table, TableError, column_names};

/// Columns of an input beside those that a stage reads, which go along to its output as text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeptColumns {
    /// None.
    #[default]
    None,
    /// All that the input has.
    All,
    /// Those of these names.
    Named(Vec<String>),
}

impl FromStr for KeptColumns {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        match names.as_slice() {
            [all] if all == "all" => Ok(Self::All),
            names if names.iter().any(String::is_empty) => {
                Err("expected names of columns, parted by commas, or `all`".to_owned())
            }
            _ => Ok(Self::Named(names)),
        }
    }
}

impl KeptColumns {
    /// Returns whether nothing is kept.
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// Returns the names that were given.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Named(names) => names.iter().map(String::as_str).collect(),
            Self::None | Self::All => Vec::new(),
        }
    }

    /// Returns the columns as fields of an output.
    pub fn fields(&self) -> Vec<Field> {
        let names = self.names().into_iter();
        names
            .map(|name| Field::new(name, DataType::Utf8, true))
            .collect()
    }

    /// Finds the columns of this input by their names, `all` of them where that was asked for: of
    /// those that the table is not read by (`names`, and `read` beside them), and whose names the
    /// output has not itself (`output`).
    ///
    /// # Errors
    /// If the input cannot be read, or a column that was named would stand in the output twice.
    pub async fn of_input(
        &self,
        session: &SessionContext,
        input: &str,
        (table, names): (Table, &ColumnNames),
        read: &[&str],
        output: Table,
    ) -> Result<Self> {
        let schema = output.schema();
        let is_taken = |name: &str| schema.field_with_name(name).is_ok();
        match self {
            Self::None => Ok(Self::None),
            Self::Named(kept) => match kept.iter().find(|name| is_taken(name)) {
                None => Ok(self.clone()),
                Some(name) => Err(TableError::KeptTwice {
                    path: input.to_owned(),
                    column: name.clone(),
                    table: output.name(),
                }),
            },
            Self::All if input == "-" => Err(TableError::KeptOfStream),
            Self::All => {
                let found = column_names(session, input).await?;
                let own = resolve(input, table, names, &[], &found)?;
                let own: Vec<&String> = own.iter().flat_map(Column::sources).collect();
                let others = found.iter().map(String::as_str);
                let others = others.filter(|name| {
                    let is_own = own.iter().any(|own| own == name);
                    !is_own && !read.contains(name)
                });
                let (taken, kept): (Vec<&str>, Vec<&str>) = others.partition(|name| is_taken(name));
                if !taken.is_empty() {
                    let (taken, table) = (taken.join(", "), output.name());
                    info!(
                        "{input}: not kept, as a {table} table has columns of the names: {taken}"
                    );
                }
                Ok(Self::Named(kept.into_iter().map(str::to_owned).collect()))
            }
        }
    }
}
