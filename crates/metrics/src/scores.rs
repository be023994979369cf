use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Figures under their names, in the order in which a reader wants to see them: the chief figure
/// first. Serialised as a JSON object in that order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scores(Vec<(String, f64)>);

impl Scores {
    /// Returns the value under `name`.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.iter()
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// Returns names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// Returns `self` less `baseline`, for the names that both have.
    pub fn minus(&self, baseline: &Self) -> Self {
        self.iter()
            .filter_map(|(name, value)| Some((name, value - baseline.get(name)?)))
            .collect()
    }
}

impl<N: Into<String>> FromIterator<(N, f64)> for Scores {
    fn from_iter<I: IntoIterator<Item = (N, f64)>>(scores: I) -> Self {
        Self(
            scores
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        )
    }
}

impl Serialize for Scores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Scores {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Scores;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of numbers")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Scores, M::Error> {
                let mut scores = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    scores.push(entry);
                }
                Ok(Scores(scores))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_covers_the_names_that_both_have() {
        let model: Scores = [("ndcg@10", 0.75), ("mrr@10", 0.5)].into_iter().collect();
        let baseline: Scores = [("mrr@10", 0.75)].into_iter().collect();
        let difference: Vec<_> = model
            .minus(&baseline)
            .iter()
            .map(|(n, v)| (n.to_owned(), v))
            .collect();
        assert_eq!(difference, [("mrr@10".to_owned(), -0.25)]);
    }
}
