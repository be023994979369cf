use std::path::Path;

use serde_json::Value;

use crate::folder::read_json;
use crate::{InferenceError, Result};

/// One way in which token states become a vector for the text. Special tokens count as tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// State of the first token.
    Cls,
    /// Largest value of each component.
    Max,
    /// Mean over all tokens.
    Mean,
    /// Sum over all tokens divided by the square root of their number.
    MeanSqrtLen,
    /// Mean in which the n-th token has the weight n (Muennighoff 2022).
    WeightedMean,
    /// State of the last token.
    LastToken,
}

impl Mode {
    /// Each mode, its name, and the older flag for it, in the order in which flags are concatenated.
    const NAMES: [(Self, &'static str, &'static str); 6] = [
        (Self::Cls, "cls", "pooling_mode_cls_token"),
        (Self::Max, "max", "pooling_mode_max_tokens"),
        (Self::Mean, "mean", "pooling_mode_mean_tokens"),
        (
            Self::MeanSqrtLen,
            "mean_sqrt_len_tokens",
            "pooling_mode_mean_sqrt_len_tokens",
        ),
        (
            Self::WeightedMean,
            "weightedmean",
            "pooling_mode_weightedmean_tokens",
        ),
        (Self::LastToken, "lasttoken", "pooling_mode_lasttoken"),
    ];

    /// Writes the vector of a text's states into `vector`, which is all 0.
    fn pool(self, states: &[f32], vector: &mut [f32]) {
        let mut tokens = states.chunks_exact(vector.len());
        let count = tokens.len() as f32;
        match self {
            Self::Cls => vector.copy_from_slice(tokens.next().unwrap_or_default()),
            Self::LastToken => vector.copy_from_slice(tokens.next_back().unwrap_or_default()),
            Self::Max => {
                vector.fill(f32::NEG_INFINITY);
                for token in tokens {
                    for (largest, &value) in vector.iter_mut().zip(token) {
                        // Unlike f32::max, this keeps what is not a number.
                        if value > *largest || value.is_nan() {
                            *largest = value;
                        }
                    }
                }
            }
            Self::Mean => add(tokens, |_| 1.0, count, vector),
            Self::MeanSqrtLen => add(tokens, |_| 1.0, count.sqrt(), vector),
            Self::WeightedMean => {
                let total = count * (count + 1.0) / 2.0;
                add(tokens, |position| (position + 1) as f32, total, vector);
            }
        }
    }
}

/// Adds up the states by weight and divides by the total.
fn add<'a>(
    tokens: impl Iterator<Item = &'a [f32]>,
    weight: impl Fn(usize) -> f32,
    total: f32,
    vector: &mut [f32],
) {
    for (position, token) in tokens.enumerate() {
        let weight = weight(position);
        for (sum, value) in vector.iter_mut().zip(token) {
            *sum += weight * value;
        }
    }
    for sum in vector {
        *sum /= total;
    }
}

/// How token states become one vector for the text: one mode, or several one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pooling {
    modes: Vec<Mode>,
    /// Whether the tokens of a prompt take part.
    pub include_prompt: bool,
}

impl Default for Pooling {
    /// The mean.
    fn default() -> Self {
        Self {
            modes: vec![Mode::Mean],
            include_prompt: true,
        }
    }
}

impl Pooling {
    /// Reads the `config.json` of a sentence-transformers pooling module: `pooling_mode`, a name or
    /// a list of names, or the older flags.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let value: Value = read_json(&path)?;
        let modes = modes(&value).map_err(|mode| InferenceError::Unsupported {
            path,
            what: format!("pooling by `{mode}`"),
            supported: "cls, max, mean, mean_sqrt_len_tokens, weightedmean, lasttoken",
        })?;
        if modes.is_empty() {
            return Ok(Self::default());
        }
        Ok(Self {
            modes,
            include_prompt: value["include_prompt"].as_bool().unwrap_or(true),
        })
    }

    /// Components of a text's vector, for token states of `hidden` components.
    pub fn dimension(&self, hidden: usize) -> usize {
        self.modes.len() * hidden
    }

    /// The vector of a text from the states of its tokens, row-major `[tokens, hidden]`, padding
    /// left out; that of a text without tokens is 0.
    pub fn pool(&self, states: &[f32], hidden: usize) -> Vec<f32> {
        let mut vector = vec![0.0; self.dimension(hidden)];
        if !states.is_empty() {
            for (mode, part) in self.modes.iter().zip(vector.chunks_exact_mut(hidden)) {
                mode.pool(states, part);
            }
        }
        vector
    }
}

