//! Which columns of an input hold what.

use pairmill_tables::{KeptColumns, Table, TableError, WantedFor, columns_of_name};

use super::options::PairsOptions;
use crate::Result;

/// The two columns of text that are looked for where the user names none, in this order.
const KNOWN_TEXTS: [[&str; 2]; 9] = [
    ["anchor", "positive"],
    ["query", "positive"],
    ["query", "document"],
    ["query", "passage"],
    ["query", "answer"],
    ["question", "answer"],
    ["sentence1", "sentence2"],
    ["sentence_a", "sentence_b"],
    ["text1", "text2"],
];
const KNOWN_NEGATIVES: [&str; 2] = ["negative", "hard_negative"];
const KNOWN_LABELS: [&str; 2] = ["label", "score"];

/// The columns of an input.
pub(super) struct Columns {
    /// Several of a text where theirs are joined.
    pub texts: [Vec<String>; 2],
    /// Of the two texts.
    pub ids: [Option<String>; 2],
    /// Of texts that are not relevant to the anchor.
    pub negatives: Vec<String>,
    pub label: Option<String>,
    pub kept: Vec<String>,
    pub time: Option<String>,
}

impl Columns {
    /// Returns the names of those that are read.
    fn read(&self) -> Vec<&str> {
        let [first, second] = &self.ids;
        let texts = self.texts.iter().flatten().map(String::as_str);
        let others = [first, second, &self.label];
        let others = others.into_iter().filter_map(Option::as_deref);
        let negatives = self.negatives.iter().map(String::as_str);
        texts.chain(others).chain(negatives).collect()
    }
}

impl PairsOptions {
    /// Finds the columns of an input.
    pub(super) fn columns(&self, input: &str, names: &[String]) -> Result<Columns> {
        let find = |wanted: &str| find(names, wanted);
        let named = |option: &Option<String>, known: &[&str]| -> Result<Option<String>> {
            match option {
                Some(name) => match find(name) {
                    Some(name) => Ok(Some(name)),
                    None => Err(missing(input, name, names).into()),
                },
                None => Ok(known.iter().find_map(|name| find(name))),
            }
        };
        let known = KNOWN_TEXTS.into_iter().find_map(|[first, second]| {
            Some([
                self.anchor_column.clone().or_else(|| find(first))?,
                self.positive_column.clone().or_else(|| find(second))?,
            ])
        });
        let Some([first, second]) = known else {
            return Err(missing(input, "anchor", names).into());
        };
        let named_text = |name: String| match find(&name) {
            Some(name) => Ok(vec![name]),
            None => {
                columns_of_name(input, &name, names)?.ok_or_else(|| missing(input, &name, names))
            }
        };
        let texts = [named_text(first)?, named_text(second)?];
        let id = |text: &Vec<String>| match text.as_slice() {
            [name] => find(&format!("{name}_id")),
            _ => None,
        };
        let mut columns = Columns {
            ids: texts.each_ref().map(id),
            texts,
            negatives: match named(&self.negative_column, &KNOWN_NEGATIVES)? {
                Some(name) => vec![name],
                None => numbered_negatives(names),
            },
            label: named(&self.label_column, &KNOWN_LABELS)?,
            kept: Vec::new(),
            time: named(&self.intake.split_by_time, &[])?,
        };
        columns.kept = self.kept_columns(input, names, &columns.read())?;
        Ok(columns)
    }

    /// Returns the columns that go along, as the input names them.
    fn kept_columns(&self, input: &str, names: &[String], read: &[&str]) -> Result<Vec<String>> {
        let pairs = Table::Pairs.schema();
        let is_taken = |name: &str| pairs.field_with_name(name).is_ok();
        let KeptColumns::All = &self.kept else {
            let kept = self.kept.names().into_iter().map(|name| {
                let found = find(names, name).ok_or_else(|| missing(input, name, names))?;
                match is_taken(&found) {
                    false => Ok(found),
                    true => Err(TableError::KeptTwice {
                        path: input.to_owned(),
                        column: found,
                        table: Table::Pairs.name(),
                    }),
                }
            });
            return Ok(kept.collect::<Result<_, _>>()?);
        };
        let others = names.iter().filter(|name| !read.contains(&name.as_str()));
        Ok(others.filter(|name| !is_taken(name)).cloned().collect())
    }
}

/// Returns the columns of n-tuples, `negative_1`, `negative_2` and so on, by their numbers.
fn numbered_negatives(names: &[String]) -> Vec<String> {
    let number = |name: &str| -> Option<u32> {
        let name = name.to_lowercase();
        KNOWN_NEGATIVES.iter().find_map(|known| {
            let end = name.strip_prefix(known)?;
            end.strip_prefix('_').unwrap_or(end).parse().ok()
        })
    };
    let numbered = names.iter().filter_map(|name| Some((number(name)?, name)));
    let mut numbered: Vec<(u32, &String)> = numbered.collect();
    numbered.sort_unstable();
    numbered.into_iter().map(|(_, name)| name.clone()).collect()
}

/// Returns the name of a column as the input has it; letter case counts only where it has to.
fn find(names: &[String], wanted: &str) -> Option<String> {
    if names.iter().any(|name| name == wanted) {
        return Some(wanted.to_owned());
    }
    let mut alike = names
        .iter()
        .filter(|name| name.eq_ignore_ascii_case(wanted));
    match (alike.next(), alike.next()) {
        (Some(name), None) => Some(name.clone()),
        _ => None,
    }
}

fn missing(input: &str, column: &str, names: &[String]) -> TableError {
    TableError::MissingColumn {
        path: input.to_owned(),
        wanted: WantedFor::Table(Table::Pairs),
        column: column.to_owned(),
        found: names.join(", "),
        hint: "; name the columns with --anchor-column and --positive-column".to_owned(),
    }
}
