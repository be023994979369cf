use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;

use tracing::info;

use crate::{Result, RowFilter, TableError};

/// Changes the texts of an input while they are read.
pub trait TextEdit: Debug + Sync {
    /// Returns the text as it is to be read.
    fn edit<'t>(&self, text: &'t str) -> Cow<'t, str>;
}

/// Which rows of an input are read, and what becomes of their texts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Intake<'a> {
    /// The rows that are read; all if not given.
    pub filter: Option<&'a RowFilter>,
    /// What is done to texts, before those of several columns are joined.
    pub edit: Option<&'a dyn TextEdit>,
}

/// What became of the rows of an input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Rows that the filter left out.
    pub left_out: u64,
    /// Rows in which a column of joined texts is blank, by column.
    pub blank: BTreeMap<String, u64>,
}

impl Intake<'_> {
    /// Whether rows are read as they are.
    pub(crate) fn is_plain(&self) -> bool {
        self.filter.is_none() && self.edit.is_none()
    }
}

impl Taken {
    /// Says it for people, on the log. `kept` rows are left.
    ///
    /// # Errors
    /// If the filter left none.
    pub fn say(&self, input: &str, kept: u64, filter: Option<&RowFilter>) -> Result<()> {
        let left_out = self.left_out;
        match filter {
            Some(filter) if kept == 0 && left_out > 0 => {
                return Err(TableError::AllFiltered {
                    path: input.to_owned(),
                    filter: filter.to_string(),
                    rows: left_out,
                });
            }
            Some(_) => info!("{input}: --where keeps {kept} rows and leaves {left_out} out"),
            None => {}
        }
        for (column, rows) in &self.blank {
            info!(
                "{input}: `{column}` is blank in {rows} of {kept} rows, whose texts are those of \
                 the other columns"
            );
        }
        Ok(())
    }
}

/// Returns texts of several columns as one: joined by a blank line, without those that are blank.
pub fn joined<'t>(parts: impl IntoIterator<Item = &'t str>) -> String {
    let parts = parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_parts_leave_nothing_behind() {
        assert_eq!(joined(["Login", "It fails.\n"]), "Login\n\nIt fails.");
        assert_eq!(joined([" ", "It fails.", ""]), "It fails.");
        assert_eq!(joined(["", "\n"]), "");
    }
}
