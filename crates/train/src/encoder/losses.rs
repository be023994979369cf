use std::collections::BTreeMap;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use datafusion::prelude::SessionContext;
use pairmill_cli::UsageError;
use pairmill_cli::numbers::positive;
use pairmill_hub::ModelSource;
use pairmill_modeling::SentenceEncoder;
use serde::Serialize;
use tch::Device;

use super::{DataArgs, Recipe};
use crate::data::TrainingSet;
use crate::form::Wanted;
use crate::labeled::{LabeledSet, Reading};
use crate::labels::Labels;
use crate::loss::ranking::GistOptions;
use crate::loss::similarity::Distance;
use crate::objective::{
    BatchTriplets, Distillation, DistillationLoss, LabeledPairs, LabeledTexts, Objective, PairLoss,
    Ranking, RankingLoss, read_scored_pairs,
};
use crate::sampler::{BatchSampler, Mixing};
use crate::window::Window;

/// What is minimised. Names and defaults follow sentence-transformers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Multiple negatives ranking: pairs, triplets or n-tuples
    Mnrl,
    /// The same without in-batch negatives that a guide model finds too good
    Gist,
    /// Triplet loss: triplets or n-tuples
    Triplet,
    /// Contrastive loss: labelled pairs
    Contrastive,
    /// Contrastive loss over the hard pairs of each batch: labelled pairs
    OnlineContrastive,
    /// Squared error of the cosine: labelled pairs with similarities
    CosineSimilarity,
    /// CoSENT: labelled pairs with similarities
    Cosent,
    /// AnglE: labelled pairs with similarities
    Angle,
    /// All triplets of a batch that break the margin: tickets
    BatchAllTriplet,
    /// The hardest positive and negative of each text: tickets
    BatchHardTriplet,
    /// The same with a soft margin: tickets
    BatchHardSoftMarginTriplet,
    /// The nearest negative beyond the positive: tickets
    BatchSemiHardTriplet,
    /// Margins of a cross-encoder: scored candidates
    MarginMse,
    /// Score distributions of a cross-encoder: scored candidates
    DistillKlDiv,
}

impl Loss {
    /// The name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Which of the loss options it reads.
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Mnrl => &["scale", "bidirectional", "batch-sampler"],
            Self::Gist => &["scale", "guide", "batch-sampler"],
            Self::Triplet => &["margin", "distance", "batch-sampler"],
            Self::Contrastive | Self::OnlineContrastive => &["margin", "distance"],
            Self::CosineSimilarity => &[],
            Self::Cosent | Self::Angle => &["scale"],
            Self::BatchHardSoftMarginTriplet => &["distance"],
            Self::BatchAllTriplet | Self::BatchHardTriplet | Self::BatchSemiHardTriplet => {
                &["margin", "distance"]
            }
            Self::MarginMse => &["num-negatives"],
            Self::DistillKlDiv => &["num-negatives", "temperature"],
        }
    }
}

/// The loss and its options.
#[derive(Debug, Clone, Args, Serialize)]
#[command(next_help_heading = "Loss options")]
pub struct LossArgs {
    /// Loss to minimise for training tables that name none
    #[arg(long, value_enum, default_value_t = Loss::Mnrl)]
    pub loss: Loss,
    /// Factor on the cosine [default: 20; gist: 100]
    #[arg(long, value_name = "X", value_parser = positive::<f64>)]
    scale: Option<f64>,
    /// mnrl: also rank the anchors of each positive
    #[arg(long)]
    bidirectional: bool,
    /// gist: folder or Hub id of the model that finds false negatives
    #[arg(long, value_name = "DIR_OR_ID")]
    #[serde(skip)]
    pub guide: Option<ModelSource>,
    /// Distance between positive and negative to reach [default: 5; contrastive: 0.5]
    #[arg(long, value_name = "X", value_parser = positive::<f64>)]
    margin: Option<f64>,
    /// How the distance is measured [default: euclidean; contrastive: cosine]
    #[arg(long, value_enum)]
    distance: Option<Distance>,
    /// Distillation: candidates of each pair [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    num_negatives: Option<u16>,
    /// distill-kl-div: both score distributions are softened by it [default: 1]
    #[arg(long, value_name = "T", value_parser = positive::<f64>)]
    temperature: Option<f64>,
    /// Train the first N dimensions to be embeddings too, for each N of the list
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    pub matryoshka_dims: Vec<u32>,
    /// Weight of the loss at each of these dimensions [default: 1 each]
    #[arg(long, value_name = "W,…", value_delimiter = ',', requires = "matryoshka_dims", value_parser = positive::<f64>)]
    pub matryoshka_weights: Vec<f64>,
    /// Compute a batch in parts of N texts, at the memory of one part and the same gradient (GradCache)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub mini_batch_size: Option<u32>,
    /// mnrl, gist, triplet: which rows share a batch
    #[arg(long, value_enum, default_value_t = BatchSampler::BatchSampler, value_name = "SAMPLER")]
    batch_sampler: BatchSampler,
    /// How the batches of several losses take turns
    #[arg(long, value_enum, default_value_t = Mixing::Proportional)]
    pub(crate) multi_dataset_batch_sampler: Mixing,
}

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