/// The modes that a config asks for, or the name of one that is not known.
fn modes(config: &Value) -> Result<Vec<Mode>, String> {
    let named = |name: &Value| {
        let known = Mode::NAMES.iter().find(|known| name == known.1);
        known.map(|known| known.0).ok_or_else(|| match name {
            Value::String(name) => name.clone(),
            other => other.to_string(),
        })
    };
    match &config["pooling_mode"] {
        Value::Null => flagged(config),
        Value::Array(names) => names.iter().map(named).collect(),
        name => Ok(vec![named(name)?]),
    }
}

fn flagged(config: &Value) -> Result<Vec<Mode>, String> {
    let is_on = |flag: &str| config[flag].as_bool() == Some(true);
    let is_known = |flag: &str| Mode::NAMES.iter().any(|known| known.2 == flag);
    let fields = config.as_object().into_iter().flatten();
    let mut flags = fields.map(|(name, _)| name.as_str());
    let unknown =
        flags.find(|flag| flag.starts_with("pooling_mode_") && is_on(flag) && !is_known(flag));
    match unknown {
        Some(flag) => Err(flag.to_owned()),
        None => {
            let on = Mode::NAMES.iter().filter(|known| is_on(known.2));
            Ok(on.map(|known| known.0).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(config: &str) -> Result<Pooling> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        Pooling::load(folder.path())
    }

    /// Three tokens of two components.
    fn pool(config: &str) -> Vec<f32> {
        load(config)
            .unwrap()
            .pool(&[1.0, -4.0, 3.0, -1.0, 2.0, -7.0], 2)
    }

    #[test]
    fn each_mode_on_three_tokens() {
        let root = 3f32.sqrt();
        for (name, flag, expected) in [
            ("cls", "cls_token", [1.0, -4.0]),
            ("max", "max_tokens", [3.0, -1.0]),
            ("mean", "mean_tokens", [2.0, -4.0]),
            (
                "mean_sqrt_len_tokens",
                "mean_sqrt_len_tokens",
                [6.0 / root, -12.0 / root],
            ),
            ("weightedmean", "weightedmean_tokens", [13.0 / 6.0, -4.5]),
            ("lasttoken", "lasttoken", [2.0, -7.0]),
        ] {
            assert_eq!(pool(&format!(r#"{{"pooling_mode": "{name}"}}"#)), expected);
            let flags = format!(r#"{{"pooling_mode_{flag}": true, "pooling_mode_x": false}}"#);
            assert_eq!(pool(&flags), expected);
        }
    }

    #[test]
    fn several_modes_come_one_after_another() {
        let listed = r#"{"pooling_mode": ["lasttoken", "cls"]}"#;
        assert_eq!(pool(listed), [2.0, -7.0, 1.0, -4.0]);
        let flags = r#"{"pooling_mode_lasttoken": true, "pooling_mode_cls_token": true}"#;
        assert_eq!(pool(flags), [1.0, -4.0, 2.0, -7.0]);
        assert_eq!(load(flags).unwrap().dimension(2), 4);
    }

    #[test]
    fn a_config_without_a_mode_means_the_mean() {
        assert_eq!(load("{}").unwrap(), Pooling::default());
        let prompt = r#"{"pooling_mode": "mean", "include_prompt": false}"#;
        assert!(!load(prompt).unwrap().include_prompt);
    }

    #[test]
    fn an_unknown_mode_is_named() {
        for (config, name) in [
            (r#"{"pooling_mode": "median"}"#, "`median`"),
            (r#"{"pooling_mode": ["mean", 7]}"#, "`7`"),
            (r#"{"pooling_mode_median": true}"#, "`pooling_mode_median`"),
        ] {
            let error = load(config).unwrap_err().to_string();
            assert!(
                error.contains(&format!("pooling by {name} is not")),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_not_a_number_is_not_lost() {
        let max = load(r#"{"pooling_mode": "max"}"#).unwrap();
        assert!(max.pool(&[f32::NAN, 1.0], 1)[0].is_nan());
        assert!(max.pool(&[1.0, f32::NAN], 1)[0].is_nan());
    }

    #[test]
    fn a_text_without_tokens_is_zero() {
        for mode in Mode::NAMES {
            let pooling = Pooling {
                modes: vec![mode.0],
                include_prompt: true,
            };
            assert_eq!(pooling.pool(&[], 2), [0.0, 0.0]);
        }
    }
}
