//! Labelled pairs, pairs and triplets, as other tools' guides have them, to the tables of a
//! retrieval task: what is labelled 1 is relevant, what is labelled 0 is a hard negative.

use std::collections::{BTreeMap, HashMap, HashSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use datafusion::logical_expr::{Cast, Expr, ident};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use pairmill_cli::Progress;
use pairmill_schema::{Sameness, TextKey, counted, excerpt};
use pairmill_tables::{KeptColumns, Table, TableError, open_any};
use serde::Serialize;
use tracing::{info, warn};

use crate::input::{EXCERPT, Kept, warn_of_lost};
use crate::retrieval::{Passage, Relevance, RetrievalSet};
use crate::summary::{Facts, Rows};
use crate::write::Tables;
use crate::{Fractions, GenerateError, Result, Split, draw};

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

/// The options that shape what is made of pairs.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PairsOptions {
    /// Random negatives for each anchor in the labelled pairs.
    pub negatives_per_anchor: usize,
    /// Fractions of the distinct second texts.
    pub split: Fractions,
    /// When two anchors are the same.
    pub same_text: Sameness,
    /// Rows to use at most.
    pub limit: Option<usize>,
    /// The label, from 0 to 1, from which on the second text is relevant to the first.
    pub label_threshold: f64,
    /// The input's column of anchors, if it has none of the names that are known.
    pub anchor_column: Option<String>,
    /// The input's column of second texts.
    pub positive_column: Option<String>,
    /// The input's column of negatives.
    pub negative_column: Option<String>,
    /// The input's column of labels.
    pub label_column: Option<String>,
    /// Other columns of the input that go along to the pairs.
    #[serde(skip_serializing_if = "KeptColumns::is_none")]
    pub kept: KeptColumns,
}

/// The columns of an input.
struct Columns {
    texts: [String; 2],
    /// Of the two texts.
    ids: [Option<String>; 2],
    negative: Option<String>,
    label: Option<String>,
    kept: Vec<String>,
}

/// A row: an anchor, a text that is relevant to it or is not, and perhaps one that is not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    anchor: Text,
    second: Text,
    is_positive: bool,
    negative: Option<String>,
    kept: Kept,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Text {
    text: String,
    id: Option<String>,
}

/// What pairs make: a retrieval task with negatives of its own.
pub(crate) struct PairSet {
    set: RetrievalSet,
    rows: Rows,
    facts: Facts,
}

impl Columns {
    /// The names of those that are read.
    fn read(&self) -> Vec<&str> {
        let [first, second] = &self.ids;
        let texts = self.texts.iter().map(String::as_str);
        let others = [first, second, &self.negative, &self.label];
        let others = others.into_iter().filter_map(Option::as_deref);
        texts.chain(others).collect()
    }
}

impl PairsOptions {
    /// Finds the columns of an input.
    fn columns(&self, input: &str, names: &[String]) -> Result<Columns> {
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
        let named_text = |name: String| find(&name).ok_or_else(|| missing(input, &name, names));
        let texts = [named_text(first)?, named_text(second)?];
        let mut columns = Columns {
            ids: texts.each_ref().map(|text| find(&format!("{text}_id"))),
            texts,
            negative: named(&self.negative_column, &KNOWN_NEGATIVES)?,
            label: named(&self.label_column, &KNOWN_LABELS)?,
            kept: Vec::new(),
        };
        columns.kept = self.kept_columns(input, names, &columns.read())?;
        Ok(columns)
    }

    /// The columns that go along, as the input names them.
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

    /// Reads an input and sorts it out.
    pub(crate) async fn read(
        &self,
        session: &SessionContext,
        input: &str,
        seed: u64,
    ) -> Result<PairSet> {
        info!("reading {input}");
        let (mut rows, kept, read) = self.rows(session, input).await?;
        rows.sort_unstable();
        let mut lost = 0;
        rows.dedup_by(|row, first| {
            let is_same = row.says(first);
            lost += u64::from(is_same && row.kept != first.kept);
            is_same
        });
        warn_of_lost(lost);
        let folded = read - rows.len() as u64;
        let distinct = rows.len();
        let is_whole = |row: &Row| {
            [&row.anchor, &row.second]
                .iter()
                .all(|text| !text.is_blank())
        };
        rows.retain(is_whole);
        let dropped = (distinct - rows.len()) as u64;
        if let Some(limit) = self.limit.filter(|limit| *limit < rows.len()) {
            rows.sort_by_cached_key(|row| {
                let texts = [&row.anchor.text, &row.second.text];
                draw::number(seed, "limit", &texts.map(|text| text.as_bytes()))
            });
            rows.truncate(limit);
            rows.sort_unstable();
        }
        let counts = Rows {
            read,
            folded,
            dropped,
            used: rows.len() as u64,
        };
        let mut pairs = self.sort_out(rows, counts, input, seed)?;
        pairs.set.kept = KeptColumns::Named(kept);
        Ok(pairs)
    }