impl LossArgs {
    /// Finds options that no loss in use reads, and ones that are missing.
    ///
    /// # Errors
    /// A [`UsageError`] that says which.
    pub fn check(&self, losses: &[Loss]) -> Result<()> {
        let given = [
            ("scale", self.scale.is_some()),
            ("bidirectional", self.bidirectional),
            ("guide", self.guide.is_some()),
            ("margin", self.margin.is_some()),
            ("distance", self.distance.is_some()),
            ("num-negatives", self.num_negatives.is_some()),
            ("temperature", self.temperature.is_some()),
            (
                "batch-sampler",
                self.batch_sampler != BatchSampler::default(),
            ),
        ];
        for (option, given) in given {
            if given && !losses.iter().any(|loss| loss.options().contains(&option)) {
                let names: Vec<String> = losses.iter().map(|loss| loss.name()).collect();
                return Err(UsageError(format!(
                    "--{option} has no meaning for --loss {}",
                    names.join(", ")
                ))
                .into());
            }
        }
        if losses.contains(&Loss::Gist) && self.guide.is_none() {
            return Err(UsageError(
                "--loss gist needs --guide, the model that finds false negatives".to_owned(),
            )
            .into());
        }
        let (dims, weights) = (self.matryoshka_dims.len(), self.matryoshka_weights.len());
        if weights > 0 && weights != dims {
            return Err(UsageError(format!(
                "--matryoshka-weights has {weights} values for {dims} --matryoshka-dims"
            ))
            .into());
        }
        Ok(())
    }

    fn scale(&self, default: f64) -> f64 {
        self.scale.unwrap_or(default)
    }

    fn margin(&self, default: f64) -> f64 {
        self.margin.unwrap_or(default)
    }

    fn distance(&self, default: Distance) -> Distance {
        self.distance.unwrap_or(default)
    }
}

/// Reads the training tables, all or those of one loss: those of one loss become one objective.
pub(super) async fn objectives(
    session: &SessionContext,
    recipe: &Recipe,
    only: Option<Loss>,
    window: Window,
    device: Device,
    seed: u64,
) -> Result<Vec<Box<dyn Objective>>> {
    let mut by_loss: BTreeMap<Loss, Vec<&str>> = BTreeMap::new();
    let sources = recipe.data.sources(recipe.loss.loss);
    for Source { loss, file } in
        sources.filter(|source| only.is_none_or(|only| source.loss == only))
    {
        by_loss.entry(loss).or_default().push(file);
    }
    let mut objectives = Vec::new();
    for (loss, files) in by_loss {
        objectives.push(objective(session, recipe, loss, &files, window, device, seed).await?);
    }
    Ok(objectives)
}

