use std::collections::{BTreeSet, HashMap};
use std::iter;

use pairmill_metrics::PairRanking;

use super::duplicates::Duplicates;
use super::mining::MinedPair;
use super::sentence::Sentence;
use crate::error::Result;
use crate::items::table::ItemTable;
use crate::items::write::Label;
use crate::paired::Paired;
use crate::statistics::clusters::Clustering;
use crate::statistics::sample::{Sample, counts};

/// The figures, chief one first; all but the last are the better the higher they are.
pub(crate) const METRICS: [&str; 5] = ["ap", "f1", "precision", "recall", "threshold"];

const WHY: &str = "have first sentences that mean the same";

/// Two sentences, by number, the lower one first.
pub(crate) type Item = (u32, u32);

/// What the figures are over: each pair that a model has mined and each duplicate, in ascending
/// order.
pub(crate) fn items(mined: &Paired<Vec<MinedPair>>, duplicates: &Duplicates) -> Vec<Item> {
    let pairs = mined.model.iter().chain(mined.baseline.iter().flatten());
    let pairs = pairs.map(|pair| (pair.first, pair.second));
    let mut items: Vec<Item> = pairs.chain(duplicates.iter()).collect();
    items.sort_unstable();
    items.dedup();
    items
}

/// Which pairs are alike: those whose first sentences mean the same.
pub(crate) fn clustering(items: &[Item], duplicates: &Duplicates) -> Option<Clustering> {
    // Sentences that mean the same come first, each pair connecting both of its keys.
    let pairs: Vec<[u32; 2]> = duplicates.iter().map(|(a, b)| [a, b]).collect();
    let firsts = items.iter().map(|&(first, _)| [first, first]);
    let all = Clustering::of_shared(pairs.iter().copied().chain(firsts), WHY)?;
    let items: Vec<u32> = (0..items.len() as u32)
        .map(|item| item + pairs.len() as u32)
        .collect();
    all.of_items(&items)
}

/// The same of the items of two evaluations, as [`ParaphrasesSample::of_items`] takes them.
pub(crate) fn mined_clustering(
    of: [&ItemTable; 2],
    rows: &[[Option<usize>; 2]],
) -> Result<Option<Clustering>> {
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut items = Vec::new();
    let mut same = BTreeSet::new();
    for row in rows {
        let sides = iter::zip(of, row).filter_map(|(table, row)| Some((table, (*row)?)));
        let mut is_duplicate = false;
        let mut item = None;
        for (table, row) in sides {
            is_duplicate |= table.values("label")?[row] > 0.0;
            let mut number = |column: &str| -> Result<u32> {
                let id = table.texts(column, &[row])?.swap_remove(0);
                let next = numbers.len() as u32;
                Ok(*numbers.entry(id).or_insert(next))
            };
            item = Some((number("sentence1_id")?, number("sentence2_id")?));
        }
        if is_duplicate {
            same.extend(item);
        }
        items.extend(item);
    }
    Ok(clustering(&items, &Duplicates::new(same)))
}

/// What is written of each pair beside its figures.
pub(crate) fn labels<'a>(items: &[Item], sentences: &'a [Sentence]) -> Vec<Label<'a>> {
    let ids = |side: &dyn Fn(&Item) -> u32| {
        let numbers = items.iter().map(side);
        let ids = numbers.map(|number| sentences[number as usize].id.as_str());
        ids.collect()
    };
    vec![
        Label {
            name: "sentence1_id",
            values: ids(&|item| item.0),
        },
        Label {
            name: "sentence2_id",
            values: ids(&|item| item.1),
        },
    ]
}

/// Pairs of sentences, some of which a model has mined, and which of them mean the same.
pub(crate) struct ParaphrasesSample {
    /// NaN where a pair was not mined.
    cosines: Vec<f64>,
    labels: Vec<bool>,
    /// The places of the mined pairs.
    mined: Vec<usize>,
    /// Of the mined pairs.
    ranking: PairRanking,
}

impl ParaphrasesSample {
    pub fn of(items: &[Item], mined: &[MinedPair], duplicates: &Duplicates) -> Self {
        let mut cosines = vec![f64::NAN; items.len()];
        for pair in mined {
            if let Ok(place) = items.binary_search(&(pair.first, pair.second)) {
                cosines[place] = f64::from(pair.cosine);
            }
        }
        let labels = items.iter();
        let labels = labels.map(|&(first, second)| duplicates.contains(first, second));
        Self::new(cosines, labels.collect())
    }

