use clap::Args;
use pairmill_cli::numbers::positive;
use serde::Serialize;

/// What the losses of cross-encoders read. In a help text `{losses}` stands for those that read the
/// option and the name of one for its default, which come from the losses themselves.
#[derive(Debug, Clone, Args, Serialize)]
pub(crate) struct LossOptions {
    /// {losses}: factor on the loss of positives, such as the number of negatives per positive
    #[arg(long, value_name = "X", value_parser = positive::<f64>)]
    pub pos_weight: Option<f64>,
    /// mnrl: negatives from the batch beside the hard ones {mnrl}; margin-mse: candidates of each
    /// pair {margin-mse}
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    num_negatives: Option<u16>,
}

impl LossOptions {
    /// Returns every option with whether it is given.
    pub fn given(&self) -> [(&'static str, bool); 2] {
        [
            ("pos-weight", self.pos_weight.is_some()),
            ("num-negatives", self.num_negatives.is_some()),
        ]
    }

    pub fn num_negatives(&self, default: u16) -> u16 {
        self.num_negatives.unwrap_or(default)
    }
}
