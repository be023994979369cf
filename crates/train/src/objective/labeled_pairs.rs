use anyhow::Result;
use tch::Tensor;

use super::{BatchText, LossOfEmbeddings, NoSignal, Objective, document, picked, query};
use crate::labeled::LabeledSet;
use crate::loss::pairs;
use crate::loss::similarity::Distance;
use crate::sampler::shuffled_batches;

/// Losses over two texts and a label or similarity.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PairLoss {
    /// Pulls positives together, pushes negatives beyond the margin.
    Contrastive { distance: Distance, margin: f64 },
    /// The same over the hard positives and hard negatives of the batch.
    OnlineContrastive { distance: Distance, margin: f64 },
    /// Mean squared error of the cosine.
    CosineSimilarity,
    /// Ranks pairs by their cosine.
    CoSent { scale: f64 },
    /// Ranks pairs by their angle difference in complex space.
    Angle { scale: f64 },
}

/// Labelled pairs.
pub(crate) struct LabeledPairs {
    set: LabeledSet,
    loss: PairLoss,
}

impl LabeledPairs {
    pub fn new(set: LabeledSet, loss: PairLoss) -> Self {
        Self { set, loss }
    }
}

impl Objective for LabeledPairs {
    fn rows(&self) -> usize {
        self.set.pairs.len()
    }

    fn describe(&self) -> String {
        format!("{} labelled pairs", self.rows())
    }

    fn retain(&mut self, rows: &[usize]) {
        self.set.pairs = picked(&self.set.pairs, rows);
    }

    fn batches(&self, batch_size: usize, seed: u64, epoch: u32) -> Vec<Vec<usize>> {
        shuffled_batches(self.rows(), batch_size, seed, epoch)
    }

    fn without_signal(&self, rows: &[usize]) -> usize {
        let labels = || rows.iter().map(|&row| self.set.pairs[row].label);
        let compares = matches!(self.loss, PairLoss::CoSent { .. } | PairLoss::Angle { .. });
        let first = labels().next();
        match compares && labels().all(|label| Some(label) == first) {
            true => rows.len(),
            false => 0,
        }
    }

    fn no_signal(&self) -> NoSignal {
        NoSignal::ONE_LABEL
    }

    /// First texts, then second texts.
    fn texts(&self, rows: &[usize]) -> Vec<BatchText<'_>> {
        let pairs = || rows.iter().map(|&row| &self.set.pairs[row]);
        let first = pairs().map(|pair| query(&pair.query));
        first
            .chain(pairs().map(|pair| document(&pair.text)))
            .collect()
    }

    fn loss<'a>(&'a self, rows: &'a [usize]) -> Result<LossOfEmbeddings<'a>> {
        let labels: Vec<f32> = rows.iter().map(|&row| self.set.pairs[row].label).collect();
        Ok(Box::new(move |embeddings| {
            let number = rows.len() as i64;
            let first = embeddings.narrow(0, 0, number);
            let second = embeddings.narrow(0, number, number);
            let labels = Tensor::from_slice(&labels).to_device(embeddings.device());
            match self.loss {
                PairLoss::Contrastive { distance, margin } => {
                    pairs::contrastive(&first, &second, &labels, distance, margin)
                }
                PairLoss::OnlineContrastive { distance, margin } => {
                    pairs::online_contrastive(&first, &second, &labels, distance, margin)
                }
                PairLoss::CosineSimilarity => pairs::cosine_similarity(&first, &second, &labels),
                PairLoss::CoSent { scale } => pairs::cosent(&first, &second, &labels, scale),
                PairLoss::Angle { scale } => pairs::angle(&first, &second, &labels, scale),
            }
        }))
    }
}
