use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use arrow::datatypes::DataType;
use pairmill_tables::{TableReader, f64_column, string_column};

use crate::error::{EvaluateError, Result};
use crate::items::write::{BASELINE, CLUSTER, PER_ITEM, PER_QUERY};
use crate::statistics::clusters::Clustering;

/// Names that a task may give the table of its items.
const FILES: [&str; 2] = [PER_QUERY, PER_ITEM];

/// The items of a result folder as they were written.
#[derive(Debug)]
pub(crate) struct ItemTable {
    path: PathBuf,
    /// What tells an item from others, in the order of the rows.
    keys: Vec<String>,
    /// The columns of text.
    texts: Vec<(String, Vec<String>)>,
    /// What tells items that are alike from others; empty where none are.
    clusters: Vec<String>,
    /// The model's columns of numbers; NaN where there is none.
    columns: Vec<(String, Vec<f64>)>,
}

impl ItemTable {
    /// Reads the table of items of a folder. A query is known by its id, anything else by its
    /// texts; of items that have the same, each occurrence is one of its own.
    pub fn read(reader: &TableReader, folder: &Path) -> Result<Self> {
        let path = FILES
            .map(|name| folder.join(name))
            .into_iter()
            .find(|path| path.is_file())
            .ok_or_else(|| EvaluateError::NoItems {
                folder: folder.to_owned(),
                expected: FILES[0],
            })?;
        let mut keys = Vec::new();
        let mut texts: Vec<(String, Vec<String>)> = Vec::new();
        let mut clusters = Vec::new();
        let mut columns: Vec<(String, Vec<f64>)> = Vec::new();
        let mut seen: HashMap<String, usize> = HashMap::new();
        reader.for_each_of_any(&path.display().to_string(), |batch| -> Result<()> {
            let schema = batch.schema();
            let mut labels = Vec::new();
            for field in schema.fields() {
                let name = field.name();
                match field.data_type() {
                    DataType::Float64 if !name.starts_with(BASELINE) => {
                        let values = f64_column(batch, name).iter();
                        let values = values.map(|value| value.unwrap_or(f64::NAN));
                        column_of(&mut columns, name).extend(values);
                    }
                    DataType::Utf8 if name == CLUSTER => {
                        let values = string_column(batch, name).iter().flatten();
                        clusters.extend(values.map(str::to_owned));
                    }
                    DataType::Utf8 => {
                        let values = string_column(batch, name);
                        let owned = values.iter().flatten().map(str::to_owned);
                        column_of(&mut texts, name).extend(owned);
                        labels.push(values);
                    }
                    _ => {}
                }
            }
            if schema.field_with_name("query_id").is_ok() {
                labels = vec![string_column(batch, "query_id")];
            }
            for row in 0..batch.num_rows() {
                let parts: Vec<&str> = labels.iter().map(|label| label.value(row)).collect();
                let text = parts.join("\u{1f}");
                let occurrence = seen.entry(text.clone()).or_default();
                keys.push(format!("{text}\u{1f}{occurrence}"));
                *occurrence += 1;
            }
            Ok(())
        })?;
        Ok(Self {
            path,
            keys,
            texts,
            clusters,
            columns,
        })
    }

    /// Returns the rows of `self` and of `other` that are of the same items, in the order of
    /// `self`.
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

    /// Returns the rows of all items, those of `self` and of `other` side by side, in ascending
    /// order of what they are known by.
    pub fn either(&self, other: &Self) -> Vec<[Option<usize>; 2]> {
        let mut rows: BTreeMap<&str, [Option<usize>; 2]> = BTreeMap::new();
        for (side, table) in [self, other].into_iter().enumerate() {
            for (row, key) in table.keys.iter().enumerate() {
                rows.entry(key).or_default()[side] = Some(row);
            }
        }
        rows.into_values().collect()
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|(name, _)| name == column)
    }

    /// Returns some rows of a column.
    ///
    /// # Errors
    /// If there is no such column.
    pub fn column(&self, name: &str, rows: &[usize]) -> Result<Vec<f64>> {
        let values = self.values(name)?;
        Ok(rows.iter().map(|&row| values[row]).collect())
    }

    /// Returns a whole column.
    ///
    /// # Errors
    /// If there is no such column.
    pub fn values(&self, name: &str) -> Result<&[f64]> {
        let column = self.columns.iter().find(|(other, _)| other == name);
        let (_, values) = column.ok_or_else(|| EvaluateError::NoItemColumn {
            path: self.path.clone(),
            column: name.to_owned(),
        })?;
        Ok(values)
    }

    /// Returns what people know an item by.
    pub fn label(&self, row: usize) -> &str {
        self.keys[row].split('\u{1f}').next().unwrap_or_default()
    }

    /// Returns where people find an item: the id of a query, else its row, counted from 1.
    pub fn name(&self, row: usize) -> String {
        match self.is_of_queries() {
            true => self.label(row).to_owned(),
            false => format!("row {}", row + 1),
        }
    }

    /// Returns the texts of an item: those of a query are its `query`, or its id where there is
    /// none.
    pub fn text(&self, row: usize) -> String {
        let is_query = |name: &String| !self.is_of_queries() || name == "query";
        let texts = self.texts.iter().filter(|(name, _)| is_query(name));
        let texts: Vec<&str> = texts.map(|(_, values)| values[row].as_str()).collect();
        match texts.is_empty() {
            true => self.label(row).to_owned(),
            false => texts.join(" · "),
        }
    }

    /// Returns some rows of a column of text.
    ///
    /// # Errors
    /// If there is no such column.
    pub fn texts(&self, name: &str, rows: &[usize]) -> Result<Vec<String>> {
        let column = self.texts.iter().find(|(other, _)| other == name);
        let (_, values) = column.ok_or_else(|| {
            let found = self.texts.iter().map(|(name, _)| name.as_str());
            EvaluateError::NoTextColumn {
                path: self.path.clone(),
                column: name.to_owned(),
                found: found.collect::<Vec<_>>().join(", "),
            }
        })?;
        Ok(rows.iter().map(|&row| values[row].clone()).collect())
    }

    /// Returns which of some rows are alike, if any are; `why` says what they have in common.
    pub fn clustering(&self, rows: &[usize], why: &str) -> Option<Clustering> {
        if self.clusters.is_empty() {
            return None;
        }
        let values: Vec<&String> = rows.iter().map(|&row| &self.clusters[row]).collect();
        Clustering::of_values(&values, why)
    }

    fn is_of_queries(&self) -> bool {
        self.path.ends_with(FILES[0])
    }

    /// Returns what the items are called.
    pub fn items(&self) -> &'static str {
        match self.is_of_queries() {
            true => "queries",
            false => "items",
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The column of this name, which is there from now on.
fn column_of<'a, T>(columns: &'a mut Vec<(String, Vec<T>)>, name: &str) -> &'a mut Vec<T> {
    let place = columns.iter().position(|(known, _)| known == name);
    let place = place.unwrap_or_else(|| {
        columns.push((name.to_owned(), Vec::new()));
        columns.len() - 1
    });
    &mut columns[place].1
}
