use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use arrow::array::Array;
use pairmill_candidates::{Decided, TrainingFormat, TrainingOutput, TrainingRows};
use pairmill_schema::{agreeing, counted};
use pairmill_tables::{
    Lineage, Lock, TableError, TemporaryFolder, check_output, is_stream, join_tables,
    keep_when_interrupted, sibling, string_column,
};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::plan::Runs;
use crate::{MineConfig, MineError, MineSummary, Result};

/// Pairs in a part: at fifty candidates each some seconds of work, so little is lost in a kill.
const PAIRS: u64 = 4_096;
/// What the folder beside an output is good for after an interruption.
pub(crate) const KEPT: &str =
    "what is mined or embedded so far, from where the same command goes on";
const STATE: &str = "state.json";
const ROWS: &str = "rows";
const AUDIT: &str = "audit";

/// The output of a run under way: files of some thousand pairs each in a hidden folder beside it,
/// and how far they go. A run that was killed goes on after the last whole one; at the end they
/// are joined, so that the bytes do not depend on how often that happened. A stream is written as
/// it comes.
pub(crate) struct Parts<'a> {
    config: &'a MineConfig,
    folder: PathBuf,
    state: State,
    /// The part under way.
    current: Option<Part>,
    /// What was counted up to and with the part under way, and its last query.
    tally: Tally,
    last_query: Option<String>,
    /// None where the output is a stream.
    _lock: Option<Lock>,
    temporary: Option<TemporaryFolder>,
}

/// A part under way: its rows, and its candidates where they are wanted too.
struct Part {
    rows: TrainingOutput,
    audit: Option<TrainingOutput>,
}

/// How far the whole parts go.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct State {
    lineage: Lineage,
    /// That of the audit table, if there are parts of one.
    audit: Option<Lineage>,
    whole: usize,
    /// The query that ends the last whole part.
    last_query: Option<String>,
    tally: Tally,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// Queries with a candidate.
    pub queries: u64,
    /// Pairs with a candidate.
    pub pairs: u64,
    /// Pairs with a negative.
    pub pairs_with_negatives: u64,
    pub candidates: u64,
    pub rows: u64,
    pub reasons: BTreeMap<String, u64>,
}

impl<'a> Parts<'a> {
    /// Takes up the parts of a run with the same lineage, or begins.
    pub(crate) fn open(
        config: &'a MineConfig,
        lineage: &Lineage,
        audit_lineage: &Lineage,
    ) -> Result<Self> {
        let output = &config.run.output;
        // They are written last: what is wrong with their paths is to be known first.
        for path in [Some(output), config.audit.as_ref()].into_iter().flatten() {
            check_output(path)?;
        }
        let audit = config.audit.is_some().then(|| audit_lineage.clone());
        let begun = State {
            lineage: lineage.clone(),
            audit: audit.clone(),
            whole: 0,
            last_query: None,
            tally: Tally::default(),
        };
        if is_stream(output) {
            let temporary = temporary_folder()?;
            return Ok(Self {
                config,
                folder: temporary.path().to_owned(),
                tally: Tally::default(),
                last_query: None,
                state: begun,
                current: None,
                _lock: None,
                temporary: Some(temporary),
            });
        }
        let folder = sibling(output, ".parts")?;
        let unwritable = unwritable(output);
        let lock = Lock::exclusive(&folder.join("lock"), output)?;
        keep_when_interrupted(&folder, KEPT);
        let found = read_state(&folder).filter(|found| {
            let is_this_run = found.lineage == *lineage && found.audit == audit;
            if config.run.force || !is_this_run {
                let pairs = found.tally.pairs;
                let (pairs, are) = (
                    counted(pairs, "pair", "pairs"),
                    agreeing(pairs, "is", "are"),
                );
                warn!("starting over; {pairs} of an unfinished earlier run {are} given up");
            }
            is_this_run && !config.run.force
        });
        let state = found.unwrap_or(begun);
        let parts = Self {
            config,
            folder,
            tally: state.tally.clone(),
            last_query: state.last_query.clone(),
            state,
            current: None,
            _lock: Some(lock),
            temporary: None,
        };
        parts.remove_the_rest().map_err(unwritable)?;
        if parts.state.whole > 0 {
            info!(
                "going on after {}, which an earlier run mined",
                counted(parts.tally.pairs, "pair", "pairs")
            );
        }
        Ok(parts)
    }

