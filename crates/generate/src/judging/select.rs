use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use pairmill_active_learning::{PairChoice, PairOptions, PairStrategy, choose_pairs};
use pairmill_retrieval::{Hit, Search};
use pairmill_schema::TextKey;
use pairmill_tables::{Lineage, RowFilter, session};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::rows::{self, Judgements};
use super::sheet::{self, SheetRow};
use crate::labelling::{LabellingModel, PoolCounts, TextColumns, TextRow, pool};
use crate::{GenerateError, Result};

/// What to choose, from where, to where.
#[derive(Debug, Clone)]
pub struct SelectPairsConfig {
    /// The queries whose passages are to be judged.
    pub pool: String,
    /// The rows of them that are looked at; all if not given.
    pub filter: Option<RowFilter>,
    /// The passages.
    pub corpus: String,
    /// Tables of what is judged already.
    pub judged: Vec<String>,
    /// Columns of the queries.
    pub columns: TextColumns,
    /// The model that finds candidates.
    pub model: LabellingModel,
    /// Passages to choose.
    pub number: usize,
    /// Passages of a query at most.
    pub per_query: usize,
    /// By what.
    pub strategy: PairStrategy,
    /// The sheet to write.
    pub output: PathBuf,
    /// Seed of every random choice.
    pub seed: u64,
    /// Threads to use.
    pub threads: usize,
    /// Whether to do the work again when the sheet is up to date.
    pub force: bool,
}

/// What was chosen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SelectPairsReport {
    /// Whether there was nothing to do.
    #[serde(default)]
    pub up_to_date: bool,
    /// The sheet.
    pub output: PathBuf,
    /// Passages that it holds.
    pub chosen: usize,
    /// Their queries.
    pub queries: usize,
    /// The number of this round, from 1.
    pub round: u32,
    /// What became of the rows of the pool.
    pub pool: PoolCounts,
    /// Queries for which a relevant passage is known, which are left out.
    pub answered: usize,
}

/// Writes a sheet of the passages whose judgement would teach most, unless it is up to date.
///
/// # Errors
/// If an input or the model is unsound, nothing is left to choose from, or the sheet cannot be
/// written.
pub async fn select_pairs(config: &SelectPairsConfig) -> Result<SelectPairsReport> {
    let lineage = config.lineage()?;
    if let Some(report) = lineage.report_of_done(&config.output, config.force)? {
        return Ok(SelectPairsReport {
            up_to_date: true,
            output: config.output.clone(),
            ..report
        });
    }
    let session = session(1)?;
    let judged = rows::judged(&session, &config.judged).await?;
    let names = config.columns.names();
    let filter = config.filter.as_ref();
    let (mut queries, counts) = pool(&session, &config.pool, &names, filter, &[]).await?;
    let passages = rows::passages(&session, &config.corpus).await?;
    let answered = answered(&judged);
    let all = queries.len();
    queries.retain(|query| !answered.contains(query.id.as_str()));
    if queries.is_empty() || passages.is_empty() {
        return Err(GenerateError::NothingToJudge {
            pool: config.pool.clone(),
            queries: counts.left,
            answered: all - queries.len(),
            corpus: config.corpus.clone(),
            passages: passages.len(),
        });
    }
    let chosen = config.choose(&queries, &passages, &judged, &lineage)?;
    if chosen.len() < config.number {
        warn!(
            "{} passages are left to judge, fewer than the {} asked for",
            chosen.len(),
            config.number
        );
    }
    let round = judged.values().filter_map(|one| one.round).max();
    let round = round.map_or(1 + u32::from(!judged.is_empty()), |round| round + 1);
    let of_queries: HashSet<usize> = chosen.iter().map(|choice| choice.query).collect();
    let report = SelectPairsReport {
        up_to_date: false,
        output: config.output.clone(),
        chosen: chosen.len(),
        queries: of_queries.len(),
        round,
        pool: counts,
        answered: all - queries.len(),
    };
    let rows = chosen.iter().map(|choice| {
        let (query, passage) = (&queries[choice.query], &passages[choice.passage as usize]);
        SheetRow {
            query: (&query.id, &query.text),
            passage: (&passage.0, &passage.1),
            similarity: choice.similarity,
            round,
        }
    });
    sheet::write(&config.output, &rows.collect::<Vec<_>>(), &lineage, &report)?;
    info!(
        "round {round}: {} passages of {} queries to judge in {}",
        report.chosen,
        report.queries,
        config.output.display()
    );
    Ok(report)
}

/// The queries for which a relevant passage is known.
fn answered(judged: &Judgements) -> HashSet<&str> {
    let relevant = judged.values().filter(|one| one.is_relevant);
    relevant.map(|one| one.query_id.as_str()).collect()
}

impl SelectPairsConfig {
    fn choose(
        &self,
        queries: &[TextRow],
        passages: &[(String, String)],
        judged: &Judgements,
        lineage: &Lineage,
    ) -> Result<Vec<PairChoice>> {
        let texts: Vec<&str> = passages.iter().map(|one| one.1.as_str()).collect();
        let of_passages = self.model.embed(&texts, lineage, self.threads)?;
        let texts: Vec<&str> = queries.iter().map(|row| row.text.as_str()).collect();
        let of_queries = self.model.embed_queries(&texts, lineage, self.threads)?;
        let most = judged_of_a_query(judged);
        // The first two tell how sure the model is.
        let candidates = self.per_query.max(2);
        // And one may be the query itself.
        let mut search = Search::new(&of_queries, candidates + most + 1);
        search.add(
            &of_passages,
            &(0..passages.len() as u32).collect::<Vec<_>>(),
        );
        let found: Vec<Vec<Hit>> = search
            .finish()
            .into_iter()
            .zip(queries)
            .map(|(mut hits, query)| {
                let itself = TextKey::equivalent(&query.text);
                hits.retain(|hit| {
                    let (id, text) = &passages[hit.key as usize];
                    let key = (query.id.clone(), id.clone());
                    !judged.contains_key(&key) && TextKey::equivalent(text) != itself
                });
                hits.truncate(candidates);
                hits
            })
            .collect();
        let options = PairOptions {
            number: self.number,
            per_query: self.per_query,
            strategy: self.strategy,
            seed: self.seed,
        };
        Ok(choose_pairs(&of_queries, &found, &options))
    }

    fn lineage(&self) -> Result<Lineage> {
        #[derive(Serialize)]
        struct Of<'a> {
            columns: &'a TextColumns,
            filter: &'a Option<RowFilter>,
            number: usize,
            per_query: usize,
            strategy: PairStrategy,
            max_length: Option<usize>,
        }
        let of = Of {
            columns: &self.columns,
            filter: &self.filter,
            number: self.number,
            per_query: self.per_query,
            strategy: self.strategy,
            max_length: self.model.max_length,
        };
        let mut lineage = Lineage::new("generate select-pairs", &of, self.seed)
            .with_input("pool", &self.pool)?
            .with_input("corpus", &self.corpus)?;
        for (number, input) in self.judged.iter().enumerate() {
            lineage = lineage.with_input(&format!("judged {number}"), input)?;
        }
        self.model.add_to(lineage)
    }
}

/// The most passages that any query was judged for.
fn judged_of_a_query(judged: &Judgements) -> usize {
    let mut count: HashMap<&str, usize> = HashMap::new();
    for judgement in judged.values() {
        *count.entry(&judgement.query_id).or_default() += 1;
    }
    count.into_values().max().unwrap_or(0)
}
