use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pairmill_modeling::Parameters;
use pairmill_tables::{FolderOutput, Lineage, keep_when_interrupted, remove_folder};
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::error::{Context, Result, TrainError};
use crate::optimizer::AdamW;

const STATE_FILE: &str = "state.json";
const TENSOR_FILE: &str = "state.safetensors";
/// The log of a run, which holds times.
pub(crate) const LOG_FILE: &str = "training_log.jsonl";

/// How far training has come: with the tensors of a checkpoint, all that decides how it goes on.
/// Batches and dropout masks need no random state, since they depend on seed, epoch and step alone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Optimiser steps taken.
    pub step: u64,
    /// Epoch under way, from 0.
    pub epoch: u32,
    /// Steps taken in this epoch.
    pub step_of_epoch: usize,
    /// The part of the data under way, from 0.
    pub buffer: usize,
    /// Steps taken in this part.
    pub step_of_buffer: usize,
    /// Sum of this epoch's losses.
    pub loss_sum: Exact,
    /// Dev score before training.
    pub score_before: Option<Exact>,
    /// Best dev score and the step after which it was reached.
    pub best: Option<(Exact, u64)>,
    /// Evaluations since then.
    pub evaluations_without_gain: u32,
    /// Batches so far, and their rows.
    pub batches: u64,
    pub batch_rows: u64,
    /// Seconds spent.
    pub seconds: Exact,
    /// Threads that libtorch computed with, which sums of many numbers depend on.
    pub threads: i32,
}

/// A number that reads back from JSON bit by bit.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Exact(pub f64);

impl From<Exact> for String {
    fn from(number: Exact) -> Self {
        number.0.to_string()
    }
}

impl TryFrom<String> for Exact {
    type Error = std::num::ParseFloatError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

/// What a run continues from.
pub(crate) struct Checkpoint {
    folder: PathBuf,
    pub position: Position,
    /// The weights that reached the best dev score.
    pub best_weights: Option<Tensor>,
    tensors: Vec<(String, Tensor)>,
}

impl Checkpoint {
    /// Sets weights and optimiser, and puts the log so far at `log`.
    pub fn restore(
        &self,
        parameters: &Parameters,
        optimizer: &mut AdamW,
        log: &Path,
    ) -> Result<()> {
        let moment = |name: &str| {
            tensor(&self.tensors, name).ok_or_else(|| damaged(&self.folder, "a tensor is missing"))
        };
        let weights = moment("parameters")?;
        if weights.size() != parameters.flat().size() {
            let why = "its weights are not those of this model";
            return Err(damaged(&self.folder, why));
        }
        let mut flat = parameters.flat().shallow_clone();
        tch::no_grad(|| flat.f_copy_(weights))?;
        let (first, second) = (moment("first_moment")?, moment("second_moment")?);
        optimizer.restore(first, second, self.position.step as i32)?;
        fs::copy(self.folder.join(LOG_FILE), log)
            .with_context(|| format!("cannot copy the log of {}", self.folder.display()))?;
        Ok(())
    }
}

fn tensor<'a>(tensors: &'a [(String, Tensor)], name: &str) -> Option<&'a Tensor> {
    let found = tensors.iter().find(|(known, _)| known == name);
    found.map(|(_, tensor)| tensor)
}

fn damaged(folder: &Path, why: &str) -> TrainError {
    TrainError::DamagedCheckpoint {
        folder: folder.to_owned(),
        why: why.to_owned(),
    }
}

/// The checkpoints of an output, in the folder `<output>.checkpoints`. Each appears whole or not
/// at all.
pub(crate) struct Checkpoints {
    folder: PathBuf,
    lineage: Lineage,
    keep: usize,
}

