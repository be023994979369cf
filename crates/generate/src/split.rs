use std::fmt;
use std::str::FromStr;

use pairmill_schema::TextKey;
use pairmill_tables::time_as_text;
use serde::{Deserialize, Serialize};

use crate::draw;

/// A part of the data. The order is that in which a question with answers in several parts is
/// given to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// What models are trained on.
    Train,
    /// What training is watched and stopped by.
    Dev,
    /// What is reported.
    Test,
}

impl Split {
    /// All splits, in order.
    pub const ALL: [Self; 3] = [Self::Train, Self::Dev, Self::Test];

    /// Returns the split's name in file names and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Dev => "dev",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Fractions of the distinct texts that go to train, dev and test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Fractions([f64; 3]);

/// Fractions that make no split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected three positive fractions that sum to 1, such as 0.8,0.1,0.1")]
pub struct SplitError;

impl Fractions {
    /// Fractions of train, dev and test: each above 0, together 1 ± 1e-6.
    ///
    /// # Errors
    /// If they are not.
    pub fn new(fractions: [f64; 3]) -> Result<Self, SplitError> {
        let positive = fractions.iter().all(|&fraction| fraction > 0.0);
        let sum: f64 = fractions.iter().sum();
        if positive && (sum - 1.0).abs() <= 1e-6 {
            Ok(Self(fractions))
        } else {
            Err(SplitError)
        }
    }

    /// Returns the split of a text: where the hash of seed and key, as a number in 0..1, falls.
    pub(crate) fn split_of(&self, seed: u64, key: TextKey) -> Split {
        let [train, dev, _] = self.0;
        let at = draw::number(seed, "split", &[key.as_bytes()]) as f64 / 2f64.powi(64);
        if at < train {
            Split::Train
        } else if at < train + dev {
            Split::Dev
        } else {
            Split::Test
        }
    }
}

/// Where splits are parted in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeSplit {
    /// The column of times.
    pub column: String,
    /// The newest row of train.
    pub train_until: String,
    /// The newest row of the first text of dev; those of all others are as new or newer.
    pub dev_from: String,
    /// The same of test.
    pub test_from: String,
}

impl fmt::Display for TimeSplit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            column,
            train_until,
            dev_from,
            test_from,
        } = self;
        write!(
            f,
            "split by `{column}`: train until {train_until}, dev from {dev_from}, test from \
             {test_from}"
        )
    }
}

/// What is given to a split as one: the rows of one text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    pub key: TextKey,
    /// Its newest row, in microseconds since 1970.
    pub time: i64,
}

impl Group {
    /// Takes in another row.
    pub fn add(&mut self, key: TextKey, time: i64) {
        self.key = self.key.min(key);
        self.time = self.time.max(time);
    }
}

impl Fractions {
    /// Returns the split of each group: by its key, or with a column of times by its newest row, so
    /// that no row of train is newer than a group of dev, and none of dev than one of test. Groups
    /// of one time are ordered by their keys.
    pub(crate) fn splits(
        &self,
        seed: u64,
        groups: &[Group],
        time_column: Option<&str>,
    ) -> (Vec<Split>, Option<TimeSplit>) {
        let Some(column) = time_column else {
            let splits = groups.iter().map(|group| self.split_of(seed, group.key));
            return (splits.collect(), None);
        };
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by_cached_key(|&at| {
            let Group { key, time } = groups[at];
            (time, draw::number(seed, "split", &[key.as_bytes()]), key)
        });
        let [train, dev, _] = self.0;
        let place = |share: f64| (share * groups.len() as f64).round() as usize;
        let (dev_at, test_at) = (place(train), place(train + dev).min(groups.len()));
        let mut splits = vec![Split::Train; groups.len()];
        for (place, &at) in order.iter().enumerate().skip(dev_at) {
            splits[at] = match place < test_at {
                true => Split::Dev,
                false => Split::Test,
            };
        }
        let time = |place: usize| {
            let at = order.get(place).map(|&at| time_as_text(groups[at].time));
            at.unwrap_or_default()
        };
        let parted = TimeSplit {
            column: column.to_owned(),
            train_until: time(dev_at.saturating_sub(1)),
            dev_from: time(dev_at),
            test_from: time(test_at),
        };
        (splits, Some(parted))
    }
}

