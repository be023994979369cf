use std::collections::HashMap;

use pairmill_tables::{ColumnNames, Qrels, Table, TableReader, string_column};

use crate::duplicate_ids::DuplicateIds;
use crate::error::{EvaluateError, Result};
use crate::items::write::Label;
use crate::ranked::judgements;
use crate::statistics::clusters::Clustering;
use crate::statistics::groups::{Grouping, length_band};

/// The name that groups queries by the length of their texts.
const LENGTH: &str = "length";

/// Judgements and the queries they are about.
pub(crate) struct Topics {
    pub qrels: Qrels,
    /// All ids of the queries table, with their texts.
    pub ids: HashMap<String, String>,
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
    /// Its value of the column that tells queries that are alike from others.
    cluster: Option<String>,
}

impl Topics {
    /// Reads both tables; `group_by` names columns of the queries, or `length`, and `cluster` the
    /// column of which equal values make queries alike.
    pub fn read(
        reader: &TableReader,
        queries: &str,
        qrels_input: &str,
        group_by: &[String],
        cluster: Option<&str>,
    ) -> Result<Self> {
        let qrels = reader.qrels(qrels_input)?;
        let mut ids: HashMap<String, String> = HashMap::new();
        let mut duplicate_ids = DuplicateIds::default();
        let mut judged = Vec::new();
        let names = ColumnNames::default();
        let mut columns = vec!["id", "text"];
        for column in group_by {
            if column != LENGTH && !columns.contains(&column.as_str()) {
                columns.push(column);
            }
        }
        if let Some(column) = cluster.filter(|column| !columns.contains(column)) {
            columns.push(column);
        }
        reader.for_each(
            queries,
            Table::Queries,
            &names,
            &columns,
            |batch| -> Result<()> {
                let [query_ids, texts] = ["id", "text"].map(|name| string_column(batch, name));
                for row in 0..batch.num_rows() {
                    let (id, text) = (query_ids.value(row), texts.value(row));
                    if let Some(first) = ids.get(id) {
                        duplicate_ids.take(queries, id, first, text)?;
                        continue;
                    }
                    ids.insert(id.to_owned(), text.to_owned());
                    if qrels.of(id).is_some() {
                        let group = |column: &String| match column.as_str() {
                            LENGTH => length_band(text).to_owned(),
                            column => string_column(batch, column).value(row).to_owned(),
                        };
                        judged.push(Topic {
                            id: id.to_owned(),
                            text: text.to_owned(),
                            groups: group_by.iter().map(group).collect(),
                            cluster: cluster
                                .map(|column| string_column(batch, column).value(row).to_owned()),
                        });
                    }
                }
                Ok(())
            },
        )?;
        duplicate_ids.warn(queries);
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

    /// Returns which of the judged queries are alike: those that have the same in this column, else
    /// those that share a relevant document.
    pub fn clustering(&self, column: Option<&str>) -> Option<Clustering> {
        match column {
            Some(column) => {
                let values: Vec<_> = self.judged.iter().map(|one| &one.cluster).collect();
                Clustering::of_values(&values, format!("have the same `{column}`"))
            }
            None => {
                let queries = self.judged.iter().map(|one| one.id.as_str());
                judgements::clustering(&self.qrels, queries)
            }
        }
    }

    /// Returns the texts of the judged queries.
    pub fn texts(&self) -> Vec<&str> {
        self.judged
            .iter()
            .map(|topic| topic.text.as_str())
            .collect()
    }

    /// Returns what is written of each query beside its figures.
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
