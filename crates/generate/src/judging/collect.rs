use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Array, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field};
use pairmill_tables::{Lineage, Table, session};
use serde::{Deserialize, Serialize};
use tracing::info;

use super::rows::{self, Judgement, Judgements};
use super::sheet;
use crate::labelling::{ROUND, TextColumns, texts};
use crate::write::write_whole;
use crate::{GenerateError, Result};

/// Which sheets to read back, to where.
#[derive(Debug, Clone)]
pub struct CollectPairsConfig {
    /// Sheets that were filled in.
    pub sheets: Vec<String>,
    /// The queries that they were made of.
    pub pool: String,
    /// The passages that they were made of.
    pub corpus: String,
    /// Tables of what was judged before; they go along.
    pub judged: Vec<String>,
    /// Columns of the queries.
    pub columns: TextColumns,
    /// The table of labelled pairs to write.
    pub output: PathBuf,
    /// Whether to do the work again when the table is up to date.
    pub force: bool,
}

/// What came back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CollectPairsReport {
    /// Whether there was nothing to do.
    #[serde(default)]
    pub up_to_date: bool,
    /// The table.
    pub output: PathBuf,
    /// Rows of the sheets that are filled in.
    pub filled: usize,
    /// Rows that are not yet.
    pub blank: usize,
    /// Labelled pairs of the table that are relevant.
    pub relevant: usize,
    /// Those that are not.
    pub irrelevant: usize,
}

/// Writes what is judged by now, in earlier tables too, as labelled pairs, unless that is up to
/// date. A sheet's rows may come in any order; rows that are not filled in are counted.
///
/// # Errors
/// If an input is unsound, a row of a sheet is not of the pool or the corpus, two judgements
/// contradict each other, nothing is filled in, or the table cannot be written.
pub async fn collect_pairs(config: &CollectPairsConfig) -> Result<CollectPairsReport> {
    let lineage = config.lineage()?;
    if let Some(report) = lineage.report_of_done(&config.output, config.force)? {
        return Ok(CollectPairsReport {
            up_to_date: true,
            output: config.output.clone(),
            ..report
        });
    }
    let session = session(1)?;
    let mut judged = rows::judged(&session, &config.judged).await?;
    let (mut filled, mut blank) = (0, 0);
    for sheet in &config.sheets {
        for answer in sheet::read(&session, sheet).await? {
            let Some(is_relevant) = answer.is_relevant else {
                blank += 1;
                continue;
            };
            filled += 1;
            let judgement = Judgement {
                query_id: answer.query_id,
                corpus_id: answer.corpus_id,
                is_relevant,
                round: answer.round,
            };
            rows::add(&mut judged, judgement, sheet)?;
        }
    }
    if filled == 0 {
        return Err(GenerateError::NothingJudged {
            sheets: config.sheets.join(", "),
            rows: blank,
        });
    }
    let names = config.columns.names();
    let queries = texts(&session, &config.pool, &names).await?;
    let queries = queries.into_iter().map(|row| (row.id, row.text));
    let passages = rows::passages(&session, &config.corpus).await?;
    let texts = Texts {
        config,
        queries: queries.collect(),
        passages: passages.into_iter().collect(),
    };
    let rows = texts.of(judged)?;
    let relevant = rows.iter().filter(|row| row.judgement.is_relevant).count();
    let report = CollectPairsReport {
        up_to_date: false,
        output: config.output.clone(),
        filled,
        blank,
        relevant,
        irrelevant: rows.len() - relevant,
    };
    write(config, &rows, &lineage, &report)?;
    info!(
        "{filled} rows filled in, {blank} still blank; {} passages are relevant and {} are not in {}",
        report.relevant,
        report.irrelevant,
        config.output.display()
    );
    Ok(report)
}

/// A judgement with its texts.
struct JudgedPair {
    judgement: Judgement,
    query: String,
    passage: String,
}

/// The texts of the ids.
struct Texts<'a> {
    config: &'a CollectPairsConfig,
    queries: HashMap<String, String>,
    passages: HashMap<String, String>,
}

impl Texts<'_> {
    /// Returns the judgements with their texts, ordered by their ids.
    fn of(&self, judged: Judgements) -> Result<Vec<JudgedPair>> {
        let missing = |input: &str, id: &str| GenerateError::NotOfPool {
            sheet: self.config.sheets.join(", "),
            pool: input.to_owned(),
            id: id.to_owned(),
        };
        let text = |texts: &HashMap<String, String>, input: &str, id: &str| {
            texts.get(id).cloned().ok_or_else(|| missing(input, id))
        };
        let rows = judged.into_values().map(|judgement| {
            let query = text(&self.queries, &self.config.pool, &judgement.query_id)?;
            let passage = text(&self.passages, &self.config.corpus, &judgement.corpus_id)?;
            Ok(JudgedPair {
                judgement,
                query,
                passage,
            })
        });
        let mut rows = rows.collect::<Result<Vec<_>>>()?;
        let ids = |row: &JudgedPair| {
            (
                row.judgement.query_id.clone(),
                row.judgement.corpus_id.clone(),
            )
        };
        rows.sort_by_cached_key(ids);
        Ok(rows)
    }
}

impl CollectPairsConfig {
    fn lineage(&self) -> Result<Lineage> {
        let mut lineage = Lineage::new("generate collect-pairs", &self.columns, 0)
            .with_input("pool", &self.pool)?
            .with_input("corpus", &self.corpus)?;
        for (number, input) in self.sheets.iter().enumerate() {
            lineage = lineage.with_input(&format!("sheet {number}"), input)?;
        }
        for (number, input) in self.judged.iter().enumerate() {
            lineage = lineage.with_input(&format!("judged {number}"), input)?;
        }
        Ok(lineage)
    }
}

fn write(
    config: &CollectPairsConfig,
    rows: &[JudgedPair],
    lineage: &Lineage,
    report: &CollectPairsReport,
) -> Result<()> {
    let contract = Table::LabeledPairs.schema();
    let fields = contract.fields().iter().map(|field| (**field).clone());
    let round = Field::new(ROUND, DataType::UInt32, true);
    let fields = fields.chain([round]).collect();
    let texts =
        |of: fn(&JudgedPair) -> &str| Arc::new(StringArray::from_iter_values(rows.iter().map(of)));
    let scores = rows
        .iter()
        .map(|row| f32::from(u8::from(row.judgement.is_relevant)));
    let rounds: UInt32Array = rows.iter().map(|row| row.judgement.round).collect();
    let columns: Vec<ArrayRef> = vec![
        texts(|row| &row.judgement.query_id),
        texts(|row| &row.query),
        texts(|row| &row.judgement.corpus_id),
        texts(|row| &row.passage),
        Arc::new(Float32Array::from_iter_values(scores)),
        Arc::new(rounds),
    ];
    write_whole(&config.output, fields, columns, lineage, report)
}
