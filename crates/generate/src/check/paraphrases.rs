//! Texts of one split that say in other words what a text of an earlier split says: those whose
//! embeddings are near.

use std::collections::{BTreeMap, HashMap};

use pairmill_hygiene::{Batch, Hygiene, Place, Role, Split, Table, TextPlace};
use pairmill_retrieval::{Embeddings, Search};
use pairmill_schema::{TextKey, counted};
use pairmill_tables::Lineage;
use tracing::warn;

use super::CheckConfig;
use crate::Result;
use crate::labelling::LabellingModel;

/// Texts of earlier splits that one is held against at most, the nearest.
const PARTNERS: usize = 100;
/// Earlier texts that are compared at a time, so that no copy of all is made.
const BLOCK: usize = 8_192;

/// The texts that ask, split by split.
#[derive(Default)]
pub(super) struct Paraphrases {
    splits: BTreeMap<Split, Texts>,
}

/// Texts in memory, each once.
#[derive(Default)]
struct Texts {
    texts: Vec<String>,
    /// Where each stands.
    places: Vec<Vec<TextPlace>>,
    known: HashMap<TextKey, usize>,
}

impl Texts {
    fn add(&mut self, text: &str, place: TextPlace) {
        let at = *self
            .known
            .entry(TextKey::equivalent(text))
            .or_insert_with(|| {
                self.texts.push(text.to_owned());
                self.places.push(Vec::new());
                self.places.len() - 1
            });
        self.places[at].push(place);
    }
}

impl Paraphrases {
    /// Takes in rows of a table.
    pub fn add(&mut self, number: usize, table: &Table, batch: &Batch) {
        let Some(split) = table.split else { return };
        let texts = self.splits.entry(split).or_default();
        for column in table.columns_of(Role::Query) {
            for (row, text) in batch.texts[column].iter().enumerate() {
                if !text.trim().is_empty() {
                    texts.add(text, (Place::new(number, batch.first + row), column));
                }
            }
        }
    }

    /// Tells what is near to a text of an earlier split.
    pub fn find(
        self,
        config: &CheckConfig,
        model: &LabellingModel,
        lineage: &Lineage,
        hygiene: &mut Hygiene,
    ) -> Result<()> {
        let splits: Vec<Texts> = self.splits.into_values().collect();
        let texts = splits.iter().flat_map(|split| &split.texts);
        let texts: Vec<&str> = texts.map(String::as_str).collect();
        let places = splits.iter().flat_map(|split| &split.places);
        let places: Vec<&Vec<TextPlace>> = places.collect();
        let vectors = model.embed(&texts, lineage, config.threads)?;
        let (mut first, mut crowded) = (0, 0);
        for split in &splits {
            let last = first + split.texts.len();
            if first > 0 {
                let nearest = nearest(&vectors, (first, last), config.options.paraphrases);
                crowded += nearest.iter().filter(|near| near.len() == PARTNERS).count();
                for (late, nearest) in places[first..].iter().zip(nearest) {
                    let earlier: Vec<(TextPlace, f64)> = nearest
                        .into_iter()
                        .flat_map(|(at, similarity)| {
                            places[at].iter().map(move |&place| (place, similarity))
                        })
                        .collect();
                    for &place in late.iter().filter(|_| !earlier.is_empty()) {
                        hygiene.paraphrase(place, earlier.clone());
                    }
                }
            }
            first = last;
        }
        if crowded > 0 {
            warn!(
                "{} near to {PARTNERS} texts of earlier splits or more, of which the nearest \
                 {PARTNERS} were looked at; check again after --fix",
                counted(crowded as u64, "text is", "texts are")
            );
        }
        Ok(())
    }
}

/// Returns, for each text from `first` to before `last`, the earlier texts that are near enough,
/// the nearest first.
fn nearest(
    vectors: &Embeddings,
    (first, last): (usize, usize),
    least: f32,
) -> Vec<Vec<(usize, f64)>> {
    let rows = |from: usize, to: usize| vectors.select(&(from..to).collect::<Vec<_>>());
    let late = rows(first, last);
    let mut search = Search::new(&late, PARTNERS);
    for start in (0..first).step_by(BLOCK) {
        let end = first.min(start + BLOCK);
        let keys: Vec<u32> = (start as u32..end as u32).collect();
        search.add(&rows(start, end), &keys);
    }
    let near = search.finish().into_iter().map(|hits| {
        let near = hits.into_iter().filter(|hit| hit.score >= least);
        near.map(|hit| (hit.key as usize, f64::from(hit.score)))
            .collect()
    });
    near.collect()
}
