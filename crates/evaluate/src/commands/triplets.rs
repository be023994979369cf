use pairmill_metrics::Scores;
use pairmill_modeling::Side;
use pairmill_tables::{ColumnNames, Table, string_column};

use crate::embeddings::cosine;
use crate::encoder::Encoder;
use crate::reader::Reader;
use crate::{Evaluation, Frame, Models, Result};

/// The one figure.
pub(super) const METRICS: [&str; 1] = ["accuracy"];

const METHOD: &str = "`accuracy` is the share of triplets whose anchor has a higher cosine with \
the positive than with the negative.";

/// Triplets of an anchor, a text that belongs to it and one that does not.
#[derive(Debug, Clone)]
pub struct Triplets {
    /// The models.
    pub models: Models,
    /// The triplets table.
    pub triplets: String,
}

impl Triplets {
    pub(crate) fn run(&self, frame: &Frame) -> Result<Evaluation> {
        frame.run(
            "triplets",
            METHOD,
            &self.models.options(),
            |lineage| {
                self.models
                    .add_to(lineage.with_input("triplets", &self.triplets)?)
            },
            |_| {
                let texts = self.read(&Reader::new(frame.threads)?)?;
                let encoders = self.models.load()?;
                let scores = encoders.try_map(|encoder| accuracy(&texts, encoder))?;
                let counts = [("triplets", texts.len() / 3)];
                Ok(Evaluation::new("triplets", scores, counts))
            },
        )
    }

    /// Anchor, positive and negative of each row in turn.
    fn read(&self, reader: &Reader) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        let columns = ["anchor", "positive", "negative"];
        let names = ["anchor_id", "positive_id", "negative_id"]
            .into_iter()
            .fold(ColumnNames::default(), ColumnNames::with_optional);
        reader.for_each(&self.triplets, Table::Triplets, &names, &columns, |batch| {
            let columns = columns.map(|name| string_column(batch, name));
            for row in 0..batch.num_rows() {
                texts.extend(columns.map(|column| column.value(row).to_owned()));
            }
            Ok(())
        })?;
        Ok(texts)
    }
}

fn accuracy(texts: &[String], encoder: &Encoder) -> Result<Scores> {
    let views: Vec<&str> = texts.iter().map(String::as_str).collect();
    let embeddings = encoder.embed_all(&views, Side::Text)?;
    let rows: Vec<&[f32]> = embeddings.rows().collect();
    let triplets = rows.chunks_exact(3);
    let total = triplets.len() as f64;
    let right = triplets
        .filter(|row| cosine(row[0], row[1]) > cosine(row[0], row[2]))
        .count();
    Ok([(METRICS[0], right as f64 / total)].into_iter().collect())
}
