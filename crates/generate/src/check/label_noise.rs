//! Categories that a classifier on embeddings takes for wrong: confident learning over
//! probabilities that come from fits without the row.

use std::collections::HashMap;

use datafusion::prelude::DataFrame;
use pairmill_classification::{NOISE_C, NOISE_FOLDS, cross_fitted, label_issues};
use pairmill_hygiene::{Batch, Suggestion};
use pairmill_schema::{Sameness, TextKey};
use pairmill_tables::Lineage;
use tracing::info;

use super::CheckConfig;
use super::sources::Source;
use crate::Result;
use crate::categories::Categories;
use crate::labelling::LabellingModel;

/// A row whose category is likely another one.
pub(super) struct Suspect {
    pub row: usize,
    /// Its category, and how likely that is.
    pub given: (String, f64),
    pub suggestion: Suggestion,
}

/// Tickets in memory: each text once for each of its categories.
#[derive(Default)]
struct Tickets {
    texts: Vec<String>,
    categories: Vec<String>,
    /// The rows of each, from 0.
    rows: Vec<Vec<usize>>,
    known: HashMap<(TextKey, TextKey), usize>,
}

impl Tickets {
    fn add(&mut self, batch: &Batch) {
        let Some(categories) = &batch.category else {
            return;
        };
        let cells = batch.texts[0].iter().zip(categories).enumerate();
        for (row, (text, category)) in cells {
            if text.trim().is_empty() || category.trim().is_empty() {
                continue;
            }
            // A copy in another part would confirm whatever stands there.
            let key = [text, category].map(|text| TextKey::equivalent(text));
            let at = *self.known.entry(key.into()).or_insert_with(|| {
                self.texts.push((*text).to_owned());
                self.categories.push((*category).to_owned());
                self.rows.push(Vec::new());
                self.rows.len() - 1
            });
            self.rows[at].push(batch.first + row);
        }
    }
}

/// Finds the rows whose category is likely another one; none where there is but one category.
pub(super) async fn suspects(
    config: &CheckConfig,
    source: &Source,
    frame: &DataFrame,
    model: &LabellingModel,
    lineage: &Lineage,
) -> Result<Vec<Suspect>> {
    let mut tickets = Tickets::default();
    let add = |batch: &Batch| {
        tickets.add(batch);
        true
    };
    source.read(frame, add).await?;
    let given = tickets.categories.iter().map(String::as_str);
    let categories = Categories::new(given.clone(), Sameness::default());
    let names = &categories.names;
    if names.len() < 2 {
        info!("label_noise: not looked for, as there is but one category");
        return Ok(Vec::new());
    }
    let labels: Vec<usize> = given
        .map(|given| categories.number(given) as usize)
        .collect();
    let texts: Vec<&str> = tickets.texts.iter().map(String::as_str).collect();
    let vectors = model.embed(&texts, lineage, config.threads)?;
    info!(
        "fitting {NOISE_FOLDS} classifiers on {} texts, each for the rows that it has not seen",
        texts.len()
    );
    let (classes, seed) = (names.len(), config.seed);
    let probabilities = cross_fitted(&vectors, &labels, classes, NOISE_FOLDS, NOISE_C, seed);
    let issues = label_issues(&probabilities, &labels);
    let suspects = issues.iter().flat_map(|issue| {
        let shares = probabilities.row(issue.row);
        let share = |class: usize| f64::from(shares[class]);
        tickets.rows[issue.row].iter().map(move |&row| Suspect {
            row,
            given: (names[issue.given].clone(), share(issue.given)),
            suggestion: Suggestion {
                category: names[issue.suggested].clone(),
                probability: share(issue.suggested),
            },
        })
    });
    Ok(suspects.collect())
}
