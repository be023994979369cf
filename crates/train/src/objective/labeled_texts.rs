use std::collections::{BTreeMap, HashMap};

use datafusion::prelude::SessionContext;
use pairmill_schema::{TextKey, counted};
use pairmill_tables::{ColumnNames, Table, open, string_column};
use tch::Tensor;

use super::{LossOfEmbeddings, NoSignal, Objective, picked};
use crate::batch_text::{BatchText, text};
use crate::error::{Result, TrainError};
use crate::findings::Findings;
use crate::losses::encoder::TextLoss;
use crate::sampler::label_batches;
use crate::shuffle_buffer::ShuffleBuffer;

/// Texts with a label, such as tickets with their category.
pub(crate) struct LabeledTexts {
    texts: Vec<String>,
    labels: Vec<i64>,
    loss: TextLoss,
}

impl LabeledTexts {
    /// Reads tables of tickets.
    ///
    /// # Errors
    /// If an input is unsound, or it is read whole and no two labels have two texts each.
    pub async fn read(
        session: &SessionContext,
        inputs: &[&str],
        buffer: ShuffleBuffer,
        loss: TextLoss,
    ) -> Result<Self> {
        let mut numbers: HashMap<String, i64> = HashMap::new();
        let (mut texts, mut labels) = (Vec::new(), Vec::new());
        for input in inputs {
            let names = ColumnNames::default();
            let frame = open(session, input, Table::Tickets, &names, &[]).await?;
            for (_, batch) in buffer.read(frame).await?.numbered() {
                let rows = string_column(batch, "text").iter();
                let categories = string_column(batch, "category");
                for (text, category) in rows.zip(categories).filter_map(|(a, b)| a.zip(b)) {
                    let next = numbers.len() as i64;
                    texts.push(text.to_owned());
                    labels.push(*numbers.entry(category.to_owned()).or_insert(next));
                }
            }
        }
        let mut sizes = vec![0usize; numbers.len()];
        labels.iter().for_each(|&label| sizes[label as usize] += 1);
        let have_positives = sizes.iter().filter(|&&size| size >= 2).count();
        if have_positives < 2 && buffer.is_whole() {
            return Err(TrainError::TooFewCategories {
                files: inputs.join(", "),
                categories: sizes.len(),
            });
        }
        if buffer.is_whole() {
            let single = sizes.iter().filter(|&&size| size == 1).count();
            if single > 0 {
                tracing::warn!(
                    "{}: {} alone of a category and left out: such a text has no positive",
                    inputs.join(", "),
                    counted(single, "text is", "texts are")
                );
            }
            warn_of_spellings(inputs, numbers.keys());
        }
        Ok(Self {
            texts,
            labels,
            loss,
        })
    }
}

/// Names categories that differ in case, punctuation or white space alone: to the loss their texts
/// are negatives of each other.
fn warn_of_spellings<'a>(inputs: &[&str], categories: impl Iterator<Item = &'a String>) {
    let mut alike: BTreeMap<TextKey, Vec<&str>> = BTreeMap::new();
    for category in categories {
        alike
            .entry(TextKey::equivalent(category))
            .or_default()
            .push(category);
    }
    let mut several: Vec<Vec<&str>> = alike
        .into_values()
        .filter(|names| names.len() > 1)
        .collect();
    several.iter_mut().for_each(|names| names.sort_unstable());
    several.sort();
    let mut spellings = Findings::default();
    for names in several {
        let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
        spellings.add(names.join(" and "));
    }
    spellings.warn(|n| {
        format!(
            "{}: {} spelt in several ways, so that texts of one are negatives of each other; make them one if they are",
            inputs.join(", "),
            counted(n, "category is", "categories are")
        )
    });
}

impl Objective for LabeledTexts {
    fn rows(&self) -> usize {
        self.texts.len()
    }

    fn describe(&self) -> String {
        counted(self.rows(), "labelled text", "labelled texts")
    }

    fn retain(&mut self, rows: &[usize]) {
        self.texts = picked(&self.texts, rows);
        self.labels = picked(&self.labels, rows);
    }

    fn batches(&self, batch_size: usize, seed: u64, epoch: u32) -> Vec<Vec<usize>> {
        label_batches(&self.labels, batch_size, seed, epoch)
    }

    fn without_signal(&self, rows: &[usize]) -> usize {
        let first = rows.first().map(|&row| self.labels[row]);
        match rows.iter().all(|&row| Some(self.labels[row]) == first) {
            true => rows.len(),
            false => 0,
        }
    }

    fn no_signal(&self) -> NoSignal {
        NoSignal::ONE_CATEGORY
    }

    fn texts(&self, rows: &[usize]) -> Vec<BatchText<'_>> {
        rows.iter().map(|&row| text(&self.texts[row])).collect()
    }

    fn loss<'a>(&'a self, rows: &'a [usize]) -> Result<LossOfEmbeddings<'a>> {
        let labels: Vec<i64> = rows.iter().map(|&row| self.labels[row]).collect();
        Ok(Box::new(move |embeddings| {
            let labels = Tensor::from_slice(&labels).to_device(embeddings.device());
            (self.loss)(embeddings, &labels)
        }))
    }
}
