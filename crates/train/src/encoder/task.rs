use std::path::Path;

use anyhow::{Context, Result};
use pairmill_modeling::{Parameters, SentenceEncoder, TokenIds};
use tch::{Kind, Tensor};

use crate::evaluator::RetrievalEvaluator;
use crate::loss::matryoshka::{MatryoshkaDim, matryoshka};
use crate::objective::{BatchText, LossOfEmbeddings, Objective, Side};
use crate::optimizer::Gradient;
use crate::sampler::{Mixing, mixed_batches};
use crate::trainer::{Batch, Masks, Task};

/// Texts put before each query and each document.
#[derive(Debug, Clone, Default)]
pub(crate) struct Prompts {
    pub query: String,
    pub document: String,
}

impl Prompts {
    pub fn query(&self, text: &str) -> String {
        format!("{}{text}", self.query)
    }

    pub fn document(&self, text: &str) -> String {
        format!("{}{text}", self.document)
    }

    fn apply(&self, text: BatchText<'_>) -> String {
        match text.side {
            Side::Query => self.query(text.text),
            Side::Document => self.document(text.text),
        }
    }
}

/// Training of a sentence encoder towards one or several objectives.
pub(crate) struct EncoderTask {
    pub encoder: SentenceEncoder,
    pub objectives: Vec<Box<dyn Objective>>,
    pub evaluator: Option<RetrievalEvaluator>,
    pub prompts: Prompts,
    pub mixing: Mixing,
    /// Dimensions to train, with the weights of their losses; none for the full one alone.
    pub matryoshka: Vec<MatryoshkaDim>,
    pub mini_batch_size: Option<usize>,
    pub batch_size: usize,
    pub seed: u64,
}

impl EncoderTask {
    /// Number of training rows.
    pub fn rows(&self) -> usize {
        self.objectives
            .iter()
            .map(|objective| objective.rows())
            .sum()
    }

    fn loss(&self, embeddings: &Tensor, loss: &LossOfEmbeddings<'_>) -> Tensor {
        match self.matryoshka.as_slice() {
            [] => loss(embeddings),
            dims => matryoshka(embeddings, dims, loss),
        }
    }

    /// The gradient by way of the embeddings (GradCache; Gao et al. 2021): the loss is computed on
    /// embeddings without a graph, and its gradient for each part is then carried on through the
    /// model, so that only one part's graph is in memory. Masks are those of the part both times.
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

    fn batches(&self, epoch: u32) -> Vec<Batch> {
        let sources = self.objectives.iter();
        let sources = sources.map(|source| source.batches(self.batch_size, self.seed, epoch));
        mixed_batches(sources.collect(), self.mixing, self.seed, epoch)
            .into_iter()
            .map(|(source, rows)| Batch { source, rows })
            .collect()
    }

    fn add_gradient(
        &self,
        batch: &Batch,
        share: f64,
        masks: &Masks<'_>,
        gradient: &mut Gradient<'_>,
    ) -> Result<f64> {
        let objective = &self.objectives[batch.source];
        let texts = objective.texts(&batch.rows);
        let texts: Vec<String> = texts
            .into_iter()
            .map(|text| self.prompts.apply(text))
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let sequences = self.encoder.tokenize(&texts)?;
        let sequences: Vec<&TokenIds> = sequences.iter().collect();
        let loss = objective.loss(&batch.rows)?;
        if let Some(size) = self.mini_batch_size
            && size < sequences.len()
        {
            return self.add_gradient_in_parts(&sequences, size, &loss, share, masks, gradient);
        }
        // All texts in one forward pass.
        let embeddings = self.encoder.forward(&sequences, Some(masks.of_part(0)));
        let loss = self.loss(&embeddings, &loss);
        let value = loss.f_double_value(&[])?;
        if value.is_finite() {
            gradient.add(&(loss * share))?;
        }
        Ok(value)
    }

    fn score(&self) -> Result<Option<(&'static str, f64)>> {
        match &self.evaluator {
            Some(evaluator) => Ok(Some(("ndcg@10", evaluator.ndcg_at_10(&self.encoder)?))),
            None => Ok(None),
        }
    }
}

impl EncoderTask {
    /// Writes the model folder, with the prompts it was trained with.
    pub fn save(&self, folder: &Path) -> Result<()> {
        self.encoder.save(folder).context("saving the model")?;
        if self.prompts.query.is_empty() && self.prompts.document.is_empty() {
            return Ok(());
        }
        let path = folder.join("config_sentence_transformers.json");
        let mut config: serde_json::Value = match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text)?,
            Err(_) => serde_json::json!({}),
        };
        config["prompts"] = serde_json::json!({
            "query": self.prompts.query, "document": self.prompts.document,
        });
        std::fs::write(&path, serde_json::to_vec_pretty(&config)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }
}