    /// The rows, the names of the columns kept, and how many rows were read.
    async fn rows(
        &self,
        session: &SessionContext,
        input: &str,
    ) -> Result<(Vec<Row>, Vec<String>, u64)> {
        let frame = open_any(session, input).await?;
        let names: Vec<String> = (frame.schema().fields().iter())
            .map(|field| field.name().clone())
            .collect();
        let columns = self.columns(input, &names)?;
        if columns.negative.is_none() && columns.label.is_none() {
            info!("every row is a positive pair: there is no column of labels or negatives");
        }
        let wanted = [
            Some(&columns.texts[0]),
            Some(&columns.texts[1]),
            columns.ids[0].as_ref(),
            columns.ids[1].as_ref(),
            columns.negative.as_ref(),
            columns.label.as_ref(),
        ];
        let kept = columns.kept.iter().map(Some);
        let selected: Vec<Expr> = (wanted.into_iter().chain(kept).zip(0..))
            .filter_map(|(name, at)| {
                let column = Box::new(ident(name?.as_str()));
                Some(Expr::Cast(Cast::new(column, DataType::Utf8)).alias(format!("column {at}")))
            })
            .collect();
        let scan_error = |error| TableError::of_scan(input, error);
        let frame = frame.select(selected).map_err(scan_error)?;
        let mut stream = frame.execute_stream().await.map_err(scan_error)?;
        let progress = Progress::new("reading", "rows", None);
        let (mut rows, mut read) = (Vec::new(), 0);
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(scan_error)?;
            self.append(&mut rows, &batch, &columns, input, read)?;
            read += batch.num_rows() as u64;
            progress.inc(batch.num_rows() as u64);
        }
        Ok((rows, columns.kept, read))
    }

    fn append(
        &self,
        rows: &mut Vec<Row>,
        batch: &RecordBatch,
        columns: &Columns,
        input: &str,
        read: u64,
    ) -> Result<()> {
        let column = |at: usize| {
            let column = batch.column_by_name(&format!("column {at}"))?;
            column.as_string_opt::<i32>()
        };
        let cell = |at: usize, row: usize| {
            let column = column(at).filter(|column| column.is_valid(row))?;
            Some(column.value(row).to_owned())
        };
        for row in 0..batch.num_rows() {
            let text = |at: usize| Text {
                text: cell(at, row).unwrap_or_default(),
                id: cell(at + 2, row).filter(|id| !id.is_empty()),
            };
            let is_positive = match &columns.label {
                None => true,
                Some(name) => {
                    let label = cell(5, row).unwrap_or_default();
                    let number = label.trim().parse::<f64>().ok();
                    let number = number.filter(|number| (0.0..=1.0).contains(number));
                    let number = number.ok_or_else(|| GenerateError::Label {
                        input: input.to_owned(),
                        column: name.clone(),
                        row: read + row as u64 + 1,
                        found: label,
                    })?;
                    number >= self.label_threshold
                }
            };
            let negative = cell(4, row).filter(|text| !text.trim().is_empty());
            let kept = (0..columns.kept.len()).map(|at| cell(6 + at, row));
            rows.push(Row {
                anchor: text(0),
                second: text(1),
                is_positive,
                negative,
                kept: kept.collect(),
            });
        }
        Ok(())
    }

    /// Distinct second texts are the passages, distinct anchors the queries.
    fn sort_out(&self, rows: Vec<Row>, counts: Rows, input: &str, seed: u64) -> Result<PairSet> {
        let mut passages: Vec<Passage> = Vec::new();
        let mut known: HashMap<TextKey, u32> = HashMap::new();
        let mut passage = |text: &str, id: Option<&String>| {
            let key = TextKey::identical(text);
            *known.entry(key).or_insert_with(|| {
                passages.push(Passage {
                    id: id.cloned().unwrap_or_else(|| key.id("p-")),
                    title: String::new(),
                    text: text.to_owned(),
                    source: None,
                    split: self.split.split_of(seed, key),
                });
                passages.len() as u32 - 1
            })
        };
        let mut relevances = Vec::new();
        let mut positive: HashSet<(TextKey, u32)> = HashSet::new();
        let mut negative: Vec<(TextKey, u32)> = Vec::new();
        for row in &rows {
            let anchor = TextKey::new(&row.anchor.text, self.same_text);
            let second = passage(&row.second.text, row.second.id.as_ref());
            match row.is_positive {
                true => {
                    positive.insert((anchor, second));
                    relevances.push(Relevance {
                        query_id: (row.anchor.id.clone()).unwrap_or_else(|| anchor.id("q-")),
                        query: row.anchor.text.clone(),
                        passage: second,
                        kept: row.kept.clone(),
                    });
                }
                false => negative.push((anchor, second)),
            }
            if let Some(text) = &row.negative {
                negative.push((anchor, passage(text, None)));
            }
        }
        refuse_shared_ids(input, &passages)?;
        // By id, since putting the set together numbers passages and queries anew.
        let id = |at: u32| passages[at as usize].id.clone();
        let mut both_labels = 0u64;
        let mut of_anchor: HashMap<TextKey, Vec<String>> = HashMap::new();
        for (anchor, at) in &negative {
            match positive.contains(&(*anchor, *at)) {
                true => both_labels += 1,
                false => of_anchor.entry(*anchor).or_default().push(id(*at)),
            }
        }
        let anchors_with_positive: HashSet<TextKey> =
            positive.iter().map(|(anchor, _)| *anchor).collect();
        let without_positive = (rows.iter())
            .filter(|row| {
                !anchors_with_positive.contains(&TextKey::new(&row.anchor.text, self.same_text))
            })
            .count() as u64;
        if both_labels > 0 {
            let pairs = counted(both_labels, "pair is", "pairs are");
            warn!("{pairs} called positive and negative; positive is what counts");
        }
        if without_positive > 0 {
            let rows = counted(without_positive, "row is", "rows are");
            warn!("{rows} left out: no row has a positive of the anchor");
        }
        let mut set = RetrievalSet::new(
            passages,
            relevances,
            self.negatives_per_anchor,
            self.same_text,
            seed,
        );
        set.set_hard_negatives(&of_anchor, self.same_text);
        if let Some(split) = set.split_without_query() {
            return Err(GenerateError::EmptySplit {
                input: input.to_owned(),
                split,
                found: format!(
                    "{} with {}",
                    counted(rows.len(), "row", "rows"),
                    counted(
                        set.passages.len(),
                        "distinct second text",
                        "distinct second texts"
                    )
                ),
                more: "rows",
                fractions: self.split,
            });
        }
        let (anchors_across_splits, pairs_left_out) = set.across_splits();
        let facts = Facts::Pairs {
            anchors: set.queries.len() as u64,
            passages: set.passages.len() as u64,
            hard_negatives: set.hard_negatives(),
            both_labels,
            without_positive,
            anchors_across_splits,
            pairs_left_out,
        };
        Ok(PairSet {
            set,
            rows: counts,
            facts,
        })
    }
}