impl Checkpoints {
    /// Returns the checkpoints of `output`; the newest `keep` stay when one is added.
    pub fn new(output: &Path, lineage: &Lineage, keep: usize) -> Self {
        let mut folder = output.as_os_str().to_owned();
        folder.push(".checkpoints");
        let folder = PathBuf::from(folder);
        let goes_on = "the same command with --resume goes on from the newest checkpoint";
        keep_when_interrupted(&folder, goes_on);
        Self {
            folder,
            lineage: lineage.clone(),
            keep,
        }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the steps of the complete checkpoints, newest first.
    fn steps(&self) -> Vec<u64> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut steps: Vec<u64> = entries
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                name.strip_prefix("checkpoint-")?.parse().ok()
            })
            .collect();
        steps.sort_unstable_by_key(|&step| std::cmp::Reverse(step));
        steps
    }

    fn path(&self, step: u64) -> PathBuf {
        self.folder.join(format!("checkpoint-{step}"))
    }

    /// Returns the step of the newest complete checkpoint.
    pub fn newest(&self) -> Option<u64> {
        self.steps().first().copied()
    }

    /// Loads the newest complete checkpoint, if there is one.
    ///
    /// # Errors
    /// If it is damaged, or of a run with other options or inputs.
    pub fn load(&self) -> Result<Option<Checkpoint>> {
        let Some(step) = self.newest() else {
            return Ok(None);
        };
        let folder = self.path(step);
        let found = Lineage::of_folder(&folder)
            .ok_or_else(|| damaged(&folder, "its lineage.json cannot be read"))?;
        if found != self.lineage {
            return Err(TrainError::OtherRun {
                folder,
                difference: difference(&found, &self.lineage),
            });
        }
        let state = fs::read_to_string(folder.join(STATE_FILE))
            .map_err(|error| damaged(&folder, &format!("{STATE_FILE}: {error}")))?;
        let position = serde_json::from_str(&state)
            .map_err(|error| damaged(&folder, &format!("{STATE_FILE}: {error}")))?;
        let tensors = Tensor::read_safetensors(folder.join(TENSOR_FILE))
            .map_err(|error| damaged(&folder, &format!("{TENSOR_FILE}: {error}")))?;
        Ok(Some(Checkpoint {
            best_weights: tensor(&tensors, "best").map(Tensor::shallow_clone),
            folder,
            position,
            tensors,
        }))
    }

    /// Writes a checkpoint and removes the ones that are too many.
    ///
    /// # Errors
    /// If the disk is full or the folder cannot be written; the earlier checkpoints are then
    /// intact.
    pub fn save(
        &self,
        position: &Position,
        parameters: &Parameters,
        optimizer: &AdamW,
        best_weights: Option<&Tensor>,
        log: &Path,
    ) -> Result<()> {
        let path = self.path(position.step);
        let cannot = || format!("cannot write the checkpoint {}", path.display());
        let staged = FolderOutput::create(&path).with_context(cannot)?;
        let file = |name: &str| staged.path().join(name);
        let (first, second, _) = optimizer.state();
        let mut tensors = vec![
            ("parameters", parameters.flat()),
            ("first_moment", first),
            ("second_moment", second),
        ];
        tensors.extend(best_weights.map(|best| ("best", best)));
        let tensors: Vec<(&str, Tensor)> = tensors
            .into_iter()
            .map(|(name, tensor)| (name, tensor.detach().to_device(tch::Device::Cpu)))
            .collect();
        Tensor::write_safetensors(&tensors, file(TENSOR_FILE)).with_context(cannot)?;
        fs::write(file(STATE_FILE), serde_json::to_vec_pretty(position)?).with_context(cannot)?;
        fs::copy(log, file(LOG_FILE)).with_context(cannot)?;
        staged.commit(&self.lineage).with_context(cannot)?;
        tracing::info!("saved {}", path.display());
        for step in self.steps().into_iter().skip(self.keep) {
            let old = self.path(step);
            remove_folder(&old).with_context(|| format!("cannot remove {}", old.display()))?;
        }
        Ok(())
    }

    /// Removes all checkpoints: the run is over, or starts again. What else is in their folder
    /// stays.
    ///
    /// # Errors
    /// If they cannot be removed.
    pub fn remove(&self) -> Result<()> {
        remove_all(&self.folder)
    }
}

/// Removes the checkpoints and the models of folds in a folder, and the folder if that is all.
fn remove_all(folder: &Path) -> Result<()> {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    let names: BTreeSet<String> = names
        .filter_map(|entry| Some(own_name(entry.file_name().to_str()?)?.to_owned()))
        .collect();
    for name in names {
        let path = folder.join(&name);
        if name.ends_with(".checkpoints") {
            remove_all(&path)?;
        } else {
            remove_folder(&path)?;
        }
    }
    match fs::remove_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => {
            tracing::warn!("{} holds more than checkpoints and stays", folder.display());
            Ok(())
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Returns what an entry belongs to, if that is a checkpoint or the model of a fold, whole or half
/// written.
fn own_name(entry: &str) -> Option<&str> {
    let name = match entry.strip_prefix('.') {
        Some(hidden) => [".partial", ".old", ".lock"]
            .iter()
            .find_map(|suffix| hidden.strip_suffix(suffix))?,
        None => entry,
    };
    let number = (name
        .strip_suffix(".checkpoints")
        .unwrap_or(name)
        .split_once('-'))
    .filter(|(kind, _)| matches!(*kind, "checkpoint" | "fold"))?
    .1;
    number.parse::<u64>().is_ok().then_some(name)
}

/// Returns what keeps two lineages from being equal.
fn difference(found: &Lineage, wanted: &Lineage) -> &'static str {
    if found.version != wanted.version || found.build != wanted.build {
        "another build of Pairmill"
    } else if found.seed != wanted.seed {
        "another --seed"
    } else if found.inputs != wanted.inputs {
        "other inputs"
    } else {
        "other options"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_bit_by_bit() {
        let position = Position {
            loss_sum: Exact(0.1 + 0.2),
            best: Some((Exact(1.0 / 3.0), 7)),
            score_before: Some(Exact(f64::MIN_POSITIVE)),
            ..Position::default()
        };
        let text = serde_json::to_string(&position).unwrap();
        assert_eq!(serde_json::from_str::<Position>(&text).unwrap(), position);
    }
}
