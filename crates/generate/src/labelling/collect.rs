use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field};
use pairmill_schema::Sameness;
use pairmill_tables::{Lineage, session};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::rows::{self, LabelledRow, TextRow};
use super::sheet;
use super::vectors::TextColumns;
use crate::write::write_whole;
use crate::{GenerateError, Result};

/// New categories named in a warning.
const NAMED: usize = 5;

/// Which sheets to read back, to where.
#[derive(Debug, Clone)]
pub struct CollectConfig {
    /// Sheets that were filled in.
    pub sheets: Vec<String>,
    /// The texts that they were made of.
    pub pool: String,
    /// Tables of texts that were labelled before; they go along.
    pub labelled: Vec<String>,
    /// Columns of all of them.
    pub columns: TextColumns,
    /// The table of labelled texts to write.
    pub output: PathBuf,
    /// Whether to do the work again when the table is up to date.
    pub force: bool,
}

/// What came back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CollectReport {
    /// Whether there was nothing to do.
    #[serde(default)]
    pub up_to_date: bool,
    /// The table.
    pub output: PathBuf,
    /// Rows of the sheets that have a category.
    pub filled: usize,
    /// Rows that have none yet.
    pub blank: usize,
    /// Rows that were labelled before, with another category.
    pub changed: usize,
    /// Categories that no text had before, and how many have them now.
    pub new_categories: BTreeMap<String, usize>,
    /// Labelled texts of the table.
    pub labelled: usize,
}

/// Writes the texts that are labelled by now, those of earlier tables too, unless that is up to
/// date. A sheet's rows may come in any order; rows without a category are left out and counted.
///
/// # Errors
/// If an input is unsound, a row of a sheet is not of the pool, one row has two categories in the
/// sheets, none has any, or the table cannot be written.
pub async fn collect(config: &CollectConfig) -> Result<CollectReport> {
    let lineage = config.lineage()?;
    if let Some(report) = lineage.report_of_done(&config.output, config.force)? {
        return Ok(CollectReport {
            up_to_date: true,
            output: config.output.clone(),
            ..report
        });
    }
    let session = session(1)?;
    let names = config.columns.names();
    let pool = rows::texts(&session, &config.pool, &names).await?;
    let pool: HashMap<&str, &TextRow> = pool.iter().map(|row| (row.id.as_str(), row)).collect();
    let earlier = rows::labelled(&session, &config.labelled, &names).await?;
    // One row of an id is written, so two that differ would lose one.
    let is_contradiction =
        |two: &&[LabelledRow; 2]| two[0].row == two[1].row && two[0].category != two[1].category;
    if let Some([first, second]) = earlier.array_windows().find(is_contradiction) {
        return Err(GenerateError::TwoCategories {
            sheet: config.labelled.join(", "),
            id: first.row.id.clone(),
            first: first.category.clone(),
            second: second.category.clone(),
        });
    }
    let mut found = Found::default();
    for sheet in &config.sheets {
        for answer in sheet::read(&session, sheet, &names).await? {
            let Some(row) = pool.get(answer.id.as_str()) else {
                return Err(GenerateError::NotOfPool {
                    sheet: sheet.clone(),
                    pool: config.pool.clone(),
                    id: answer.id,
                });
            };
            found.add(sheet, row, answer)?;
        }
    }
    if found.rows.is_empty() {
        return Err(GenerateError::NothingFilledIn {
            sheets: config.sheets.join(", "),
            rows: found.blank,
        });
    }
    let (filled, blank) = (found.rows.len(), found.blank);
    let new_categories = found.new_categories(&earlier);
    let (rows, changed) = found.over(earlier);
    let report = CollectReport {
        up_to_date: false,
        output: config.output.clone(),
        filled,
        blank,
        changed,
        new_categories,
        labelled: rows.len(),
    };
    write(config, &rows, &lineage, &report)?;
    report.tell(!config.labelled.is_empty());
    Ok(report)
}