impl PairSet {
    /// Writes all tables, and triplets of the hard negatives of train.
    pub fn write(&self, tables: &Tables) -> Result<crate::Summary> {
        let splits = self.set.write(tables)?;
        let mut triplets = tables.create("triplets_train", Table::Triplets.schema())?;
        for query in self.set.queries_of(Split::Train) {
            let positives = self.set.positives(query);
            let negatives = self.set.hard_negatives_of(query);
            for (positive, negative) in positives.iter().cycle().zip(negatives) {
                let [positive, negative] =
                    [*positive, *negative].map(|at| &self.set.passages[at as usize]);
                triplets.push(&[
                    &query.id,
                    &query.text,
                    &positive.id,
                    &positive.text,
                    &negative.id,
                    &negative.text,
                ])?;
            }
        }
        triplets.finish()?;
        Ok(crate::Summary {
            rows: self.rows,
            facts: self.facts.clone(),
            splits,
        })
    }
}

impl Row {
    /// Whether it says the same, whatever is kept beside it.
    fn says(&self, other: &Self) -> bool {
        fn said(row: &Row) -> (&Text, &Text, bool, &Option<String>) {
            (&row.anchor, &row.second, row.is_positive, &row.negative)
        }
        said(self) == said(other)
    }
}

impl Text {
    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// The name of a column as the input has it; letter case counts only where it has to.
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
        table: "pairs",
        column: column.to_owned(),
        found: names.join(", "),
        hint: "; name the columns with --anchor-column and --positive-column".to_owned(),
    }
}

fn refuse_shared_ids(input: &str, passages: &[Passage]) -> Result<()> {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for passage in passages {
        if let Some(other) = known.insert(&passage.id, &passage.text) {
            return Err(GenerateError::DuplicateId {
                input: input.to_owned(),
                id: passage.id.clone(),
                column: "positive",
                first: excerpt(other, EXCERPT),
                second: excerpt(&passage.text, EXCERPT),
            });
        }
    }
    Ok(())
}