    /// Returns the folder of the parts, where other intermediate results may have folders of their
    /// own.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the query after which to go on.
    pub(crate) fn last_query(&self) -> Option<&str> {
        self.state.last_query.as_deref()
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Adds the candidates of whole queries.
    pub(crate) fn write(&mut self, decided: &Decided) -> Result<()> {
        let part = match &mut self.current {
            Some(part) => part,
            None => {
                let part = self.begin_part()?;
                self.current.insert(part)
            }
        };
        if let Some(audit) = &mut part.audit {
            audit.write(decided)?;
        }
        self.tally.rows += part.rows.write(decided)?;
        self.tally.add(decided);
        let queries = string_column(&decided.batch, "query_id");
        self.last_query = Some(queries.value(queries.len() - 1).to_owned());
        if self.temporary.is_none()
            && self.tally.pairs - self.state.tally.pairs >= PAIRS
            && let Some(part) = self.current.take()
        {
            self.end_part(part)?;
        }
        Ok(())
    }

    fn end_part(&mut self, part: Part) -> Result<()> {
        part.rows.finish()?;
        if let Some(audit) = part.audit {
            audit.finish()?;
        }
        self.state.whole += 1;
        self.state.last_query = self.last_query.clone();
        self.state.tally = self.tally.clone();
        self.save_state()
            .map_err(unwritable(&self.config.run.output))?;
        Ok(())
    }

    fn save_state(&self) -> io::Result<()> {
        let new = self.folder.join("state.new");
        fs::write(&new, serde_json::to_vec(&self.state)?)?;
        File::open(&new)?.sync_all()?;
        fs::rename(new, self.folder.join(STATE))
    }

    /// Joins the parts into the audit table, and into the output unless that is to be left; the
    /// summary goes with it.
    pub(crate) fn finish(mut self, with_output: bool, summary: &MineSummary) -> Result<()> {
        if self.temporary.is_some() {
            let part = match self.current.take() {
                Some(part) => part,
                None => self.begin_part()?,
            };
            if let Some(audit) = part.audit {
                audit.finish()?;
            }
            if with_output {
                part.rows.finish_with(summary)?;
            }
            return Ok(());
        }
        // Where nothing was found the output is an empty part.
        if let Some(part) = self.current.take() {
            self.end_part(part)?;
        } else if self.state.whole == 0 {
            let part = self.begin_part()?;
            self.end_part(part)?;
        }
        // The output is last, so that where it is new the audit table is.
        if let (Some(audit), Some(lineage)) = (&self.config.audit, &self.state.audit) {
            join_tables(&self.whole_parts(AUDIT), audit, lineage, summary)?;
        }
        if with_output {
            let output = &self.config.run.output;
            join_tables(
                &self.whole_parts(ROWS),
                output,
                &self.state.lineage,
                summary,
            )?;
        }
        self.state.whole = 0;
        if with_output {
            let _ = fs::remove_dir_all(&self.folder);
        }
        Ok(())
    }

    fn begin_part(&self) -> Result<Part> {
        let path = |kind| match (self.temporary.is_some(), kind, &self.config.audit) {
            (false, kind, _) => part(&self.folder, kind, self.state.whole),
            (true, AUDIT, Some(audit)) => audit.clone(),
            (true, ..) => self.config.run.output.clone(),
        };
        let candidates = TrainingRows {
            kept: self.config.pairs.kept.fields(),
            ..TrainingRows::new(TrainingFormat::CANDIDATES, 0)
        };
        let audit = self.state.audit.as_ref();
        let audit = audit.map(|lineage| TrainingOutput::create(candidates, &path(AUDIT), lineage));
        Ok(Part {
            rows: TrainingOutput::create(self.config.rows(), &path(ROWS), &self.state.lineage)?,
            audit: audit.transpose()?,
        })
    }

    fn whole_parts(&self, kind: &str) -> Vec<PathBuf> {
        let numbers = 0..self.state.whole;
        numbers
            .map(|number| part(&self.folder, kind, number))
            .collect()
    }

    /// Removes what is not of a whole part.
    fn remove_the_rest(&self) -> io::Result<()> {
        if self.temporary.is_some() {
            return Ok(());
        }
        let mut keep = vec![self.folder.join("lock")];
        if self.state.whole > 0 {
            keep.push(self.folder.join(STATE));
        }
        keep.extend(self.whole_parts(ROWS));
        keep.extend(self.whole_parts(AUDIT));
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default();
            if path.is_file() && !keep.contains(&path) {
                fs::remove_file(path)?;
            } else if name.to_string_lossy().starts_with("pairmill-") {
                // An index that a killed run was building.
                fs::remove_dir_all(path)?;
            }
        }
        Ok(())
    }
}

impl Drop for Parts<'_> {
    fn drop(&mut self) {
        self.current = None;
        if self.temporary.is_some() {
            return;
        }
        if self.state.whole == 0 {
            let _ = self.remove_the_rest();
            let _ = fs::remove_file(self.folder.join("lock"));
            // Unless something else is in it.
            let _ = fs::remove_dir(&self.folder);
        }
        if self.folder.exists() {
            let done = match self.state.tally.pairs {
                0 => "what is embedded is".to_owned(),
                pairs => format!("{} mined and", counted(pairs, "pair is", "pairs are")),
            };
            warn!("{done} kept beside the output; the same command goes on from there");
        }
    }
}

impl Tally {
    fn add(&mut self, decided: &Decided) {
        self.queries += Runs::default().count(&decided.batch, &["query_id"]);
        self.pairs += decided.pairs.len() as u64;
        let negatives = decided.pairs.iter().map(|pair| &pair.negatives);
        self.pairs_with_negatives += negatives.filter(|rows| !rows.is_empty()).count() as u64;
        self.candidates += decided.batch.num_rows() as u64;
        for reason in string_column(&decided.batch, "reason").iter().flatten() {
            match self.reasons.get_mut(reason) {
                Some(count) => *count += 1,
                None => _ = self.reasons.insert(reason.to_owned(), 1),
            }
        }
    }
}

/// Makes a folder for what cannot lie beside an output that is a stream.
pub(crate) fn temporary_folder() -> Result<TemporaryFolder> {
    TemporaryFolder::create(None).map_err(MineError::Temporary)
}

/// Returns the state of the parts in a folder, if every one of them is there.
fn read_state(folder: &Path) -> Option<State> {
    let state: State = serde_json::from_slice(&fs::read(folder.join(STATE)).ok()?).ok()?;
    let is_there = |kind: &str, number: usize| part(folder, kind, number).is_file();
    let whole = (0..state.whole)
        .all(|number| is_there(ROWS, number) && (state.audit.is_none() || is_there(AUDIT, number)));
    whole.then_some(state)
}

fn part(folder: &Path, kind: &str, number: usize) -> PathBuf {
    folder.join(format!("{kind}-{number:05}.parquet"))
}

fn unwritable(path: &Path) -> impl Fn(io::Error) -> TableError + use<> {
    let path = path.to_owned();
    move |source| TableError::Unwritable {
        path: path.clone(),
        source,
    }
}