    fn new(cosines: Vec<f64>, labels: Vec<bool>) -> Self {
        let places = 0..cosines.len();
        let mined: Vec<usize> = places.filter(|&place| !cosines[place].is_nan()).collect();
        let scores: Vec<f64> = mined.iter().map(|&place| cosines[place]).collect();
        let of_mined: Vec<bool> = mined.iter().map(|&place| labels[place]).collect();
        Self {
            ranking: PairRanking::new(&scores, &of_mined),
            cosines,
            labels,
            mined,
        }
    }

    /// Takes the items of two evaluations over the same sentences and duplicates. Where one has
    /// no row it has not mined the pair, and the pair is no duplicate.
    pub fn of_items(of: [&ItemTable; 2], rows: &[[Option<usize>; 2]]) -> Result<[Self; 2]> {
        let column = |side: usize, name: &str| -> Result<Vec<f64>> {
            let values = of[side].values(name)?;
            let value = |row: &[Option<usize>; 2]| row[side].map_or(f64::NAN, |row| values[row]);
            Ok(rows.iter().map(value).collect())
        };
        let labels = iter::zip(column(0, "label")?, column(1, "label")?);
        let labels: Vec<bool> = labels.map(|(one, other)| one.max(other) > 0.0).collect();
        Ok([
            Self::new(column(0, "cosine")?, labels.clone()),
            Self::new(column(1, "cosine")?, labels),
        ])
    }
}

impl Sample for ParaphrasesSample {
    fn metrics(&self) -> Vec<String> {
        METRICS.iter().map(|&name| name.to_owned()).collect()
    }

    fn len(&self) -> usize {
        self.cosines.len()
    }

    fn figures(&self, items: &[u32]) -> Vec<f64> {
        let counts = counts(items, self.len());
        let mined: Vec<u32> = self.mined.iter().map(|&place| counts[place]).collect();
        let duplicates = counts.iter().zip(&self.labels).zip(&self.cosines);
        let missed = duplicates.filter(|((_, label), cosine)| **label && cosine.is_nan());
        let missed: u32 = missed.map(|((count, _), _)| count).sum();
        match self.ranking.mining_figures(&mined, missed as usize) {
            Some(found) => vec![
                found.ap,
                found.f1,
                found.precision,
                found.recall,
                found.threshold,
            ],
            None => vec![f64::NAN; METRICS.len()],
        }
    }

    fn values(&self, _: usize) -> Option<Vec<f64>> {
        None
    }

    /// A pair that was not mined has no cosine.
    fn columns(&self) -> Vec<(String, Vec<f64>)> {
        let labels = self.labels.iter().map(|&label| f64::from(u8::from(label)));
        vec![
            ("cosine".to_owned(), self.cosines.clone()),
            ("label".to_owned(), labels.collect()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_models_are_measured_on_the_same_pairs() {
        let pair = |first, second, cosine| MinedPair {
            first,
            second,
            cosine,
        };
        let duplicates = Duplicates::new([(0, 1), (2, 3)].into());
        let mined = Paired {
            model: vec![pair(0, 1, 0.9), pair(0, 2, 0.8)],
            baseline: Some(vec![pair(1, 3, 0.7)]),
        };
        let items = items(&mined, &duplicates);
        assert_eq!(items, [(0, 1), (0, 2), (1, 3), (2, 3)]);
        let samples = mined.map(|pairs| ParaphrasesSample::of(&items, pairs, &duplicates));
        let all = samples.model.all();
        let figure = |name: &str| all.get(name).unwrap();
        // One of two duplicates is mined, first of all; the best threshold accepts it alone.
        assert_eq!((figure("ap"), figure("recall")), (0.5, 0.5));
        assert_eq!(figure("precision"), 1.0);
        let baseline = samples.baseline.unwrap();
        assert_eq!(baseline.len(), samples.model.len());
        assert_eq!(baseline.all().get("f1"), Some(0.0));
        // A draw of the missed duplicate and of what only the other model has mined.
        assert_eq!(samples.model.figures(&[3, 2])[3], 0.0);
        assert!(samples.model.figures(&[1, 2])[0].is_nan());
        assert!(baseline.columns()[0].1[0].is_nan());
    }
}
