//! Losses of cross-encoders, over logits: one per pair of query and document, before any
//! activation.

mod args;
mod data;
mod options;

pub mod binary_cross_entropy;
pub mod lambda;
pub mod margin_mse;
pub mod mse;
pub mod multiple_negatives_ranking;

use super::registry::{Family, table};

pub(crate) use args::LossArgs;
pub(crate) use data::{Data, LabelLoss, ListLoss, Loss};

impl Family for Data {
    const LOSSES: &'static [Loss] = &[
        binary_cross_entropy::LOSS,
        mse::LOSS,
        margin_mse::LOSS,
        multiple_negatives_ranking::LOSS,
        lambda::LOSS,
    ];
    const SOURCE: &'static str = "cross_encoder/losses";
}

/// Writes the losses of `pairmill-train cross-encoder` as a Markdown table.
pub fn markdown_table() -> String {
    table::<Data>()
}
