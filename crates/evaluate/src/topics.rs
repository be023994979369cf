use std::collections::HashSet;

use pairmill_tables::{ColumnNames, Table, string_column};

use crate::groups::{Grouping, length_band};
use crate::items::Label;
use crate::qrels::Qrels;
use crate::reader::Reader;
use crate::{EvaluateError, Result};

/// The name that groups queries by the length of their texts.
const LENGTH: &str = "length";

/// Judgements and the queries they are about.
pub(crate) struct Topics {
    pub qrels: Qrels,
    /// All ids of the queries table.
    pub ids: HashSet<String>,
    /// The queries that are judged, in ascending order of id.
    pub judged: Vec<Topic>,
    /// What groups the judged queries.
    pub groupings: Vec<Grouping>,
}

/// A query that is judged.
pub(crate) struct Topic {
    pub id: String,
    text: String,
    /// One for each grouping.
    groups: Vec<String>,
}

impl Topics {
    /// Reads both tables; `group_by` names columns of the queries, or `length`.
    pub fn read(
        reader: &Reader,
        queries: &str,
        qrels_input: &str,
        group_by: &[String],
    ) -> Result<Self> {
        let qrels = Qrels::read(reader, qrels_input)?;
        let mut ids = HashSet::new();
        let mut judged = Vec::new();
        let names = ColumnNames::default();
        let mut columns = vec!["id", "text"];
        for column in group_by {
            if column != LENGTH && !columns.contains(&column.as_str()) {
                columns.push(column);
            }
        }
        reader.for_each(queries, Table::Queries, &names, &columns, |batch| {
            let [query_ids, texts] = ["id", "text"].map(|name| string_column(batch, name));
            for row in 0..batch.num_rows() {
                let (id, text) = (query_ids.value(row), texts.value(row));
                if !ids.insert(id.to_owned()) {
                    return Err(EvaluateError::DuplicateId {
                        path: queries.to_owned(),
                        id: id.to_owned(),
                    });
                }
                if qrels.of(id).is_some() {
                    let group = |column: &String| match column.as_str() {
                        LENGTH => length_band(text).to_owned(),
                        column => string_column(batch, column).value(row).to_owned(),
                    };
                    judged.push(Topic {
                        id: id.to_owned(),
                        text: text.to_owned(),
                        groups: group_by.iter().map(group).collect(),
                    });
                }
            }
            Ok(())
        })?;
        if judged.is_empty() {
            return Err(EvaluateError::NothingJudged {
                qrels: qrels_input.to_owned(),
                queries: queries.to_owned(),
            });
        }
        judged.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let grouping = |(i, column): (usize, &String)| Grouping {
            column: column.clone(),
            values: judged.iter().map(|topic| topic.groups[i].clone()).collect(),
        };
        Ok(Self {
            groupings: group_by.iter().enumerate().map(grouping).collect(),
            qrels,
            ids,
            judged,
        })
    }

    /// The texts of the judged queries.
    pub fn texts(&self) -> Vec<&str> {
        self.judged
            .iter()
            .map(|topic| topic.text.as_str())
            .collect()
    }

    /// What is written of each query beside its figures.
    pub fn labels(&self) -> Vec<Label<'_>> {
        let ids = self.judged.iter().map(|topic| topic.id.as_str()).collect();
        let mut labels = vec![
            Label {
                name: "query_id",
                values: ids,
            },
            Label {
                name: "query",
                values: self.texts(),
            },
        ];
        labels.extend(self.groupings.iter().map(|grouping| Label {
            name: &grouping.column,
            values: grouping.values.iter().map(String::as_str).collect(),
        }));
        labels
    }
}