impl Default for Fractions {
    fn default() -> Self {
        Self([0.8, 0.1, 0.1])
    }
}

impl fmt::Display for Fractions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [train, dev, test] = self.0;
        write!(f, "{train},{dev},{test}")
    }
}

impl FromStr for Fractions {
    type Err = SplitError;

    fn from_str(text: &str) -> Result<Self, SplitError> {
        let fractions: Vec<f64> = text
            .split(',')
            .map(|part| part.trim().parse())
            .collect::<Result<_, _>>()
            .map_err(|_| SplitError)?;
        Self::new(fractions.try_into().map_err(|_| SplitError)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_positive_fractions_of_one_make_a_split() {
        for good in [
            "0.8,0.1,0.1",
            "0.9, 0.05, 0.05",
            "0.333333,0.333333,0.333334",
        ] {
            assert!(good.parse::<Fractions>().is_ok(), "{good}");
        }
        for bad in [
            "0.8,0.2",
            "0.8,0.2,0",
            "0.8,0.1,0.2",
            "1.2,-0.1,-0.1",
            "NaN,0.5,0.5",
            "inf,0.1,0.1",
            "a,b,c",
            "",
        ] {
            assert_eq!(bad.parse::<Fractions>(), Err(SplitError), "{bad}");
        }
        assert_eq!(Fractions::default(), "0.8,0.1,0.1".parse().unwrap());
    }

    #[test]
    fn the_newest_groups_are_test_and_seeds_decide_among_those_of_one_time() {
        let group = |n: i64| Group {
            key: TextKey::identical(&format!("text {n}")),
            time: n / 20,
        };
        let groups: Vec<Group> = (0..100).rev().map(group).collect();
        let split = |seed| Fractions::default().splits(seed, &groups, Some("created"));
        let (splits, parted) = split(1);
        let times = |wanted: Split| {
            let of_split = groups
                .iter()
                .zip(&splits)
                .filter(|(_, split)| **split == wanted);
            of_split.map(|(group, _)| group.time).collect::<Vec<_>>()
        };
        let [train, dev, test] = Split::ALL.map(times);
        assert_eq!([train.len(), dev.len(), test.len()], [80, 10, 10]);
        assert!(train.iter().max() <= dev.iter().min() && dev.iter().max() <= test.iter().min());
        assert_eq!(parted.unwrap().dev_from, "1970-01-01");
        assert_ne!(splits, split(2).0);
        let mut group = group(0);
        group.add(TextKey::identical("other"), 7);
        group.add(TextKey::identical("other"), 3);
        assert_eq!(group.time, 7, "a group is as new as its newest row");
    }

    #[test]
    fn texts_fall_in_proportion_and_the_seed_moves_them() {
        let keys: Vec<_> = (0..20_000)
            .map(|n| TextKey::identical(&format!("text {n}")))
            .collect();
        let fractions = Fractions::default();
        let count = |split| {
            let of_split = |key: &&TextKey| fractions.split_of(42, **key) == split;
            keys.iter().filter(of_split).count() as f64 / keys.len() as f64
        };
        for (split, share) in [(Split::Train, 0.8), (Split::Dev, 0.1), (Split::Test, 0.1)] {
            assert!(
                (count(split) - share).abs() < 0.01,
                "{split}: {}",
                count(split)
            );
        }
        let moved = keys
            .iter()
            .any(|&key| fractions.split_of(42, key) != fractions.split_of(43, key));
        assert!(moved);
    }
}
