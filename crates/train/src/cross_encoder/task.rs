use datafusion::prelude::SessionContext;
use pairmill_metrics::average_precision;
use pairmill_modeling::{CrossEncoder, Parameters, TokenIds};

use super::CrossEncoderArgs;
use super::objective::Objective;
use crate::cut::{Cut, count_cut};
use crate::error::{Result, TrainError};
use crate::labeled::{LabeledSet, LeftOut};
use crate::objective::NoSignal;
use crate::optimizer::Gradient;
use crate::shuffle_buffer::Parts;
use crate::task::{Batch, Masks, Task};

/// Tokens in a batch of the evaluation.
const BATCH_TOKENS: usize = 8_192;

/// Training of a cross-encoder.
pub(super) struct CrossEncoderTask<'a> {
    pub args: &'a CrossEncoderArgs,
    pub left_out: Option<LeftOut>,
    pub model: CrossEncoder,
    /// Whether the model could judge before, rather than begin with a head drawn at random.
    pub starts_as_judge: bool,
    /// The longest pair of the model it starts from.
    pub own_length: usize,
    /// The rows in memory.
    pub objective: Option<Objective>,
    /// Where the rows come from, if they are read in parts.
    pub parts: Option<Parts>,
    /// The epoch and part in memory.
    pub opened: Option<(u32, usize)>,
    pub dev_set: Option<LabeledSet>,
    pub batch_size: usize,
    pub seed: u64,
}

impl Task for CrossEncoderTask<'_> {
    fn parameters(&self) -> &Parameters {
        self.model.parameters()
    }

    fn rows(&self) -> usize {
        self.objective.as_ref().map_or(0, Objective::rows)
    }

    fn parts(&self) -> Option<&Parts> {
        self.parts.as_ref()
    }

    fn open_buffer(&mut self, epoch: u32, buffer: usize) -> Result<()> {
        if let Some(parts) = &self.parts
            && self.opened != Some((epoch, buffer))
        {
            // The rows of the part before make room first.
            self.objective = None;
            let (args, left_out, seed) = (self.args, self.left_out, self.seed);
            let read = async |session: &SessionContext, buffer| {
                args.objective(session, buffer, left_out, seed).await
            };
            self.objective = Some(parts.read(epoch, buffer, read)?);
            self.opened = Some((epoch, buffer));
        }
        Ok(())
    }

    fn batches(&self, epoch: u32) -> Vec<Batch> {
        let objective = self.objective.iter();
        objective
            .flat_map(|objective| objective.batches(self.batch_size, self.seed, epoch))
            .map(|rows| Batch { source: 0, rows })
            .collect()
    }

    fn without_signal(&self, batch: &Batch) -> usize {
        let objective = self.objective.as_ref();
        objective.map_or(0, |objective| objective.without_signal(&batch.rows))
    }

    fn no_signal(&self, _source: usize) -> NoSignal {
        NoSignal::NO_NEGATIVE
    }

    fn starts_as_model(&self) -> bool {
        self.starts_as_judge
    }

    fn cut(&self) -> Result<Vec<Cut>> {
        let Some(objective) = &self.objective else {
            return Ok(Vec::new());
        };
        let limit = self.model.max_length();
        let cut = count_cut(
            objective.rows(),
            |rows| objective.pairs(rows),
            |pairs| Ok(self.model.tokenize(pairs)?),
        )?;
        Ok(vec![Cut {
            texts: "pairs of texts",
            limit,
            own_limit: self.own_length,
            ..cut
        }])
    }

    fn add_gradient(
        &self,
        batch: &Batch,
        share: f64,
        masks: &Masks<'_>,
        gradient: &mut Gradient<'_>,
    ) -> Result<f64> {
        let objective = self.objective.as_ref().ok_or(TrainError::NoRows)?;
        let pairs = objective.pairs(&batch.rows);
        let sequences = self.model.tokenize(&pairs)?;
        let sequences: Vec<&TokenIds> = sequences.iter().collect();
        let logits = self.model.forward(&sequences, Some(masks.of_part(0)));
        gradient.add_loss(&objective.loss(&batch.rows, &logits), share)
    }

    fn score(&self) -> Result<Option<(&'static str, f64)>> {
        let Some(dev) = &self.dev_set else {
            return Ok(None);
        };
        let texts: Vec<(&str, &str)> = dev.pairs.iter().map(|pair| pair.texts()).collect();
        let scores = self.model.scores(&texts, BATCH_TOKENS)?;
        let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
        let labels: Vec<bool> = dev.pairs.iter().map(|pair| pair.label >= 0.5).collect();
        Ok(Some(("ap", average_precision(&scores, &labels))))
    }
}
