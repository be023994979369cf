use std::collections::{HashMap, HashSet};

use datafusion::prelude::SessionContext;
use pairmill_schema::draw::seeded;
use pairmill_schema::{TextKey, counted};
use pairmill_tables::{ColumnNames, Folds, Table, column_names, f32_column, open, string_column};
use rand::seq::index;
use serde::Serialize;

use crate::error::{Result, TrainError};
use crate::findings::Findings;
use crate::form::{Form, Input, Kind, TableArgs, Wanted};
use crate::labels::Labels;
use crate::shuffle_buffer::ShuffleBuffer;

/// Two texts and whether the second answers the first.
#[derive(Debug, Clone)]
pub(crate) struct LabeledPair {
    pub query: String,
    pub text: String,
    pub label: f32,
}

impl LabeledPair {
    pub fn texts(&self) -> (&str, &str) {
        (&self.query, &self.text)
    }
}

/// Labelled pairs of one or more tables.
#[derive(Debug, Default)]
pub(crate) struct LabeledSet {
    pub pairs: Vec<LabeledPair>,
}

/// The fold of queries that a model is not to see.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct LeftOut {
    #[serde(flatten)]
    pub folds: Folds,
    pub fold: u32,
}

/// How labelled pairs are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub columns: &'a TableArgs,
    pub labels: Labels,
    /// What decides between two columns of labels.
    pub wanted: Wanted,
    /// Whether the table must have the columns that the user has named.
    pub is_only: bool,
    /// Of a candidates table, the candidates of each query to take.
    pub mined: usize,
    pub seed: u64,
}

impl Reading<'_> {
    /// Returns how those of a dev split are read.
    pub fn of_dev(self) -> Self {
        Self {
            is_only: false,
            ..self
        }
    }
}

impl LabeledSet {
    /// Adds the rows of a labelled-pairs table, or negatives from a candidates table (told apart
    /// by the columns): for each query `mined` of its kept candidates, drawn by (seed, query id)
    /// over all ranks, because the top ranks hold the most false negatives.
    ///
    /// # Errors
    /// If the table is unsound, or a label is none that the loss takes.
    pub async fn read(
        &mut self,
        session: &SessionContext,
        input: &str,
        reading: Reading<'_>,
    ) -> Result<()> {
        let columns = column_names(session, input).await?;
        if columns.iter().any(|column| column == "decision") {
            let Reading { mined, seed, .. } = reading;
            self.read_candidates(session, input, mined, seed).await
        } else {
            self.read_pairs(session, input, reading, ShuffleBuffer::Whole)
                .await
        }
    }