impl CollectConfig {
    fn lineage(&self) -> Result<Lineage> {
        let mut lineage =
            Lineage::new("generate collect", &self.columns, 0).with_input("pool", &self.pool)?;
        for (number, input) in self.sheets.iter().enumerate() {
            lineage = lineage.with_input(&format!("sheet {number}"), input)?;
        }
        for (number, input) in self.labelled.iter().enumerate() {
            lineage = lineage.with_input(&format!("labelled {number}"), input)?;
        }
        Ok(lineage)
    }
}

/// What the sheets hold.
#[derive(Default)]
struct Found {
    /// By id.
    rows: BTreeMap<String, LabelledRow>,
    blank: usize,
}

impl Found {
    fn add(&mut self, sheet: &str, row: &TextRow, answer: sheet::Answer) -> Result<()> {
        let Some(category) = answer.category else {
            self.blank += 1;
            return Ok(());
        };
        let new = LabelledRow {
            row: row.clone(),
            category,
            round: answer.round,
        };
        match self.rows.insert(answer.id, new.clone()) {
            Some(other) if other.category != new.category => Err(GenerateError::TwoCategories {
                sheet: sheet.to_owned(),
                id: new.row.id,
                first: other.category,
                second: new.category,
            }),
            _ => Ok(()),
        }
    }

    /// The categories that no earlier row has, in any spelling.
    fn new_categories(&self, earlier: &[LabelledRow]) -> BTreeMap<String, usize> {
        let form = |category: &str| Sameness::default().form(category).into_owned();
        let known: HashSet<String> = earlier.iter().map(|row| form(&row.category)).collect();
        let mut new: BTreeMap<String, usize> = BTreeMap::new();
        for row in self.rows.values() {
            if !known.contains(&form(&row.category)) {
                *new.entry(row.category.clone()).or_default() += 1;
            }
        }
        new
    }

    /// Returns all rows by id, the new category where one has both, and how many have.
    fn over(self, earlier: Vec<LabelledRow>) -> (Vec<LabelledRow>, usize) {
        let mut all: BTreeMap<String, LabelledRow> = earlier
            .into_iter()
            .map(|row| (row.row.id.clone(), row))
            .collect();
        let mut changed = 0;
        for (id, row) in self.rows {
            let category = row.category.clone();
            let before = all.insert(id, row);
            changed += usize::from(before.is_some_and(|before| before.category != category));
        }
        (all.into_values().collect(), changed)
    }
}

fn write(
    config: &CollectConfig,
    rows: &[LabelledRow],
    lineage: &Lineage,
    report: &CollectReport,
) -> Result<()> {
    let fields = vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("text", DataType::Utf8, false),
        Field::new("category", DataType::Utf8, false),
        Field::new(rows::ROUND, DataType::UInt32, true),
    ];
    let texts =
        |of: fn(&LabelledRow) -> &str| Arc::new(StringArray::from_iter_values(rows.iter().map(of)));
    let rounds: UInt32Array = rows.iter().map(|row| row.round).collect();
    let columns: Vec<ArrayRef> = vec![
        texts(|row| &row.row.id),
        texts(|row| &row.row.text),
        texts(|row| &row.category),
        Arc::new(rounds),
    ];
    write_whole(&config.output, fields, columns, lineage, report)
}

impl CollectReport {
    fn tell(&self, has_earlier: bool) {
        info!(
            "{} rows filled in, {} still blank; {} texts are labelled in {}",
            self.filled,
            self.blank,
            self.labelled,
            self.output.display()
        );
        if self.changed > 0 {
            warn!(
                "{} texts had another category before; the sheet's counts",
                self.changed
            );
        }
        if has_earlier && !self.new_categories.is_empty() {
            let named = self.new_categories.iter().take(NAMED);
            let named: Vec<String> = named
                .map(|(name, rows)| format!("`{name}` ({rows})"))
                .collect();
            let more = match self.new_categories.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            warn!(
                "{} categories that no text had before: {}{more}; if one is a slip of the pen, \
                 correct it in the sheet",
                self.new_categories.len(),
                named.join(", ")
            );
        }
    }
}
