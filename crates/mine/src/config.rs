use std::path::{Path, PathBuf};

use pairmill_candidates::{Select, Selection, TrainingFormat, TrainingRows};
use pairmill_schema::Sameness;
use pairmill_tables::Lineage;
use serde::Serialize;

use crate::{Corpus, Pairs, Result, Retrieval, RunOptions};

/// What to mine, from where, to where.
#[derive(Debug, Clone, Serialize)]
pub struct MineConfig {
    /// The training pairs.
    #[serde(flatten)]
    pub pairs: Pairs,
    /// The passages to search.
    #[serde(flatten)]
    pub corpus: Corpus,
    /// Judgements that name further positives.
    #[serde(skip)]
    pub qrels: Option<String>,
    /// When two questions are the same.
    pub same_text: Sameness,
    /// Whether a passage with a query's id is the query, whatever it says.
    pub ignore_identical_ids: bool,
    /// Passages looked at for each query.
    pub top_k: usize,
    /// Column of the corpus whose value a negative must not share with the positive.
    pub group_column: Option<String>,
    /// The similarity from which on a passage is a near-duplicate of a positive, from 0 to 1.
    pub near_duplicates: f32,
    /// Which candidates become negatives.
    #[serde(flatten)]
    pub selection: Selection,
    /// What to write.
    pub format: TrainingFormat,
    /// Whether to leave the id columns out.
    pub drop_ids: bool,
    /// Where to write the candidates as well, when the output is made of training rows.
    #[serde(skip)]
    pub audit: Option<PathBuf>,
    /// Where to write the output, and how to run.
    #[serde(skip)]
    pub run: RunOptions,
}

impl MineConfig {
    /// Finds options that contradict each other.
    ///
    /// # Errors
    /// A sentence that says which.
    pub fn validate(&self) -> Result<(), String> {
        self.selection.validate(self.format)?;
        if self.format == TrainingFormat::N_TUPLE && self.selection.num_negatives.is_none() {
            return Err("--format n-tuple needs --num-negatives".to_owned());
        }
        if self.drop_ids && self.format == TrainingFormat::CANDIDATES {
            return Err("--drop-ids cannot be combined with --format candidates, whose rows are known by their ids".to_owned());
        }
        if self.group_column.is_some() && self.corpus.pairs.is_some() {
            return Err(
                "--group-column is a column of the corpus; give one with --corpus".to_owned(),
            );
        }
        let skipped = self.selection.range_min.max(self.selection.rank_min);
        if skipped >= self.top_k {
            return Err(format!(
                "--top-k {} passages are looked at, of which {skipped} are skipped: nothing is left",
                self.top_k
            ));
        }
        refuse_shared_output(self.audit.as_deref(), &self.run.output)
    }

    pub(crate) fn select(&self) -> Select<'_> {
        Select {
            selection: &self.selection,
            near_duplicates: self.near_duplicates,
            seed: self.run.seed,
            scores: match self.corpus.retrieval {
                Retrieval::Bm25 => ["bm25", "positive_bm25"],
                Retrieval::Dense(_) | Retrieval::Hybrid { .. } => ["dense", "positive_dense"],
            },
        }
    }

    /// Returns the lineages of the output and of the audit table, which is that of `--format
    /// candidates`.
    pub(crate) fn lineages(&self) -> Result<(Lineage, Lineage)> {
        let output =
            Lineage::new("mine", self, self.run.seed).with_input("pairs", &self.pairs.path)?;
        let mut output = self.corpus.add_to(output)?;
        if let Some(qrels) = &self.qrels {
            output = output.with_input("qrels", qrels)?;
        }
        let audited = Self {
            format: TrainingFormat::CANDIDATES,
            drop_ids: false,
            ..self.clone()
        };
        let audit = Lineage::new("mine", &audited, self.run.seed).with_inputs_of(&output);
        Ok((output, audit))
    }

    pub(crate) fn rows(&self) -> TrainingRows {
        TrainingRows {
            drop_ids: self.drop_ids,
            kept: self.pairs.kept.fields(),
            ..TrainingRows::new(self.format, self.selection.num_negatives.unwrap_or(0))
        }
    }
}

/// Refuses an audit table that is standard output or the output itself.
pub(crate) fn refuse_shared_output(audit: Option<&Path>, output: &Path) -> Result<(), String> {
    let absolute = |path: &Path| std::path::absolute(path).ok();
    match audit {
        Some(audit) if audit == Path::new("-") => {
            Err("--audit - : only --output can be standard output; give a file".to_owned())
        }
        Some(audit) if absolute(audit) == absolute(output) => {
            Err("--audit and --output name the same file".to_owned())
        }
        _ => Ok(()),
    }
}
