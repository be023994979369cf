use std::str::FromStr;

use serde::Serialize;

/// The arms of an experiment with their shares of the traffic; `NAME=WEIGHT,NAME=WEIGHT…` as text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Arms(Vec<(String, f64)>);

impl Arms {
    /// Names and weights; the weights are positive and need not sum up to 1.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, weight)| (name.as_str(), *weight))
    }

    /// Returns the weight of an arm.
    pub fn weight(&self, arm: &str) -> Option<f64> {
        self.iter()
            .find_map(|(name, weight)| (name == arm).then_some(weight))
    }
}

impl FromStr for Arms {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut arms: Vec<(String, f64)> = Vec::new();
        for part in text.split(',') {
            let wrong = || format!("`{part}` is no arm; expected NAME=WEIGHT, such as control=0.5");
            let (name, weight) = part.rsplit_once('=').ok_or_else(wrong)?;
            let (name, weight) = (name.trim(), weight.trim());
            if name.is_empty() {
                return Err(wrong());
            }
            let weight = weight
                .parse()
                .ok()
                .filter(|weight: &f64| weight.is_finite() && *weight > 0.0)
                .ok_or_else(|| {
                    format!(
                        "the weight `{weight}` of the arm `{name}` is not a number above 0; leave \
                         an arm without users out"
                    )
                })?;
            if arms.iter().any(|(other, _)| other == name) {
                return Err(format!("the arm `{name}` is named twice"));
            }
            arms.push((name.to_owned(), weight));
        }
        match arms.len() {
            1 => Err(format!(
                "`{}` is the only arm; an experiment compares at least two",
                arms[0].0
            )),
            _ => Ok(Self(arms)),
        }
    }
}

/// Deals users out to the arms of an experiment.
///
/// An arm of weight w has a clock that rings after -ln(u) / w, and the user gets the arm whose
/// clock rings first: with the chance w / Σ w (weighted rendezvous hashing). Here u = (h + 0.5) /
/// 2⁵², in 0..1, where h are the upper 52 bits of the first eight bytes, read as a little-endian
/// number, of the keyed BLAKE3 hash of the user's id in UTF-8. The key is what BLAKE3 derives, in
/// the context `pairmill 2026-11 evaluate assign arm`, from the experiment's name, a zero byte and
/// the arm's name, all in UTF-8.
///
/// So a user has the same arm always and everywhere, another experiment deals users out
/// independently, and the order of the arms is of no importance. Where a weight is raised or an
/// arm added, users only move to it; where one is lowered or taken away, they only move from it.
#[derive(Debug, Clone)]
pub struct Assigner {
    arms: Arms,
    keys: Vec<[u8; blake3::KEY_LEN]>,
}

const CONTEXT: &str = "pairmill 2026-11 evaluate assign arm";

impl Assigner {
    /// Returns an assigner for the experiment of this name.
    pub fn new(experiment: &str, arms: Arms) -> Self {
        let key = |(arm, _): (&str, f64)| {
            blake3::derive_key(CONTEXT, format!("{experiment}\0{arm}").as_bytes())
        };
        Self {
            keys: arms.iter().map(key).collect(),
            arms,
        }
    }

    /// Returns the arms.
    pub fn arms(&self) -> &Arms {
        &self.arms
    }

    /// Returns the arm of a user.
    pub fn arm(&self, id: &str) -> &str {
        let clocks = self.arms.iter().zip(&self.keys);
        clocks
            .map(|((arm, weight), key)| (-uniform(key, id).ln() / weight, arm))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map_or("", |(_, arm)| arm)
    }
}

/// A number in 0..1, both ends left out.
fn uniform(key: &[u8; blake3::KEY_LEN], id: &str) -> f64 {
    let hash = blake3::keyed_hash(key, id.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    let bits = u64::from_le_bytes(first) >> 12;
    (bits as f64 + 0.5) / (1u64 << 52) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        text.parse::<Arms>().unwrap_err()
    }

    #[test]
    fn arms_are_two_or_more_with_names_and_weights_of_their_own() {
        let arms: Arms = "a=1, b = 3,c=d=0.5".parse().unwrap();
        assert_eq!(
            arms.iter().collect::<Vec<_>>(),
            [("a", 1.0), ("b", 3.0), ("c=d", 0.5)]
        );
        assert_eq!((arms.weight("b"), arms.weight("d")), (Some(3.0), None));
        for wrong in [
            "",
            "a",
            "a=1",
            "a=1,a=2",
            "a=1,=1",
            "a=1,b=0",
            "a=1,b=-1",
            "a=1,b=NaN",
        ] {
            assert!(!refused(wrong).is_empty(), "{wrong}");
        }
    }

    #[test]
    fn the_order_of_the_arms_is_of_no_importance() {
        let assigner = |arms: &str| Assigner::new("e", arms.parse().unwrap());
        let (one, other) = (assigner("a=1,b=2,c=3"), assigner("c=3,a=1,b=2"));
        for id in 0..1_000 {
            let id = id.to_string();
            assert_eq!(one.arm(&id), other.arm(&id));
        }
    }
}
