use clap::Args;
use pairmill_cli::numbers::positive;
use pairmill_hub::ModelSource;
use serde::Serialize;

use crate::losses::similarity::Distance;

/// Candidates of each pair that a teacher's scores are learnt of, where `--num-negatives` is not
/// given: as in the triplets with scores that sentence-transformers trains on.
pub(super) const NUM_NEGATIVES: u16 = 1;

/// What the losses of sentence encoders read. In a help text `{losses}` stands for those that read
/// the option and `{defaults}` for their defaults, which come from the losses themselves.
#[derive(Debug, Clone, Args, Serialize)]
pub(crate) struct LossOptions {
    /// Factor on the cosine {defaults}
    #[arg(long, value_name = "X", value_parser = positive::<f64>)]
    scale: Option<f64>,
    /// {losses}: also rank the anchors of each positive
    #[arg(long)]
    pub bidirectional: bool,
    /// {losses}: folder or Hub id of the model that finds false negatives
    #[arg(long, value_name = "DIR_OR_ID")]
    #[serde(skip)]
    pub guide: Option<ModelSource>,
    /// Distance between positive and negative to reach {defaults}
    #[arg(long, value_name = "X", value_parser = positive::<f64>)]
    margin: Option<f64>,
    /// How the distance is measured {defaults}
    #[arg(long, value_enum)]
    distance: Option<Distance>,
    /// Distillation: candidates of each pair {defaults}
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    num_negatives: Option<u16>,
    /// {losses}: both score distributions are softened by it {defaults}
    #[arg(long, value_name = "T", value_parser = positive::<f64>)]
    temperature: Option<f64>,
}

impl LossOptions {
    /// Returns every option with whether it is given.
    pub fn given(&self) -> [(&'static str, bool); 7] {
        [
            ("scale", self.scale.is_some()),
            ("bidirectional", self.bidirectional),
            ("guide", self.guide.is_some()),
            ("margin", self.margin.is_some()),
            ("distance", self.distance.is_some()),
            ("num-negatives", self.num_negatives.is_some()),
            ("temperature", self.temperature.is_some()),
        ]
    }

    pub fn scale(&self, default: f64) -> f64 {
        self.scale.unwrap_or(default)
    }

    pub fn margin(&self, default: f64) -> f64 {
        self.margin.unwrap_or(default)
    }

    pub fn distance(&self, default: Distance) -> Distance {
        self.distance.unwrap_or(default)
    }

    pub fn temperature(&self, default: f64) -> f64 {
        self.temperature.unwrap_or(default)
    }

    /// Returns how many candidates of each pair the losses of a teacher's scores take.
    pub fn num_negatives(&self) -> u16 {
        self.num_negatives.unwrap_or(NUM_NEGATIVES)
    }
}
