use std::sync::Arc;

use arrow::array::{AsArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::min;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf, lit};
use datafusion::prelude::{DataFrame, SessionContext, coalesce, ident};
use pairmill_schema::TextKey;
use pairmill_tables::{ColumnNames, KeptColumns, Table, column_names, open};
use serde::Serialize;

use crate::{Result, labels};

/// The training pairs, and how they are read.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Pairs {
    /// A path, folder or glob in any supported format.
    #[serde(skip)]
    pub path: String,
    /// Column of the anchors' ids, if it is not `anchor_id`. They are made from the texts where
    /// there is none.
    pub anchor_id_column: Option<String>,
    /// Column of the anchors, if it is not `anchor`.
    pub anchor_column: Option<String>,
    /// Column of the positives' ids, if it is not `positive_id`.
    pub positive_id_column: Option<String>,
    /// Column of the positives, if it is not `positive`.
    pub positive_column: Option<String>,
    /// Column that says which pairs are positives, if it is not `label` or `score`.
    pub label_column: Option<String>,
    /// Whether ids are made from the texts although there are some.
    pub content_ids: bool,
    /// Other columns that go along to the output.
    #[serde(skip_serializing_if = "KeptColumns::is_none")]
    pub kept: KeptColumns,
}

/// A pairs table that was opened.
pub(crate) struct OpenPairs {
    /// `anchor_id`, `anchor`, `positive_id`, `positive` and, where there are labels, `label`: all
    /// rows.
    pub all: DataFrame,
    /// The first four, of positives, and the columns that are kept.
    pub positives: DataFrame,
    /// The column of the labels in the input.
    pub label: Option<String>,
}

impl Pairs {
    fn names(&self) -> ColumnNames {
        let names = ColumnNames::new([
            ("anchor_id", self.anchor_id_column.as_deref()),
            ("anchor", self.anchor_column.as_deref()),
            ("positive_id", self.positive_id_column.as_deref()),
            ("positive", self.positive_column.as_deref()),
        ]);
        names
            .with_optional("anchor_id")
            .with_optional("positive_id")
    }

    /// Returns the pairs with the names of the columns that go along, where all do.
    pub(crate) async fn resolved(&self, session: &SessionContext) -> Result<Self> {
        let label = self.label(session).await?;
        let label: Vec<&str> = label.iter().map(String::as_str).collect();
        let table = (Table::Pairs, &self.names());
        let kept = &self.kept;
        let kept = kept.of_input(session, &self.path, table, &label, Table::Candidates);
        Ok(Self {
            kept: kept.await?,
            ..self.clone()
        })
    }

    /// Opens the table. A table with a column `label` or `score` is read by it.
    pub(crate) async fn open(&self, session: &SessionContext) -> Result<OpenPairs> {
        let label = self.label(session).await?;
        let kept = self.kept.names();
        let mut extra: Vec<&str> = label.iter().map(String::as_str).collect();
        extra.extend(kept.iter().filter(|&&name| Some(name) != label.as_deref()));
        let all = open(session, &self.path, Table::Pairs, &self.names(), &extra).await?;
        let id = |side: &str| {
            let made = content_id().call(vec![ident(side)]);
            match self.content_ids {
                true => made,
                // Without a column of ids all of them are null.
                false => coalesce(vec![ident(format!("{side}_id")), made]),
            }
        };
        let mut columns = vec![
            id("anchor").alias("anchor_id"),
            ident("anchor"),
            id("positive").alias("positive_id"),
            ident("positive"),
        ];
        let mut labelled = columns.clone();
        labelled.extend(label.iter().map(|name| ident(name).alias("label")));
        columns.extend(kept.into_iter().map(ident));
        let positives = match &label {
            Some(name) => {
                let is_positive = labels::function().call(vec![ident(name)]);
                all.clone().filter(is_positive)?
            }
            None => all.clone(),
        };
        Ok(OpenPairs {
            all: all.select(labelled)?,
            positives: positives.select(columns)?,
            label,
        })
    }

    /// Returns the column of the labels, if there is one.
    async fn label(&self, session: &SessionContext) -> Result<Option<String>> {
        match self.label_column.as_deref() {
            Some("none") => Ok(None),
            Some(named) => Ok(Some(named.to_owned())),
            None => {
                // What cannot be read is refused where it is opened, with better words.
                let columns = column_names(session, &self.path).await;
                let columns = columns.unwrap_or_default();
                let named = |name: &str| {
                    let mut columns = columns.iter();
                    columns.find(|column| column.trim().eq_ignore_ascii_case(name))
                };
                Ok(labels::NAMES.into_iter().find_map(named).cloned())
            }
        }
    }

    /// Returns the positives as the passages of a corpus, each once.
    pub(crate) async fn as_corpus(&self, session: &SessionContext) -> Result<DataFrame> {
        let passages = self.open(session).await?.positives.aggregate(
            vec![ident("positive_id").alias("id")],
            vec![min(ident("positive")).alias("text")],
        )?;
        Ok(passages.select(vec![ident("id"), lit("").alias("title"), ident("text")])?)
    }
}

/// Makes `content_id(text)`: an id for a text, equal where texts are identical.
pub(crate) fn content_id() -> ScalarUDF {
    let invoke = |arguments: &[ColumnarValue]| {
        let columns = ColumnarValue::values_to_arrays(arguments)?;
        let texts = columns[0].as_string::<i32>().iter();
        let ids: StringArray = texts
            .map(|text| Some(TextKey::identical(text?).id("t-")))
            .collect();
        Ok::<_, DataFusionError>(ColumnarValue::Array(Arc::new(ids)))
    };
    create_udf(
        "content_id",
        vec![DataType::Utf8],
        DataType::Utf8,
        Volatility::Immutable,
        Arc::new(invoke),
    )
}
