use std::collections::HashMap;
use std::path::{Path, PathBuf};

use arrow::datatypes::DataType;
use pairmill_tables::{f64_column, string_column};

use crate::reader::Reader;
use crate::{EvaluateError, Result};

/// Names that a task may give the table of its items.
const FILES: [&str; 2] = ["per_query.parquet", "per_item.parquet"];
/// What `write_items` puts before the columns of a baseline.
const BASELINE: &str = "baseline_";

/// The items of a result folder as they were written.
#[derive(Debug)]
pub(crate) struct ItemTable {
    path: PathBuf,
    /// What tells an item from others, in the order of the rows.
    keys: Vec<String>,
    /// The model's columns of numbers.
    columns: Vec<(String, Vec<f64>)>,
}

impl ItemTable {
    /// Reads the table of items of a folder. A query is known by its id, anything else by its
    /// texts; of items that have the same, each occurrence is one of its own.
    pub fn read(reader: &Reader, folder: &Path) -> Result<Self> {
        let path = FILES
            .map(|name| folder.join(name))
            .into_iter()
            .find(|path| path.is_file())
            .ok_or_else(|| EvaluateError::NoItems {
                folder: folder.to_owned(),
                expected: FILES[0],
            })?;
        let mut keys = Vec::new();
        let mut columns: Vec<(String, Vec<f64>)> = Vec::new();
        let mut seen: HashMap<String, usize> = HashMap::new();
        reader.for_each_of_any(&path.display().to_string(), |batch| {
            let schema = batch.schema();
            let mut labels = Vec::new();
            for field in schema.fields() {
                let name = field.name();
                match field.data_type() {
                    DataType::Float64 if !name.starts_with(BASELINE) => {
                        let values = f64_column(batch, name).values();
                        match columns.iter_mut().find(|(known, _)| known == name) {
                            Some((_, column)) => column.extend(values),
                            None => columns.push((name.clone(), values.to_vec())),
                        }
                    }
                    DataType::Utf8 => labels.push(string_column(batch, name)),
                    _ => {}
                }
            }
            if schema.field_with_name("query_id").is_ok() {
                labels = vec![string_column(batch, "query_id")];
            }
            for row in 0..batch.num_rows() {
                let texts: Vec<&str> = labels.iter().map(|label| label.value(row)).collect();
                let text = texts.join("\u{1f}");
                let occurrence = seen.entry(text.clone()).or_default();
                keys.push(format!("{text}\u{1f}{occurrence}"));
                *occurrence += 1;
            }
            Ok(())
        })?;
        Ok(Self {
            path,
            keys,
            columns,
        })
    }

    /// The rows of `self` and of `other` that are of the same items, in the order of `self`.
    ///
    /// # Errors
    /// If there is none.
    pub fn common(&self, other: &Self) -> Result<Vec<(usize, usize)>> {
        let rows: HashMap<&str, usize> = other
            .keys
            .iter()
            .enumerate()
            .map(|(row, key)| (key.as_str(), row))
            .collect();
        let common: Vec<(usize, usize)> = self
            .keys
            .iter()
            .enumerate()
            .filter_map(|(row, key)| Some((row, *rows.get(key.as_str())?)))
            .collect();
        if common.is_empty() {
            return Err(EvaluateError::NothingInCommon {
                first: self.path.clone(),
                second: other.path.clone(),
            });
        }
        Ok(common)
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|(name, _)| name == column)
    }

    /// Some rows of a column.
    ///
    /// # Errors
    /// If there is no such column.
    pub fn column(&self, name: &str, rows: &[usize]) -> Result<Vec<f64>> {
        let column = self.columns.iter().find(|(other, _)| other == name);
        let (_, values) = column.ok_or_else(|| EvaluateError::NoItemColumn {
            path: self.path.clone(),
            column: name.to_owned(),
        })?;
        Ok(rows.iter().map(|&row| values[row]).collect())
    }

    /// What people know an item by.
    pub fn label(&self, row: usize) -> &str {
        self.keys[row].split('\u{1f}').next().unwrap_or_default()
    }

    /// What the items are called.
    pub fn items(&self) -> &'static str {
        match self.path.ends_with(FILES[0]) {
            true => "queries",
            false => "items",
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}