async fn objective(
    session: &SessionContext,
    recipe: &Recipe,
    loss: Loss,
    files: &[&str],
    window: Window,
    device: Device,
    seed: u64,
) -> Result<Box<dyn Objective>> {
    let Recipe {
        data, loss: args, ..
    } = recipe;
    let margin = args.margin(5.0);
    Ok(match loss {
        Loss::Mnrl => {
            let loss = RankingLoss::MultipleNegatives {
                scale: args.scale(20.0),
                bidirectional: args.bidirectional,
            };
            let set = read_pairs(session, data, files, window).await?;
            Box::new(Ranking::new(set, loss, args.batch_sampler, window)?)
        }
        Loss::Gist => {
            let guide = args.guide.as_ref().context("--guide is missing")?;
            let guide = SentenceEncoder::load(guide.folder()?, device).context("--guide")?;
            let guide = Box::new(guide);
            let options = GistOptions {
                temperature: 1.0 / args.scale(100.0),
                ..GistOptions::default()
            };
            let set = read_pairs(session, data, files, window).await?;
            let loss = RankingLoss::Gist { guide, options };
            Box::new(Ranking::new(set, loss, args.batch_sampler, window)?)
        }
        Loss::Triplet => {
            let loss = RankingLoss::Triplet {
                distance: args.distance(Distance::Euclidean),
                margin,
            };
            let set = read_pairs(session, data, files, window).await?;
            Box::new(Ranking::new(set, loss, args.batch_sampler, window)?)
        }
        Loss::Contrastive | Loss::OnlineContrastive => {
            let (distance, margin) = (args.distance(Distance::Cosine), args.margin(0.5));
            let loss = match loss {
                Loss::Contrastive => PairLoss::Contrastive { distance, margin },
                _ => PairLoss::OnlineContrastive { distance, margin },
            };
            let set = read_labeled(session, data, files, Labels::Binary, window, seed).await?;
            Box::new(LabeledPairs::new(set, loss))
        }
        Loss::CosineSimilarity | Loss::Cosent | Loss::Angle => {
            let scale = args.scale(20.0);
            let labels = match loss {
                Loss::CosineSimilarity => Labels::Cosine,
                _ => Labels::Order,
            };
            let loss = match loss {
                Loss::CosineSimilarity => PairLoss::CosineSimilarity,
                Loss::Cosent => PairLoss::CoSent { scale },
                _ => PairLoss::Angle { scale },
            };
            let set = read_labeled(session, data, files, labels, window, seed).await?;
            Box::new(LabeledPairs::new(set, loss))
        }
        Loss::BatchAllTriplet
        | Loss::BatchHardTriplet
        | Loss::BatchHardSoftMarginTriplet
        | Loss::BatchSemiHardTriplet => {
            let triplets = match loss {
                Loss::BatchAllTriplet => BatchTriplets::All,
                Loss::BatchHardTriplet => BatchTriplets::Hard,
                Loss::BatchHardSoftMarginTriplet => BatchTriplets::HardSoftMargin,
                _ => BatchTriplets::SemiHard,
            };
            Box::new(
                LabeledTexts::read(
                    session,
                    files,
                    window,
                    triplets,
                    args.distance(Distance::Euclidean),
                    margin,
                )
                .await?,
            )
        }
        Loss::MarginMse | Loss::DistillKlDiv => {
            let loss = match loss {
                Loss::MarginMse => DistillationLoss::MarginMse,
                _ => DistillationLoss::KlDivergence {
                    temperature: args.temperature.unwrap_or(1.0),
                },
            };
            let negatives = usize::from(args.num_negatives.unwrap_or(1));
            let pairs = read_scored_pairs(session, files, negatives).await?;
            Box::new(Distillation::new(pairs, loss))
        }
    })
}

async fn read_pairs(
    session: &SessionContext,
    data: &DataArgs,
    files: &[&str],
    window: Window,
) -> Result<TrainingSet> {
    let mut set = TrainingSet::read_all(session, files, &data.columns, window).await?;
    if let Some(groups) = &data.groups {
        let column = &data.group_column;
        set.read_groups(session, groups, column, window).await?;
    }
    Ok(set)
}

async fn read_labeled(
    session: &SessionContext,
    data: &DataArgs,
    files: &[&str],
    labels: Labels,
    window: Window,
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
        match window {
            Window::Whole => set.read(session, file, reading).await?,
            part => set.read_pairs(session, file, reading, part).await?,
        }
    }
    if window.is_whole() {
        set.check_labels_differ(files)?;
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_may_name_its_loss() {
        let parsed = |argument| {
            let Source { loss, file } = source(argument, Loss::Mnrl);
            (loss, file)
        };
        assert_eq!(parsed("cosent=a.parquet"), (Loss::Cosent, "a.parquet"));
        assert_eq!(parsed("a=b.parquet"), (Loss::Mnrl, "a=b.parquet"));
        assert_eq!(parsed("a.parquet"), (Loss::Mnrl, "a.parquet"));
    }
}
