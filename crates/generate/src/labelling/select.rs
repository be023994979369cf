use std::path::PathBuf;

use pairmill_active_learning::{Choice, Options, Strategy, choose, classifier, kappa, start};
use pairmill_retrieval::Embeddings;
use pairmill_tables::{Lineage, RowFilter, session, table_path};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::rows::{self, LabelledRow, PoolCounts, TextRow, numbered};
use super::sheet::{self, SheetForm, SheetRow};
use super::vectors::{LabellingModel, TextColumns};
use crate::{GenerateError, Result};

/// Agreement of two rounds from which on more labels hardly change what the classifier says.
pub(super) const STABLE: f64 = 0.99;

/// What to choose, from where, to where.
#[derive(Debug, Clone)]
pub struct SelectConfig {
    /// The texts to choose from.
    pub pool: String,
    /// The rows of them that are looked at; all if not given.
    pub filter: Option<RowFilter>,
    /// Tables of texts that are labelled already.
    pub labelled: Vec<String>,
    /// Columns of both.
    pub columns: TextColumns,
    /// The model of the embeddings.
    pub model: LabellingModel,
    /// Rows to choose.
    pub number: usize,
    /// By what.
    pub strategy: Strategy,
    /// No two chosen texts have a cosine above this.
    pub max_similarity: f32,
    /// The sheet to write.
    pub output: PathBuf,
    /// What reads it.
    pub form: SheetForm,
    /// Seed of every random choice.
    pub seed: u64,
    /// Threads to use.
    pub threads: usize,
    /// Whether to do the work again when the sheet is up to date.
    pub force: bool,
}

/// What was chosen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SelectReport {
    /// Whether there was nothing to do.
    #[serde(default)]
    pub up_to_date: bool,
    /// The sheet.
    pub output: PathBuf,
    /// Rows that it holds.
    pub chosen: usize,
    /// The number of this round, from 1.
    pub round: u32,
    /// Texts that are labelled already.
    pub labelled: usize,
    /// Their categories.
    pub categories: usize,
    /// What became of the rows of the pool.
    pub pool: PoolCounts,
    /// How much the labels of the last round have changed, where rounds are told apart.
    pub stability: Option<Stability>,
}

/// How far a classifier with the labels of the last round agrees with one without them on what is
/// left of the pool.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Stability {
    /// Cohen's kappa.
    pub kappa: f64,
    /// Labels of the last round.
    pub labels: usize,
    /// Whether that is so high that more labels hardly change anything.
    pub is_stable: bool,
}

/// Writes a sheet of the texts whose labels would teach most, unless it is up to date.
///
/// # Errors
/// If an input or the model is unsound, nothing is left to choose from, or the sheet cannot be
/// written.
pub async fn select(config: &SelectConfig) -> Result<SelectReport> {
    let lineage = config.lineage()?;
    if let Some(report) = lineage.report_of_done(&config.output, config.force)? {
        return Ok(SelectReport {
            up_to_date: true,
            output: config.output.clone(),
            ..report
        });
    }
    let session = session(1)?;
    let names = config.columns.names();
    let known = rows::labelled(&session, &config.labelled, &names).await?;
    let filter = config.filter.as_ref();
    let (pool, counts) = rows::pool(&session, &config.pool, &names, filter, &known).await?;
    if pool.is_empty() {
        return Err(GenerateError::EmptyPool {
            input: config.pool.clone(),
            rows: counts.rows,
            labelled: counts.labelled,
            empty: counts.empty,
        });
    }
    if pool.len() < config.number {
        warn!(
            "{}: {} texts are left to choose from, fewer than the {} asked for; all that are no \
             near-duplicates of each other are chosen",
            config.pool,
            pool.len(),
            config.number
        );
    }
    let work = Work::embed(config, &lineage, &known, &pool)?;
    let chosen = work.choose(config);
    if chosen.len() < config.number.min(pool.len()) {
        info!(
            "{} texts chosen, as the others are nearer to a chosen one than --max-similarity {}",
            chosen.len(),
            config.max_similarity
        );
    }
    let round = known.iter().filter_map(|row| row.round).max();
    let round = round.map_or(1 + u32::from(!known.is_empty()), |round| round + 1);
    let report = SelectReport {
        up_to_date: false,
        output: config.output.clone(),
        chosen: chosen.len(),
        round,
        labelled: known.len(),
        categories: work.categories.len(),
        pool: counts,
        stability: work.stability(),
    };
    let rows = chosen.iter().map(|choice| SheetRow {
        id: &pool[choice.row].id,
        text: &pool[choice.row].text,
        guess: choice
            .guess
            .map(|(class, share)| (work.categories[class].as_str(), share)),
        round,
    });
    let rows: Vec<SheetRow> = rows.collect();
    sheet::write(&config.output, config.form, &rows, &lineage, &report)?;
    report.tell();
    Ok(report)
}

