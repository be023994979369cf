//! What an encoder is trained towards: which texts a batch needs, and the loss of their embeddings.

mod distillation;
mod labeled_pairs;
mod labeled_texts;
mod ranking;

use anyhow::Result;
use pairmill_modeling::{SentenceEncoder, Side, TokenIds};
use tch::Tensor;

pub(crate) use distillation::{Distillation, DistillationLoss, ScoredPair, read_scored_pairs};
pub(crate) use labeled_pairs::{LabeledPairs, PairLoss};
pub(crate) use labeled_texts::{BatchTriplets, LabeledTexts};
pub(crate) use ranking::{Ranking, RankingLoss};

/// Training rows of one kind with their loss.
pub(crate) trait Objective {
    /// Number of training rows.
    fn rows(&self) -> usize;

    /// What the rows are, with their number.
    fn describe(&self) -> String;

    /// Leaves only these rows, in this order.
    fn retain(&mut self, rows: &[usize]);

    /// Batches of row numbers for one epoch, which depend on seed and epoch alone.
    fn batches(&self, batch_size: usize, seed: u64, epoch: u32) -> Vec<Vec<usize>>;

    /// The texts of a batch, in the order in which the loss takes their embeddings.
    fn texts(&self, rows: &[usize]) -> Vec<BatchText<'_>>;

    /// The loss of a batch as a function of its embeddings, `[texts, dimension]`. It may be called
    /// more than once, with fewer dimensions.
    fn loss<'a>(&'a self, rows: &'a [usize]) -> Result<LossOfEmbeddings<'a>>;
}

/// A loss, as a function of embeddings `[texts, dimension]`.
pub(crate) type LossOfEmbeddings<'a> = Box<dyn Fn(&Tensor) -> Tensor + 'a>;

/// A text that a batch embeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchText<'a> {
    pub side: Side,
    pub text: &'a str,
}

fn query(text: &str) -> BatchText<'_> {
    BatchText {
        side: Side::Query,
        text,
    }
}

fn document(text: &str) -> BatchText<'_> {
    BatchText {
        side: Side::Document,
        text,
    }
}

fn text(text: &str) -> BatchText<'_> {
    BatchText {
        side: Side::Text,
        text,
    }
}

/// The items with these numbers, in this order.
fn picked<T: Clone>(items: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&row| items[row].clone()).collect()
}

/// The tokens of texts in their order, each with the prompt and the length of its side.
pub(crate) fn tokenized(
    encoder: &SentenceEncoder,
    texts: &[BatchText<'_>],
) -> Result<Vec<TokenIds>> {
    let of_side = |side: Side| -> Result<std::vec::IntoIter<TokenIds>> {
        let texts = texts.iter().filter(|text| text.side == side);
        let texts: Vec<&str> = texts.map(|text| text.text).collect();
        Ok(encoder.tokenize(&texts, side)?.into_iter())
    };
    let (mut queries, mut documents) = (of_side(Side::Query)?, of_side(Side::Document)?);
    let mut equals = of_side(Side::Text)?;
    let sequences = texts.iter().filter_map(|text| match text.side {
        Side::Query => queries.next(),
        Side::Document => documents.next(),
        Side::Text => equals.next(),
    });
    Ok(sequences.collect())
}