    /// Adds the rows of a labelled-pairs table that are in the buffer.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn read_pairs(
        &mut self,
        session: &SessionContext,
        input: &str,
        reading: Reading<'_>,
        buffer: ShuffleBuffer,
    ) -> Result<()> {
        let Reading {
            columns,
            labels,
            wanted,
            is_only,
            ..
        } = reading;
        let file = Input {
            file: input,
            columns,
            is_only,
        };
        let form = Form::of_labeled(session, file, wanted).await?;
        let column = match &form.kind {
            Kind::Labeled { label } => label.as_str(),
            Kind::Positives { .. } => "score",
        };
        let frame = form.open(session, input).await?;
        let mut seen: HashMap<(TextKey, TextKey), (f32, usize)> = HashMap::new();
        let (mut empty, mut contradictory) = (Findings::default(), Findings::default());
        for (first, batch) in buffer.read(frame).await?.numbered() {
            let queries = string_column(batch, "sentence1");
            let texts = string_column(batch, "sentence2");
            let scores = f32_column(batch, "score");
            for row in 0..batch.num_rows() {
                let number = first + row;
                let label = scores.value(row);
                labels.check(label, column, || format!("{input} row {number}"))?;
                let (query, text) = (queries.value(row), texts.value(row));
                if query.trim().is_empty() || text.trim().is_empty() {
                    empty.add(format!("{input} row {number}"));
                    continue;
                }
                if label == 0.0 || label == 1.0 {
                    let key = (TextKey::identical(query), TextKey::identical(text));
                    let (other, its_row) = *seen.entry(key).or_insert((label, number));
                    if other != label {
                        contradictory.add(format!("{input} rows {its_row} and {number}"));
                    }
                }
                self.pairs.push(LabeledPair {
                    query: query.to_owned(),
                    text: text.to_owned(),
                    label,
                });
            }
        }
        empty.warn(|n| {
            let pairs = counted(n, "pair is", "pairs are");
            format!("{pairs} left out for an empty text")
        });
        contradictory.warn(|n| {
            let pairs = counted(n, "pair is", "pairs are");
            format!("{pairs} labelled 0 in one row and 1 in another: the loss is told both")
        });
        Ok(())
    }

    async fn read_candidates(
        &mut self,
        session: &SessionContext,
        input: &str,
        mined: usize,
        seed: u64,
    ) -> Result<()> {
        let names = ColumnNames::default();
        let frame = open(session, input, Table::Candidates, &names, &[]).await?;
        let mut of_query: std::collections::BTreeMap<String, Vec<LabeledPair>> = Default::default();
        for batch in frame.collect().await? {
            let ids = string_column(&batch, "query_id");
            let queries = string_column(&batch, "query");
            let texts = string_column(&batch, "text");
            let decisions = string_column(&batch, "decision");
            for row in (0..batch.num_rows()).filter(|&row| decisions.value(row) == "keep") {
                let candidates = of_query.entry(ids.value(row).to_owned()).or_default();
                candidates.push(LabeledPair {
                    query: queries.value(row).to_owned(),
                    text: texts.value(row).to_owned(),
                    label: 0.0,
                });
            }
        }
        for (id, mut candidates) in of_query {
            // A query with several positives has its candidates once for each of them.
            candidates.sort_by(|a, b| a.text.cmp(&b.text));
            candidates.dedup_by(|a, b| a.text == b.text);
            let mut generator = seeded(seed ^ fingerprint(&id), 0);
            let count = mined.min(candidates.len());
            let mut drawn = index::sample(&mut generator, candidates.len(), count).into_vec();
            drawn.sort_unstable();
            self.pairs
                .extend(drawn.into_iter().map(|i| candidates[i].clone()));
        }
        Ok(())
    }

    /// Removes the pairs with a query of the fold, on either side: in a table of texts of one kind
    /// a query may stand as the text of another.
    pub fn leave_out(&mut self, LeftOut { folds, fold }: LeftOut) {
        let of_fold: HashSet<String> = self
            .pairs
            .iter()
            .filter(|pair| folds.of(&pair.query) == fold)
            .map(|pair| pair.query.clone())
            .collect();
        self.pairs
            .retain(|pair| !of_fold.contains(&pair.query) && !of_fold.contains(&pair.text));
    }

    /// Returns the number of pairs with a label of at least one half.
    pub fn positives(&self) -> usize {
        self.pairs.iter().filter(|pair| pair.label >= 0.5).count()
    }

    /// Refuses one label for all, which tells a loss over pairs nothing.
    ///
    /// # Errors
    /// If there is one label alone.
    pub fn check_labels_differ(&self, inputs: &[&str]) -> Result<()> {
        let labels = || self.pairs.iter().map(|pair| pair.label);
        let (least, most) = labels()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), x| {
                (least.min(x), most.max(x))
            });
        if least == most {
            return Err(TrainError::OneLabel {
                files: inputs.join(", "),
                pairs: self.pairs.len(),
                label: least,
            });
        }
        Ok(())
    }

    /// Refuses a dev split whose pairs have one label, which says nothing of a model.
    ///
    /// # Errors
    /// If no pair belongs together.
    pub fn check_dev(&self, input: &str) -> Result<()> {
        let (all, positives) = (self.pairs.len(), self.positives());
        if positives == 0 {
            return Err(TrainError::NoPositiveOnDev {
                input: input.to_owned(),
                pairs: all,
            });
        }
        if positives == all {
            tracing::warn!(
                "{input}: every dev pair of {all} has a label of at least 0.5, so average precision on dev is 1 whatever the model says"
            );
        }
        Ok(())
    }

    /// Refuses labels of one class, from which a classifier learns nothing.
    pub fn check_both_labels(&self) -> Result<()> {
        let positives = self.positives();
        if positives == 0 || positives == self.pairs.len() {
            return Err(TrainError::OneClass {
                positives,
                pairs: self.pairs.len(),
            });
        }
        Ok(())
    }
}

/// Returns the FNV-1a hash, which stays the same between versions of the standard library.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_of_the_fold_is_left_out_on_both_sides() {
        let texts: Vec<String> = (0..40).map(|number| format!("ticket {number}")).collect();
        let pair = |query: &str, text: &str| LabeledPair {
            query: query.to_owned(),
            text: text.to_owned(),
            label: 1.0,
        };
        let mut set = LabeledSet::default();
        for two in texts.windows(2) {
            set.pairs.push(pair(&two[0], &two[1]));
            set.pairs.push(pair(&two[1], &two[0]));
        }
        set.pairs
            .extend(texts.iter().map(|text| pair(text, "an answer")));
        let folds = Folds { folds: 2, seed: 1 };
        set.leave_out(LeftOut { folds, fold: 0 });
        let of_fold = |text: &str| text != "an answer" && folds.of(text) == 0;
        assert!(
            set.pairs
                .iter()
                .all(|pair| !of_fold(&pair.query) && !of_fold(&pair.text))
        );
        let answered = set.pairs.iter().filter(|pair| pair.text == "an answer");
        assert_eq!(
            answered.count(),
            texts.iter().filter(|text| !of_fold(text)).count()
        );
    }
}