impl SelectConfig {
    /// Finds options that contradict each other.
    ///
    /// # Errors
    /// A sentence that says which.
    pub fn validate(&self) -> Result<(), String> {
        match self.form {
            SheetForm::Table => table_path(&self.output.to_string_lossy()).map(drop),
            _ if self
                .output
                .extension()
                .is_some_and(|ending| ending == "json") =>
            {
                Ok(())
            }
            form => Err(format!(
                "{}: --form {form} is a JSON file to import; give a name that ends in .json",
                self.output.display()
            )),
        }
    }

    fn lineage(&self) -> Result<Lineage> {
        #[derive(Serialize)]
        struct Of<'a> {
            columns: &'a TextColumns,
            filter: &'a Option<RowFilter>,
            number: usize,
            strategy: Strategy,
            max_similarity: f32,
            max_length: Option<usize>,
            form: SheetForm,
        }
        let of = Of {
            columns: &self.columns,
            filter: &self.filter,
            number: self.number,
            strategy: self.strategy,
            max_similarity: self.max_similarity,
            max_length: self.model.max_length,
            form: self.form,
        };
        let mut lineage =
            Lineage::new("generate select", &of, self.seed).with_input("pool", &self.pool)?;
        for (number, input) in self.labelled.iter().enumerate() {
            lineage = lineage.with_input(&format!("labelled {number}"), input)?;
        }
        self.model.add_to(lineage)
    }
}

/// Everything in numbers.
struct Work {
    categories: Vec<String>,
    /// The category and the round of each labelled text.
    classes: Vec<usize>,
    rounds: Vec<Option<u32>>,
    known: Embeddings,
    pool: Embeddings,
}

impl Work {
    fn embed(
        config: &SelectConfig,
        lineage: &Lineage,
        known: &[LabelledRow],
        pool: &[TextRow],
    ) -> Result<Self> {
        let embed = |texts: &[&str]| config.model.embed(texts, lineage, config.threads);
        let (categories, classes) = numbered(known);
        // The pool last, as beside a large one there is no room for the model.
        let texts = known.iter().map(|row| row.row.text.as_str());
        let of_known = match known.is_empty() {
            true => None,
            false => Some(embed(&texts.collect::<Vec<_>>())?),
        };
        let texts = pool.iter().map(|row| row.text.as_str());
        let pool = embed(&texts.collect::<Vec<_>>())?;
        Ok(Self {
            categories,
            classes,
            rounds: known.iter().map(|row| row.round).collect(),
            known: of_known.unwrap_or_else(|| pool.select(&[])),
            pool,
        })
    }

    fn choose(&self, config: &SelectConfig) -> Vec<Choice> {
        let options = Options {
            number: config.number,
            strategy: config.strategy,
            max_similarity: config.max_similarity,
            seed: config.seed,
        };
        match self.classes.is_empty() {
            true => start(&self.pool, &options),
            false => choose(&self.pool, &self.known, &self.classes, &options),
        }
    }

    /// Compares what is said of the pool with and without the labels of the last round.
    fn stability(&self) -> Option<Stability> {
        let last = self.rounds.iter().flatten().max()?;
        let earlier = (0..self.classes.len()).filter(|&row| self.rounds[row] != Some(*last));
        let earlier: Vec<usize> = earlier.collect();
        if earlier.is_empty() {
            return None;
        }
        let classes: Vec<usize> = earlier.iter().map(|&row| self.classes[row]).collect();
        let before = classifier(&self.known.select(&earlier), &classes);
        let after = classifier(&self.known, &self.classes);
        let kappa = kappa(&before.predict(&self.pool), &after.predict(&self.pool));
        Some(Stability {
            kappa,
            labels: self.classes.len() - earlier.len(),
            is_stable: kappa >= STABLE,
        })
    }
}

impl SelectReport {
    fn tell(&self) {
        info!(
            "round {}: {} texts to label in {}",
            self.round,
            self.chosen,
            self.output.display()
        );
        let Some(stability) = self.stability else {
            return;
        };
        let what = match stability.is_stable {
            true => "more labels will hardly change it: you can stop",
            false => "more labels still change it: go on",
        };
        info!(
            "the {} labels of the last round: a classifier with them agrees with one without them \
             on the rest of the pool by kappa {:.3} ({STABLE} or more is stable), so {what}",
            stability.labels, stability.kappa
        );
    }
}
