use pairmill_schema::counted;
use tch::Tensor;

use super::{LossOfEmbeddings, NoSignal, Objective, picked};
use crate::batch_text::{BatchText, document, query};
use crate::data::{Row, TrainingSet};
use crate::error::{Result, TrainError};
use crate::judgements::Judgements;
use crate::losses::encoder::{InBatchLoss, TripletLoss};
use crate::sampler::{BatchSampler, no_duplicates_batches, shuffled_batches};
use crate::shuffle_buffer::ShuffleBuffer;

/// A loss over pairs with any number of hard negatives.
pub(crate) enum PairsLoss {
    /// Of each pair among the documents of its batch.
    InBatch(Box<dyn InBatchLoss>),
    /// Of each pair with each of its hard negatives.
    Triplets(TripletLoss),
}

/// Pairs with any number of hard negatives.
pub(crate) struct Ranking {
    set: TrainingSet,
    judgements: Judgements,
    sampler: BatchSampler,
    loss: PairsLoss,
}

impl Ranking {
    /// Takes the rows that the loss learns from.
    ///
    /// # Errors
    /// If the loss needs hard negatives and there are none in the whole data.
    pub fn new(
        mut set: TrainingSet,
        loss: PairsLoss,
        sampler: BatchSampler,
        buffer: ShuffleBuffer,
    ) -> Result<Self> {
        let judgements = Judgements::new(&set);
        if let PairsLoss::Triplets(_) = loss {
            let all = set.rows.len();
            set.rows.retain(|row| !row.negatives.is_empty());
            if set.rows.is_empty() && buffer.is_whole() {
                let contradictions = set.contradictions();
                return Err(TrainError::NoTriplet { contradictions });
            }
            if set.rows.len() < all && buffer.is_whole() {
                tracing::warn!(
                    "{} of {} left out for want of a hard negative",
                    all - set.rows.len(),
                    counted(all, "pair", "pairs")
                );
            }
        }
        Ok(Self {
            judgements,
            set,
            sampler,
            loss,
        })
    }

    fn batch(&self, rows: &[usize]) -> Vec<&Row> {
        rows.iter().map(|&row| &self.set.rows[row]).collect()
    }
}

/// Returns what no two rows of a batch may share.
fn distinct_texts(row: &Row) -> Vec<u32> {
    let mut texts = vec![row.anchor.text, row.positive.text];
    texts.extend(row.negatives.iter().map(|negative| negative.text));
    texts
}

impl Objective for Ranking {
    fn rows(&self) -> usize {
        self.set.rows.len()
    }

    fn describe(&self) -> String {
        let negatives = self.set.negatives();
        format!(
            "{} with {}",
            counted(self.rows(), "pair", "pairs"),
            counted(negatives, "hard negative", "hard negatives")
        )
    }

    fn retain(&mut self, rows: &[usize]) {
        self.set.rows = picked(&self.set.rows, rows);
    }

    fn limit_negatives(&mut self, most: usize) {
        let rows = self.set.rows.iter_mut();
        rows.for_each(|row| row.negatives.truncate(most));
    }

    fn batches(&self, batch_size: usize, seed: u64, epoch: u32) -> Vec<Vec<usize>> {
        match self.sampler {
            BatchSampler::BatchSampler => shuffled_batches(self.rows(), batch_size, seed, epoch),
            BatchSampler::NoDuplicates => {
                let keys: Vec<_> = self.set.rows.iter().map(distinct_texts).collect();
                no_duplicates_batches(&keys, batch_size, seed, epoch)
            }
        }
    }

    fn without_signal(&self, rows: &[usize]) -> usize {
        match self.loss {
            PairsLoss::Triplets(_) => 0,
            PairsLoss::InBatch(_) => {
                let batch = self.batch(rows);
                self.judgements.without_negative(&self.set, &batch)
            }
        }
    }

    fn no_signal(&self) -> NoSignal {
        NoSignal::NO_NEGATIVE
    }

    /// Returns the anchors, positives, then the negatives row by row.
    fn texts(&self, rows: &[usize]) -> Vec<BatchText<'_>> {
        let batch = self.batch(rows);
        let anchors = batch.iter().map(|row| query(self.set.text(row.anchor)));
        let positives = batch
            .iter()
            .map(|row| document(self.set.text(row.positive)));
        let negatives = batch.iter().flat_map(|row| {
            let texts = row.negatives.iter();
            texts.map(|&negative| document(self.set.text(negative)))
        });
        anchors.chain(positives).chain(negatives).collect()
    }

    fn loss<'a>(&'a self, rows: &'a [usize]) -> Result<LossOfEmbeddings<'a>> {
        let anchors = rows.len() as i64;
        let split = move |embeddings: &Tensor| {
            let documents = embeddings.size()[0] - anchors;
            (
                embeddings.narrow(0, 0, anchors),
                embeddings.narrow(0, anchors, documents),
            )
        };
        Ok(match &self.loss {
            PairsLoss::InBatch(loss) => {
                let excluded = self.judgements.excluded(&self.set, &self.batch(rows));
                let loss = loss.of_batch(&self.texts(rows), excluded)?;
                Box::new(move |embeddings| {
                    let (anchors, documents) = split(embeddings);
                    loss(&anchors, &documents)
                })
            }
            PairsLoss::Triplets(loss) => {
                let owners: Vec<i64> = (0..)
                    .zip(self.batch(rows))
                    .flat_map(|(owner, row)| row.negatives.iter().map(move |_| owner))
                    .collect();
                Box::new(move |embeddings| {
                    let (anchors, documents) = split(embeddings);
                    let owners = Tensor::from_slice(&owners).to_device(embeddings.device());
                    let negatives = documents.size()[0] - anchors.size()[0];
                    loss(
                        &anchors.index_select(0, &owners),
                        &documents.index_select(0, &owners),
                        &documents.narrow(0, anchors.size()[0], negatives),
                    )
                })
            }
        })
    }
}
