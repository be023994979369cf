//! Losses of sentence encoders.

mod args;
mod data;
mod options;

pub mod angle;
pub mod batch_all_triplet;
pub mod batch_hard_soft_margin_triplet;
pub mod batch_hard_triplet;
pub mod batch_semi_hard_triplet;
mod batch_triplets;
pub mod contrastive;
pub mod cosent;
pub mod cosine_similarity;
pub mod distill_kl_div;
pub mod gist_embed;
pub mod margin_mse;
pub mod multiple_negatives_ranking;
pub mod online_contrastive;
pub mod triplet;

use super::registry::{Family, table};

pub(crate) use args::LossArgs;
pub(crate) use data::{Data, DistillationLoss, InBatchLoss, Loss, PairLoss, TextLoss, TripletLoss};

impl Family for Data {
    const LOSSES: &'static [Loss] = &[
        multiple_negatives_ranking::LOSS,
        gist_embed::LOSS,
        triplet::LOSS,
        contrastive::LOSS,
        online_contrastive::LOSS,
        cosine_similarity::LOSS,
        cosent::LOSS,
        angle::LOSS,
        batch_all_triplet::LOSS,
        batch_hard_triplet::LOSS,
        batch_hard_soft_margin_triplet::LOSS,
        batch_semi_hard_triplet::LOSS,
        margin_mse::LOSS,
        distill_kl_div::LOSS,
    ];
    const SOURCE: &'static str = "sentence_transformer/losses";
}

/// Writes the losses of `pairmill-train encoder` as a Markdown table.
pub fn markdown_table() -> String {
    table::<Data>()
}

#[cfg(test)]
mod tests {
    use tch::Tensor;

    /// Pairs of vectors of which two coincide, one is zero, and two are opposite.
    pub fn unusual_pairs() -> (Tensor, Tensor) {
        (
            Tensor::from_slice2(&[[1.0f32, 0.0], [0.0, 0.0], [1.0, 1.0]]),
            Tensor::from_slice2(&[[1.0f32, 0.0], [0.5, 1.0], [-1.0, -1.0]]),
        )
    }
}
