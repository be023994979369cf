use clap::ValueEnum;
use datafusion::prelude::SessionContext;
use tch::Device;

use super::{DataArgs, Recipe};
use crate::data::TrainingSet;
use crate::error::Result;
use crate::form::Wanted;
use crate::labeled::{LabeledSet, Reading};
use crate::labels::Labels;
use crate::losses::encoder::{Data, Loss};
use crate::losses::registry::Family;
use crate::objective::{
    Distillation, LabeledPairs, LabeledTexts, Objective, PairsLoss, Ranking, read_scored_pairs,
};
use crate::shuffle_buffer::ShuffleBuffer;

/// A training table and its loss.
pub(super) struct Source<'a> {
    pub loss: Loss,
    pub file: &'a str,
}

/// Reads `FILE` or `LOSS=FILE`.
pub(super) fn source(argument: &str, default: Loss) -> Source<'_> {
    if let Some((name, file)) = argument.split_once('=')
        && let Ok(loss) = Loss::from_str(name, false)
    {
        return Source { loss, file };
    }
    Source {
        loss: default,
        file: argument,
    }
}

/// Reads the training tables, all or those of one loss: those of one loss become one objective.
pub(super) async fn objectives(
    session: &SessionContext,
    recipe: &Recipe,
    only: Option<Loss>,
    buffer: ShuffleBuffer,
    device: Device,
    seed: u64,
) -> Result<Vec<Box<dyn Objective>>> {
    let mut objectives = Vec::new();
    for &loss in Data::LOSSES {
        if only.is_some_and(|only| loss != only) {
            continue;
        }
        let sources = recipe.data.sources(recipe.loss.loss);
        let of_loss = sources.filter(|source| source.loss == loss);
        let files: Vec<&str> = of_loss.map(|source| source.file).collect();
        if !files.is_empty() {
            objectives.push(objective(session, recipe, loss, &files, buffer, device, seed).await?);
        }
    }
    Ok(objectives)
}

async fn objective(
    session: &SessionContext,
    recipe: &Recipe,
    loss: Loss,
    files: &[&str],
    buffer: ShuffleBuffer,
    device: Device,
    seed: u64,
) -> Result<Box<dyn Objective>> {
    let data = &recipe.data;
    let (options, sampler) = (&recipe.loss.options, recipe.loss.batch_sampler);
    Ok(match loss.data {
        Data::Pairs(make) => {
            let loss = PairsLoss::InBatch(make(options, device)?);
            let set = read_pairs(session, data, files, buffer).await?;
            Box::new(Ranking::new(set, loss, sampler, buffer)?)
        }
        Data::Triplets(make) => {
            let loss = PairsLoss::Triplets(make(options));
            let set = read_pairs(session, data, files, buffer).await?;
            Box::new(Ranking::new(set, loss, sampler, buffer)?)
        }
        Data::LabeledPairs(labels, make) => {
            let set = read_labeled(session, data, files, labels, buffer, seed).await?;
            Box::new(LabeledPairs::new(set, labels, make(options)))
        }
        Data::LabeledTexts(make) => {
            Box::new(LabeledTexts::read(session, files, buffer, make(options)).await?)
        }
        Data::ScoredCandidates(make) => {
            let negatives = usize::from(options.num_negatives());
            let pairs = read_scored_pairs(session, files, negatives).await?;
            Box::new(Distillation::new(pairs, make(options)))
        }
    })
}

async fn read_pairs(
    session: &SessionContext,
    data: &DataArgs,
    files: &[&str],
    buffer: ShuffleBuffer,
) -> Result<TrainingSet> {
    let mut set = TrainingSet::read_all(session, files, &data.columns, buffer).await?;
    if let Some(groups) = &data.groups {
        let column = &data.group_column;
        set.read_groups(session, groups, column, buffer).await?;
    }
    Ok(set)
}

async fn read_labeled(
    session: &SessionContext,
    data: &DataArgs,
    files: &[&str],
    labels: Labels,
    buffer: ShuffleBuffer,
    seed: u64,
) -> Result<LabeledSet> {
    let reading = Reading {
        columns: &data.columns,
        labels,
        wanted: match labels {
            Labels::Binary => Wanted::Labels,
            _ => Wanted::Similarities,
        },
        is_only: files.len() == 1,
        mined: 0,
        seed,
    };
    let mut set = LabeledSet::default();
    for file in files {
        match buffer {
            ShuffleBuffer::Whole => set.read(session, file, reading).await?,
            part => set.read_pairs(session, file, reading, part).await?,
        }
    }
    if buffer.is_whole() {
        set.check_labels_differ(files)?;
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_may_name_its_loss() {
        let default = Data::LOSSES[0];
        let parsed = |argument| {
            let Source { loss, file } = source(argument, default);
            (loss.name, file)
        };
        assert_eq!(parsed("cosent=a.parquet"), ("cosent", "a.parquet"));
        assert_eq!(parsed("a=b.parquet"), (default.name, "a=b.parquet"));
        assert_eq!(parsed("a.parquet"), (default.name, "a.parquet"));
    }
}
