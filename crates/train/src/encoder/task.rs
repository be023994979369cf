use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pairmill_metrics::Clusters;
use pairmill_modeling::{Parameters, SentenceEncoder, Side, TokenIds};
use pairmill_schema::counted;
use tch::{Kind, Tensor};

use super::stream::Stream;
use crate::batch_text::{BatchText, tokenized};
use crate::cut::{Cut, count_cut};
use crate::error::Result;
use crate::evaluator::{QueryScore, RetrievalEvaluator, mean_ndcg};
use crate::fingerprint::fingerprint;
use crate::losses::matryoshka::{MatryoshkaDim, matryoshka};
use crate::objective::{LossOfEmbeddings, NoSignal, Objective};
use crate::optimizer::Gradient;
use crate::sampler::{Mixing, mixed_batches, shuffled_batches};
use crate::shuffle_buffer::Parts;
use crate::task::{Batch, Masks, Task};

/// Training of a sentence encoder towards one or several objectives.
pub(crate) struct EncoderTask {
    pub encoder: SentenceEncoder,
    pub objectives: Vec<Box<dyn Objective>>,
    /// Where the rows come from, if they are read in parts.
    pub stream: Option<Stream>,
    /// The epoch and part in memory.
    pub opened: Option<(u32, usize)>,
    /// The longest text of the model it starts from.
    pub own_length: usize,
    pub evaluator: Option<RetrievalEvaluator>,
    pub scored: RefCell<Scored>,
    pub mixing: Mixing,
    /// Dimensions to train, with the weights of their losses; none for the full one alone.
    pub matryoshka: Vec<MatryoshkaDim>,
    pub mini_batch_size: Option<usize>,
    pub batch_size: usize,
    pub seed: u64,
}

/// What dev queries got so far.
#[derive(Default)]
pub(crate) struct Scored {
    /// By the fingerprint of the weights.
    known: HashMap<u64, Rc<[QueryScore]>>,
    last: Option<Rc<[QueryScore]>>,
}

impl EncoderTask {
    /// Returns what it is trained on.
    pub fn describe(&self) -> String {
        if let Some(parts) = self.parts() {
            let rows = counted(parts.rows(), "row", "rows");
            return format!("{rows} in {}", counted(parts.number(), "part", "parts"));
        }
        let parts: Vec<String> = self.objectives.iter().map(|part| part.describe()).collect();
        parts.join(" and ")
    }

    /// Sets the weights that are trained.
    pub fn set_weights(&mut self, weights: &Tensor) -> Result<()> {
        let mut flat = self.encoder.parameters().flat().shallow_clone();
        tch::no_grad(|| flat.f_copy_(weights))?;
        Ok(())
    }

    /// Leaves `rows` training rows, drawn by the seed and shared out over the objectives in
    /// proportion.
    pub fn limit(&mut self, rows: usize) {
        let all = self.rows();
        for objective in &mut self.objectives {
            let share = (objective.rows() * rows.min(all)).div_ceil(all.max(1));
            let order = shuffled_batches(objective.rows(), 1, self.seed, 0).concat();
            objective.retain(&order[..share.min(order.len())]);
        }
    }

    /// Leaves each row this many hard negatives at most, the first ones.
    pub fn limit_negatives(&mut self, most: usize) {
        let objectives = self.objectives.iter_mut();
        objectives.for_each(|objective| objective.limit_negatives(most));
    }

    /// Returns what each dev query gets with the weights as they are, if there is a dev split.
    /// Weights that were scored before are not scored again: those that a run starts from and
    /// those that it delivers.
    pub fn query_scores(&self) -> Result<Option<Rc<[QueryScore]>>> {
        let Some(evaluator) = &self.evaluator else {
            return Ok(None);
        };
        let weights = fingerprint(self.encoder.parameters().flat())?;
        let known = self.scored.borrow().known.get(&weights).cloned();
        let scores = match known {
            Some(known) => known,
            None => evaluator.scores(&self.encoder)?.into(),
        };
        let mut scored = self.scored.borrow_mut();
        scored.known.insert(weights, Rc::clone(&scores));
        scored.last = Some(Rc::clone(&scores));
        Ok(Some(scores))
    }

    /// Returns which dev queries share an answer, if there is a dev split.
    pub fn query_clusters(&self) -> Option<&Clusters> {
        self.evaluator.as_ref().map(RetrievalEvaluator::clusters)
    }

    /// Returns what each dev query got when they were last scored.
    pub fn last_scores(&self) -> Option<Rc<[QueryScore]>> {
        self.scored.borrow().last.clone()
    }

    fn loss(&self, embeddings: &Tensor, loss: &LossOfEmbeddings<'_>) -> Tensor {
        match self.matryoshka.as_slice() {
            [] => loss(embeddings),
            dims => matryoshka(embeddings, dims, loss),
        }
    }

    /// Adds the gradient by way of the embeddings (GradCache; Gao et al. 2021): the loss is
    /// computed on embeddings without a graph, and its gradient for each part is then carried on
    /// through the model, so that only one part's graph is in memory. Masks are those of the part
    /// both times.
    fn add_gradient_in_parts(
        &self,
        sequences: &[&TokenIds],
        part_size: usize,
        loss: &LossOfEmbeddings<'_>,
        share: f64,
        masks: &Masks<'_>,
        gradient: &mut Gradient<'_>,
    ) -> Result<f64> {
        // Texts of like length go together, as in a whole batch.
        let mut order: Vec<i64> = (0..sequences.len() as i64).collect();
        order.sort_by_key(|&i| sequences[i as usize].ids.len());
        let parts: Vec<Vec<&TokenIds>> = order
            .chunks(part_size)
            .map(|part| part.iter().map(|&i| sequences[i as usize]).collect())
            .collect();
        let embed = |part: usize| {
            self.encoder
                .forward(&parts[part], Some(masks.of_part(part)))
        };
        let sorted: Vec<Tensor> = tch::no_grad(|| (0..parts.len()).map(embed).collect());
        let sorted = Tensor::f_cat(&sorted, 0)?;
        let mut place = vec![0i64; order.len()];
        (0..)
            .zip(&order)
            .for_each(|(row, &i)| place[i as usize] = row);
        let place = Tensor::from_slice(&place).to_device(sorted.device());
        let embeddings = sorted.index_select(0, &place).set_requires_grad(true);
        let loss = self.loss(&embeddings, loss);
        let of_embeddings = Tensor::f_run_backward(&[&loss], &[&embeddings], false, false)?;
        let order = Tensor::from_slice(&order).to_device(sorted.device());
        let of_sorted = of_embeddings[0].index_select(0, &order) * share;
        let mut start = 0;
        for (number, part) in parts.iter().enumerate() {
            let length = part.len() as i64;
            let carried = embed(number) * of_sorted.narrow(0, start, length);
            gradient.add(&carried.sum(Kind::Float))?;
            start += length;
        }
        Ok(loss.f_double_value(&[])?)
    }
}

impl Task for EncoderTask {
    fn parameters(&self) -> &Parameters {
        self.encoder.parameters()
    }

    fn rows(&self) -> usize {
        self.objectives.iter().map(|part| part.rows()).sum()
    }

    fn parts(&self) -> Option<&Parts> {
        self.stream.as_ref().map(|stream| &stream.parts)
    }

    fn open_buffer(&mut self, epoch: u32, buffer: usize) -> Result<()> {
        if let Some(stream) = &self.stream
            && self.opened != Some((epoch, buffer))
        {
            // The rows of the part before make room first.
            self.objectives.clear();
            self.objectives = stream.read(epoch, buffer)?;
            self.opened = Some((epoch, buffer));
        }
        Ok(())
    }

    fn batches(&self, epoch: u32) -> Vec<Batch> {
        let sources = self.objectives.iter();
        let sources = sources.map(|source| source.batches(self.batch_size, self.seed, epoch));
        mixed_batches(sources.collect(), self.mixing, self.seed, epoch)
            .into_iter()
            .map(|(source, rows)| Batch { source, rows })
            .collect()
    }

    fn without_signal(&self, batch: &Batch) -> usize {
        self.objectives[batch.source].without_signal(&batch.rows)
    }

    fn no_signal(&self, source: usize) -> NoSignal {
        self.objectives[source].no_signal()
    }

    fn starts_as_model(&self) -> bool {
        true
    }

    fn cut(&self) -> Result<Vec<Cut>> {
        let sides = [
            (Side::Query, "queries"),
            (Side::Document, "documents"),
            (Side::Text, "texts"),
        ];
        let mut counts = Vec::new();
        for (side, texts) in sides {
            let mut of_side = Cut {
                texts,
                limit: self.encoder.max_length_of(side),
                own_limit: self.own_length,
                ..Cut::default()
            };
            for objective in &self.objectives {
                let of_rows = |rows: &[usize]| {
                    let texts = objective.texts(rows).into_iter();
                    let texts = texts.filter(|text: &BatchText<'_>| text.side == side);
                    texts.map(|text| text.text).collect()
                };
                of_side.add(count_cut(objective.rows(), of_rows, |texts| {
                    Ok(self.encoder.tokenize(texts, side)?)
                })?);
            }
            if of_side.of > 0 {
                counts.push(of_side);
            }
        }
        Ok(counts)
    }

    fn add_gradient(
        &self,
        batch: &Batch,
        share: f64,
        masks: &Masks<'_>,
        gradient: &mut Gradient<'_>,
    ) -> Result<f64> {
        let objective = &self.objectives[batch.source];
        let sequences = tokenized(&self.encoder, &objective.texts(&batch.rows))?;
        let sequences: Vec<&TokenIds> = sequences.iter().collect();
        let loss = objective.loss(&batch.rows)?;
        if let Some(size) = self.mini_batch_size
            && size < sequences.len()
        {
            return self.add_gradient_in_parts(&sequences, size, &loss, share, masks, gradient);
        }
        // All texts in one forward pass.
        let embeddings = self.encoder.forward(&sequences, Some(masks.of_part(0)));
        gradient.add_loss(&self.loss(&embeddings, &loss), share)
    }

    fn score(&self) -> Result<Option<(&'static str, f64)>> {
        let scores = self.query_scores()?;
        Ok(scores.map(|scores| ("ndcg@10", mean_ndcg(&scores))))
    }
}
